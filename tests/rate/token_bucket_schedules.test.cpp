// SPDX-License-Identifier: BSL-1.0
//
// What holds for every schedule of requests, tried on thousands that are drawn at random.
#include <hawser/rate/token_bucket.hpp>

#include "support/catch.hpp"
#include "support/ideal_bucket.hpp"

#include <algorithm>
#include <random>
#include <tuple>
#include <vector>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::time_point;
using hawser::token_bucket;
using hawser::token_bucket_options;
using support::random_bucket;
using support::random_start;
using support::random_step;
using support::token_parts;

namespace {

/// Runs `schedule(random, options, start)` for so many seeds, and tells the seed that fails.
void for_seeds(std::uint64_t seeds, auto schedule) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        std::mt19937_64 random{seed};
        auto const of = random_bucket(random);
        auto const start = random_start(random);
        INFO("seed " << seed << ": " << of.rate << " in " << of.period.count() << " ns, burst "
                     << of.burst << ", from " << start.time_since_epoch().count());
        schedule(random, of, start);
    }
}

std::uint32_t random_count(std::mt19937_64& random, token_bucket_options const& of) {
    return random() % 2 ? 1 : static_cast<std::uint32_t>(1 + random() % of.burst);
}

/// Between zero and `most`.
duration random_lag(std::mt19937_64& random, duration most) {
    auto const choices = static_cast<std::uint64_t>(most.count()) + 1;
    return duration{static_cast<std::int64_t>(random() % choices)};
}

}  // namespace

TEST_CASE("token_bucket: in no window is more granted than burst and rate allow") {
    for_seeds(4'000, [](auto& random, auto const& of, time_point now) {
        token_bucket bucket{of};
        support::window_bound bound{of};
        for (int i = 0; i != 200; ++i, now += random_step(random, of)) {
            auto const count = random_count(random, of);
            if (bucket.try_acquire(now, count)) REQUIRE(bound.holds_with(now, count));
        }
    });
}

TEST_CASE("token_bucket: callers that ask for single tokens without a rest get what is allowed") {
    for_seeds(1'000, [](auto& random, auto const& of, time_point now) {
        token_bucket bucket{of};
        support::window_bound bound{of};
        for (int i = 0; i != 50; ++i, now += random_step(random, of))
            while (bucket.try_acquire(now)) REQUIRE(bound.holds_with(now, 1));
    });
}

TEST_CASE("token_bucket: clocks that lag by d admit at most what the rate gives in d more") {
    for_seeds(2'000, [](auto& random, auto const& of, time_point now) {
        token_bucket bucket{of};
        auto const most = random_step(random, of) * 4;
        support::window_bound bound{of, most};
        for (int i = 0; i != 200; ++i, now += random_step(random, of)) {
            auto const count = random_count(random, of);
            if (bucket.try_acquire(now - random_lag(random, most), count))
                REQUIRE(bound.holds_with(now, count));
        }
    });
}

TEST_CASE(
    "token_bucket: a clock that steps back by d admits at most what the rate gives in d more") {
    for_seeds(2'000, [](auto& random, auto const& of, time_point now) {
        token_bucket bucket{of};
        auto const step = random_step(random, of) * 10;
        support::window_bound bound{of, step};
        for (int i = 0; i != 200; ++i, now += random_step(random, of)) {
            auto const seen = i < 100 ? now : now - step;  // Never set right again.
            auto const count = random_count(random, of);
            if (bucket.try_acquire(seen, count)) REQUIRE(bound.holds_with(now, count));
        }
    });
}

TEST_CASE("token_bucket: is never ahead of an ideal one, and never two nanoseconds late") {
    for_seeds(4'000, [](auto& random, auto const& of, time_point now) {
        token_bucket bucket{of};
        support::ideal_bucket ideal{of};
        for (int i = 0; i != 200; ++i, now += random_step(random, of)) {
            auto const count = random_count(random, of);
            auto const late = ideal.would_grant(now - 2ns, count);
            auto const granted = bucket.try_acquire(now, count).granted;
            if (granted) REQUIRE(ideal.would_grant(now, count));
            if (late) REQUIRE(granted);
            if (granted) ideal.grant(now, count);
        }
    });
}

