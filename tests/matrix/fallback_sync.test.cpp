// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: fallback, in plain calls.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix.hpp"

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

namespace {

struct stand : sync_stand {
    int stood_in = 0;
    auto line() {
        auto const instead = [this] {
            ++stood_in;
            return reply{.value = 42};
        };
        return hawser::compose_in(scene.environment(), hawser::borrow(outer),
                                  hawser::fallback{instead}, hawser::borrow(gate),
                                  hawser::attempt_timeout{100ms});
    }
    /// Whether the outcome is the stand-in, marked so, and keeps the error that it replaced.
    bool stands_in(hawser::outcome<reply> const& out) const {
        return out.has_value() && out.value().value == 42 && out.origin().degraded &&
               !out.earlier().empty() && stood_in == 1 && told("fallback ended") == 1;
    }
};

}  // namespace

TEST_CASE("matrix: fallback, sync, success: is left alone") {
    stand on;
    auto const line = on.line();
    auto const out = on.call(line, answers);
    CHECK(out.value().value == 7);
    CHECK_FALSE(out.origin().degraded);
    CHECK(on.stood_in == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, sync, failure: is stood in for, once") {
    stand on;
    auto const line = on.line();
    CHECK(on.stands_in(on.call(line, fails)));
    CHECK(on.runs == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, sync, refusal: is stood in for, once") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::rate_limited, 20ms);
    CHECK(on.stands_in(on.call(line, answers)));
    CHECK(on.runs == 0);
    CHECK(on.told("fallback invoked for rate limited") == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, sync, exception: is stood in for, once") {
    stand on;
    auto const line = on.line();
    CHECK(on.stands_in(on.call(line, throws)));
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, sync, caller cancel: is not stood in for") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::wait(20ms);
    on.stop_in_wait();
    CHECK(on.call(line, answers).code() == errc::cancelled);
    CHECK(on.stood_in == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, sync, caller cancel: a failure that comes after it stands") {
    stand on;
    auto const line = on.line();
    auto const out = on.call(line, [&] {
        on.caller.request_stop();
        return fails();
    });
    CHECK(out.value().failed);
    CHECK(on.stood_in == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, sync, caller cancel: one that only further in knows of stands") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::cancelled);
    CHECK(on.call(line, answers).code() == errc::cancelled);
    CHECK(on.stood_in == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, sync, timeout: one further in is stood in for, once") {
    stand on;
    auto const line = on.line();
    CHECK(on.stands_in(on.call(line, on.fails_after(100ms))));
    CHECK(on.told("attempt_timeout fired") == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, sync, destroyed while waiting: nothing stands in") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::wait(20ms);  // The fallback itself never waits.
    CHECK(on.unwound_in_wait(line, answers));
    CHECK(on.stood_in == 0);
    CHECK(on.gate.counts().withdrawn == 1);
    CHECK(on.outer.counts().abandoned == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, sync, forced unwinding: nothing stands in") {
    stand on;
    auto const line = on.line();
    CHECK(on.unwound_in_operation(line));
    CHECK(on.stood_in == 0);
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.is_whole());
}
