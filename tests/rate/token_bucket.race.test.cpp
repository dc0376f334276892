// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/token_bucket.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <latch>
#include <random>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::never;
using hawser::time_point;
using hawser::token_bucket;
using hawser::token_bucket_options;

static constexpr time_point t0{1h};

namespace {

/// Runs `work(thread)` on so many threads that start together, and waits for them.
void on_threads(int count, auto work) {
    std::latch start{count};
    std::vector<std::jthread> threads;
    for (int i = 0; i < count; ++i)
        threads.emplace_back([&, i] {
            start.arrive_and_wait();
            work(i);
        });
}

/// What `rate` gives in `length`, rounded down.
std::uint64_t earned(token_bucket_options const& of, duration length) {
    return static_cast<std::uint64_t>(
        hawser::detail::wide_uint{static_cast<std::uint64_t>(length.count())} * of.rate /
        static_cast<std::uint64_t>(of.period.count()));
}

}  // namespace

TEST_CASE("token_bucket: threads that ask at one instant share exactly one burst") {
    // At the second rate the instant lies within a unit.
    for (auto const rate : {100u, 7'000'000u}) {
        token_bucket bucket{{.rate = rate, .burst = 200'000}};
        std::atomic<std::uint32_t> granted{0};
        on_threads(4, [&](int) {
            std::uint32_t mine = 0;
            while (bucket.try_acquire(t0 + 3ns)) ++mine;
            granted += mine;
        });
        CHECK(granted == 200'000);
    }
}

TEST_CASE("token_bucket: the first to come, all at once, do not undo one another") {
    for (int round = 0; round != 500; ++round) {
        token_bucket bucket{{.rate = 7'000'000, .burst = 3}};
        std::atomic<std::uint32_t> granted{0};
        on_threads(4, [&](int) { granted += bucket.try_acquire_up_to(t0, 2); });
        REQUIRE(granted == 3);
    }
}

TEST_CASE("token_bucket: threads with clocks of their own never exceed burst and rate") {
    for (auto const& of : {token_bucket_options{.rate = 1'000'000, .burst = 50},
                           {.rate = 7'000'000, .burst = 50},
                           {.rate = 999'999'937, .burst = 50}}) {
        token_bucket bucket{of};
        std::atomic<std::uint64_t> granted{0};
        constexpr auto run = 1ms;
        on_threads(4, [&](int thread) {
            std::mt19937_64 random{static_cast<std::uint64_t>(thread)};
            std::uint64_t mine = 0;
            for (auto now = t0; now <= t0 + run; now += duration{random() % 200}) {
                auto const count = static_cast<std::uint32_t>(1 + random() % 3);
                if (bucket.try_acquire(now, count)) mine += count;
            }
            granted += mine;
        });
        CHECK(granted <= of.burst + earned(of, run));
        CHECK(granted >= 100);
    }
}

TEST_CASE("token_bucket: tokens that threads reserve and cancel are all accounted for") {
    // At one instant nothing is earned: what the bucket owes is what was taken and not given back.
    token_bucket bucket{{.rate = 1, .period = 1us, .burst = 10}};
    std::atomic<std::uint64_t> out{0};
    on_threads(4, [&](int thread) {
        std::mt19937_64 random{static_cast<std::uint64_t>(thread)};
        std::uint64_t mine = 0;
        for (int i = 0; i != 20'000; ++i) {
            auto const count = static_cast<std::uint32_t>(random() % 4);
            auto const place = bucket.reserve(t0, count, never);
            mine += place.count;
            if (random() % 2 && bucket.cancel(place)) mine -= place.count;
        }
        out += mine;
    });
    auto const next = bucket.reserve(t0, 1, never);
    CHECK(next.wait == (out.load() + 1 - 10) * 1us);
}
