// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/keyed.hpp>

#include <hawser/rate/token_bucket.hpp>

#include "support/catch.hpp"
#include "support/ideal_bucket.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using hawser::asked_of;
using hawser::duration;
using hawser::full_table;
using hawser::keyed;
using hawser::never;
using hawser::time_point;
using hawser::token_bucket;

static constexpr time_point t0{1h};

namespace {

/// A hash that throws when it is told to.
struct moody_hash {
    static inline bool throws = false;
    std::size_t operator()(int key) const {
        if (throws) throw std::runtime_error{"moody"};
        return static_cast<std::size_t>(key);
    }
};

struct grant {
    time_point at;
    std::uint32_t count;
};

/// Whether a bucket of its own would have granted a key all of it.
bool within_a_bucket(hawser::token_bucket_options const& options, std::vector<grant>& grants) {
    std::stable_sort(grants.begin(), grants.end(),
                     [](grant const& left, grant const& right) { return left.at < right.at; });
    support::window_bound bound{options, 1ns};  // Waits are rounded up.
    return std::all_of(grants.begin(), grants.end(),
                       [&](grant const& one) { return bound.holds_with(one.at, one.count); });
}

}  // namespace

TEST_CASE("keyed: a key reserves tokens to come, and nobody of its own goes before") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 2}};
    REQUIRE(limiter.reserve("a", t0, 2, 0s).wait == 0s);
    auto const ahead = limiter.reserve("a", t0, 1, 1s);
    CHECK(ahead);
    CHECK(ahead.wait == 1s);
    CHECK(limiter.try_acquire("a", t0).retry_after == 2s);
    CHECK(limiter.reserve("b", t0, 2, 0s).wait == 0s);
    auto const refused = limiter.reserve("a", t0, 1, 1s);
    CHECK_FALSE(refused);
    CHECK(refused.wait == 2s);
    CHECK(refused.retry_after == 2s);
    CHECK(limiter.reserve("a", t0, 3, never).retry_after == never);
}

TEST_CASE("keyed: what is asked for with a negative wait is neither taken nor remembered") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 2}, {.keys = 16, .shards = 1}};
    auto const asked = limiter.reserve("a", t0, 2, -1ns);
    CHECK_FALSE(asked);
    CHECK(asked.retry_after == 0s);
    CHECK(limiter.size() == 0);
    REQUIRE(limiter.try_acquire("a", t0, 2));
    CHECK(limiter.reserve("a", t0, 1, -1ns).retry_after == 1s);
    CHECK(limiter.available("a", t0 + 1s) == 1);
}

TEST_CASE("keyed: what a key gives back is there again, if nothing was taken since") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 3}};
    auto first = limiter.reserve("a", t0, 2, 0s);
    REQUIRE(limiter.try_acquire("b", t0, 3));  // Another key is not in between.
    CHECK(limiter.cancel("a", first));
    CHECK_FALSE(limiter.cancel("a", first));
    CHECK(limiter.available("a", t0) == 3);
    CHECK(limiter.available("b", t0) == 0);

    auto second = limiter.reserve("a", t0, 1, 0s);
    REQUIRE(limiter.try_acquire("a", t0));
    CHECK_FALSE(limiter.cancel("a", second));
    CHECK(limiter.available("a", t0) == 1);
    CHECK_FALSE(limiter.cancel("never seen", limiter.reserve("a", t0, 1, 0s)));
}

TEST_CASE("keyed: what was reserved before a pardon is not given back after it") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 3}};
    auto before = limiter.reserve("a", t0, 2, 0s);
    REQUIRE(limiter.forget("a"));
    REQUIRE(limiter.try_acquire("a", t0, 2));  // Leaves the key as the reservation had.
    CHECK_FALSE(limiter.cancel("a", before));
    CHECK(limiter.available("a", t0) == 1);
}

TEST_CASE("keyed: a full table that refuses charges nobody who would reserve") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 2}, {.keys = 2, .shards = 1}};
    REQUIRE(limiter.try_acquire("one", t0, 2));
    REQUIRE(limiter.try_acquire("two", t0, 1));
    auto refused = limiter.reserve("new", t0, 1, 1h);
    CHECK_FALSE(refused);
    CHECK(refused.found_no_room());
    CHECK(refused.retry_after == 1s);
    CHECK_FALSE(limiter.cancel("new", refused));
    CHECK(limiter.reserve("new", t0, 3, 1h).retry_after == never);
    CHECK(limiter.available("one", t0) == 0);
    CHECK(limiter.available("two", t0) == 1);
    CHECK(limiter.reserve("new", t0 + 1s, 2, 0s));
}

