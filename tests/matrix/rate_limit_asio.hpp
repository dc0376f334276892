// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: rate_limit, in the mode that the includer has chosen. The bucket is empty,
// so that each call reserves its turn and waits for it: a turn that is not given back, or given
// back twice, shows.
#ifndef HAWSER_TESTS_MATRIX_RATE_LIMIT_ASIO_HPP
#define HAWSER_TESTS_MATRIX_RATE_LIMIT_ASIO_HPP

#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>
#include <hawser/policy/rate_limit.hpp>

#include "support/catch.hpp"
#include "support/matrix_asio.hpp"

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

struct stand : mode_stand {
    hawser::rate_limit<hawser::token_bucket, hawser::wait_up_to> limit{
        hawser::token_bucket_options{.rate = 10, .burst = 1}, hawser::wait_up_to{250ms}};

    stand() { REQUIRE(limit.limiter().try_acquire(start_time)); }
    auto line() {
        return hawser::compose_in(environment(), hawser::borrow(outer), hawser::borrow(limit),
                                  hawser::borrow(gate), hawser::attempt_timeout{100ms});
    }
    /// Starts a call, which then waits for its turn.
    template <class Line>
    void start_waiting(Line const& line) {
        start(line);
        REQUIRE(got.completed == 0);
        REQUIRE(remote->starts == 0);
        REQUIRE(turn_is_spent());
    }
    /// The same, up to the turn.
    template <class Line>
    void start_in_turn(Line const& line) {
        start_waiting(line);
        time.advance(100ms);
    }
    auto tokens(hawser::duration after_start) {
        return limit.limiter().available(start_time + after_start);
    }
    /// Whether the bucket is as if the call had not asked.
    bool turn_is_back() { return tokens(100ms - 1ns) == 0 && tokens(100ms) == 1; }
    /// Whether the call has its turn, and nothing else was taken.
    bool turn_is_spent() { return tokens(200ms - 1ns) == 0 && tokens(200ms) == 1; }
};

TEST_CASE("matrix: rate_limit, " HAWSER_MATRIX_MODE
          ", success: a call waits its turn, and spends it") {
    stand on;
    auto const line = on.line();
    on.start_in_turn(line);
    CHECK(on.remote->starts == 1);
    on.succeed();
    CHECK(on.succeeded());
    CHECK(on.turn_is_spent());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, " HAWSER_MATRIX_MODE ", failure: its turn is spent") {
    stand on;
    auto const line = on.line();
    on.start_in_turn(line);
    on.fail();
    CHECK(on.failed());
    CHECK(on.turn_is_spent());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, " HAWSER_MATRIX_MODE
          ", refusal: a turn too far off is refused, and not taken") {
    stand on;
    auto const line = on.line();
    for (int other = 0; other != 2; ++other)
        REQUIRE(on.limit.limiter().reserve(on.start_time, 1, 1s));
    on.start(line);
    CHECK(on.was_refused(errc::rate_limited));
    CHECK(on.remote->starts == 0);
    CHECK(on.elapsed() == 0ms);
    CHECK(on.tokens(300ms - 1ns) == 0);
    CHECK(on.tokens(300ms) == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, " HAWSER_MATRIX_MODE
          ", refusal: one from further in spends the turn") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::bulkhead_full);
    on.start_in_turn(line);
    CHECK(on.was_refused(errc::bulkhead_full));
    CHECK(on.turn_is_spent());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, " HAWSER_MATRIX_MODE ", exception: its turn is spent") {
    stand on;
    auto const line = on.line();
    on.start_throwing(line);
    CHECK(on.threw());
    CHECK(on.elapsed() == 100ms);
    CHECK(on.turn_is_spent());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, " HAWSER_MATRIX_MODE
          ", caller cancel: ends the wait, and the turn comes back") {
    stand on;
    auto const line = on.line();
    on.start_waiting(line);
    on.cancel();
    on.time.run();
    CHECK(on.was_cancelled());
    CHECK(on.remote->starts == 0);
    CHECK(on.elapsed() == 0ms);
    CHECK(on.turn_is_back());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, " HAWSER_MATRIX_MODE
          ", caller cancel: one in the operation comes after the turn") {
    stand on;
    auto const line = on.line();
    on.start_in_turn(line);
    on.cancel();
    on.time.run();
    CHECK(on.was_cancelled());
    CHECK(on.remote->starts == 1);
    CHECK(on.turn_is_spent());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, " HAWSER_MATRIX_MODE
          ", timeout: a turn past it is refused, and not taken") {
    stand on;
    auto const line = on.line();
    on.facts.deadline = on.start_time + 50ms;
    on.start(line);
    CHECK(on.was_refused(errc::rate_limited));
    CHECK(on.remote->starts == 0);
    CHECK(on.elapsed() == 0ms);
    CHECK(on.turn_is_back());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, " HAWSER_MATRIX_MODE
          ", timeout: a turn that comes with it is given back") {
    stand on;
    auto const line = on.line();
    on.facts.deadline = on.start_time + 100ms;
    on.start(line);
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.remote->starts == 0);
    CHECK(on.elapsed() == 0ms);
    CHECK(on.turn_is_back());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, " HAWSER_MATRIX_MODE
          ", timeout: one further in comes after the turn") {
    stand on;
    auto const line = on.line();
    on.start_in_turn(line);
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.told("attempt_timeout fired") == 1);
    CHECK(on.turn_is_spent());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, " HAWSER_MATRIX_MODE
          ", destroyed while waiting: the turn comes back") {
    stand on;
    auto const line = on.line();
    on.start_waiting(line);
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.turn_is_back());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, " HAWSER_MATRIX_MODE
          ", destroyed while suspended: its turn is spent") {
    stand on;
    auto const line = on.line();
    on.start_in_turn(line);
    on.destroy_operation();
    on.time.run();
    CHECK(on.was_dropped());
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.turn_is_spent());
    CHECK(on.is_whole());
}

#endif  // HAWSER_TESTS_MATRIX_RATE_LIMIT_ASIO_HPP
