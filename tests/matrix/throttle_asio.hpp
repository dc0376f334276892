// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: throttle, in the mode that the includer has chosen. What it has counted of a
// call shows in the probability with which it would refuse the next. The first call is let through
// for certain.
#ifndef HAWSER_TESTS_MATRIX_THROTTLE_ASIO_HPP
#define HAWSER_TESTS_MATRIX_THROTTLE_ASIO_HPP

#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>
#include <hawser/policy/throttle.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/matrix_asio.hpp"

#include <cmath>

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;
using hawser::sample_outcome;

struct stand : mode_stand {
    using engine = hawser::basic_adaptive_throttle<hawser::testing::fixed_random>;

    /// Three calls have been too much for the dependency; the numbers drawn are always the lowest.
    engine chances{{.requests_min = 1, .let_through_every = 1s}, {.bits = 0}};
    hawser::throttle<hawser::borrowed<engine>> shed{hawser::borrow(chances)};

    stand() {
        for (int call = 0; call != 3; ++call)
            chances.on_result(start_time, sample_outcome::dropped);
    }
    auto line() {
        return hawser::compose_in(environment(), hawser::borrow(outer), hawser::borrow(shed),
                                  hawser::borrow(gate), hawser::attempt_timeout{100ms});
    }
    /// What the throttle has counted shows in how probable it finds a refusal: of `requests`, so
    /// many were accepted, twice of which it lets go on.
    bool counted(double requests, double accepts) const {
        auto const expected = (requests - 2 * accepts) / (requests + 1);
        return std::abs(chances.rejection_probability(time.now()) - expected) < 1e-12;
    }
    bool was_accepted() const { return counted(4, 1) && is_whole(); }
    bool was_too_much() const { return counted(4, 0) && is_whole(); }
    bool says_nothing() const { return counted(3, 0) && is_whole(); }
};

TEST_CASE("matrix: throttle, " HAWSER_MATRIX_MODE ", success: was accepted") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.succeed();
    CHECK(on.succeeded());
    CHECK(on.was_accepted());
}

TEST_CASE("matrix: throttle, " HAWSER_MATRIX_MODE ", failure: says nothing") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.fail();
    CHECK(on.failed());
    CHECK(on.says_nothing());
}

TEST_CASE("matrix: throttle, " HAWSER_MATRIX_MODE
          ", refusal: counts as asked for, and starts nothing") {
    stand on;
    auto const line = on.line();
    REQUIRE(on.chances.admit(on.start_time));
    on.start(line);
    CHECK(on.was_refused(errc::overloaded));
    CHECK(on.remote->starts == 0);
    CHECK(on.elapsed() == 0ms);
    CHECK(on.was_too_much());
}

TEST_CASE("matrix: throttle, " HAWSER_MATRIX_MODE ", refusal: one from further in says nothing") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::bulkhead_full);
    on.start(line);
    CHECK(on.was_refused(errc::bulkhead_full));
    CHECK(on.says_nothing());
}

TEST_CASE("matrix: throttle, " HAWSER_MATRIX_MODE ", exception: says nothing") {
    stand on;
    auto const line = on.line();
    on.start_throwing(line);
    CHECK(on.threw());
    CHECK(on.says_nothing());
}

TEST_CASE("matrix: throttle, " HAWSER_MATRIX_MODE ", caller cancel: says nothing") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.cancel();
    on.time.run();
    CHECK(on.was_cancelled());
    CHECK(on.remote->starts == 1);
    CHECK(on.says_nothing());
}

TEST_CASE("matrix: throttle, " HAWSER_MATRIX_MODE ", timeout: one further in was too much") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.told("attempt_timeout fired") == 1);
    CHECK(on.was_too_much());
}

TEST_CASE("matrix: throttle, " HAWSER_MATRIX_MODE
          ", timeout: a deadline from further out says nothing") {
    stand on;
    auto const line = on.line();
    on.facts.deadline = on.start_time + 50ms;
    on.start(line);
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.elapsed() == 50ms);
    CHECK(on.says_nothing());
}

TEST_CASE("matrix: throttle, " HAWSER_MATRIX_MODE ", destroyed while waiting: says nothing") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::wait(50ms);
    on.start(line);
    REQUIRE(on.gate.counts().held == 1);
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.says_nothing());
}

TEST_CASE("matrix: throttle, " HAWSER_MATRIX_MODE ", destroyed while suspended: says nothing") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.destroy_operation();
    on.time.run();
    CHECK(on.was_dropped());
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.says_nothing());
}

#endif  // HAWSER_TESTS_MATRIX_THROTTLE_ASIO_HPP