TEST_CASE("token_bucket: is the ideal one where a token takes whole nanoseconds") {
    for_seeds(2'000, [](auto& random, auto of, time_point now) {
        of.period = of.period / of.rate;
        of.rate = 1;
        token_bucket bucket{of};
        support::ideal_bucket ideal{of};
        for (int i = 0; i != 200; ++i, now += random_step(random, of)) {
            auto const count = random_count(random, of);
            auto const granted = bucket.try_acquire(now, count).granted;
            REQUIRE(granted == ideal.would_grant(now, count));
            if (granted) ideal.grant(now, count);
        }
    });
}

TEST_CASE("token_bucket: retry_after is the first nanosecond at which the request is granted") {
    for_seeds(2'000, [](auto& random, auto const& of, time_point now) {
        token_bucket bucket{of};
        for (int i = 0; i != 100; ++i, now += random_step(random, of)) {
            auto const count = random_count(random, of);
            auto const answer = bucket.try_acquire(now, count);
            if (answer) {
                REQUIRE(answer.retry_after == 0ns);
                continue;
            }
            auto const wait = answer.retry_after;
            REQUIRE(wait > 0ns);
            REQUIRE(bucket.try_acquire(now + wait - 1ns, count).retry_after == 1ns);
            now += wait;
            REQUIRE(bucket.try_acquire(now, count));
        }
    });
}

TEST_CASE("token_bucket: has as many tokens available as it grants") {
    for_seeds(2'000, [](auto& random, auto const& of, time_point now) {
        token_bucket bucket{of};
        for (int i = 0; i != 100; ++i, now += random_step(random, of)) {
            auto const available = bucket.available(now);
            REQUIRE(available <= of.burst);
            REQUIRE_FALSE(bucket.try_acquire(now, available + 1));
            auto const count = static_cast<std::uint32_t>(random() % (available + 1));
            REQUIRE(bucket.try_acquire(now, count));
            REQUIRE(bucket.available(now) == available - count);
        }
    });
}

TEST_CASE("token_bucket: reserved tokens, used when their wait is over, keep the bound to 1 ns") {
    for_seeds(2'000, [](auto& random, auto const& of, time_point now) {
        token_bucket bucket{of};
        std::vector<std::pair<time_point, std::uint32_t>> used;
        for (int i = 0; i != 200; ++i, now += random_step(random, of)) {
            auto const count = random_count(random, of);
            auto const most = random_step(random, of) * 5;
            auto const place = bucket.reserve(now, count, random() % 2 ? most : 0ns);
            if (place) used.emplace_back(now + place.wait, count);
        }
        // They come in order, as the tokens were given out.
        REQUIRE(std::is_sorted(used.begin(), used.end(), [](auto const& left, auto const& right) {
            return left.first < right.first;
        }));
        // Waits are rounded up, and so the time between two may be rounded down.
        support::window_bound bound{of, 1ns};
        for (auto const& [when, count] : used) REQUIRE(bound.holds_with(when, count));
    });
}

TEST_CASE("token_bucket: what is cancelled latest first leaves no trace in what is granted") {
    for_seeds(2'000, [](auto& random, auto const& of, time_point now) {
        token_bucket bucket{of}, without{of};
        for (int i = 0; i != 50; ++i, now += random_step(random, of)) {
            auto const count = random_count(random, of);
            auto const granted = bucket.try_acquire(now, count);
            REQUIRE(granted.granted == without.try_acquire(now, count).granted);

            std::vector<hawser::reservation> places;
            for (auto more = random() % 5; more != 0; --more)
                if (auto place = bucket.reserve(now, random_count(random, of), hawser::never))
                    places.push_back(place);
            for (; !places.empty(); places.pop_back()) REQUIRE(bucket.cancel(places.back()));
            REQUIRE(bucket.available(now) == without.available(now));
        }
    });
}

