// SPDX-License-Identifier: BSL-1.0
#include <hawser/retry/allowance.hpp>

#include "support/catch.hpp"

using hawser::attempt_allowance;

TEST_CASE("attempt_allowance: gives as many attempts as there are, then none") {
    attempt_allowance allowance{3};
    for (auto const left : {2u, 1u, 0u}) {
        CHECK(allowance.try_take());
        CHECK(allowance.remaining() == left);
    }
    for (int i = 0; i < 3; ++i) CHECK_FALSE(allowance.try_take());
    CHECK(allowance.remaining() == 0);
}

TEST_CASE("attempt_allowance: zero allows nothing, and the largest number does not wrap") {
    attempt_allowance none{0};
    CHECK_FALSE(none.try_take());
    CHECK(none.remaining() == 0);

    attempt_allowance most{~0U};
    CHECK(most.try_take());
    CHECK(most.remaining() == ~0U - 1);
}

TEST_CASE("attempt_allowance: of which all is taken gives none from then on") {
    attempt_allowance allowance{3};
    CHECK(allowance.try_take());
    CHECK(allowance.take_all() == 2);
    CHECK_FALSE(allowance.try_take());
    CHECK(allowance.take_all() == 0);
}

TEST_CASE("attempt_allowance: nested loops that share one do not multiply") {
    attempt_allowance allowance{5};
    int on_the_wire = 0;
    for (int outer = 0; outer < 3; ++outer)
        for (int inner = 0; inner < 4; ++inner) on_the_wire += allowance.try_take();
    CHECK(on_the_wire == 5);
}
