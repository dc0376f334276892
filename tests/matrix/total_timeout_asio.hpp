// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: total_timeout, in the mode that the includer has chosen.
#ifndef HAWSER_TESTS_MATRIX_TOTAL_TIMEOUT_ASIO_HPP
#define HAWSER_TESTS_MATRIX_TOTAL_TIMEOUT_ASIO_HPP

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
                                  hawser::total_timeout{100ms},
                                  hawser::retry{{.max_attempts = 3},
                                                hawser::backoff::constant{40ms},
                                                hawser::jitter::none{},
                                                hawser::no_budget{}},
                                  hawser::borrow(gate));
    }
    auto fired() const { return told("total_timeout fired"); }
    bool is_untouched() {
        time.run();  // A deadline that was left behind would move the time.
        return fired() == 0 && elapsed() < 100ms && is_whole();
    }
};

TEST_CASE("matrix: total_timeout, " HAWSER_MATRIX_MODE
          ", success: passes through, and no deadline stays") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.fail();
    on.time.advance(40ms);
    on.succeed();
    CHECK(on.succeeded());
    CHECK(on.is_untouched());
}

TEST_CASE("matrix: total_timeout, " HAWSER_MATRIX_MODE
          ", failure: the last of all attempts passes through") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.fail();
    on.time.advance(40ms);
    on.fail();
    on.time.advance(40ms);
    on.fail();
    CHECK(on.failed());
    CHECK(on.remote->starts == 3);
    CHECK(on.is_untouched());
}

TEST_CASE("matrix: total_timeout, " HAWSER_MATRIX_MODE ", refusal: passes through") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::rate_limited, 100ms);  // Not within the time.
    on.start(line);
    CHECK(on.was_refused(errc::rate_limited));
    CHECK(on.is_untouched());
}

TEST_CASE("matrix: total_timeout, " HAWSER_MATRIX_MODE ", exception: passes through") {
    stand on;
    auto const line = hawser::compose_in(on.environment(), hawser::borrow(on.outer),
                                         hawser::total_timeout{100ms}, hawser::borrow(on.gate));
    on.start_throwing(line);
    CHECK(on.threw());
    CHECK(on.is_untouched());
}

TEST_CASE("matrix: total_timeout, " HAWSER_MATRIX_MODE
          ", caller cancel: is not taken for a timeout") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.fail();
    on.cancel();  // In the backoff.
    on.time.poll();
    CHECK(on.was_cancelled());
    CHECK(on.remote->starts == 1);
    CHECK(on.is_untouched());
}

TEST_CASE("matrix: total_timeout, " HAWSER_MATRIX_MODE
          ", timeout: holds for all attempts and waits together") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.time.advance(50ms);
    on.fail();
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.remote->starts == 2);
    CHECK(on.remote->cancels == std::vector{asio::cancellation_type::terminal});
    CHECK(on.elapsed() == 100ms);
    CHECK(on.fired() == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: total_timeout, " HAWSER_MATRIX_MODE
          ", destroyed while waiting: leaves a backoff inside") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.fail();
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.fired() == 0);
    CHECK(on.outer.counts().abandoned == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: total_timeout, " HAWSER_MATRIX_MODE
          ", destroyed while suspended: no deadline stays") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.destroy_operation();
    CHECK(on.was_dropped());
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.is_untouched());
}

#endif  // HAWSER_TESTS_MATRIX_TOTAL_TIMEOUT_ASIO_HPP
