// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: attempt_timeout, in plain calls.
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
                                  hawser::attempt_timeout{100ms}, hawser::borrow(gate));
    }
    auto fired() const { return told("attempt_timeout fired"); }
};

}  // namespace

TEST_CASE("matrix: attempt_timeout, sync, success: passes through, not marked late") {
    stand on;
    auto const line = on.line();
    auto const out = on.call(line, answers);
    CHECK(out.value().value == 7);
    CHECK_FALSE(out.origin().late);
    CHECK(on.fired() == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: attempt_timeout, sync, failure: passes through") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, on.fails_after(99ms)).value().failed);
    CHECK(on.fired() == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: attempt_timeout, sync, refusal: passes through with what it says") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::rate_limited, 5ms);
    auto const out = on.call(line, answers);
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == hawser::refusal{errc::rate_limited, 5ms, "gate"});
    CHECK(on.fired() == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: attempt_timeout, sync, exception: passes through") {
    stand on;
    auto const line = on.line();
    CHECK_THROWS_WITH((void)on.call(line, throws).value(), "down");
    CHECK(on.fired() == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: attempt_timeout, sync, caller cancel: is not taken for a timeout") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::wait(20ms);
    on.stop_in_wait();
    CHECK(on.call(line, answers).code() == errc::cancelled);
    CHECK(on.runs == 0);
    CHECK(on.fired() == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: attempt_timeout, sync, timeout: a late success is kept, and marked") {
    stand on;
    auto const line = on.line();
    auto const out = on.call(line, [&] {
        on.scene.time.advance(100ms);
        return answers();
    });
    CHECK(out.value().value == 7);
    CHECK(out.origin().late);
    CHECK(on.fired() == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: attempt_timeout, sync, timeout: a wait that would pass it is not begun") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::wait(100ms);
    CHECK(on.call(line, answers).code() == errc::timed_out);
    CHECK(on.scene.waits == 0);
    CHECK(on.gate.counts().withdrawn == 1);
    CHECK(on.is_whole());
}

TEST_CASE(
    "matrix: attempt_timeout, sync, destroyed while waiting: what waits inside is withdrawn") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::wait(20ms);  // The timeout itself never waits.
    CHECK(on.unwound_in_wait(line, answers));
    CHECK(on.gate.counts().withdrawn == 1);
    CHECK(on.outer.counts().abandoned == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: attempt_timeout, sync, forced unwinding: passes through, and nothing fires") {
    stand on;
    auto const line = on.line();
    CHECK(on.unwound_in_operation(line));
    CHECK(on.fired() == 0);
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.outer.counts().abandoned == 1);
    CHECK(on.is_whole());
}
