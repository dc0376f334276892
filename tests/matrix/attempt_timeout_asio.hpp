// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: attempt_timeout, in the mode that the includer has chosen.
#ifndef HAWSER_TESTS_MATRIX_ATTEMPT_TIMEOUT_ASIO_HPP
#define HAWSER_TESTS_MATRIX_ATTEMPT_TIMEOUT_ASIO_HPP

#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix_asio.hpp"

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

struct stand : mode_stand {
    auto line() {
        return hawser::compose_in(environment(), hawser::borrow(outer),
                                  hawser::attempt_timeout{100ms}, hawser::borrow(gate));
    }
    auto fired() const { return told("attempt_timeout fired"); }
    bool is_untouched() {
        time.run();  // A deadline that was left behind would move the time.
        return fired() == 0 && elapsed() < 100ms && is_whole();
    }
};

TEST_CASE("matrix: attempt_timeout, " HAWSER_MATRIX_MODE
          ", success: passes through, and no deadline stays") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.succeed();
    CHECK(on.succeeded());
    CHECK(on.is_untouched());
}

TEST_CASE("matrix: attempt_timeout, " HAWSER_MATRIX_MODE ", failure: passes through") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.time.advance(99ms);
    on.fail();
    CHECK(on.failed());
    CHECK(on.is_untouched());
}

TEST_CASE("matrix: attempt_timeout, " HAWSER_MATRIX_MODE ", refusal: passes through") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::rate_limited, 5ms);
    on.start(line);
    CHECK(on.was_refused(errc::rate_limited));
    CHECK(on.remote->starts == 0);
    CHECK(on.is_untouched());
}

TEST_CASE("matrix: attempt_timeout, " HAWSER_MATRIX_MODE ", exception: passes through") {
    stand on;
    auto const line = on.line();
    on.start_throwing(line);
    CHECK(on.threw());
    CHECK(on.is_untouched());
}

TEST_CASE("matrix: attempt_timeout, " HAWSER_MATRIX_MODE
          ", caller cancel: is not taken for a timeout") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.cancel();
    on.time.poll();
    CHECK(on.was_cancelled());
    CHECK(on.is_untouched());
}

TEST_CASE("matrix: attempt_timeout, " HAWSER_MATRIX_MODE
          ", timeout: the operation is cancelled, once") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.remote->cancels == std::vector{asio::cancellation_type::terminal});
    CHECK(on.elapsed() == 100ms);
    CHECK(on.fired() == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: attempt_timeout, " HAWSER_MATRIX_MODE
          ", destroyed while waiting: the wait is withdrawn") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::wait(20ms);  // The timeout itself never waits.
    on.start(line);
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.fired() == 0);
    CHECK(on.gate.counts().withdrawn == 1);
    CHECK(on.outer.counts().abandoned == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: attempt_timeout, " HAWSER_MATRIX_MODE
          ", destroyed while suspended: no deadline stays") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.destroy_operation();
    CHECK(on.was_dropped());
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.is_untouched());
}

#endif  // HAWSER_TESTS_MATRIX_ATTEMPT_TIMEOUT_ASIO_HPP
