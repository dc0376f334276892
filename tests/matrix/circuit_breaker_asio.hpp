// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: circuit_breaker, in the mode that the includer has chosen. Each call is the
// one probe of a half-open breaker, so that a slot that is not given back, or a vote that is cast
// wrongly, shows.
#ifndef HAWSER_TESTS_MATRIX_CIRCUIT_BREAKER_ASIO_HPP
#define HAWSER_TESTS_MATRIX_CIRCUIT_BREAKER_ASIO_HPP

#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix_asio.hpp"

using namespace std::chrono_literals;
using namespace support;
using hawser::breaker_state;
using hawser::errc;

struct stand : mode_stand {
    hawser::circuit_breaker breaker{
        {.window = 1, .minimum_calls = 1, .open_for = 1s, .jitter = 0, .probes = 1}};
    auto line() {
        return hawser::compose_in(environment(), hawser::borrow(outer), hawser::borrow(breaker),
                                  hawser::borrow(gate), hawser::attempt_timeout{100ms});
    }
    template <class Line>
    void open(Line const& line) {
        start(line);
        fail();
        got = {};
    }
    /// The next call will be a probe.
    template <class Line>
    void await_probe(Line const& line) {
        open(line);
        time.advance(1s);
    }
    auto probes_out() { return breaker.snapshot(time.now()).probes_out; }
    bool is(breaker_state state) { return breaker.state() == state && probes_out() == 0; }
    /// Whether the slot of the last probe is free, without a vote.
    bool takes_another_probe() {
        return is(breaker_state::half_open) && static_cast<bool>(breaker.try_acquire(time.now()));
    }
};

TEST_CASE("matrix: circuit_breaker, " HAWSER_MATRIX_MODE ", success: a good probe closes") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    on.start(line);
    CHECK(on.probes_out() == 1);
    on.succeed();
    CHECK(on.succeeded());
    CHECK(on.is(breaker_state::closed));
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, " HAWSER_MATRIX_MODE ", failure: a bad probe opens again") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    on.start(line);
    on.fail();
    CHECK(on.failed());
    CHECK(on.is(breaker_state::open));
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, " HAWSER_MATRIX_MODE
          ", refusal: an open breaker starts nothing") {
    stand on;
    auto const line = on.line();
    on.open(line);
    on.start(line);
    CHECK(on.was_refused(errc::circuit_open));
    CHECK(on.remote->starts == 1);
    CHECK(on.breaker.snapshot(on.time.now()).refused_open == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, " HAWSER_MATRIX_MODE
          ", refusal: one from further in is no vote") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    on.gate.answer = hawser::step::refuse(errc::rate_limited);
    on.start(line);
    CHECK(on.was_refused(errc::rate_limited));
    CHECK(on.takes_another_probe());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, " HAWSER_MATRIX_MODE
          ", exception: a probe that throws opens again") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    on.start_throwing(line);
    CHECK(on.threw());
    CHECK(on.is(breaker_state::open));
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, " HAWSER_MATRIX_MODE
          ", caller cancel: a cancelled probe is no vote") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    on.start(line);
    on.cancel();
    on.time.run();
    CHECK(on.was_cancelled());
    CHECK(on.takes_another_probe());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, " HAWSER_MATRIX_MODE
          ", timeout: a probe that times out opens again") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    on.start(line);
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.told("attempt_timeout fired") == 1);
    CHECK(on.is(breaker_state::open));
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, " HAWSER_MATRIX_MODE
          ", timeout: a deadline from further out is no vote") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    on.facts.deadline = on.time.now() + 50ms;
    on.start(line);
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.takes_another_probe());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, " HAWSER_MATRIX_MODE
          ", destroyed while waiting: the slot is free again") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    on.gate.answer = hawser::step::wait(20ms);  // The breaker itself never waits.
    on.start(line);
    CHECK(on.probes_out() == 1);
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.gate.counts().withdrawn == 1);
    CHECK(on.takes_another_probe());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: circuit_breaker, " HAWSER_MATRIX_MODE
          ", destroyed while suspended: the slot is free again") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    on.start(line);
    CHECK(on.probes_out() == 1);
    on.destroy_operation();
    on.time.run();
    CHECK(on.was_dropped());
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.takes_another_probe());
    CHECK(on.is_whole());
}

#endif  // HAWSER_TESTS_MATRIX_CIRCUIT_BREAKER_ASIO_HPP
