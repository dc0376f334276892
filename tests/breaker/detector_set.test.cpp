// SPDX-License-Identifier: BSL-1.0
#include <hawser/breaker/detector_set.hpp>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using hawser::time_point;
namespace trip = hawser::trip;
using set =
    hawser::detail::detector_set<trip::failure_rate, trip::consecutive_failures, trip::slow_rate>;

TEST_CASE("detector_set: shows a call to every rule, and names the first that trips") {
    set rules{{.minimum_calls = 2}, {.count = 2}, {}};
    hawser::rule_reading why;
    CHECK_FALSE(rules.record({.failure = true, .position = 1}, why));
    CHECK(rules.record({.failure = true, .position = 2}, why));
    CHECK(why.rule == std::string{"failure_rate"});
    CHECK(rules.readings(2, {})[1].hits == 2);  // It saw both.
}

TEST_CASE("detector_set: watches as early, and calls slow as short, as any of its rules") {
    set rules{{}, {}, {.slower_than = 3s}};
    CHECK(rules.slow_after() == 3s);
    CHECK(rules.watch_from(0, {}) == time_point::max());
    hawser::rule_reading why;
    static_cast<void>(rules.record({.failure = true, .position = 1}, why));
    CHECK(rules.watch_from(1, {}) == time_point::min());
    rules.clear(1, {});
    CHECK(rules.watch_from(1, {}) == time_point::max());
}

TEST_CASE("detector_set: adopts the numbers of every rule") {
    set rules{{}, {}, {}}, fresh{{.window = 50}, {.count = 1}, {.slower_than = 7s}};
    rules.adopt(fresh, 0);
    CHECK(rules.slow_after() == 7s);
    CHECK(rules.readings(60, {})[0].calls == 50);
    hawser::rule_reading why;
    CHECK(rules.record({.failure = true, .position = 61}, why));
    CHECK(why.rule == std::string{"consecutive_failures"});
}
