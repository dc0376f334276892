// SPDX-License-Identifier: BSL-1.0
//
// The linter looks at all layers, not at neighbours.
#include <hawser/compose/lint.hpp>

#include "support/catch.hpp"

#include <array>

using enum hawser::layer_role;
using hawser::detail::stands_inside;

TEST_CASE("lint: a layer stands inside another however many stand between them") {
    std::array const roles{total_timeout, retry, breaker, other, fallback};

    CHECK(stands_inside(roles, fallback, retry));
    CHECK(stands_inside(roles, breaker, total_timeout));
    CHECK_FALSE(stands_inside(roles, retry, breaker));
    CHECK_FALSE(stands_inside(roles, retry, retry));
}
