// SPDX-License-Identifier: BSL-1.0
//
// Threads that start together.
#ifndef HAWSER_TESTS_SUPPORT_THREADS_HPP
#define HAWSER_TESTS_SUPPORT_THREADS_HPP

#include <cstddef>
#include <latch>
#include <thread>
#include <vector>

namespace support {

/// Runs `work(i)` on `count` threads that start together, `i` counting from 0 in the type of
/// `count`, and waits for them.
template <class Number>
void on_threads(Number count, auto work) {
    std::latch start{static_cast<std::ptrdiff_t>(count)};
    std::vector<std::jthread> threads;
    for (Number i = 0; i < count; ++i)
        threads.emplace_back([&, i] {
            start.arrive_and_wait();
            work(i);
        });
}

}  // namespace support
#endif  // HAWSER_TESTS_SUPPORT_THREADS_HPP
