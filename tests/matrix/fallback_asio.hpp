// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: fallback, in the mode that the includer has chosen.
#ifndef HAWSER_TESTS_MATRIX_FALLBACK_ASIO_HPP
#define HAWSER_TESTS_MATRIX_FALLBACK_ASIO_HPP

#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix_asio.hpp"

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

struct stand : mode_stand {
    int stood_in = 0;
    auto line() {
        auto const instead = [this] {
            ++stood_in;
            return answer(42);
        };
        return hawser::compose_in(environment(), hawser::borrow(outer), hawser::fallback{instead},
                                  hawser::borrow(gate), hawser::attempt_timeout{100ms});
    }
    /// Whether the call ended with the stand-in, marked so.
    bool was_stood_in_for() const {
        return ended_with({}, 42) && stood_in == 1 && told("fallback ended: success") == 1 &&
               told("call ended: success degraded") == 1;
    }
};

TEST_CASE("matrix: fallback, " HAWSER_MATRIX_MODE ", success: is left alone") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.succeed();
    CHECK(on.succeeded());
    CHECK(on.stood_in == 0);
    CHECK(on.told("degraded") == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, " HAWSER_MATRIX_MODE ", failure: is stood in for, once") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.fail();
    CHECK(on.was_stood_in_for());
    CHECK(on.remote->starts == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, " HAWSER_MATRIX_MODE ", refusal: is stood in for, once") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::rate_limited, 20ms);
    on.start(line);
    CHECK(on.was_stood_in_for());
    CHECK(on.told("fallback invoked for rate limited") == 1);
    CHECK(on.remote->starts == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, " HAWSER_MATRIX_MODE ", exception: is stood in for, once") {
    stand on;
    auto const line = on.line();
    on.start_throwing(line);
    on.time.run();
    CHECK(on.was_stood_in_for());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, " HAWSER_MATRIX_MODE ", caller cancel: is not stood in for") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.cancel();
    on.time.run();
    CHECK(on.was_cancelled());
    CHECK(on.stood_in == 0);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, " HAWSER_MATRIX_MODE
          ", timeout: one further in is stood in for, once") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.time.run();
    CHECK(on.was_stood_in_for());
    CHECK(on.told("fallback invoked for timed out") == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, " HAWSER_MATRIX_MODE ", destroyed while waiting: nothing stands in") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::wait(20ms);  // The fallback itself never waits.
    on.start(line);
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.stood_in == 0);
    CHECK(on.gate.counts().withdrawn == 1);
    CHECK(on.outer.counts().abandoned == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: fallback, " HAWSER_MATRIX_MODE
          ", destroyed while suspended: nothing stands in") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.destroy_operation();
    on.time.run();
    CHECK(on.was_dropped());
    CHECK(on.stood_in == 0);
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.is_whole());
}

#endif  // HAWSER_TESTS_MATRIX_FALLBACK_ASIO_HPP
