// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/shaper.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <cstddef>

using namespace std::chrono_literals;
using hawser::shaper;
using hawser::time_point;
using support::values_of_threads;

static constexpr time_point t0{1h};

TEST_CASE("shaper: threads that ask at one instant get every place of the queue once") {
    shaper line{{.rate = 1'000, .queue_max = 99'999}};
    auto const all = values_of_threads<time_point>(4, [&](int, auto& mine) {
        for (auto slot = line.schedule(t0); slot; slot = line.schedule(t0))
            mine.push_back(t0 + slot.wait);
    });
    REQUIRE(all.size() == 100'000);
    for (int i = 0; i < 100'000; ++i) REQUIRE(all[static_cast<unsigned>(i)] == t0 + i * 1ms);
}

TEST_CASE("shaper: threads whose clocks differ depart no closer than an interval") {
    shaper line{{.rate = 7'000'000}};
    auto const all = values_of_threads<time_point>(4, [&](int thread, auto& mine) {
        for (auto now = t0 - thread * 1us; now < t0 + 5ms; now += 100ns)
            if (auto const slot = line.schedule(now)) mine.push_back(now + slot.wait);
    });
    REQUIRE(all.size() > 1'000);
    for (std::size_t i = 1; i < all.size(); ++i) REQUIRE(all[i] - all[i - 1] >= 142ns);
}

TEST_CASE("shaper: a cancelled place is never given to two") {
    shaper line{{.rate = 1'000, .queue_max = 1'000'000}};
    auto const all = values_of_threads<time_point>(4, [&](int thread, auto& mine) {
        for (int i = 0; i < 20'000; ++i) {
            auto slot = line.schedule(t0);
            if ((i + thread) % 3 == 0)
                (void)line.cancel(slot);
            else
                mine.push_back(t0 + slot.wait);
        }
    });
    for (std::size_t i = 1; i < all.size(); ++i) REQUIRE(all[i] - all[i - 1] >= 1ms);
    CHECK(all.back() < t0 + 80'000ms);  // Nothing is lost but what was cancelled.
}
