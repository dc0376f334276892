// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/sliding_window_log.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <thread>

using namespace std::chrono_literals;
using hawser::sliding_window_log;

static constexpr hawser::time_point t0{1h};

TEST_CASE("sliding_window_log: threads that ask at one instant share exactly one limit") {
    sliding_window_log limiter{{.limit = 20'000}};
    std::atomic<std::uint32_t> granted{0};
    support::on_threads(4, [&](int) {
        std::uint32_t mine = 0;
        while (limiter.try_acquire(t0)) ++mine;
        granted += mine;
    });
    CHECK(granted == 20'000);
}

TEST_CASE("sliding_window_log: threads that go through time at their own pace get all there is") {
    // Nobody leaves an instant while there is a permit, so that a window's worth comes each time.
    sliding_window_log limiter{{.limit = 7, .window = 1ms}};
    std::atomic<std::uint32_t> granted{0};
    support::on_threads(4, [&](int) {
        std::uint32_t mine = 0;
        for (auto now = t0; now < t0 + 1s; now += 500us)
            while (limiter.try_acquire(now)) ++mine;
        granted += mine;
    });
    CHECK(granted == 7 * 1'000);
}

TEST_CASE("sliding_window_log: new options that race with requests grant nothing extra") {
    sliding_window_log limiter{{.limit = 40, .window = 1s}};
    std::atomic<std::uint32_t> granted{0}, odd{0};
    support::on_threads(4, [&](int thread) {
        for (int i = 0; i < 5'000; ++i) {
            if (thread == 0) {
                limiter.reconfigure({.limit = i % 2 ? 40U : 60U, .window = 1s}, t0);
                continue;
            }
            auto const answer = limiter.try_acquire(t0 + 400ms, 2);
            if (answer) granted += 2;
            if (!answer && answer.retry_after != 1s) ++odd;
        }
    });
    CHECK(granted <= 60);
    CHECK(granted + limiter.available(t0) <= 60);
    CHECK(odd == 0);
}
