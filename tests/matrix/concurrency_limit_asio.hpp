// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: concurrency_limit, in the mode that the includer has chosen. The limit and
// the refusal stand in support/matrix_concurrency_limit.hpp, and the cases of a call that waits in
// vain, which it shares with bulkhead and admission_control, in permit_waits_asio.hpp. Those here
// are about the full queue and what a call teaches.
#ifndef HAWSER_TESTS_MATRIX_CONCURRENCY_LIMIT_ASIO_HPP
#define HAWSER_TESTS_MATRIX_CONCURRENCY_LIMIT_ASIO_HPP

#include "support/matrix_concurrency_limit.hpp"

#include "matrix/permit_waits_asio.hpp"
#include "support/counting_waiter.hpp"

using hawser::sample_outcome;

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", success: teaches its time, without that of its wait") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.time.advance(20ms);
    on.give_it_back();
    CHECK(on.permits().on_the_way == 1);
    on.time.poll();
    CHECK(on.permits().held == 1);
    on.time.advance(5ms);
    on.succeed();
    CHECK(on.succeeded());
    CHECK(on.taught(sample_outcome::success));
    CHECK(is_measure(on.heard[0], 5ms, 20ms));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", failure: teaches nothing, and the permit comes back") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.fail();
    CHECK(on.failed());
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", refusal: takes no permit when the queue is full") {
    stand on;
    auto const line = on.line();
    REQUIRE(on.limit.permits().try_acquire());
    counting_waiter other;
    REQUIRE(on.limit.permits().acquire(other, 1, on.start_time).result == hawser::acquired::queued);
    on.start(line);
    CHECK(on.was_refused(errc::overloaded));
    CHECK(on.elapsed() == 0ms);
    CHECK_FALSE(on.limit.permits().withdraw(other, on.start_time).bell_will_ring);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", refusal: one from further in teaches nothing") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::rate_limited);
    on.start(line);
    CHECK(on.was_refused(errc::rate_limited));
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", exception: teaches nothing, and the permit comes back") {
    stand on;
    auto const line = on.line();
    on.start_throwing(line);
    CHECK(on.threw());
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", caller cancel: one in the operation teaches nothing") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.cancel();
    on.time.run();
    CHECK(on.was_cancelled());
    CHECK(on.remote->starts == 1);
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", timeout: one further in is overload") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.told("attempt_timeout fired") == 1);
    CHECK(on.taught(sample_outcome::dropped));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", timeout: a deadline from further out teaches nothing") {
    stand on;
    auto const line = on.line();
    on.facts.deadline = on.start_time + 50ms;
    on.start(line);
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.elapsed() == 50ms);
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", destroyed while suspended: nothing is learned, the permit is back") {
    stand on;
    auto const line = on.line();
    on.start(line);
    CHECK(on.permits().held == 1);
    on.destroy_operation();
    on.time.run();
    CHECK(on.was_dropped());
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.heard.empty());
    CHECK(on.has_all_back());
}

#endif  // HAWSER_TESTS_MATRIX_CONCURRENCY_LIMIT_ASIO_HPP
