// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/clock.hpp>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using hawser::coarse_clock_source;
using hawser::manual_clock_source;
using hawser::manual_time;
using hawser::steady_clock_source;
using hawser::time_point;

static_assert(hawser::clock_source<steady_clock_source>);
static_assert(hawser::clock_source<coarse_clock_source>);
static_assert(hawser::clock_source<manual_clock_source>);

TEST_CASE("steady_clock_source: tells the steady clock's time, and never steps back") {
    auto const before = std::chrono::steady_clock::now();
    auto last = steady_clock_source{}.now();
    CHECK(last >= before);
    for (int i = 0; i < 1'000; ++i) {
        auto const now = steady_clock_source{}.now();
        REQUIRE(now >= last);
        last = now;
    }
    CHECK(last <= std::chrono::steady_clock::now());
}

TEST_CASE(
    "coarse_clock_source: is on the same line, behind the exact clock, and never steps back") {
    CHECK(coarse_clock_source::resolution() > 0ns);
    auto const exact = steady_clock_source{}.now();
    auto last = coarse_clock_source{}.now();
    CHECK(last > exact - 1s);  // A tick is a hundredth of that at most; a busy machine may lag.
    for (int i = 0; i < 1'000; ++i) {
        auto const now = coarse_clock_source{}.now();
        REQUIRE(now >= last);
        REQUIRE(now <= steady_clock_source{}.now());
        last = now;
    }
}

TEST_CASE("manual_time: stands still until it is moved, either way") {
    manual_time time;
    manual_clock_source const source{time};
    auto const start = source.now();
    CHECK(start == time_point{1h});
    CHECK(source.now() == start);
    time.advance(5s);
    CHECK(source.now() == start + 5s);
    time.advance(-10s);
    CHECK(source.now() == start - 5s);
    time.set(start + 1h);
    CHECK(time.now() == start + 1h);
}

TEST_CASE("manual_time: ends where the line of time does") {
    manual_time time{time_point::max() - 1s};
    time.advance(1h);
    CHECK(time.now() == time_point::max());
    time.set(time_point::min() + 1s);
    time.advance(hawser::duration::min());
    CHECK(time.now() == time_point::min());
}
