// SPDX-License-Identifier: BSL-1.0
#include <hawser/stats/time_window.hpp>

#include "support/catch.hpp"

#include <random>
#include <vector>

using namespace std::chrono_literals;
using hawser::call_counts;
using hawser::call_mark;
using hawser::duration;
using hawser::time_point;
using hawser::time_window;

static constexpr time_point t0{1h};

TEST_CASE("time_window: holds every call of the span less a bucket, and none before the span") {
    auto const buckets = GENERATE(1u, 2u, 3u, 10u, 1000u);
    time_window window{{.span = 10s, .buckets = buckets}};
    std::mt19937 random{20261120};
    std::vector<time_point> calls;
    for (auto now = t0; now < t0 + 60s; now += random() % 100 * 1ms) {
        window.record(now, {.failure = true});
        calls.push_back(now);

        std::uint64_t surely = 0, at_most = 0;
        for (auto const at : calls) {
            surely += at > now - (10s - window.width());
            at_most += at > now - 10s;
        }
        auto const held = window.totals(now);
        REQUIRE(held.calls >= std::max<std::uint64_t>(surely, 1));  // The last one is always held.
        REQUIRE(held.calls <= at_most);
        REQUIRE(held.failures == held.calls);
    }
}

TEST_CASE("time_window: totals says the same as recording at that time would find") {
    std::mt19937 random{7};
    time_window window{{.span = 1s, .buckets = 7}};
    auto now = t0;
    for (int i = 0; i < 5'000; ++i) {
        now += random() % 400 * 1ms;
        auto const foreseen = window.totals(now);
        call_mark const mark{random() % 2 == 0, random() % 3 == 0};
        window.record(now, mark);
        auto expected = foreseen;
        expected += mark;
        REQUIRE(window.totals(now) == expected);
    }
}

TEST_CASE("time_window: forgets a bucket at a time, then everything") {
    time_window window{{.span = 4s, .buckets = 4}};
    window.record(t0, {});  // Aligns nothing: where its bucket begins is the window's affair.
    auto edge = t0;
    while (window.totals(edge + 1ns).calls == 1) edge += 1ns + (window.width() / 64);
    CHECK(edge > t0 + 2900ms);
    CHECK(edge < t0 + 4100ms);
    CHECK(window.totals(t0 + 4s) == call_counts{});
    CHECK(window.totals(time_point::max()) == call_counts{});
    CHECK(window.totals(t0) == call_counts{.calls = 1});  // Asking forgets nothing.
}

TEST_CASE("time_window: a far jump clears, and the window works on from there") {
    time_window window{{.span = 1s, .buckets = 10}};
    for (auto const now : {time_point::min(), time_point{}, t0, t0 + 24h * 365,
                           time_point::max() - 1ns, time_point::max()}) {
        window.record(now, {.failure = true});
        auto const held = now == time_point::max() ? 2u : 1u;  // 1 ns after the one before.
        CHECK(window.totals(now) == call_counts{.calls = held, .failures = held});
    }
}

TEST_CASE("time_window: time that runs backwards loses no call") {
    time_window window{{.span = 10s, .buckets = 10}};
    std::uint64_t recorded = 0;
    for (auto const now : {t0, t0 - 3s, t0 - 30s, time_point::min(), t0 - 1ns, t0}) {
        window.record(now, {.slow = true});
        ++recorded;
        CHECK(window.totals(now) == call_counts{.calls = recorded, .slow = recorded});
        CHECK(window.totals(t0) == call_counts{.calls = recorded, .slow = recorded});
    }
    CHECK(window.totals(t0 + 8s).calls == recorded);  // Dated t0, all of them.
    CHECK(window.totals(t0 + 10s).calls == 0);
}

TEST_CASE("time_window: stays right where the line of time ends") {
    time_window window{{.span = duration::max(), .buckets = 1}};
    CHECK(window.span() == duration::max());
    window.record(time_point::min(), {});
    window.record(time_point::min() + 1ns, {});
    CHECK(window.totals(time_point::min()).calls == 2);
    CHECK(window.totals(time_point::max()).calls == 0);

    time_window smallest{{.span = 1ns, .buckets = 1}};
    smallest.record(time_point::max() - 1ns, {});
    smallest.record(time_point::max(), {.failure = true});
    CHECK(smallest.totals(time_point::max()).failures == 1);
}

TEST_CASE("time_window: clear forgets every call") {
    time_window window{{.span = 1s, .buckets = 4}};
    for (auto now = t0; now < t0 + 2s; now += 50ms) window.record(now, {.failure = true});
    window.clear();
    CHECK(window.totals(t0 + 2s) == call_counts{});
    window.record(t0 + 2s, {.slow = true});
    CHECK(window.totals(t0 + 2s) == call_counts{.calls = 1, .slow = 1});
    CHECK(window.totals(t0 + 3s) == call_counts{});
}

TEST_CASE("time_window: a span that its buckets do not divide is rounded down") {
    time_window const window{{.span = 10ns, .buckets = 3}};
    CHECK(window.width() == 3ns);
    CHECK(window.span() == 9ns);
}

TEST_CASE("time_window: rejects options that describe no window") {
    CHECK_THROWS_AS(time_window({.buckets = 0}), std::invalid_argument);
    CHECK_THROWS_AS(time_window({.buckets = 1001}), std::invalid_argument);
    CHECK_THROWS_AS(time_window({.span = 0s}), std::invalid_argument);
    CHECK_THROWS_AS(time_window({.span = -1s}), std::invalid_argument);
    CHECK_THROWS_AS(time_window({.span = duration::min()}), std::invalid_argument);
    CHECK_THROWS_AS(time_window({.span = 9ns, .buckets = 10}), std::invalid_argument);
}
