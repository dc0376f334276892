// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: total_timeout, in plain calls.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix.hpp"

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

namespace {

struct stand : sync_stand {
    auto line() {
        return hawser::compose_in(scene.environment(), hawser::borrow(outer),
                                  hawser::total_timeout{100ms},
                                  hawser::retry{{.max_attempts = 3},
                                                hawser::backoff::constant{40ms},
                                                hawser::jitter::none{},
                                                hawser::no_budget{}},
                                  hawser::borrow(gate));
    }
    auto fired() const { return told("total_timeout fired"); }
};

}  // namespace

TEST_CASE("matrix: total_timeout, sync, success: passes through, not marked late") {
    stand on;
    auto const line = on.line();
    auto const out = on.call(line, [&] { return on.runs == 2 ? answers() : fails(); });
    CHECK(out.value().value == 7);
    CHECK_FALSE(out.origin().late);
    CHECK(on.fired() == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: total_timeout, sync, failure: the last of all attempts passes through") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, fails).value().failed);
    CHECK(on.runs == 3);
    CHECK(on.scene.elapsed() == 80ms);
    CHECK(on.fired() == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: total_timeout, sync, refusal: passes through with what it says") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::rate_limited, 100ms);  // Not within the time.
    auto const out = on.call(line, answers);
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == hawser::refusal{errc::rate_limited, 100ms, "gate"});
    CHECK(on.scene.waits == 0);
    CHECK(on.fired() == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: total_timeout, sync, exception: passes through") {
    stand on;
    auto const line = on.line();
    CHECK_THROWS_WITH((void)on.call(line, throws).value(), "down");
    CHECK(on.fired() == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: total_timeout, sync, caller cancel: is not taken for a timeout") {
    stand on;
    auto const line = on.line();
    on.stop_in_wait();
    CHECK(on.call(line, fails).code() == errc::cancelled);
    CHECK(on.runs == 1);
    CHECK(on.fired() == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: total_timeout, sync, timeout: holds for all attempts and waits together") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, on.fails_after(50ms)).value().failed);
    CHECK(on.runs == 2);  // From 0 and from 90 ms.
    CHECK(on.scene.elapsed() == 140ms);
    CHECK(on.fired() == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: total_timeout, sync, destroyed while waiting: unwinds out of a backoff inside") {
    stand on;
    auto const line = on.line();
    CHECK(on.unwound_in_wait(line, fails));
    CHECK(on.runs == 1);
    CHECK(on.fired() == 0);
    CHECK(on.outer.counts().abandoned == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: total_timeout, sync, forced unwinding: passes through, and nothing fires") {
    stand on;
    auto const line = on.line();
    CHECK(on.unwound_in_operation(line));
    CHECK(on.runs == 1);
    CHECK(on.fired() == 0);
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.is_whole());
}
