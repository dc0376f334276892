// SPDX-License-Identifier: BSL-1.0
//
// Operations for isolation pools that the test holds where they run, and results that say where and
// how often they were destroyed.
#ifndef HAWSER_TESTS_SUPPORT_ISOLATION_HPP
#define HAWSER_TESTS_SUPPORT_ISOLATION_HPP

#include <hawser/adapt/asio/isolation_pool.hpp>

#include <atomic>
#include <stop_token>
#include <thread>
#include <utility>

namespace support {

/// What became of results.
struct ledger {
    std::atomic<int> made{0};
    std::atomic<int> destroyed{0};
    std::atomic<std::thread::id> where{};  ///< The last was destroyed.
};

/// A result. It counts as one, wherever it is moved.
class entry {
public:
    explicit entry(ledger& in) : in_{&in} { ++in.made; }
    entry(entry&& other) noexcept : in_{std::exchange(other.in_, nullptr)} {}
    entry& operator=(entry&&) = delete;
    ~entry() {
        if (in_ == nullptr) return;
        in_->where = std::this_thread::get_id();
        ++in_->destroyed;
    }

private:
    ledger* in_;
};

inline void await(std::atomic<int> const& counter, int count) {
    for (auto seen = counter.load(); seen < count; seen = counter.load()) counter.wait(seen);
}

/// Where operations are held until the test lets them go. Outlives the pool they run in.
class holding {
public:
    std::atomic<int> started{0};  ///< Operations that have begun here,
    std::atomic<int> inside{0};   ///< that are here,
    std::atomic<int> most{0};     ///< the most there ever were at once,
    std::atomic<int> told{0};     ///< that had been told to stop when they were let go.
    std::atomic<std::thread::id> thread{};

    /// For an operation: stays until it is let go, whatever anybody asks.
    void stay(std::stop_token const& stop = {}) {
        thread = std::this_thread::get_id();
        auto const now = ++inside;
        for (auto seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {}
        add(started);
        for (auto free = free_.load(); free == 0 || !free_.compare_exchange_weak(free, free - 1);) {
            if (free == 0) free_.wait(0);
            free = free_.load();
        }
        if (stop.stop_requested()) add(told);
        --inside;
    }
    void let_go(int operations = 1) {
        free_ += operations;
        free_.notify_all();
    }
    void let_all_go() { let_go(1'000'000); }
    void await_started(int count) const { await(started, count); }

private:
    static void add(std::atomic<int>& counter) {
        ++counter;
        counter.notify_all();
    }

    std::atomic<int> free_{0};
};

/// Blocks until the pool is as `holds` wants it.
void await_pool(hawser::isolation_pool const& pool, auto holds) {
    while (!holds(pool.snapshot())) std::this_thread::yield();
}
inline void await_idle(hawser::isolation_pool const& pool) {
    await_pool(pool, [](auto const& now) { return now.running == 0 && now.waiting == 0; });
}

}  // namespace support
#endif  // HAWSER_TESTS_SUPPORT_ISOLATION_HPP
