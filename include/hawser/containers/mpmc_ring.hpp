// SPDX-License-Identifier: BSL-1.0
//
// A bounded queue for many producers and many consumers, without a lock, and with a gate at either
// end that sends whoever comes to a lock.
//
//        head: next to be popped          tail: next to be filled
//          v                                v
//   +----+----+----+----+----+----+----+----+----+----+
//   |    | a  | b  | c  | d  | e  | f  | g  |    |    |     each slot has a stamp: whose turn it is
//   +----+----+----+----+----+----+----+----+----+----+
//
// A position is a lap and an index in one word, and the word's lowest bit is the gate:
//
//     | lap | index | gate |
//
// The gate stands in the word that a producer or consumer swaps. So once it is raised nobody gets
// past who has not seen it, and whoever raised it reads from the same word where the last one was
// who got past before: there is nothing between the two that a fence would have to order.
//
// Source: D. Vyukov, "Bounded MPMC queue", 2010, for the stamps; laps and indices in one word, so
// that the capacity is any number and no division is done, after the array channel of crossbeam.
#ifndef HAWSER_CONTAINERS_MPMC_RING_HPP
#define HAWSER_CONTAINERS_MPMC_RING_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/padded.hpp>
#include <hawser/containers/detail/std_sync.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// What became of a try at one end of a ring.
enum class ring_answer : std::uint8_t {
    done,
    none,   ///< Full, or empty.
    gated,  ///< The gate is up: come by the lock.
};

/// A first-in, first-out queue of at most `capacity` values. Starts empty, with its gates down.
///
/// A gate keeps off who calls `try_push` or `try_pop`; `push_gated` and `pop_gated` are for who
/// holds the lock that the gate stands for.
///
/// Guarantee:     linearizable. Values come out in the order in which they went in.
/// Thread safety: all members may be called concurrently. A thread that is preempted in the middle
///                of a push or pop, a few instructions and a move of `T` long, makes those wait who
///                need its slot; nobody else.
/// Cost:          a compare-and-swap each; allocates at construction only. `Sync` supplies atomics.
template <class T, class Sync = detail::std_sync>
class mpmc_ring {
    static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>,
                  "hawser: values in a lock-free ring must be nothrow-movable: keep pointers");
    using position = std::uint64_t;
    static constexpr position gate = 1;
    static constexpr position filled = 1;  ///< In a stamp, in the gate's place.

public:
    static constexpr std::size_t capacity_max = std::size_t{1} << 31U;

    /// Throws `std::invalid_argument` if `capacity` is not in [1, 2^31], and `std::bad_alloc`.
    explicit mpmc_ring(std::size_t capacity)
        : capacity_{checked(capacity)},
          lap_{std::bit_ceil(position{capacity} + 1) << 1U},
          slots_{std::make_unique<slot[]>(capacity)} {
        for (std::size_t index = 0; index != capacity; ++index)
            slots_[index].stamp.store(position{index} << 1U, std::memory_order_relaxed);
    }
    mpmc_ring(mpmc_ring const&) = delete;
    mpmc_ring& operator=(mpmc_ring const&) = delete;
    ~mpmc_ring() {
        while (pop_gated([](T&&) noexcept {}) == ring_answer::done) {}
    }

    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    /// Moves `value` in, at the back; leaves it as it is unless the answer is `done`.
    [[gnu::always_inline]] ring_answer try_push(T& value) noexcept { return push<true>(value); }
    ring_answer push_gated(T& value) noexcept { return push<false>(value); }

    /// Takes the value at the front and hands it to `take(T&&)`, which is `noexcept`.
    template <class Take>
    [[gnu::always_inline]] ring_answer try_pop(Take&& take) noexcept {
        return pop<true>(take);
    }
    template <class Take>
    ring_answer pop_gated(Take&& take) noexcept {
        return pop<false>(take);
    }

    /// From the return on, nobody gets past but by the lock, and who has got past before is counted
    /// by `size`.
    void raise_push_gate() noexcept { tail_.fetch_or(gate, std::memory_order_acq_rel); }
    void raise_pop_gate() noexcept { head_.fetch_or(gate, std::memory_order_acq_rel); }
    void lower_push_gate() noexcept { tail_.fetch_and(~gate, std::memory_order_release); }
    void lower_pop_gate() noexcept { head_.fetch_and(~gate, std::memory_order_release); }

    /// How many there are, with those on their way in, without those on their way out. Out of date
    /// at once, unless the gates are up.
    [[nodiscard]] std::size_t size() const noexcept {
        for (;;) {
            auto const tail = tail_.load(std::memory_order_acquire);
            auto const head = head_.load(std::memory_order_acquire) & ~gate;
            if (tail_.load(std::memory_order_relaxed) != tail) continue;
            auto const ahead = (tail & ~gate) - head;  // In laps and indices.
            if (ahead == 0) return 0;
            auto const to = index_of(tail), from = index_of(head);
            return from < to ? to - from : capacity_ - from + to;
        }
    }

