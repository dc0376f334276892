// SPDX-License-Identifier: BSL-1.0
//
// A fence in two halves: one that costs nothing, for who comes often, and one that costs
// microseconds, for who comes seldom and pays for both.
//
//     often:   store a; light; load b          seldom:  store b; heavy; load a
//
// Either the one reads what the other has stored, or the other does, as if both had a full fence.
//
// Source: Linux's membarrier(2), which has every running thread of the process pass a full fence.
// Where there is none, the light half is a full fence itself.
#ifndef HAWSER_BASE_ASYMMETRIC_FENCE_HPP
#define HAWSER_BASE_ASYMMETRIC_FENCE_HPP

#include <atomic>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace hawser::inline v0 {

/// The two halves. Made before they are used: each object is ready when its constructor returns.
///
/// Thread safety: all members may be called concurrently.
/// Cost:          `light` a compiler's fence and a branch, `heavy` a system call.
class asymmetric_fence {
public:
    /// Registers the process, once. Throws nothing: without the system's help it does without.
    asymmetric_fence() noexcept : by_system_{registered()} {}

    /// Requires that `heavy` of an object that was made the same way stands on the other side.
    [[gnu::always_inline]] void light() const noexcept {
        if (by_system_) [[likely]]
            std::atomic_signal_fence(std::memory_order_seq_cst);
        else
            std::atomic_thread_fence(std::memory_order_seq_cst);
    }

    void heavy() const noexcept {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (by_system_) run();
    }

    /// Whether the light half is free.
    [[nodiscard]] bool is_asymmetric() const noexcept { return by_system_; }

private:
#if defined(__linux__) && defined(__NR_membarrier)
    // The kernel's interface, fixed: commands of membarrier(2) for the threads of one process.
    static constexpr int private_expedited = 1 << 3, register_private_expedited = 1 << 4;

    static bool registered() noexcept {
        static bool const once = ::syscall(__NR_membarrier, register_private_expedited, 0U, 0) == 0;
        return once;
    }
    static void run() noexcept { ::syscall(__NR_membarrier, private_expedited, 0U, 0); }
#else
    static bool registered() noexcept { return false; }
    static void run() noexcept {}
#endif

    bool const by_system_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_BASE_ASYMMETRIC_FENCE_HPP
