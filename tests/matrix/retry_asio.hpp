// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: retry, in the mode that the includer has chosen.
#ifndef HAWSER_TESTS_MATRIX_RETRY_ASIO_HPP
#define HAWSER_TESTS_MATRIX_RETRY_ASIO_HPP

#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix_asio.hpp"

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

struct stand : mode_stand {
    hawser::retry_budget budget{{.ratio = 0, .floor = 3, .per = 1h}};
    auto line() {
        return hawser::compose_in(environment(), hawser::borrow(outer),
                                  hawser::retry{{.max_attempts = 2},
                                                hawser::backoff::constant{10ms},
                                                hawser::jitter::none{},
                                                hawser::borrow(budget)},
                                  hawser::borrow(gate), hawser::attempt_timeout{100ms});
    }
    auto tokens() { return budget.available(time.now()); }
};

TEST_CASE("matrix: retry, " HAWSER_MATRIX_MODE
          ", success: the first is the last, and costs no token") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.succeed();
    CHECK(on.succeeded());
    CHECK(on.remote->starts == 1);
    CHECK(on.tokens() == 3);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: retry, " HAWSER_MATRIX_MODE
          ", failure: is tried again for a token, and the last one stands") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.fail();
    on.time.advance(10ms);
    on.fail();
    CHECK(on.failed());
    CHECK(on.remote->starts == 2);
    CHECK(on.tokens() == 2);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: retry, " HAWSER_MATRIX_MODE
          ", refusal: is asked again when it says, and costs no token") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::rate_limited, 20ms);
    on.start(line);
    on.time.run();
    CHECK(on.was_refused(errc::rate_limited));
    CHECK(on.remote->starts == 0);
    CHECK(on.elapsed() == 20ms);
    CHECK(on.tokens() == 3);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: retry, " HAWSER_MATRIX_MODE ", exception: is tried again for a token") {
    stand on;
    auto const line = on.line();
    on.start_throwing(line);
    on.time.advance(10ms);
    on.succeed();
    CHECK(on.succeeded());
    CHECK(on.remote->starts == 2);
    CHECK(on.tokens() == 2);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: retry, " HAWSER_MATRIX_MODE
          ", caller cancel: ends the backoff, and its token comes back") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.fail();
    CHECK(on.tokens() == 2);
    on.cancel();
    on.time.run();
    CHECK(on.was_cancelled());
    CHECK(on.remote->starts == 1);
    CHECK(on.elapsed() == 0ms);
    CHECK(on.tokens() == 3);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: retry, " HAWSER_MATRIX_MODE
          ", timeout: an attempt that is cancelled for it is tried again") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.time.advance(110ms);
    CHECK(on.remote->starts == 2);
    on.succeed();
    CHECK(on.succeeded());
    CHECK(on.told("attempt_timeout fired") == 1);
    CHECK(on.tokens() == 2);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: retry, " HAWSER_MATRIX_MODE
          ", destroyed while waiting: the token of the backoff comes back") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.fail();
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.tokens() == 3);
    CHECK(on.outer.counts().abandoned == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: retry, " HAWSER_MATRIX_MODE
          ", destroyed while suspended: nothing is tried again") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.destroy_operation();
    on.time.run();
    CHECK(on.was_dropped());
    CHECK(on.tokens() == 3);
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.is_whole());
}

#endif  // HAWSER_TESTS_MATRIX_RETRY_ASIO_HPP