TEST_CASE("keyed: keys that share reserve from one another, and give back") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 2},
                                {.keys = 1, .when_full = full_table::shares}};
    REQUIRE(limiter.try_acquire("one", t0, 2));
    auto tail = limiter.reserve("tail", t0, 2, 0s);
    REQUIRE(tail.from == asked_of::shared);
    CHECK(limiter.reserve("other", t0, 1, 1s).wait == 1s);
    CHECK_FALSE(limiter.cancel("tail", tail));  // Another came after.

    keyed<token_bucket> again{{.rate = 1, .burst = 2},
                              {.keys = 1, .when_full = full_table::shares}};
    REQUIRE(again.try_acquire("one", t0, 2));
    auto last = again.reserve("tail", t0, 2, 0s);
    CHECK(again.cancel("tail", last));
    CHECK(again.available("tail", t0) == 2);
    CHECK(again.reserve("other", t0, 2, 0s).from == asked_of::shared);
}

TEST_CASE("keyed: a hash that throws while something is given back loses it, and throws nothing") {
    keyed<token_bucket, int, moody_hash> limiter{{.rate = 1, .burst = 2}};
    auto taken = limiter.reserve(1, t0, 1, 0s);
    moody_hash::throws = true;
    CHECK_THROWS_AS(limiter.reserve(1, t0, 1, 0s), std::runtime_error);
    CHECK_FALSE(limiter.cancel(1, taken));
    moody_hash::throws = false;
    CHECK_FALSE(limiter.cancel(1, taken));
    CHECK(limiter.available(1, t0) == 1);
    STATIC_REQUIRE(noexcept(limiter.cancel(1, taken)));
}

TEST_CASE("keyed: with room, every reservation is that of a bucket of the key's own") {
    auto const seed = GENERATE(range(1U, 60U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    hawser::token_bucket_options const options{.rate = 1U + seed * 7919U % 1'000U,
                                               .period = duration{1'000'000 + seed * 104'729},
                                               .burst = 1U + seed % 9U};
    keyed<token_bucket> limiter{options, {.keys = 32, .shards = 1, .seed = seed}};
    std::map<std::string, std::unique_ptr<token_bucket>> buckets;
    struct both {
        std::string key;
        keyed<token_bucket>::reservation ours;
        hawser::reservation theirs;
    };
    std::vector<both> out;
    auto now = t0;
    for (int step = 0; step < 2'000; ++step) {
        now += duration{random() % 300'000};
        auto const key = "user-" + std::to_string(random() % 16);
        auto& bucket = buckets[key];
        if (!bucket) bucket = std::make_unique<token_bucket>(options);
        auto const count = static_cast<std::uint32_t>(random() % (options.burst + 2));
        auto const wait_max = duration{random() % 3'000'000} - 1ns;
        auto const ours = limiter.reserve(key, now, count, wait_max);
        auto const theirs = bucket->reserve(now, count, wait_max);
        REQUIRE(ours.granted == theirs.granted);
        REQUIRE(ours.wait == theirs.wait);
        if (ours.granted && count != 0) out.push_back({key, ours, theirs});
        while (!out.empty() && random() % 3 != 0) {
            auto& last = out.back();
            REQUIRE(limiter.cancel(last.key, last.ours) == buckets[last.key]->cancel(last.theirs));
            out.pop_back();
        }
        if (out.size() > 100) out.clear();
        REQUIRE(limiter.available(key, now) == bucket->available(now));
    }
}

TEST_CASE("keyed: whatever is given back, no key is granted more than a bucket of its own would") {
    auto const seed = GENERATE(range(1U, 100U));
    auto const when_full = seed % 2 == 0 ? full_table::refuses : full_table::shares;
    INFO("seed " << seed);
    std::mt19937 random{seed};
    hawser::token_bucket_options const options{
        .rate = 1U + seed % 3U, .period = 1ms, .burst = 2U + seed % 4U};
    keyed<token_bucket, std::uint32_t> limiter{
        options, {.keys = 4U << seed % 4U, .when_full = when_full, .seed = seed}};
    std::map<std::uint32_t, std::vector<grant>> kept;
    struct held {
        std::uint32_t key;
        grant what;
        keyed<token_bucket, std::uint32_t>::reservation as;
    };
    std::vector<held> out;
    auto now = t0;
    std::uint32_t given_back = 0;
    for (int step = 0; step < 3'000; ++step) {
        now += duration{random() % 60'000};
        auto const key = static_cast<std::uint32_t>(random() % 60);
        auto const count = 1 + static_cast<std::uint32_t>(random() % options.burst);
        auto const taken = limiter.reserve(key, now, count, duration{random() % 500'000});
        if (taken.granted) out.push_back({key, {now + taken.wait, count}, taken});
        while (!out.empty() && random() % 3 == 0) {
            auto const which = static_cast<std::ptrdiff_t>(random() % out.size());
            auto const one = out.begin() + which;
            if (random() % 2 == 0)
                kept[one->key].push_back(one->what);
            else
                given_back += limiter.cancel(one->key, one->as) ? 1 : 0;
            out.erase(one);
        }
    }
    for (auto const& one : out) kept[one.key].push_back(one.what);
    for (auto& [key, grants] : kept) REQUIRE(within_a_bucket(options, grants));
    CHECK(given_back > 10);
}