TEST_CASE("token_bucket: reservations and cancellations in any order agree with a line of places") {
    // The model: places on a line, one behind the other; only the last one can leave it.
    for_seeds(2'000, [](auto& random, auto of, time_point now) {
        of.period = of.period / of.rate;  // Whole nanoseconds: the model is exact.
        of.rate = 1;
        token_bucket bucket{of};
        auto line_ends = now;
        std::vector<std::pair<hawser::reservation, time_point>> places;
        for (int i = 0; i != 100; ++i, now += random_step(random, of) / 2) {
            if (!places.empty() && random() % 3 == 0) {
                auto const chosen =
                    places.begin() + static_cast<std::ptrdiff_t>(random() % places.size());
                auto const last = chosen->second == line_ends;
                REQUIRE(bucket.cancel(chosen->first) == last);
                if (last) line_ends -= chosen->first.count * of.period;
                places.erase(chosen);
                continue;
            }
            auto const count = random_count(random, of);
            line_ends = std::max(line_ends, now) + count * of.period;
            auto const place = bucket.reserve(now, count, hawser::never);
            REQUIRE(place);
            REQUIRE(place.wait == std::max(line_ends - of.burst * of.period - now, duration{0}));
            places.emplace_back(place, line_ends);
        }
    });
}

TEST_CASE("token_bucket: with options that change, no window exceeds its burst and the rates") {
    for_seeds(2'000, [](auto& random, auto of, time_point now) {
        // In nanoseconds times periods: the tokens of each stretch are rounded down, alone.
        token_bucket bucket{of};
        auto earned = token_parts{0}, granted = token_parts{0};  // In 2^-40 tokens.
        struct opened {
            token_parts earned, granted;
            std::uint32_t burst;
        };
        std::vector<opened> windows;
        for (int i = 0; i != 100; ++i) {
            if (random() % 20 == 0) {
                of = random_bucket(random);
                bucket.reconfigure(of, now);
            }
            auto const count = random_count(random, of);
            if (bucket.try_acquire(now, count)) {
                windows.push_back({earned, granted, of.burst});
                granted += token_parts{count} << 40;
            }
            for (auto const& window : windows)
                REQUIRE(granted - window.granted <=
                        earned - window.earned + (token_parts{window.burst} << 40));
            auto const step = random_step(random, of);
            now += step;
            earned += ((token_parts{step.count()} * of.rate) << 40) / of.period.count() + 1;
        }
    });
}

TEST_CASE("token_bucket: a change of options keeps what was there, to six nanoseconds") {
    for_seeds(4'000, [](auto& random, auto const& of, time_point now) {
        token_bucket bucket{of};
        for (int i = 0; i != 20; ++i, now += random_step(random, of))
            (void)bucket.reserve(now, random_count(random, of), random_step(random, of) * 10);
        now = now - random_lag(random, 1us);

        auto next = random_bucket(random);
        next.burst += of.burst;  // So that nothing is cut off.
        auto const all_there = bucket.reserve(now, of.burst, hawser::never);
        REQUIRE(bucket.cancel(all_there));
        auto const rest = all_there.wait;  // In this time the old rate would have filled it.
        bucket.reconfigure(next, now);
        // The new one has to earn as many tokens, in its own time.
        auto const ideal = (token_parts{rest.count()} * of.rate * next.period.count()) /
                           of.period.count() / next.rate;
        auto const found = token_parts{bucket.reserve(now, of.burst, hawser::never).wait.count()};
        auto const slack =
            7 + token_parts{3} * of.rate * next.period.count() / of.period.count() / next.rate;
        REQUIRE(found >= ideal - slack);
        REQUIRE(found <= ideal + slack);
    });
}
