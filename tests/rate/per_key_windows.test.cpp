// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/per_key_windows.hpp>

#include <hawser/rate/fixed_window.hpp>
#include <hawser/rate/keyed.hpp>
#include <hawser/rate/shaper.hpp>
#include <hawser/rate/sliding_window_counter.hpp>
#include <hawser/rate/sliding_window_log.hpp>
#include <hawser/rate/warming_bucket.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using hawser::asked_of;
using hawser::duration;
using hawser::fixed_window;
using hawser::full_table;
using hawser::keyed;
using hawser::never;
using hawser::sliding_window_counter;
using hawser::sliding_window_log;
using hawser::time_point;

static constexpr time_point t0{1h};

namespace {

/// A limiter for each key, for ever: what `keyed` would be if memory were free.
template <class Limiter>
class unlimited {
public:
    explicit unlimited(typename Limiter::options_type const& options) : options_{options} {}
    Limiter& operator[](std::uint32_t key) {
        auto& limiter = limiters_[key];
        if (!limiter) limiter = std::make_unique<Limiter>(options_);
        return *limiter;
    }

private:
    typename Limiter::options_type options_;
    std::map<std::uint32_t, std::unique_ptr<Limiter>> limiters_;
};

template <class Limiter>
std::uint32_t drain(Limiter& limiter, std::uint32_t key, time_point now) {
    std::uint32_t granted = 0;
    while (limiter.try_acquire(key, now).granted) ++granted;
    return granted;
}

}  // namespace

TEST_CASE("keyed: of a window limiter of one word a key has eight bytes") {
    STATIC_REQUIRE(sizeof(hawser::per_key<fixed_window>::state) == 8);
    STATIC_REQUIRE(sizeof(hawser::per_key<sliding_window_counter>::state) == 8);
}

TEST_CASE("keyed: wrong options of a window are refused by name") {
    CHECK_THROWS_WITH((keyed<fixed_window>{{.limit = 0}}), "fixed_window: limit is zero");
    CHECK_THROWS_WITH((keyed<sliding_window_counter>{{.window = 0s}}),
                      "sliding_window_counter: window is not positive");
    CHECK_THROWS_WITH((keyed<sliding_window_log>{{.limit = 0}, {.keys = 2}}),
                      "sliding_window_log: limit is zero");
}

