// SPDX-License-Identifier: BSL-1.0
#include <hawser/breaker/open_wait.hpp>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using hawser::duration;
using hawser::time_point;
using hawser::detail::open_wait;
using options = hawser::circuit_breaker_options;

static constexpr time_point t0{1h};
static constexpr std::uint64_t no_chance = 0, all_chance = ~std::uint64_t{0};

TEST_CASE("open_wait: rises with each opening in a row, to the cap and no further") {
    open_wait wait;
    for (auto const expected : {5s, 10s, 20s, 40s, 60s, 60s})
        CHECK(wait.next({}, t0, {}, no_chance) == expected);
    CHECK(wait.in_a_row() == 6);
    wait.reset();
    CHECK(wait.next({}, t0, {}, no_chance) == 5s);
}

TEST_CASE("open_wait: stays within its bounds for every length, factor and row") {
    for (auto const base : {duration{1}, duration{5s}, hawser::never / 2, hawser::never})
        for (auto const factor : {1.0, 1.0000001, 2.0, 1e300})
            for (auto const cap : {base, hawser::never}) {
                options const o{.open_for = base, .open_for_max = cap, .open_for_factor = factor};
                open_wait wait;
                duration last{};
                for (int i = 0; i < 3'000; ++i) {
                    auto const next = wait.next(o, t0, {}, no_chance);
                    if (next < last || next < base || next > cap) FAIL("out of bounds");
                    last = next;
                }
            }
}

TEST_CASE("open_wait: chance adds up to its share, on top of the cap") {
    open_wait wait;
    options const o{.open_for = 10s, .open_for_max = 10s, .jitter = 0.25};
    CHECK(wait.next(o, t0, {}, no_chance) == 10s);
    CHECK(wait.next(o, t0, {}, all_chance) == 12500ms);
    CHECK(wait.next(o, t0, {}, all_chance / 2 + 1) == 11250ms);
}

TEST_CASE("open_wait: a long row is forgiven from where it reached the cap") {
    open_wait wait;
    for (int i = 0; i < 1'000; ++i) static_cast<void>(wait.next({}, t0, {}, no_chance));
    wait.closed(t0);
    // The cap of 60 s is reached by the 5th opening: two minutes leave 3, this one is the 4th.
    CHECK(wait.next({}, t0 + 2min, {}, no_chance) == 40s);
    CHECK(wait.in_a_row() == 4);
}

TEST_CASE("open_wait: only time spent closed is forgiving, and it is spent once") {
    open_wait wait;
    static_cast<void>(wait.next({}, t0, {}, no_chance));
    wait.closed(t0);
    CHECK(wait.next({}, t0, {}, no_chance) == 10s);
    CHECK(wait.next({}, t0 + 24h, {}, no_chance) == 20s);  // Open all the while.
}

TEST_CASE("open_wait: time that steps back forgives nothing") {
    open_wait wait;
    static_cast<void>(wait.next({}, t0, {}, no_chance));
    wait.closed(t0);
    CHECK(wait.next({}, t0 - 24h, {}, no_chance) == 10s);
}

TEST_CASE("open_wait: forget_after sets the pace of forgiving") {
    open_wait wait;
    options const o{.forget_after = 1s};
    for (int i = 0; i < 3; ++i) static_cast<void>(wait.next(o, t0, {}, no_chance));
    wait.closed(t0);
    CHECK(wait.next(o, t0 + 1s, {}, no_chance) == 20s);
}
