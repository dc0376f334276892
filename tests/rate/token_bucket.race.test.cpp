// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/token_bucket.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <algorithm>
#include <atomic>
#include <random>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::never;
using hawser::time_point;
using hawser::token_bucket;
using hawser::token_bucket_options;

static constexpr time_point t0{1h};

namespace {

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
        support::on_threads(4, [&](int) {
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
        support::on_threads(4, [&](int) { granted += bucket.try_acquire_up_to(t0, 2); });
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
        support::on_threads(4, [&](int thread) {
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
    support::on_threads(4, [&](int thread) {
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

TEST_CASE(
    "token_bucket: options that change while threads ask never let more through than either") {
    token_bucket_options const slow{.rate = 1'000'003, .burst = 20};
    token_bucket_options const fast{.rate = 3, .period = 1us, .burst = 60};
    token_bucket bucket{slow};
    std::atomic<std::uint64_t> taken{0}, clock{0}, wrong{0};
    constexpr std::uint64_t run = 3'000'000;
    support::on_threads(4, [&](int thread) {
        std::mt19937_64 random{static_cast<std::uint64_t>(thread)};
        std::uint64_t mine = 0;
        for (std::uint64_t at = 0; at < run;) {
            at = clock.fetch_add(random() % 200, std::memory_order_relaxed);
            auto const now = t0 + duration{at};
            if (thread == 0) {
                bucket.reconfigure(random() % 2 ? slow : fast, now);
            } else if (thread == 1) {
                // What was cancelled, and is not there again, counts as taken: it is only less.
                auto const place = bucket.reserve(now, 2, 1us);
                if (place && !bucket.cancel(place)) mine += place.count;
            } else {
                auto const answer = bucket.try_acquire(now);
                mine += answer.granted ? 1 : 0;
                wrong += answer.retry_after > 1s ? 1 : 0;
                mine += bucket.try_acquire_up_to(now, 2);
                wrong += bucket.available(now) > fast.burst ? 1 : 0;
            }
        }
        taken += mine;
    });
    // A thread may be late by what the others move the clock meanwhile; it is only less then. The
    // last reservations reach a microsecond further.
    CHECK(taken <= fast.burst + earned(fast, duration{clock.load()} + 1us));
    CHECK(taken > 0);
    CHECK(wrong == 0);
}

TEST_CASE("token_bucket: a rate and a burst that change are never seen in parts") {
    // It has two tokens, whichever options hold; of more, one says in what time, and the other that
    // they are never there.
    token_bucket_options const one{.rate = 1, .period = 1us, .burst = 1'000'000};
    token_bucket_options const other{.rate = 7, .period = 11ns, .burst = 2};
    token_bucket bucket{other};
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    support::on_threads(3, [&](int thread) {
        if (thread == 0) {
            for (int i = 0; i != 100'000; ++i) bucket.reconfigure(i % 2 ? other : one, t0);
            done = true;
            return;
        }
        while (!done) {
            auto const wait = bucket.try_acquire(t0, 3).retry_after;
            wrong += wait == never || wait == 1us ? 0 : 1;
            // The second token is of a unit that is due in part; it comes with the change.
            auto const available = bucket.available(t0);
            wrong += available == 2 || available == 1 ? 0 : 1;
        }
    });
    CHECK(wrong == 0);
    CHECK(bucket.available(t0) == 2);
}
