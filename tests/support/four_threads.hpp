// SPDX-License-Identifier: BSL-1.0
//
// Four threads that start together.
#ifndef HAWSER_TESTS_SUPPORT_FOUR_THREADS_HPP
#define HAWSER_TESTS_SUPPORT_FOUR_THREADS_HPP

#include <latch>
#include <thread>
#include <vector>

namespace support {

/// Runs `work(i)` on four threads that start together, and waits for them.
void on_four_threads(auto work) {
    std::latch start{4};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&, i] {
            start.arrive_and_wait();
            work(i);
        });
}

}  // namespace support
#endif  // HAWSER_TESTS_SUPPORT_FOUR_THREADS_HPP
