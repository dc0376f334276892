// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/asymmetric_fence.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <barrier>
#include <thread>

using hawser::asymmetric_fence;

TEST_CASE("asymmetric_fence: one of two threads sees what the other has stored before") {
    asymmetric_fence const fence;
    std::atomic<int> often{0}, seldom{0};
    int seen_often = 0, seen_seldom = 0, both_blind = 0;
    constexpr int rounds = 5'000;
    std::barrier together{2};

    std::jthread const other{[&] {
        for (int round = 1; round <= rounds; ++round) {
            together.arrive_and_wait();
            seldom.store(round, std::memory_order_relaxed);
            fence.heavy();
            seen_often = often.load(std::memory_order_relaxed);
            together.arrive_and_wait();
            together.arrive_and_wait();
        }
    }};
    for (int round = 1; round <= rounds; ++round) {
        together.arrive_and_wait();
        often.store(round, std::memory_order_relaxed);
        fence.light();
        seen_seldom = seldom.load(std::memory_order_relaxed);
        together.arrive_and_wait();
        if (seen_often != round && seen_seldom != round) ++both_blind;
        together.arrive_and_wait();
    }
    CHECK(both_blind == 0);
}
