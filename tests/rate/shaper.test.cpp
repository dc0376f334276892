// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/shaper.hpp>

#include "support/catch.hpp"
#include "support/ideal_bucket.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::never;
using hawser::shaper;
using hawser::shaper_options;
using hawser::time_point;

static constexpr time_point t0{1h};

namespace {

constexpr std::uint32_t long_queue = 4'000'000'000;

/// When a request departs that comes at `now`.
time_point departs(shaper& line, time_point now, std::uint32_t count = 1) {
    auto const slot = line.schedule(now, count);
    REQUIRE(slot.granted);
    return now + slot.wait;
}

/// `count` intervals of `options`, rounded up to the nanosecond.
duration intervals(shaper_options const& options, std::int64_t count) {
    auto const rate = std::int64_t{options.rate};
    return duration{(count * options.period.count() + rate - 1) / rate};
}

}  // namespace

TEST_CASE("shaper: the first departs at once, and after any rest the next does") {
    shaper line{{.rate = 3, .period = 1s}};
    CHECK(departs(line, t0) == t0);
    CHECK(departs(line, t0) > t0);
    for (auto const now : {t0 + 667ms, t0 + 1001ms, t0 + 24h, t0 + 24h * 20'000})
        CHECK(departs(line, now) == now);
}

TEST_CASE("shaper: departure k comes k intervals after the first, rounded up") {
    auto const options =
        GENERATE(shaper_options{.rate = 100}, shaper_options{.rate = 1, .period = 3s},
                 shaper_options{.rate = 1'000'000'000}, shaper_options{.rate = 7'000'000},
                 shaper_options{.rate = 3}, shaper_options{.rate = 600'000'000},
                 shaper_options{.rate = 4'294'967'291, .period = 43s});
    INFO(options.rate << " per " << options.period.count() << " ns");
    shaper line{{.rate = options.rate, .period = options.period, .queue_max = 200'000}};
    for (std::int64_t k = 0; k != 100'000; ++k) {
        auto const at = departs(line, t0) - t0;
        // An hour is a whole number of units for all of these but the last.
        if (options.period != 43s) {
            REQUIRE(at == intervals(options, k));
        } else {
            REQUIRE(at >= intervals(options, k));
            REQUIRE(at <= intervals(options, k) + 2ns);
        }
    }
}

TEST_CASE("shaper: all departures after the first share one shift, of less than two nanoseconds") {
    auto const rate = GENERATE(7'000'000u, 3u, 3'000'007u, 600'000'000u, 999'999'937u);
    INFO("rate " << rate);
    std::mt19937_64 random{rate};
    for (int run = 0; run != 200; ++run) {
        shaper line{{.rate = rate, .queue_max = 10'000}};
        auto const first = t0 + duration{random() % 1'000'000'007};
        REQUIRE(departs(line, first) == first);
        // The shift x for which each departure is at ceil(first + x + k * interval) lies between
        // these two, in parts of 1 / rate of a nanosecond, the lower one not included.
        auto above = std::int64_t{-1}, up_to = std::int64_t{2} * rate;
        auto now = first;
        for (std::int64_t k = 1; k != 500; ++k) {
            auto const at = departs(line, now);
            auto const after = (at - first).count() * rate - k * 1'000'000'000;
            above = std::max(above, after - rate);
            up_to = std::min(up_to, after);
            now += duration{random() % 2} * ((at - now).count() / 2);  // Still in the queue.
        }
        REQUIRE(above < up_to);
    }
}

TEST_CASE("shaper: no rounding adds up, in a second or in years") {
    shaper fast{{.rate = 7'000'000, .queue_max = long_queue}};
    CHECK(departs(fast, t0, 7'000'000) == t0);
    CHECK(departs(fast, t0, 3'500'000'000) == t0 + 1s);
    CHECK(departs(fast, t0) == t0 + 501s);

    shaper slow{{.rate = 1, .period = 3s, .queue_max = 300'000'000}};
    CHECK(departs(slow, t0, 200'000'000) == t0);
    CHECK(departs(slow, t0) == t0 + 600'000'000s);
}

TEST_CASE("shaper: two departures are never closer than an interval") {
    auto const options =
        GENERATE(shaper_options{.rate = 7'000'000}, shaper_options{.rate = 600'000'000},
                 shaper_options{.rate = 3}, shaper_options{.rate = 1'000});
    auto const seed = GENERATE(range(0u, 40u));
    INFO("rate " << options.rate << ", seed " << seed);
    std::mt19937_64 random{seed};
    shaper line{options};
    auto const interval = options.period.count() / options.rate;
    auto now = t0;
    std::optional<time_point> last;
    for (int i = 0; i != 2'000; ++i) {
        now += duration{
            static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2 * interval + 2))};
        auto const slot = line.schedule(now);
        if (!slot) continue;
        if (last) REQUIRE(now + slot.wait - *last >= duration{interval});
        last = now + slot.wait;
    }
}

TEST_CASE("shaper: no window has more departures than its rate, and late clocks shift that") {
    auto const seed = GENERATE(range(0u, 500u));
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    auto const of = support::random_bucket(random);
    shaper line{{.rate = of.rate, .period = of.period, .queue_max = 20}};
    auto const interval = static_cast<std::uint64_t>(of.period.count()) / of.rate + 1;
    auto const late = seed % 2 == 0 ? 0 : random() % (5 * interval);
    auto now = t0;
    std::vector<time_point> departures;
    for (int i = 0; i != 400; ++i) {
        now += duration{static_cast<std::int64_t>(random() % (2 * interval))};
        auto const told = now - duration{static_cast<std::int64_t>(random() % (late + 1))};
        auto slot = line.schedule(told);
        if (!slot) continue;
        if (random() % 4 == 0)
            (void)line.cancel(slot);
        else
            departures.push_back(now + slot.wait);
    }
    REQUIRE(departures.size() > 50);
    std::sort(departures.begin(), departures.end());
    // A wait is rounded up, and a departure may be told by a clock that is late.
    support::window_bound bound{{.rate = of.rate, .period = of.period, .burst = 1},
                                duration{static_cast<std::int64_t>(late) + 1}};
    for (auto const at : departures) REQUIRE(bound.holds_with(at, 1));
}

TEST_CASE("shaper: one more than the queue holds gets no time, but the time to ask again") {
    auto const rate = GENERATE(1'000u, 3u, 7'000'000u);
    shaper line{{.rate = rate, .queue_max = 3}};
    for (int i = 0; i != 4; ++i) (void)departs(line, t0 + 1ns);

    auto const refused = line.schedule(t0 + 1ns);
    CHECK_FALSE(refused);
    CHECK(refused.wait == never);
    CHECK(refused.retry_after > duration{1s} / rate - 3ns);
    CHECK(refused.retry_after < duration{1s} / rate + 3ns);
    CHECK(line.schedule(t0 + refused.retry_after).retry_after == 1ns);
    CHECK(line.schedule(t0 + 1ns + refused.retry_after));
}

TEST_CASE("shaper: without a queue a request departs at once or not at all") {
    shaper line{{.rate = 1'000, .queue_max = 0}};
    CHECK(line.schedule(t0));
    auto const refused = line.schedule(t0 + 300us);
    CHECK(refused.wait == never);
    CHECK(refused.retry_after == 700us);
    CHECK(departs(line, t0 + 1ms) == t0 + 1ms);
}

TEST_CASE("shaper: a wait that is too long is refused at once, and takes no place") {
    shaper line{{.rate = 1'000}};
    for (int i = 0; i != 10; ++i) (void)line.schedule(t0);
    auto const refused = line.schedule(t0, 1, 10ms - 1ns);
    CHECK_FALSE(refused);
    CHECK(refused.wait == 10ms);
    CHECK(refused.retry_after == 1ns);
    CHECK(line.schedule(t0, 1, 3ms).retry_after == 7ms);
    CHECK(line.schedule(t0 + 7ms, 1, 3ms));
    line.clear();
    for (int i = 0; i != 10; ++i) (void)line.schedule(t0);
    CHECK(line.schedule(t0, 1, 10ms).wait == 10ms);
}

TEST_CASE("shaper: a request of many departs as one and takes as many places") {
    shaper line{{.rate = 1'000, .queue_max = 9}};
    CHECK(departs(line, t0, 4) == t0);
    CHECK(departs(line, t0, 5) == t0 + 4ms);
    auto const refused = line.schedule(t0, 2);
    CHECK(refused.wait == never);
    CHECK(refused.retry_after == 1ms);
    CHECK(departs(line, t0) == t0 + 9ms);

    auto const larger = line.schedule(t0, 11);
    CHECK_FALSE(larger);
    CHECK(larger.wait == never);
    CHECK(larger.retry_after == never);
    CHECK(line.schedule(t0 + 10ms, 10));
}

TEST_CASE("shaper: a request of none departs at once and changes nothing") {
    shaper line{{.rate = 7'000'000, .queue_max = 0}};
    auto const odd = t0 + 1ns;  // Between two units.
    auto none = line.schedule(odd, 0);
    CHECK(none);
    CHECK(departs(line, odd) == odd);
    CHECK(line.schedule(odd, 0, 0ns).wait == 0ns);
    CHECK_FALSE(line.schedule(odd));
}

TEST_CASE("shaper: with a negative wait nothing is granted, and the answer is that of zero") {
    shaper line{{.rate = 1'000, .queue_max = 1}};
    for (int i = 0; i != 3; ++i) {
        auto const told = line.reserve(t0, 1, -1ns);
        CHECK_FALSE(told);
        CHECK(told.retry_after == 0ns);
    }
    CHECK(departs(line, t0) == t0);
    CHECK(line.reserve(t0, 1, duration::min()).retry_after == 1ms);
    CHECK(line.reserve(t0, 1, 0ns).retry_after == 1ms);
    CHECK(departs(line, t0) == t0 + 1ms);
    CHECK(line.reserve(t0, 1, -1ns).retry_after == 2ms);
}

TEST_CASE("shaper: a request that does not wait departs now, or is told when to ask again") {
    shaper line{{.rate = 1'000, .queue_max = 3}};
    CHECK(line.try_acquire(t0, 2));
    auto const refused = line.try_acquire(t0);
    CHECK_FALSE(refused);
    CHECK(refused.retry_after == 2ms);
    CHECK(line.try_acquire(t0, 5).retry_after == never);
    CHECK(line.try_acquire(t0, 0));
    CHECK_FALSE(line.try_acquire(t0 + 2ms - 1ns));
    CHECK(line.fresh_in(t0 + 500us) == 1500us);
    CHECK(line.fresh_in(t0 + 2ms) == 0ns);
    CHECK(line.try_acquire(t0 + 2ms));
}

TEST_CASE("shaper: the last departure that is cancelled leaves no trace") {
    auto const rate = GENERATE(1'000u, 7'000'000u, 3u);
    shaper line{{.rate = rate, .queue_max = 20}}, other{{.rate = rate, .queue_max = 20}};
    auto const odd = t0 + 1ns;
    auto first = line.schedule(odd);
    CHECK(line.cancel(first));
    CHECK(departs(line, odd) == odd);
    (void)other.schedule(odd);

    std::vector<shaper::departure> slots;
    for (int i = 0; i != 10; ++i) slots.push_back(line.schedule(odd, 2));
    for (; !slots.empty(); slots.pop_back()) CHECK(line.cancel(slots.back()));
    for (int i = 0; i != 20; ++i) CHECK(departs(line, odd) == departs(other, odd));
}

TEST_CASE("shaper: one cancelled before others stays empty, and they keep their times") {
    shaper line{{.rate = 1'000}};
    auto first = line.schedule(t0), second = line.schedule(t0), third = line.schedule(t0);
    CHECK_FALSE(line.cancel(second));
    CHECK(departs(line, t0) == t0 + 3ms);
    CHECK_FALSE(line.cancel(third));
    CHECK_FALSE(line.cancel(first));
    CHECK(departs(line, t0) == t0 + 4ms);
}

TEST_CASE("shaper: a departure is cancelled once, and a refused one never") {
    shaper line{{.rate = 1'000, .queue_max = 1}};
    (void)line.schedule(t0);
    auto mine = line.schedule(t0);
    auto refused = line.schedule(t0);
    CHECK_FALSE(line.cancel(refused));
    CHECK(line.cancel(mine));
    CHECK(line.cancel(line.schedule(t0)));
    auto const others = line.schedule(t0);
    CHECK(others.after == mine.after);
    CHECK_FALSE(line.cancel(mine));
    CHECK_FALSE(line.schedule(t0));
}

TEST_CASE("shaper: a cancelled departure whose time has come frees it for the next") {
    shaper line{{.rate = 1, .period = 1s}};
    (void)line.schedule(t0);
    auto slot = line.schedule(t0);
    CHECK(line.backlog(t0 + 1500ms) == 500ms);
    CHECK(line.cancel(slot));
    CHECK(departs(line, t0 + 1500ms) == t0 + 1500ms);
}

TEST_CASE("shaper: time that steps back keeps the departures that were given") {
    shaper line{{.rate = 1'000}};
    CHECK(departs(line, t0) == t0);
    CHECK(departs(line, t0 - 20ms) == t0 + 1ms);
    CHECK(departs(line, t0 - 1ns) == t0 + 2ms);
    CHECK(departs(line, t0 + 3ms) == t0 + 3ms);
}

TEST_CASE("shaper: a clock that ran ahead is forgiven by clear, and by nothing else") {
    shaper line{{.rate = 1'000}};
    (void)line.schedule(t0 + 1h);
    auto const refused = line.schedule(t0);
    CHECK_FALSE(refused);
    CHECK(refused.retry_after == 1h + 1ms - 100ms);
    line.clear();
    CHECK(departs(line, t0) == t0);
    CHECK(departs(line, t0) == t0 + 1ms);
}

TEST_CASE("shaper: says how long one would wait, and how many do") {
    shaper line{{.rate = 1'000}};
    CHECK(line.backlog(t0) == 0ns);
    CHECK(line.queued(t0) == 0);
    for (int i = 0; i != 5; ++i) (void)line.schedule(t0);
    CHECK(line.backlog(t0) == 5ms);
    CHECK(line.queued(t0) == 4);  // One of the five departs.
    CHECK(line.queued(t0 + 1ms - 1ns) == 4);
    CHECK(line.queued(t0 + 1ms) == 3);
    CHECK(line.backlog(t0 + 1us) == 5ms - 1us);
    CHECK(line.queued(t0 + 4ms) == 0);
    CHECK(line.backlog(t0 + 5ms) == 0ns);
    CHECK(line.backlog(t0 + 24h) == 0ns);
    CHECK(line.queued(t0 + 24h) == 0);

    shaper fast{{.rate = 7'000'000}};
    (void)fast.schedule(t0 + 1ns);
    CHECK(fast.queued(t0 + 1ns) == 0);
}

TEST_CASE("shaper: agrees with a queue of whole nanoseconds, refusals and cancels included") {
    auto const seed = GENERATE(range(0u, 300u));
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    auto const pick = [&](auto most) { return static_cast<std::int64_t>(random() % most); };
    auto const interval = pick(1'000u) + 1;
    auto const queue_max = pick(12u);
    shaper line{{.rate = 1,
                 .period = duration{interval},
                 .queue_max = static_cast<std::uint32_t>(queue_max)}};

    // The model: the time at which the line is free, and the departures it could still take back.
    auto free_at = t0 - 1h;
    struct taken {
        shaper::departure slot;
        time_point free_before;
    };
    std::vector<taken> latest;
    auto now = t0;
    for (int i = 0; i != 500; ++i) {
        now += duration{pick(static_cast<unsigned>(interval) * 3) - interval / 2};
        if (!latest.empty() && pick(4u) == 0) {
            if (latest.size() > 1 && pick(3u) == 0) {  // Not the last: lost.
                REQUIRE_FALSE(line.cancel(latest.front().slot));
                latest.erase(latest.begin());
                continue;
            }
            REQUIRE(line.cancel(latest.back().slot));
            free_at = latest.back().free_before;
            latest.pop_back();
            // Those before a lost one can be taken back again, as soon as all after it are.
            continue;
        }
        auto const count = pick(static_cast<unsigned>(queue_max) + 3) % 5;
        auto const wait_max = pick(2u) == 0 ? never : duration{pick(5'000u)};
        auto const starts = std::max(free_at, now);
        auto const after = starts + count * duration{interval};
        auto const over = after - now - (queue_max + 1) * duration{interval};
        auto const slot = line.schedule(now, static_cast<std::uint32_t>(count), wait_max);
        if (count == 0) {
            REQUIRE(slot.granted);
            REQUIRE(slot.wait == 0ns);
        } else if (count > queue_max + 1) {
            REQUIRE_FALSE(slot.granted);
            REQUIRE(slot.retry_after == never);
        } else if (over > 0ns || starts - now > wait_max) {
            REQUIRE_FALSE(slot.granted);
            REQUIRE(slot.wait == (over > 0ns ? never : starts - now));
            REQUIRE(slot.retry_after == std::max(over, starts - now - wait_max));
        } else {
            REQUIRE(slot.granted);
            REQUIRE(now + slot.wait == starts);
            latest.push_back({slot, free_at});
            free_at = after;
        }
        REQUIRE(line.backlog(now) == std::max(free_at - now, 0ns));
    }
}

TEST_CASE("shaper: agrees with a queue of exact fractions to two nanoseconds, whatever the rate") {
    auto const seed = GENERATE(range(0u, 300u));
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    auto const rate = static_cast<std::int64_t>(random() % 1'000'000'000 + 1);
    auto const period = rate + static_cast<std::int64_t>(random() % 10'000'000'000);
    INFO(rate << " per " << period << " ns");
    shaper line{
        {.rate = static_cast<std::uint32_t>(rate), .period = duration{period}, .queue_max = 1'000}};
    __extension__ using wide = __int128;
    wide free_at = 0;  // In parts of 1 / rate of a nanosecond after t0.
    duration now{};
    for (int i = 0; i != 2'000; ++i) {
        now += duration{static_cast<std::int64_t>(random() % 3) * period / rate *
                        static_cast<std::int64_t>(random() % 2)} +
               duration{random() % 3};
        auto const slot = line.schedule(t0 + now);
        if (!slot) continue;
        auto const starts = std::max(free_at, wide{now.count()} * rate);
        auto const exact = static_cast<std::int64_t>((starts + rate - 1) / rate);
        REQUIRE((now + slot.wait).count() >= exact);
        REQUIRE((now + slot.wait).count() <= exact + 2);
        free_at = starts + period;
    }
}

TEST_CASE("shaper: holds at the extremes of its options and of time") {
    auto const most = std::numeric_limits<std::uint32_t>::max();
    for (auto const& options :
         {shaper_options{.rate = most, .period = 5s, .queue_max = most - 1},
          shaper_options{.rate = 1, .period = 24h * 365 * 30, .queue_max = 0},
          shaper_options{.rate = 1, .period = 1ns, .queue_max = most - 1},
          shaper_options{.rate = 4'294'967'291, .period = 24h * 365 * 30, .queue_max = 0}}) {
        INFO(options.rate << " per " << options.period.count() << " ns");
        for (auto const now : {time_point::min(), time_point{}, t0, time_point::max()}) {
            shaper line{options};
            auto const largest = line.schedule(now, options.queue_max + 1);
            CHECK(largest);
            CHECK(largest.wait == 0ns);
            auto const refused = line.schedule(now, options.queue_max + 1);
            CHECK_FALSE(refused);
            CHECK(refused.retry_after > 0ns);
            CHECK(refused.retry_after < never);
            CHECK(line.schedule(time_point::min(), 1).wait >= 0ns);
            CHECK(line.backlog(time_point::min()) >= 0ns);
        }
    }
}

TEST_CASE("shaper: rejects options that describe no shaper") {
    using Catch::Matchers::Contains;
    auto const made = [](shaper_options const& options) { shaper{options}; };
    CHECK_THROWS_WITH(made({.rate = 0}), "shaper: rate is zero");
    for (auto const bad : {duration{0}, duration{-1}, duration::min()})
        CHECK_THROWS_WITH(made({.period = bad}), "shaper: period is not positive");
    CHECK_THROWS_WITH(made({.rate = 101, .period = 100ns}),
                      "shaper: rate is more than one a nanosecond");
    CHECK_THROWS_WITH(made({.rate = 1, .queue_max = ~0U}), "shaper: queue_max is over 4294967294");
    CHECK_THROWS_WITH(made({.rate = 1, .period = 24h, .queue_max = 365 * 30}),
                      "shaper: queue_max takes over thirty years to depart");
    CHECK_THROWS_AS(made({.rate = 1, .period = duration::max()}), std::invalid_argument);
    CHECK_NOTHROW(made({.rate = 1, .period = 24h, .queue_max = 365 * 30 - 1}));
}
