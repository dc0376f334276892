// SPDX-License-Identifier: BSL-1.0
//
// A small number for the calling thread that no other living thread has.
//
// It lets a counter be split into one part per thread, each written by its owner alone: an
// increment is then a load and a store, not a locked instruction, and no cache line moves.
//
// A bitmap says which numbers are taken. A thread takes the lowest free one at its first request
// and returns it when it ends; a thread that finds all taken gets `thread_slot_limit`, and shares.
#ifndef HAWSER_BASE_THREAD_SLOT_HPP
#define HAWSER_BASE_THREAD_SLOT_HPP

#include <atomic>
#include <bit>
#include <cstdint>

namespace hawser::inline v0 {

/// Threads that can have a number of their own at one time.
inline constexpr std::uint32_t thread_slot_limit = 64;

namespace detail {

class thread_slots {
public:
    /// The lowest free number, or `thread_slot_limit` if none is free.
    static std::uint32_t take() noexcept {
        // Acquire, against the release in `give_back`: what the last owner stored under this
        // number happened before what the next one reads.
        auto taken = taken_.load(std::memory_order_acquire);
        while (~taken != 0) {
            auto const slot = static_cast<std::uint32_t>(std::countr_one(taken));
            if (taken_.compare_exchange_weak(taken, taken | bit(slot), std::memory_order_acquire))
                return slot;
        }
        return thread_slot_limit;
    }

    static void give_back(std::uint32_t slot) noexcept {
        if (slot < thread_slot_limit) taken_.fetch_and(~bit(slot), std::memory_order_release);
    }

private:
    static constexpr std::uint64_t bit(std::uint32_t slot) noexcept {
        return std::uint64_t{1} << slot;
    }
    static inline constinit std::atomic<std::uint64_t> taken_{0};
};

/// Plus one, so that zero says "not asked yet" and the hot read needs no guard.
inline constinit thread_local std::uint32_t slot_plus_one = 0;

[[gnu::cold, gnu::noinline]] inline std::uint32_t first_thread_slot() noexcept {
    struct owner {
        std::uint32_t slot = thread_slots::take();
        ~owner() {
            // What still runs on this thread after this destructor shares, and takes no new slot.
            slot_plus_one = thread_slot_limit + 1;
            thread_slots::give_back(slot);
        }
    };
    static thread_local owner const mine;
    if (slot_plus_one == 0) slot_plus_one = mine.slot + 1;
    return slot_plus_one - 1;
}

}  // namespace detail

/// The calling thread's number, below `thread_slot_limit` and its own while it lives; or
/// `thread_slot_limit`, which any number of threads may have at once.
///
/// Not to be kept over a suspension: a coroutine may resume on another thread. Not for signal
/// handlers. Cost: one read of a thread-local; the first call of a thread takes a number.
[[nodiscard, gnu::always_inline]] inline std::uint32_t thread_slot() noexcept {
    auto const known = detail::slot_plus_one;
    return known != 0 ? known - 1 : detail::first_thread_slot();
}

namespace detail {

[[gnu::cold, gnu::noinline]] inline std::uint32_t first_thread_stripe(std::uint32_t own) noexcept {
    auto const slot = thread_slot();
    return slot < own ? slot + 1 : 0;
}

}  // namespace detail

/// Which of the stripes 1 to `Own` is the calling thread's own, or 0, the one that all others
/// share.
///
/// The number is the thread's slot in another spelling, for what is split into stripes: a thread
/// that has not asked yet and one that must share are told apart from the rest by one compare.
template <std::uint32_t Own>
[[nodiscard, gnu::always_inline]] inline std::uint32_t thread_stripe() noexcept {
    static_assert(Own > 0 && Own <= thread_slot_limit);
    auto const stripe = detail::slot_plus_one;
    if (stripe - 1 < Own) [[likely]]
        return stripe;
    return detail::first_thread_stripe(Own);
}

}  // namespace hawser::inline v0
#endif  // HAWSER_BASE_THREAD_SLOT_HPP
