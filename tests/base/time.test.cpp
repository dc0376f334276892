// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/time.hpp>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using hawser::add_saturating;
using hawser::duration;
using hawser::never;
using hawser::no_deadline;
using hawser::time_between;
using hawser::time_point;

static constexpr time_point t0{1h};

TEST_CASE("time: a deadline that a user makes from the steady clock fits") {
    time_point const deadline = std::chrono::steady_clock::now() + 250ms;
    CHECK(deadline < no_deadline);
}

TEST_CASE("time: a wait is added exactly where the sum can be held") {
    CHECK(add_saturating(t0, 5ms) == t0 + 5ms);
    CHECK(add_saturating(t0, -5ms) == t0 - 5ms);
    CHECK(add_saturating(t0, 0ns) == t0);
    CHECK(add_saturating(time_point::max() - 5ns, 5ns) == time_point::max());
    CHECK(add_saturating(time_point::min() + 5ns, -5ns) == time_point::min());
    CHECK(add_saturating(time_point::min(), duration::max()) == time_point{-1ns});
    CHECK(add_saturating(time_point::max(), duration::min()) == time_point{-1ns});
}

TEST_CASE("time: a wait that leads off the line ends where the line does") {
    for (auto const wait : {1ns, duration{24h}, duration::max() - 1ns, never}) {
        CHECK(add_saturating(time_point::max(), wait) == time_point::max());
        CHECK(add_saturating(time_point::min(), -wait) == time_point::min());
    }
    CHECK(add_saturating(t0, never) == no_deadline);
    CHECK(add_saturating(time_point{-1h}, duration::min()) == time_point::min());
}

TEST_CASE("time: the distance of two instants is exact where it can be held, and signed") {
    CHECK(time_between(t0, t0 + 3s) == 3s);
    CHECK(time_between(t0 + 3s, t0) == -3s);
    CHECK(time_between(t0, t0) == 0s);
    CHECK(time_between(time_point::min(), time_point{-1ns}) == duration::max());
    CHECK(time_between(time_point{}, time_point::min()) == duration::min());
}

TEST_CASE("time: a distance that cannot be held is the longest there is") {
    constexpr auto before_the_end = time_point::max() - 1ns;
    CHECK(time_between(time_point::min(), before_the_end) == duration::max());
    CHECK(time_between(time_point{-2ns}, before_the_end) == duration::max());
    CHECK(time_between(before_the_end, time_point::min()) == duration::min());
    CHECK(time_between(time_point{1ns}, time_point::min()) == duration::min());
    CHECK(time_between(no_deadline, time_point::min()) == duration::min());
}

TEST_CASE("time: a call without a deadline is never out of time") {
    for (auto const now : {time_point::min(), time_point{}, t0, time_point::max()})
        CHECK(time_between(now, no_deadline) == never);
}

TEST_CASE("time: is known when the program is compiled") {
    STATIC_REQUIRE(add_saturating(time_point{}, never) == no_deadline);
    STATIC_REQUIRE(time_between(t0, t0 - 1s) == -1s);
}

TEST_CASE("time: the way ahead is exact, and never longer than a duration holds") {
    using hawser::time_ahead, hawser::time_point, hawser::duration;
    constexpr time_point early{-duration{5}}, late{duration{7}};
    STATIC_REQUIRE(time_ahead(early, late) == duration{12});
    STATIC_REQUIRE(time_ahead(late, late) == duration{0});
    STATIC_REQUIRE(time_ahead(time_point::min(), time_point::max()) == duration::max());
    STATIC_REQUIRE(time_ahead(time_point{duration{-1}}, time_point::max()) == duration::max());
    STATIC_REQUIRE(time_ahead(time_point{duration{0}}, time_point::max()) == duration::max());
    STATIC_REQUIRE(time_ahead(time_point{duration{1}}, time_point::max()) == hawser::never);
    STATIC_REQUIRE(time_ahead(time_point{duration{1}}, time_point::max() - duration{1}) ==
                   duration::max() - duration{2});
}
