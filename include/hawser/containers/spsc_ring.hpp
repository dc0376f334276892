// SPDX-License-Identifier: BSL-1.0
//
// A bounded queue for one producer and one consumer, without a lock and without a locked
// instruction, and with a gate at either end that sends whoever comes to a lock.
//
//     producer:  busy; gate? ---> slot; tail; not busy
//     raising:   gate; heavy fence; until not busy
//
// Who raises a gate pays for both sides of the fence: either the producer has seen the gate, or it
// is seen to be busy and waited for. So, as in an `mpmc_ring`, once a gate is raised nobody gets
// past, and who has got past before is counted.
//
// Source: L. Lamport, "Proving the correctness of multiprocess programs", 1977, for the ring; each
// end keeps a copy of the other's position, as in P. Lee, T. Bu, G. Chandranmenon, "A lock-free,
// cache-efficient shared ring buffer for multi-core architectures", 2009.
#ifndef HAWSER_CONTAINERS_SPSC_RING_HPP
#define HAWSER_CONTAINERS_SPSC_RING_HPP

#include <hawser/base/asymmetric_fence.hpp>
#include <hawser/base/contract.hpp>
#include <hawser/base/padded.hpp>
#include <hawser/containers/detail/std_sync.hpp>
#include <hawser/containers/mpmc_ring.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// A first-in, first-out queue of at most `capacity` values. Starts empty, with its gates down.
/// What an `mpmc_ring` is, for one thread at each end.
///
/// Guarantee:     linearizable. Values come out in the order in which they went in.
/// Thread safety: one thread at a time in `try_push` and `push_gated`, one in `try_pop` and
///                `pop_gated`; the gates and `size` as they please. Two at one end fail an
///                assertion, where assertions are on and see it. Whoever uses the gated forms from
///                another thread has raised that end's gate, under the lock that it stands for.
/// Cost:          some plain loads and stores each. Raising a gate is a system call. Allocates at
///                construction only, a power of two of slots.
template <class T, class Sync = detail::std_sync, class Fence = asymmetric_fence>
class spsc_ring {
    static_assert(
        std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>,
        "hawser: a value in a lock-free ring must be nothrow-movable: keep it by pointer");
    template <class U>
    using atomic = typename Sync::template atomic<U>;

public:
    static constexpr std::size_t capacity_max = std::size_t{1} << 31U;

    /// Throws `std::invalid_argument` if `capacity` is not in [1, 2^31], and `std::bad_alloc`.
    explicit spsc_ring(std::size_t capacity)
        : capacity_{checked(capacity)},
          mask_{std::bit_ceil(capacity) - 1},
          slots_{std::make_unique<slot[]>(mask_ + 1)} {}
    spsc_ring(spsc_ring const&) = delete;
    spsc_ring& operator=(spsc_ring const&) = delete;
    ~spsc_ring() {
        while (pop_gated([](T&&) noexcept {}) == ring_answer::done) {}
    }

    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    /// Moves `value` in, at the back; leaves it as it is unless the answer is `done`.
    [[gnu::always_inline]] ring_answer try_push(T& value) noexcept {
        passing const now{producer_, fence_};
        return now.gated() ? ring_answer::gated : push(value);
    }
    ring_answer push_gated(T& value) noexcept { return push(value); }

    /// Takes the value at the front and hands it to `take(T&&)`, which is `noexcept`.
    template <class Take>
    [[gnu::always_inline]] ring_answer try_pop(Take&& take) noexcept {
        passing const now{consumer_, fence_};
        return now.gated() ? ring_answer::gated : pop(take);
    }
    template <class Take>
    ring_answer pop_gated(Take&& take) noexcept {
        return pop(take);
    }

    /// From the return on, nobody gets past but by the lock, and who has got past before is counted
    /// by `size`.
    void raise_push_gate() noexcept { raise(producer_); }
    void raise_pop_gate() noexcept { raise(consumer_); }
    void lower_push_gate() noexcept { lower(producer_); }
    void lower_pop_gate() noexcept { lower(consumer_); }

