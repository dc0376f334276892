// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/detail/window_line.hpp>

#include "support/catch.hpp"

#include <random>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::never;
using hawser::time_point;
using namespace hawser::detail;

namespace {

/// The instants of a century on either side of the epoch: any, and those beside a window's edge.
duration draw_instant(std::mt19937_64& random, duration width) {
    std::uniform_int_distribution<duration::rep> any{-window_horizon.count(),
                                                     window_horizon.count()};
    auto const instant = duration{any(random)};
    if (random() % 2) return instant;
    auto const edge = instant - instant % width + duration{static_cast<int>(random() % 3) - 1};
    return std::clamp(edge, -window_horizon, window_horizon);
}

}  // namespace

TEST_CASE("window_line: finds the window that a division finds, also at the edges of windows") {
    std::mt19937_64 random{20261120};
    for (int i = 0; i < 200'000; ++i) {
        auto const bits = random() % 60;
        auto const width = std::min(duration{static_cast<duration::rep>(
                                        (std::uint64_t{1} << bits | random() >> (64 - bits) % 64))},
                                    window_max);
        auto const instant = draw_instant(random, std::max(width, 1ns));
        window_line const line{std::max(width, 1ns)};
        auto const first = line.at(time_point{0ns}).number;  // Of the window after the epoch.
        auto const found = line.at(time_point{instant});
        auto into = instant % std::max(width, 1ns);
        if (into < 0ns) into += width;
        auto const number = (instant - into) / std::max(width, 1ns);
        bool const same = found.into == static_cast<std::uint64_t>(into.count()) &&
                          static_cast<std::int64_t>(found.number - first) == number;
        INFO("step " << i << ": width " << width.count() << ", at " << instant.count());
        REQUIRE(same);
    }
}

TEST_CASE("window_line: an instant beyond a century is one a century from the epoch") {
    for (auto const width : {duration{1ns}, duration{7s}, window_max}) {
        window_line const line{width};
        CHECK(line.at(time_point::max()).number == line.at(time_point{window_horizon}).number);
        CHECK(line.at(time_point::max()).into == line.at(time_point{window_horizon}).into);
        CHECK(line.at(time_point::min()).number == line.at(time_point{-window_horizon}).number);
        CHECK(line.at(time_point::min()).number == 0);
        CHECK(line.last() == line.at(time_point::max()).number);
    }
}

TEST_CASE("window_line: says in which window one of another line begins, wherever it lies") {
    window_line const narrow{7s}, wide{60s};
    for (auto const when : {time_point{98s}, time_point{-7s}, time_point{-window_horizon}}) {
        auto const number = narrow.at(when).number;
        CHECK(wide.at_start_of(narrow, number) == wide.at(when).number);
        CHECK(narrow.at_start_of(narrow, number) == number);
    }
    auto const beyond = narrow.last() + 1'000;  // Where only what was reserved lies.
    CHECK(wide.at_start_of(narrow, beyond) > wide.last());
    CHECK(narrow.at_start_of(narrow, beyond) == beyond);
}

TEST_CASE("window_line: says how long it is from now until a window begins") {
    window_line const line{7s};
    auto const at = line.at(time_point{100s});
    CHECK(at.into == 2'000'000'000);
    CHECK(at.number - line.at(time_point{-1ns}).number == 15);
    CHECK(line.until({.number = at.number + 1, .into = 5}, time_point{100s}) == 5s + 5ns);
    CHECK(wait_of(~std::uint64_t{0}) == never - 1ns);
}
