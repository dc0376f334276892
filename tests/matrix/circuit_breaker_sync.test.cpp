// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: circuit_breaker, in plain calls. Each call is the one probe of a half-open
// breaker, so that a slot that is not given back, or a vote that is cast wrongly, shows.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix.hpp"

using namespace std::chrono_literals;
using namespace support;
using hawser::breaker_state;
using hawser::errc;

namespace {

struct stand : sync_stand {
    hawser::circuit_breaker breaker{
        {.window = 1, .minimum_calls = 1, .open_for = 1s, .jitter = 0, .probes = 1}};
    auto line() {
        return hawser::compose_in(scene.environment(), hawser::borrow(outer),
                                  hawser::borrow(breaker), hawser::borrow(gate),
                                  hawser::attempt_timeout{100ms});
    }
    template <class Line>
    void open(Line const& line) {
        (void)call(line, fails);
        runs = 0;
    }
    /// The next call will be a probe.
    template <class Line>
    void await_probe(Line const& line) {
        open(line);
        scene.time.advance(1s);
    }
    auto probes_out() { return breaker.snapshot(scene.time.now()).probes_out; }
    /// Whether the slot of the last probe is free, without a vote.
    template <class Line>
    bool takes_another_probe(Line const& line) {
        if (breaker.state() != breaker_state::half_open || probes_out() != 0) return false;
        gate.answer = hawser::step::proceed();
        caller = std::stop_source{};
        return call(line, answers).has_value() && breaker.state() == breaker_state::closed;
    }
};

}  // namespace

TEST_CASE("matrix: circuit_breaker, sync, success: a good probe closes") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    CHECK(on.call(line, answers).value().value == 7);
    CHECK(on.breaker.state() == breaker_state::closed);
    CHECK(on.probes_out() == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, sync, failure: a bad probe opens again") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    CHECK(on.call(line, fails).value().failed);
    CHECK(on.breaker.state() == breaker_state::open);
    CHECK(on.probes_out() == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, sync, refusal: an open breaker says when to come again") {
    stand on;
    auto const line = on.line();
    on.open(line);
    auto const out = on.call(line, answers);
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == hawser::refusal{errc::circuit_open, 1s, "circuit_breaker"});
    CHECK(on.runs == 0);
    CHECK(on.breaker.snapshot(on.scene.time.now()).refused_open == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, sync, refusal: one from further in is no vote") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    on.gate.answer = hawser::step::refuse(errc::rate_limited);
    CHECK(on.call(line, answers).code() == errc::rate_limited);
    CHECK(on.takes_another_probe(line));
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, sync, exception: a probe that throws opens again") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    CHECK(on.call(line, throws).exception() != nullptr);
    CHECK(on.breaker.state() == breaker_state::open);
    CHECK(on.probes_out() == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, sync, caller cancel: a cancelled probe is no vote") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    CHECK(on.call(line,
                  [&] {
                      on.caller.request_stop();
                      return fails();
                  })
              .value()
              .failed);
    CHECK(on.takes_another_probe(line));
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, sync, timeout: a probe that fails past its time opens again") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    CHECK(on.call(line, on.fails_after(100ms)).value().failed);
    CHECK(on.told("attempt_timeout fired") == 1);
    CHECK(on.breaker.state() == breaker_state::open);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, sync, timeout: a deadline from further out is no vote") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    CHECK(on.call(line, on.fails_after(50ms), on.scene.time.now() + 50ms).value().failed);
    CHECK(on.takes_another_probe(line));
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, sync, destroyed while waiting: the slot is free again") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    on.gate.answer = hawser::step::wait(20ms);  // The breaker itself never waits.
    CHECK(on.unwound_in_wait(line, answers));
    CHECK(on.gate.counts().withdrawn == 1);
    CHECK(on.takes_another_probe(line));
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, sync, forced unwinding: the slot is free again") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    CHECK(on.unwound_in_operation(line));
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.takes_another_probe(line));
    CHECK(on.is_whole());
}
