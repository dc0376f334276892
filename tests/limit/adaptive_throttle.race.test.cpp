// SPDX-License-Identifier: BSL-1.0
#include <hawser/limit/adaptive_throttle.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>

using namespace std::chrono_literals;
using hawser::sample_outcome;

static constexpr hawser::time_point t0{1h};

TEST_CASE("adaptive_throttle: threads that ask and answer at once lose no call") {
    // Nothing is ever accepted; at one instant every call is counted, rejected or let through.
    hawser::basic_adaptive_throttle<hawser::seeded_random> throttle{
        {.rejection_max = 0.5}, hawser::seeded_random{20261121}};
    std::atomic<int> sent{0}, rejected{0};
    support::on_threads(4, [&](int thread) {
        int mine = 0, refused = 0;
        for (int i = 0; i < 20'000; ++i) {
            auto const priority = (thread + i) % 5 - 2;
            if (!throttle.admit(t0, priority)) {
                ++refused;
                continue;
            }
            throttle.on_result(t0, sample_outcome::dropped, priority);
            ++mine;
        }
        sent += mine;
        rejected += refused;
    });
    CHECK(sent + rejected == 80'000);
    CHECK(sent > 38'000);
    CHECK(sent < 42'000);
    // As many accepted as were counted before bring the probability to (2n - 2n) / (2n + 1): had a
    // count been lost, one accepted fewer would do.
    for (int i = 0; i < 79'999; ++i) throttle.on_result(t0, sample_outcome::success);
    CHECK(throttle.rejection_probability(t0, -2) > 0);
    throttle.on_result(t0, sample_outcome::success);
    CHECK(throttle.rejection_probability(t0, -2) == 0);
}

TEST_CASE("adaptive_throttle: of threads that come when a call is due, one is let through") {
    hawser::basic_adaptive_throttle<hawser::seeded_random> throttle{
        {.window = 1h, .rejection_max = 0.999'999'999}, hawser::seeded_random{7}};
    (void)throttle.admit(t0);
    for (int i = 0; i < 1'000'000; ++i) throttle.on_result(t0, sample_outcome::dropped);
    std::atomic<int> sent{0};
    for (int round = 1; round <= 50; ++round)
        support::on_threads(4, [&](int) { sent += throttle.admit(t0 + round * 1s).admitted; });
    CHECK(sent == 50);
}
