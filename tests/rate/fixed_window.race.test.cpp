// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/fixed_window.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <thread>

using namespace std::chrono_literals;
using hawser::fixed_window;

static constexpr hawser::time_point t0{1h};

TEST_CASE("fixed_window: threads that ask at one instant share exactly one limit") {
    fixed_window limiter{{.limit = 20'000}};
    std::atomic<std::uint32_t> granted{0};
    support::on_threads(4, [&](int) {
        std::uint32_t mine = 0;
        while (limiter.try_acquire(t0)) ++mine;
        granted += mine;
    });
    CHECK(granted == 20'000);
}

TEST_CASE("fixed_window: threads that go through windows at their own pace get all of each") {
    // Nobody leaves a window before it is spent, so that none of it lapses.
    fixed_window limiter{{.limit = 7, .window = 1ms}};
    std::atomic<std::uint32_t> granted{0};
    support::on_threads(4, [&](int thread) {
        std::uint32_t mine = 0;
        for (auto now = t0; now < t0 + 3s; now += 1ms)
            while (limiter.try_acquire(now + thread * 1us)) ++mine;
        granted += mine;
    });
    CHECK(granted == 7 * 3'000);
}

TEST_CASE("fixed_window: new options that race with requests grant nothing extra") {
    fixed_window limiter{{.limit = 1'000, .window = 1s}};
    std::atomic<std::uint32_t> granted{0}, odd{0};
    support::on_threads(4, [&](int thread) {
        for (int i = 0; i < 20'000; ++i) {
            if (thread == 0) {
                limiter.reconfigure({.limit = i % 2 ? 1'000U : 500U, .window = 1s}, t0);
                continue;
            }
            auto const answer = limiter.try_acquire(t0 + 400ms, 2);
            if (answer) granted += 2;
            if (!answer && answer.retry_after != 600ms) ++odd;  // Of a shape read in parts.
        }
    });
    CHECK(granted <= 1'000);
    CHECK(granted + limiter.available(t0) <= 1'000);
    CHECK(odd == 0);
}
