// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: limits that learn nothing from a call, in plain calls. bulkhead and
// admission_control share these cases beside those of permit_waits_sync.hpp; the policy is chosen
// as there.
#ifndef HAWSER_TESTS_MATRIX_FIXED_PERMITS_SYNC_HPP
#define HAWSER_TESTS_MATRIX_FIXED_PERMITS_SYNC_HPP

#include "matrix/permit_waits_sync.hpp"

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY
          ", sync, success: a parked call is let in, and its permit comes back") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    on.scene.on_wait = [&] { on.give_it_back(); };
    CHECK(on.call(line, answers).value().value == 7);
    CHECK(on.scene.waits == 1);
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", sync, failure: the permit comes back") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, fails).value().failed);
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY
          ", sync, refusal: takes no permit when the queue is full") {
    stand on;
    lender full{.places = 0};
    REQUIRE(full.limit.permits().try_acquire());
    auto const line = hawser::compose_in(on.scene.environment(), hawser::borrow(on.limit),
                                         hawser::borrow(full.limit));
    CHECK(on.call(line, answers).code() == lender::in_vain.code);
    CHECK(on.scene.waits == 0);
    CHECK(on.runs == 0);
    CHECK(full.permits(on.scene.time.now()).held == 1);
    CHECK(on.has_all_back());  // As further out, the refusal passes through.
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", sync, exception: the permit comes back") {
    stand on;
    auto const line = on.line();
    CHECK_THROWS_WITH((void)on.call(line, throws).value(), "down");
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", sync, forced unwinding: the permit comes back") {
    stand on;
    auto const line = on.line();
    CHECK(on.unwound_in_operation(line));
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.has_all_back());
}

#endif  // HAWSER_TESTS_MATRIX_FIXED_PERMITS_SYNC_HPP
