// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/warming_bucket.hpp>

#include "support/catch.hpp"
#include "support/ideal_bucket.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::never;
using hawser::time_point;
using hawser::warming_bucket;
using hawser::warming_bucket_options;

static constexpr time_point t0{1h};

namespace {

/// When `count` tokens are there that are asked for at `now`, however long that takes.
time_point due(warming_bucket& bucket, time_point now, std::uint32_t count = 1) {
    auto const taken = bucket.reserve(now, count, never);
    REQUIRE(taken.granted);
    return now + taken.wait;
}

/// A bucket as full load has left it, and the time from which it is free.
time_point warm(warming_bucket& bucket, std::uint32_t tokens) {
    (void)due(bucket, t0, tokens);
    auto const free_at = t0 + bucket.reserve(t0, 1, 0ns).wait;
    REQUIRE(bucket.slowdown(free_at) == 1);
    return free_at;
}

/// Guava's SmoothWarmingUp as its documentation draws it: permits that are stored in idleness, and
/// a curve of the time for each of them, whose area is taken by adding up slices.
struct stored_permits {
    long double interval, warm_up, factor;
    long double threshold = 0.5L * warm_up / interval;
    long double most = threshold + 2 * warm_up / (interval + factor * interval);
    long double stored = most;
    long double free_at = -1e18L;

    [[nodiscard]] long double time_for_a_permit(long double at) const {
        auto const slope = (factor - 1) * interval / (most - threshold);
        return at <= threshold ? interval : interval + (at - threshold) * slope;
    }
    /// Takes permits at `now`, in nanoseconds, and returns how long that has to wait.
    long double take(long double now, std::uint32_t count) {
        if (now > free_at) {
            stored = std::min(most, stored + (now - free_at) * most / warm_up);
            free_at = now;
        }
        auto const wait = free_at - now;
        auto const from_store = std::min<long double>(count, stored);
        constexpr int slices = 4'000;
        for (int i = 0; i != slices; ++i) {
            auto const middle = stored - from_store * (i + 0.5L) / slices;
            free_at += time_for_a_permit(middle) * from_store / slices;
        }
        stored -= from_store;
        free_at += (count - from_store) * interval;
        return wait;
    }
};

}  // namespace

