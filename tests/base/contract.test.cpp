// SPDX-License-Identifier: BSL-1.0
//
// Violations are sent to a counter here, as a program may send them wherever it likes.
static int violations = 0;
static constexpr void check(bool holds) {
    if (!holds) ++violations;
}
#define HAWSER_ASSERT(condition) check(condition)

#include <hawser/base/contract.hpp>
#include <hawser/base/saturating.hpp>

#include "support/catch.hpp"

TEST_CASE("HAWSER_ASSERT: a program's own definition stands, and sees each violation") {
    violations = 0;
    HAWSER_ASSERT(1 + 1 == 2);
    CHECK(violations == 0);
    HAWSER_ASSERT(1 + 1 == 3);
    CHECK(violations == 1);
}

TEST_CASE("HAWSER_ASSERT: a function called against what it requires reports it") {
    violations = 0;
    (void)hawser::part_of(hawser::duration{1}, 0);
    CHECK(violations == 0);
    (void)hawser::part_of(hawser::duration{-1}, 0);
    CHECK(violations == 1);
}
