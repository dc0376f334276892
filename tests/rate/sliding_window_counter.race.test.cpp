// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/sliding_window_counter.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <thread>

using namespace std::chrono_literals;
using hawser::sliding_window_counter;

static constexpr hawser::time_point t0{1h};

TEST_CASE("sliding_window_counter: threads that ask at one instant share exactly one limit") {
    sliding_window_counter limiter{{.limit = 20'000}};
    std::atomic<std::uint32_t> granted{0};
    support::on_threads(4, [&](int) {
        std::uint32_t mine = 0;
        while (limiter.try_acquire(t0)) ++mine;
        granted += mine;
    });
    CHECK(granted == 20'000);
}

TEST_CASE("sliding_window_counter: threads at their own pace get what one alone would") {
    // Nobody leaves an instant before the estimate is at the limit; what one finds, all would.
    auto const take_all = [](sliding_window_counter& from) {
        std::uint32_t mine = 0;
        for (auto now = t0; now < t0 + 1s; now += 210us)
            while (from.try_acquire(now)) ++mine;
        return mine;
    };
    sliding_window_counter limiter{{.limit = 7, .window = 1ms}};
    sliding_window_counter alone{{.limit = 7, .window = 1ms}};
    std::atomic<std::uint32_t> granted{0};
    support::on_threads(4, [&](int) { granted += take_all(limiter); });
    CHECK(granted == take_all(alone));
}

TEST_CASE("sliding_window_counter: new options that race with requests grant nothing extra") {
    sliding_window_counter limiter{{.limit = 1'000, .window = 1s}};
    std::atomic<std::uint32_t> granted{0}, odd{0};
    support::on_threads(4, [&](int thread) {
        for (int i = 0; i < 20'000; ++i) {
            if (thread == 0) {
                limiter.reconfigure({.limit = i % 2 ? 1'000U : 500U, .window = 1s}, t0);
                continue;
            }
            auto const answer = limiter.try_acquire(t0 + 400ms, 2);
            if (answer) granted += 2;
            auto const wait = answer.retry_after;
            if (!answer && (wait <= 600ms || wait > 610ms)) ++odd;  // Of a shape read in parts.
        }
    });
    CHECK(granted <= 1'000);
    CHECK(granted + limiter.available(t0) <= 1'000);
    CHECK(odd == 0);
}