TEST_CASE("warming_bucket: starts cold: the first is granted at once, and the next come slowly") {
    auto const factor = GENERATE(2u, 3u, 10u, 100u);
    warming_bucket bucket{{.rate = 1'000, .warm_up = 60s, .cold_factor = factor}};
    CHECK(bucket.slowdown(t0) == factor);
    CHECK(bucket.try_acquire(t0));
    auto const wait = bucket.try_acquire(t0).retry_after;
    CHECK(wait < 1ms * factor);
    CHECK(wait > 1ms * factor * 0.995);
}

TEST_CASE("warming_bucket: full load warms it in the time of warm_up") {
    // What it grants by then is 2 * warm_up / (s + cold_factor * s).
    auto const factor = GENERATE(2u, 3u, 5u, 9u);
    warming_bucket bucket{{.rate = 100, .warm_up = 60s, .cold_factor = factor}};
    auto const tokens = 2 * 60 * 100 / (1 + factor);
    std::vector<duration> at;
    for (std::uint32_t k = 0; k <= tokens; ++k) at.push_back(due(bucket, t0) - t0);
    CHECK(std::abs((at.back() - 60s).count()) <= 1);
    for (std::size_t k = 2; k <= tokens; ++k)  // Faster and faster.
        REQUIRE(at[k] - at[k - 1] <= at[k - 1] - at[k - 2]);
    CHECK(due(bucket, t0) - t0 == at.back() + 10ms);
}

TEST_CASE("warming_bucket: hot, the rate is exact, whatever its numbers") {
    auto const options =
        GENERATE(warming_bucket_options{.rate = 100}, warming_bucket_options{.rate = 7'000'000},
                 warming_bucket_options{.rate = 3}, warming_bucket_options{.rate = 1, .period = 3s},
                 warming_bucket_options{.rate = 999'999'937},
                 warming_bucket_options{.rate = 4'294'967'291, .period = 43s});
    auto hot = options;
    hot.warm_up = 1s;
    // Those of two seconds and some more.
    hot.count_max = static_cast<std::uint32_t>(2e9 * options.rate /
                                               static_cast<double>(options.period.count())) +
                    10;
    INFO(options.rate << " per " << options.period.count() << " ns");
    warming_bucket bucket{hot};
    auto const first = warm(bucket, hot.count_max);
    // The shift for which each is due at ceil(first + shift + k * period / rate) lies between these
    // two, in parts of 1 / rate of a nanosecond, the lower one not included.
    __extension__ using wide = __int128;
    auto above = -wide{options.rate}, up_to = wide{0};
    for (int k = 0; k != 20'000; ++k) {
        auto const after = wide{(due(bucket, t0) - first).count()} * options.rate -
                           wide{k} * options.period.count();
        above = std::max(above, after - options.rate);
        up_to = std::min(up_to, after);
    }
    CHECK(above < up_to);
}

TEST_CASE("warming_bucket: idleness cools it, from hot to cold in the time of warm_up") {
    warming_bucket bucket{{.rate = 100, .warm_up = 10s, .count_max = 10'000}};
    auto const free_at = warm(bucket, 10'000);
    CHECK(bucket.slowdown(free_at + 5s) == 1);  // Up to half way the rate is the full one.
    CHECK(bucket.slowdown(free_at + 7500ms) == 2);
    CHECK(bucket.slowdown(free_at + 10s - 1ns) < 3);
    CHECK(bucket.slowdown(free_at + 10s) == 3);
    CHECK(bucket.slowdown(free_at + 24h) == 3);
    CHECK(bucket.slowdown(free_at) == 1);  // Looking cools nothing.

    (void)due(bucket, free_at + 7500ms);
    auto const next = bucket.reserve(free_at + 7500ms, 1, 0ns).wait;
    CHECK(next < 20ms);
    CHECK(next > 19'900us);
}

TEST_CASE("warming_bucket: says when it will be as a new one") {
    auto const rate = GENERATE(100u, 7'000'000u);
    warming_bucket bucket{{.rate = rate, .warm_up = 10s, .cold_factor = 4}};
    CHECK(bucket.fresh_in(t0) == 0ns);
    for (int i = 0; i != 30; ++i) (void)due(bucket, t0);
    auto const wait = bucket.fresh_in(t0 + 1ns) + 1ns;
    CHECK(bucket.fresh_in(t0) == wait);
    CHECK(bucket.slowdown(t0 + wait - 1ns) < 4);
    CHECK(bucket.slowdown(t0 + wait) == 4);
    CHECK(bucket.fresh_in(t0 + wait) == 0ns);
    CHECK(bucket.fresh_in(time_point::min()) > 0ns);
    CHECK(bucket.fresh_in(time_point::max()) == 0ns);
}

TEST_CASE("warming_bucket: at half the full rate it stays as it is, at a quarter it gets cold") {
    warming_bucket half{{.rate = 100, .warm_up = 10s, .count_max = 10'000}};
    auto now = warm(half, 10'000);
    for (int i = 0; i != 10'000; ++i, now += 20ms) REQUIRE(half.try_acquire(now));
    CHECK(half.slowdown(now) == 1);

    warming_bucket quarter{{.rate = 100, .warm_up = 10s, .count_max = 10'000}};
    now = warm(quarter, 10'000);
    for (int i = 0; i != 10'000; ++i, now += 40ms) REQUIRE(quarter.try_acquire(now));
    CHECK(quarter.slowdown(now) > 2.9);
}

TEST_CASE(
    "warming_bucket: a refusal says when to ask again, to the nanosecond, and takes nothing") {
    auto const rate = GENERATE(3u, 100u, 7'000'000u);
    warming_bucket bucket{{.rate = rate, .warm_up = 1s}};
    auto now = t0 + 1ns;
    for (int i = 0; i != 100; ++i) {
        REQUIRE(bucket.try_acquire(now));
        auto const wait = bucket.try_acquire(now).retry_after;
        REQUIRE(wait > 0ns);
        REQUIRE(bucket.try_acquire(now).retry_after == wait);
        REQUIRE(bucket.try_acquire(now + wait - 1ns).retry_after == 1ns);
        now += wait;
    }
}

TEST_CASE("warming_bucket: a request of many is granted when one is, and the next waits for all") {
    warming_bucket bucket{{.rate = 100, .warm_up = 1s, .count_max = 1'000}};
    auto const free_at = warm(bucket, 1'000);
    CHECK(due(bucket, free_at, 50) == free_at);
    CHECK(due(bucket, free_at, 7) == free_at + 500ms);
    CHECK(due(bucket, free_at) == free_at + 570ms);
}

TEST_CASE("warming_bucket: more than the largest request is never granted, and none always") {
    warming_bucket bucket{{.rate = 100, .count_max = 5}};
    auto const refused = bucket.try_acquire(t0, 6);
    CHECK_FALSE(refused);
    CHECK(refused.retry_after == never);
    CHECK(bucket.reserve(t0, 6, never).wait == never);
    CHECK(bucket.try_acquire(t0, 5));
    CHECK(bucket.try_acquire(t0, 0));
    CHECK_FALSE(bucket.try_acquire(t0));
}

TEST_CASE("warming_bucket: a wait that is too long is refused at once, and takes nothing") {
    warming_bucket bucket{{.rate = 100, .warm_up = 1s, .count_max = 1'000}};
    auto const free_at = warm(bucket, 1'000);
    (void)due(bucket, free_at);
    auto const refused = bucket.reserve(free_at, 1, 10ms - 1ns);
    CHECK_FALSE(refused);
    CHECK(refused.wait == 10ms);
    CHECK_FALSE(bucket.reserve(free_at + 10ms, 1, -1ns));
    CHECK(bucket.reserve(free_at + 10ms, 1, -1ns).wait == 0ns);
    CHECK(bucket.reserve(free_at, 1, 10ms));
}

TEST_CASE("warming_bucket: the last reservation that is cancelled leaves no trace") {
    warming_bucket bucket{{.rate = 7'000, .warm_up = 1s, .count_max = 9}},
        twin{{.rate = 7'000, .warm_up = 1s, .count_max = 9}};
    auto now = t0;
    for (int round = 0; round != 50; ++round, now += round * 100us) {
        std::vector<warming_bucket::reservation> taken;
        for (std::uint32_t i = 0; i != 9; ++i) taken.push_back(bucket.reserve(now, i + 1, never));
        for (; !taken.empty(); taken.pop_back()) REQUIRE(bucket.cancel(taken.back()));
        REQUIRE(due(bucket, now) == due(twin, now));
    }
}

TEST_CASE("warming_bucket: one cancelled before others is lost, and they keep their times") {
    warming_bucket bucket{{.rate = 100, .warm_up = 1s, .count_max = 1'000}};
    auto const free_at = warm(bucket, 1'000);
    auto first = bucket.reserve(free_at, 1, never), second = bucket.reserve(free_at, 1, never);
    CHECK_FALSE(bucket.cancel(first));
    CHECK(due(bucket, free_at) == free_at + 20ms);
    CHECK_FALSE(bucket.cancel(second));

    auto refused = bucket.reserve(free_at, 1, 0ns);
    CHECK_FALSE(bucket.cancel(refused));
    CHECK(bucket.cancel(bucket.reserve(free_at, 1, never)));
    auto last = bucket.reserve(free_at, 1, never);
    CHECK(bucket.cancel(last));
    (void)due(bucket, free_at);  // Where the last one was.
    CHECK_FALSE(bucket.cancel(last));
}

TEST_CASE("warming_bucket: agrees with permits stored along a curve, its area added up") {
    auto const seed = GENERATE(range(0u, 60u));
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    auto const rate = static_cast<std::uint32_t>(random() % 5'000 + 1);
    auto const factor = static_cast<std::uint32_t>(random() % 9 + 2);
    auto const warm_up = duration{random() % 20'000'000'000 + 1'000'000};
    warming_bucket bucket{
        {.rate = rate, .warm_up = warm_up, .cold_factor = factor, .count_max = 20}};
    auto const interval = 1e9L / rate;
    stored_permits model{interval, static_cast<long double>(warm_up.count()),
                         static_cast<long double>(factor)};
    duration now{};
    for (int i = 0; i != 200; ++i) {
        auto const scale = std::array{0.1L, 1.0L, 5.0L, 200.0L}[random() % 4];
        now += duration{static_cast<std::int64_t>(static_cast<long double>(random() % 1000) / 500 *
                                                  scale * interval)};
        auto const count = static_cast<std::uint32_t>(random() % 20 + 1);
        auto const wait = bucket.reserve(t0 + now, count, never).wait;
        auto const expected = model.take(static_cast<long double>(now.count()), count);
        auto const near = 2 + 1e-6L * interval;  // Nanoseconds, and the slice with the bend.
        INFO(i << ": " << wait.count() << " and " << static_cast<double>(expected));
        REQUIRE(std::abs(static_cast<long double>(wait.count()) - expected) <= near);
        if (expected > 30 * interval) now += wait;
    }
}

TEST_CASE("warming_bucket: no window grants more than the largest request and its rate") {
    auto const rate = GENERATE(1'000u, 7'000'000u, 999'999'937u);
    auto const seed = GENERATE(range(0u, 10u));
    INFO("rate " << rate << ", seed " << seed);
    std::mt19937_64 random{seed};
    auto const interval = std::uint64_t{1'000'000'000} / rate + 1;
    warming_bucket bucket{
        {.rate = rate, .warm_up = duration{50 * interval}, .cold_factor = 2, .count_max = 4}};
    struct grant {
        duration at;
        std::uint32_t count;
    };
    std::vector<grant> grants;
    duration now{};
    while (grants.size() != 400) {
        auto const count = static_cast<std::uint32_t>(random() % 4 + 1);
        if (bucket.try_acquire(t0 + now, count)) grants.push_back({now, count});
        now += duration{random() % interval};
        if (random() % 100 == 0) now -= duration{random() % (20 * interval)};
        now = std::max(now, grants.back().at);
    }
    for (std::size_t from = 0; from != grants.size(); ++from) {
        std::int64_t total = 0;
        for (std::size_t to = from; to != grants.size(); ++to) {
            total += grants[to].count;
            auto const span = (grants[to].at - grants[from].at).count() + 1;
            REQUIRE(total <= 4 + span * rate / 1'000'000'000);
        }
    }
}

TEST_CASE("warming_bucket: with clocks that are late, a window is longer by as much") {
    auto const seed = GENERATE(range(0u, 300u));
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    auto const of = support::random_bucket(random);
    auto const interval = static_cast<std::uint64_t>(of.period.count()) / of.rate + 1;
    auto const warm_up =
        std::min<duration>(duration{static_cast<std::int64_t>(50 * interval)}, 24h);
    warming_bucket bucket{
        {.rate = of.rate, .period = of.period, .warm_up = warm_up, .count_max = 4}};
    auto const late = seed % 2 == 0 ? 0 : random() % (5 * interval);
    support::window_bound bound{{.rate = of.rate, .period = of.period, .burst = 4},
                                duration{static_cast<std::int64_t>(late) + 1}};
    auto now = t0;
    int granted = 0;
    for (int i = 0; i != 600; ++i) {
        now += duration{static_cast<std::int64_t>(random() % (2 * interval))};
        auto const told = now - duration{static_cast<std::int64_t>(random() % (late + 1))};
        auto const count = static_cast<std::uint32_t>(1 + random() % 4);
        if (!bucket.try_acquire(told, count)) continue;
        REQUIRE(bound.holds_with(now, count));
        ++granted;
    }
    CHECK(granted > 20);
}

TEST_CASE("warming_bucket: time that steps back grants nothing and is no idleness") {
    warming_bucket bucket{{.rate = 100, .warm_up = 10s, .count_max = 10'000}};
    auto const free_at = warm(bucket, 10'000);
    REQUIRE(bucket.try_acquire(free_at));
    CHECK(bucket.try_acquire(free_at - 1h).retry_after == 1h + 10ms);
    CHECK(bucket.try_acquire(time_point::min()).retry_after > 1h);
    CHECK(bucket.slowdown(free_at - 1h) == 1);
    CHECK(bucket.try_acquire(free_at).retry_after == 10ms);
    CHECK(bucket.try_acquire(free_at + 10ms));
}

TEST_CASE("warming_bucket: holds at the extremes of its options and of time") {
    auto const most = std::numeric_limits<std::uint32_t>::max();
    for (auto const& options :
         {warming_bucket_options{
              .rate = most, .period = 5s, .warm_up = 24h, .cold_factor = 100, .count_max = most},
          warming_bucket_options{.rate = 1, .period = 24h * 365 * 15, .cold_factor = 2},
          warming_bucket_options{.rate = most, .period = 24h * 365 * 30, .count_max = most / 3},
          warming_bucket_options{.rate = 1, .period = 1ns, .warm_up = 1ns, .count_max = most},
          warming_bucket_options{.rate = 1, .period = 100h, .warm_up = 1ns}}) {
        INFO(options.rate << " per " << options.period.count() << " ns");
        for (auto const now : {time_point::min(), time_point{}, t0, time_point::max()}) {
            warming_bucket bucket{options};
            CHECK(bucket.slowdown(now) == options.cold_factor);
            auto first = bucket.reserve(now, options.count_max, 0ns);
            CHECK(first);
            auto const refused = bucket.try_acquire(now);
            CHECK_FALSE(refused);
            CHECK(refused.retry_after > 0ns);
            CHECK(refused.retry_after < never);
            CHECK(bucket.reserve(time_point::min(), options.count_max, never).wait < never);
            CHECK(bucket.slowdown(time_point::max()) <= options.cold_factor);
            CHECK(bucket.slowdown(time_point::min()) >= 1);
        }
    }
}

TEST_CASE(
    "warming_bucket: what is further off than a wait can say is refused, not piled up there") {
    warming_bucket bucket{{.rate = 1, .period = 24h * 365 * 14, .cold_factor = 2}};
    duration last{-1};
    int granted = 0;
    for (auto next = bucket.reserve(t0, 1, never); next; next = bucket.reserve(t0, 1, never)) {
        REQUIRE(next.wait > last);
        last = next.wait;
        REQUIRE(++granted < 60);
    }
    CHECK(granted > 10);
    CHECK(last > 24h * 365 * 250);
    CHECK_FALSE(bucket.reserve(t0, 1, never));
    CHECK(bucket.reserve(t0 + 24h * 365 * 100, 1, never));
}

TEST_CASE("warming_bucket: rejects options that describe no ramp, a warm_up of zero among them") {
    auto const made = [](warming_bucket_options const& options) { warming_bucket{options}; };
    CHECK_THROWS_WITH(made({.rate = 0}), "warming_bucket: rate is zero");
    for (auto const bad : {duration{0}, duration{-1}, duration::min()})
        CHECK_THROWS_WITH(made({.period = bad}), "warming_bucket: period is not positive");
    CHECK_THROWS_WITH(made({.rate = 101, .period = 100ns}),
                      "warming_bucket: rate is more than one a nanosecond");
    for (auto const bad : {duration{0}, duration{-1}, duration{24h + 1ns}, duration::max()})
        CHECK_THROWS_WITH(made({.warm_up = bad}), "warming_bucket: warm_up is not in (0, 24 h]");
    for (auto const bad : {0u, 1u, 101u, ~0u})
        CHECK_THROWS_WITH(made({.cold_factor = bad}),
                          "warming_bucket: cold_factor is not in [2, 100]");
    CHECK_THROWS_WITH(made({.count_max = 0}), "warming_bucket: count_max is zero");
    CHECK_THROWS_WITH(made({.rate = 1, .period = 24h, .count_max = 365 * 10 + 1}),
                      "warming_bucket: count_max takes over thirty years, cold");
    CHECK_NOTHROW(made({.rate = 1, .period = 24h, .count_max = 365 * 10}));
}