    /// How many there are. Out of date at once, unless the gates are up.
    [[nodiscard]] std::size_t size() const noexcept {
        // The head first: it is at most what the tail is by then.
        auto const head = consumer_.at.load(std::memory_order_acquire);
        auto const ahead = producer_.at.load(std::memory_order_acquire) - head;
        return ahead < capacity_ ? static_cast<std::size_t>(ahead) : capacity_;
    }

private:
    struct slot {
        alignas(T) unsigned char memory[sizeof(T)];
        [[nodiscard]] T* value() noexcept { return std::launder(reinterpret_cast<T*>(memory)); }
    };

    /// One end. The gate is read by each who comes, and written seldom.
    struct alignas(cache_line) end {
        atomic<std::uint64_t> at{0};  ///< How many have passed.
        std::uint64_t other = 0;      ///< The other end, when last looked at.
        atomic<bool> busy{false};
        alignas(cache_line) atomic<bool> gate{false};
    };

    /// While it lives, somebody is past the gate, or about to be turned away.
    class passing {
    public:
        [[gnu::always_inline]] passing(end& at, Fence const& fence) noexcept : at_{at} {
            HAWSER_ASSERT(!at.busy.load(std::memory_order_relaxed) &&
                          "two threads at one end of a ring for one");
            at.busy.store(true, std::memory_order_relaxed);
            fence.light();
        }
        passing(passing const&) = delete;
        passing& operator=(passing const&) = delete;
        // Release: what was done past the gate is seen by who has waited for the end of it.
        [[gnu::always_inline]] ~passing() { at_.busy.store(false, std::memory_order_release); }

        // Acquire: what was done at this end under the lock, while the gate was up, is seen.
        [[nodiscard]] bool gated() const noexcept {
            return at_.gate.load(std::memory_order_acquire);
        }

    private:
        end& at_;
    };

    static std::size_t checked(std::size_t capacity) {
        if (capacity == 0 || capacity > capacity_max)
            throw std::invalid_argument{"spsc_ring: capacity is not in [1, 2147483648]"};
        return capacity;
    }

    void raise(end& at) noexcept {
        at.gate.store(true, std::memory_order_relaxed);
        fence_.heavy();
        for (detail::spin_wait<Sync> wait; at.busy.load(std::memory_order_acquire);) wait.once();
    }
    void lower(end& at) noexcept { at.gate.store(false, std::memory_order_release); }

    [[gnu::always_inline]] ring_answer push(T& value) noexcept {
        auto const tail = producer_.at.load(std::memory_order_relaxed);  // Nobody else writes it.
        if (tail - producer_.other == capacity_) {
            // Acquire: what was in the slot is gone.
            producer_.other = consumer_.at.load(std::memory_order_acquire);
            if (tail - producer_.other == capacity_) return ring_answer::none;
        }
        ::new (static_cast<void*>(slots_[tail & mask_].memory)) T(std::move(value));
        producer_.at.store(tail + 1, std::memory_order_release);
        return ring_answer::done;
    }

    template <class Take>
    [[gnu::always_inline]] ring_answer pop(Take& take) noexcept {
        auto const head = consumer_.at.load(std::memory_order_relaxed);
        if (consumer_.other == head) {
            // Acquire: the value is there.
            consumer_.other = producer_.at.load(std::memory_order_acquire);
            if (consumer_.other == head) return ring_answer::none;
        }
        auto* const value = slots_[head & mask_].value();
        take(std::move(*value));
        std::destroy_at(value);
        consumer_.at.store(head + 1, std::memory_order_release);
        return ring_answer::done;
    }

    std::size_t const capacity_;
    std::uint64_t const mask_;
    std::unique_ptr<slot[]> const slots_;
    [[no_unique_address]] Fence const fence_{};
    end producer_;
    end consumer_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_CONTAINERS_SPSC_RING_HPP
