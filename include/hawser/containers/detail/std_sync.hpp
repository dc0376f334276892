// SPDX-License-Identifier: BSL-1.0
//
// What lock-free code is made of: the standard's atomics and mutex. Tests that try all orders of
// events put others in their place.
#ifndef HAWSER_CONTAINERS_DETAIL_STD_SYNC_HPP
#define HAWSER_CONTAINERS_DETAIL_STD_SYNC_HPP

#include <atomic>
#include <mutex>
#include <thread>

namespace hawser::inline v0::detail {

struct std_sync {
    template <class T>
    using atomic = std::atomic<T>;
    using mutex = std::mutex;

    /// Tells the processor that the thread waits for another.
    static void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("isb");
#endif
    }
    static void yield() noexcept { std::this_thread::yield(); }
};

/// A wait for a thread that is in the middle of a few instructions. It mostly ends at once; if that
/// thread has lost its core, the rest of ours is of use to it.
template <class Sync>
class spin_wait {
public:
    void once() noexcept {
        if (++rounds_ <= rounds_before_yield)
            Sync::pause();
        else
            Sync::yield();
    }

private:
    /// About a microsecond, more than moving a line from core to core takes.
    static constexpr int rounds_before_yield = 24;
    int rounds_ = 0;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_CONTAINERS_DETAIL_STD_SYNC_HPP