private:
    struct slot {
        typename Sync::template atomic<position> stamp;
        alignas(T) unsigned char memory[sizeof(T)];
        [[nodiscard]] T* value() noexcept { return std::launder(reinterpret_cast<T*>(memory)); }
    };

    static std::size_t checked(std::size_t capacity) {
        if (capacity == 0 || capacity > capacity_max)
            throw std::invalid_argument{"mpmc_ring: capacity is not in [1, 2147483648]"};
        return capacity;
    }
    [[nodiscard]] std::size_t index_of(position at) const noexcept {
        return static_cast<std::size_t>((at & (lap_ - 1)) >> 1U);
    }
    [[nodiscard]] position after(position at) const noexcept {
        return index_of(at) + 1 < capacity_ ? at + 2 : (at & ~(lap_ - 1)) + lap_;
    }

    // A slot's stamp is the position whose turn it is to fill it, or, once filled, to empty it.
    // Acquire: what the last one did in the slot happened before. The words themselves publish
    // nothing but who comes next, and acquire so that a look at the other end is not older.

    template <bool HeedsGate>
    [[gnu::always_inline]] ring_answer push(T& value) noexcept {
        auto tail = tail_.load(std::memory_order_acquire);
        for (detail::spin_wait<Sync> wait;;) {
            if (HeedsGate && (tail & gate) != 0) return ring_answer::gated;
            auto const at = tail & ~gate;
            auto& place = slots_[index_of(at)];
            if (place.stamp.load(std::memory_order_acquire) == at) [[likely]] {
                if (tail_.compare_exchange_weak(tail, after(at) | (tail & gate),
                                                std::memory_order_acq_rel,
                                                std::memory_order_acquire)) [[likely]] {
                    ::new (static_cast<void*>(place.memory)) T(std::move(value));
                    place.stamp.store(at | filled, std::memory_order_release);
                    return ring_answer::done;
                }
                continue;
            }
            auto const head = head_.load(std::memory_order_acquire) & ~gate;
            auto const again = tail_.load(std::memory_order_acquire);
            if (again == tail) {
                if (head + lap_ == at) return ring_answer::none;
                wait.once();  // Room has been made, and whoever makes it is about to say so.
            }
            tail = tail_.load(std::memory_order_acquire);
        }
    }

    template <bool HeedsGate, class Take>
    [[gnu::always_inline]] ring_answer pop(Take& take) noexcept {
        auto head = head_.load(std::memory_order_acquire);
        for (detail::spin_wait<Sync> wait;;) {
            if (HeedsGate && (head & gate) != 0) return ring_answer::gated;
            auto const at = head & ~gate;
            auto& place = slots_[index_of(at)];
            if (place.stamp.load(std::memory_order_acquire) == (at | filled)) [[likely]] {
                if (head_.compare_exchange_weak(head, after(at) | (head & gate),
                                                std::memory_order_acq_rel,
                                                std::memory_order_acquire)) [[likely]] {
                    auto* const value = place.value();
                    take(std::move(*value));
                    std::destroy_at(value);
                    place.stamp.store(at + lap_, std::memory_order_release);
                    return ring_answer::done;
                }
                continue;
            }
            auto const tail = tail_.load(std::memory_order_acquire) & ~gate;
            auto const again = head_.load(std::memory_order_acquire);
            if (again == head) {
                if (tail == at) return ring_answer::none;
                wait.once();  // A value is on its way in.
            }
            head = head_.load(std::memory_order_acquire);
        }
    }

    // What everybody reads, and each end on a line of its own.
    std::size_t const capacity_;
    position const lap_;
    std::unique_ptr<slot[]> const slots_;
    alignas(cache_line) typename Sync::template atomic<position> head_{0};
    alignas(cache_line) typename Sync::template atomic<position> tail_{0};
};

}  // namespace hawser::inline v0
#endif  // HAWSER_CONTAINERS_MPMC_RING_HPP
