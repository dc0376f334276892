// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: limits that learn nothing from a call. bulkhead and admission_control share
// these cases beside those of permit_waits_asio.hpp; the policy and the mode are chosen as there.
#ifndef HAWSER_TESTS_MATRIX_FIXED_PERMITS_ASIO_HPP
#define HAWSER_TESTS_MATRIX_FIXED_PERMITS_ASIO_HPP

#include "matrix/permit_waits_asio.hpp"

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", " HAWSER_MATRIX_MODE
          ", success: a parked call is let in, and its permit comes back") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.give_it_back();
    CHECK(on.permits().on_the_way == 1);
    on.time.poll();
    CHECK(on.permits().held == 1);
    on.succeed();
    CHECK(on.succeeded());
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", " HAWSER_MATRIX_MODE
          ", failure: the permit comes back") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.fail();
    CHECK(on.failed());
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", " HAWSER_MATRIX_MODE
          ", refusal: takes no permit when the queue is full") {
    stand on;
    lender full{.places = 0};
    REQUIRE(full.limit.permits().try_acquire());
    auto const line =
        hawser::compose_in(on.environment(), hawser::borrow(on.limit), hawser::borrow(full.limit));
    on.start(line);
    CHECK(on.was_refused(lender::in_vain.code));
    CHECK(on.elapsed() == 0ms);
    CHECK(on.remote->starts == 0);
    CHECK(full.permits(on.time.now()).held == 1);
    CHECK(on.has_all_back());  // As further out, the refusal passes through.
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", " HAWSER_MATRIX_MODE
          ", exception: the permit comes back") {
    stand on;
    auto const line = on.line();
    on.start_throwing(line);
    CHECK(on.threw());
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", " HAWSER_MATRIX_MODE
          ", destroyed while suspended: the permit comes back") {
    stand on;
    auto const line = on.line();
    on.start(line);
    CHECK(on.permits().held == 1);
    on.destroy_operation();
    on.time.run();
    CHECK(on.was_dropped());
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.has_all_back());
}

#endif  // HAWSER_TESTS_MATRIX_FIXED_PERMITS_ASIO_HPP