TEMPLATE_TEST_CASE("keyed: with room for all keys, every answer is that of a window of its own", "",
                   fixed_window, sliding_window_counter, sliding_window_log) {
    auto const seed = GENERATE(range(1U, 40U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    typename TestType::options_type const options{.limit = 1U + seed % 7U,
                                                  .window = duration{1'000 + seed % 3}};
    keyed<TestType, std::uint32_t> limiter{options, {.keys = 16, .shards = 1, .seed = seed}};
    unlimited<TestType> model{options};
    auto now = t0;
    for (int step = 0; step < 3'000; ++step) {
        now += duration{random() % 300};
        auto const told = random() % 8 == 0 ? now - duration{random() % 2'000} : now;
        auto const key = static_cast<std::uint32_t>(random() % 16);
        auto const count = static_cast<std::uint32_t>(random() % (options.limit + 2));
        auto const answer = limiter.try_acquire(key, told, count);
        auto const expected = model[key].try_acquire(told, count);
        REQUIRE(answer.granted == expected.granted);
        REQUIRE(answer.retry_after == expected.retry_after);
        if constexpr (!std::is_same_v<TestType, sliding_window_log>)
            REQUIRE(limiter.available(key, told) == model[key].available(told));
    }
}

TEMPLATE_TEST_CASE("keyed: with room, every reservation is that of a window of the key's own", "",
                   fixed_window, sliding_window_counter, sliding_window_log) {
    auto const seed = GENERATE(range(1U, 40U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    typename TestType::options_type const options{.limit = 1U + seed % 7U,
                                                  .window = duration{1'000 + seed % 3}};
    keyed<TestType, std::uint32_t> limiter{options, {.keys = 8, .shards = 1, .seed = seed}};
    unlimited<TestType> model{options};
    using own_reservation = decltype(model[0].reserve(t0, 1, 0s));
    struct both {
        std::uint32_t key;
        typename keyed<TestType, std::uint32_t>::reservation ours;
        own_reservation theirs;
    };
    std::vector<both> out;
    auto now = t0;
    for (int step = 0; step < 2'000; ++step) {
        now += duration{random() % 300};
        auto const key = static_cast<std::uint32_t>(random() % 8);
        auto const count = static_cast<std::uint32_t>(random() % (options.limit + 2));
        auto const wait_max = duration{random() % 3'000} - 1ns;
        auto const ours = limiter.reserve(key, now, count, wait_max);
        auto const theirs = model[key].reserve(now, count, wait_max);
        REQUIRE(ours.granted == theirs.granted);
        REQUIRE(ours.wait == theirs.wait);
        if (ours.granted && count != 0) out.push_back({key, ours, theirs});
        while (!out.empty() && random() % 3 != 0) {
            auto const which = random() % 2 == 0 ? out.size() - 1 : random() % out.size();
            auto const one = out.begin() + static_cast<std::ptrdiff_t>(which);
            REQUIRE(limiter.cancel(one->key, one->ours) == model[one->key].cancel(one->theirs));
            out.erase(one);
        }
    }
}

TEMPLATE_TEST_CASE("keyed: without room it is stricter than a window for each key, and only so", "",
                   fixed_window, sliding_window_counter, sliding_window_log) {
    auto const seed = GENERATE(range(1U, 40U));
    auto const shares = seed % 2 == 0 && !std::is_same_v<TestType, sliding_window_log>;
    INFO("seed " << seed);
    std::mt19937 random{seed};
    typename TestType::options_type const options{.limit = 2U + seed % 4U, .window = 1ms};
    keyed<TestType, std::uint32_t> limiter{
        options,
        {.keys = 4U << seed % 4U,
         .when_full = shares ? full_table::shares : full_table::refuses,
         .shards = 1U << seed % 3U,
         .seed = seed}};
    unlimited<TestType> model{options};
    auto now = t0;
    int granted = 0, elsewhere = 0;
    for (int step = 0; step < 4'000; ++step) {
        now += duration{random() % 60'000};
        auto const key = static_cast<std::uint32_t>(random() % 100);
        auto const count = 1 + static_cast<std::uint32_t>(random() % options.limit);
        auto const answer = limiter.try_acquire(key, now, count);
        if (answer.granted) {
            REQUIRE(model[key].try_acquire(now, count));
            ++granted;
        } else {
            REQUIRE(answer.retry_after > duration::zero());
            if (!shares && answer.from == asked_of::own)
                REQUIRE_FALSE(model[key].available(now) >= count);
        }
        elsewhere += answer.from != asked_of::own ? 1 : 0;
    }
    CHECK(granted > 100);
    CHECK(elsewhere > 0);
}

TEMPLATE_TEST_CASE("keyed: no key has its window anew before that is over, whoever else comes", "",
                   fixed_window, sliding_window_counter, sliding_window_log) {
    keyed<TestType, std::uint32_t> limiter{{.limit = 3, .window = 1s},
                                           {.keys = 32, .shards = 1, .seed = GENERATE(1U, 2U, 3U)}};
    REQUIRE(drain(limiter, 7, t0) == 3);
    for (std::uint32_t i = 100; i < 5'000; ++i) (void)limiter.try_acquire(i, t0 + 900ms);
    CHECK_FALSE(limiter.try_acquire(7U, t0 + 1s - 1ns));
    auto const later = std::is_same_v<TestType, sliding_window_counter> ? 2s : 1s;
    CHECK(drain(limiter, 7, t0 + later) == 3);
}

TEMPLATE_TEST_CASE("keyed: a key whose window is over makes room, and loses nothing by it", "",
                   fixed_window, sliding_window_counter, sliding_window_log) {
    keyed<TestType, std::uint32_t> limiter{{.limit = 2, .window = 1s}, {.keys = 16, .shards = 1}};
    for (std::uint32_t key = 0; key < 16; ++key) REQUIRE(drain(limiter, key, t0) == 2);
    auto const full = limiter.try_acquire(99U, t0 + 400ms);
    CHECK(full.found_no_room());
    CHECK_FALSE(limiter.try_acquire(99U, t0 + 400ms + full.retry_after - 1ns));
    CHECK(drain(limiter, 99, t0 + 400ms + full.retry_after) == 2);
    CHECK(limiter.size() == 16);
}

TEST_CASE("keyed: a key that reserved ahead is not forgotten before its time") {
    keyed<fixed_window, std::uint32_t> limiter{{.limit = 1, .window = 1s},
                                               {.keys = 1, .shards = 1}};
    REQUIRE(limiter.try_acquire(1U, t0));
    REQUIRE(limiter.reserve(1U, t0, 1, 1s).wait == 1s);
    CHECK(limiter.try_acquire(2U, t0 + 1s).found_no_room());
    CHECK(limiter.try_acquire(2U, t0 + 2s));
}

TEST_CASE("keyed: what is given back of a key that came anew gives it nothing") {
    // A clock that is ahead forgets the key; one that is not finds it as new, in the same window.
    keyed<fixed_window, std::uint32_t> limiter{{.limit = 3, .window = 1s},
                                               {.keys = 1, .shards = 1}};
    auto before = limiter.reserve(1U, t0, 3, 0s);
    auto other = limiter.reserve(2U, t0 + 1s, 1, 0s);
    REQUIRE(other);
    REQUIRE(limiter.cancel(2U, other));
    REQUIRE(limiter.try_acquire(1U, t0));
    CHECK_FALSE(limiter.cancel(1U, before));
    CHECK(limiter.available(1U, t0) <= 2);
}

TEST_CASE("keyed: any limiter with options is kept for each key") {
    keyed<hawser::shaper, std::uint32_t> lines{{.rate = 10, .queue_max = 1}, {.keys = 4}};
    CHECK(lines.try_acquire(1U, t0));
    CHECK(lines.reserve(1U, t0, 1, 1s).wait == 100ms);
    auto refused = lines.reserve(1U, t0, 1, 1s);
    CHECK_FALSE(refused);
    CHECK(refused.retry_after == 100ms);
    CHECK(lines.try_acquire(2U, t0));

    keyed<hawser::warming_bucket, std::uint32_t> ramps{{.rate = 10, .warm_up = 1s}, {.keys = 4}};
    CHECK(ramps.try_acquire(1U, t0));
    CHECK_FALSE(ramps.try_acquire(1U, t0));
    CHECK(ramps.try_acquire(2U, t0));
}
