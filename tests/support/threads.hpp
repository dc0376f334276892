// SPDX-License-Identifier: BSL-1.0
//
// Threads that start together.
#ifndef HAWSER_TESTS_SUPPORT_THREADS_HPP
#define HAWSER_TESTS_SUPPORT_THREADS_HPP

#include <algorithm>
#include <cstddef>
#include <latch>
#include <mutex>
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

/// The same with `work(i, mine)`, where `mine` is a vector of values for each thread; all of them
/// together, sorted.
template <class Value, class Number>
std::vector<Value> values_of_threads(Number count, auto work) {
    std::mutex mutex;
    std::vector<Value> all;
    on_threads(count, [&](Number i) {
        std::vector<Value> mine;
        work(i, mine);
        std::lock_guard const lock{mutex};
        all.insert(all.end(), mine.begin(), mine.end());
    });
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace support
#endif  // HAWSER_TESTS_SUPPORT_THREADS_HPP
