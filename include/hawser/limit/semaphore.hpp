// SPDX-License-Identifier: BSL-1.0
//
// A semaphore: so many permits, lent out, and a bounded queue for those that find too few.
//
//     acquire --(nobody waits, enough are free)--> held --release--+
//        |                                          ^              v
//        +--> queued --(first, and enough)--> on the way       free, or on to the next that waits
//               |                                   |              ^
//               +--withdraw: nothing was its own    +--withdraw----+
//
// Permits that are free, permits that are out and whether anybody waits stand in one atomic word:
//
//     | free, signed: 32 bits | out: 31 bits | somebody waits: 1 bit |
//
// Taking n moves n from the one to the other, so that their sum, the capacity, is right in every
// value that the word ever has. While nobody waits, acquiring is one compare-and-swap and releasing
// one addition; once the bit is set nobody takes but under the lock, where the queue's order holds.
//
// Grants are handed over: a permit that becomes free while somebody waits is the waiter's at once,
// on its way to it, and can be lost to nobody who comes later.
#ifndef HAWSER_LIMIT_SEMAPHORE_HPP
#define HAWSER_LIMIT_SEMAPHORE_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/padded.hpp>
#include <hawser/base/time.hpp>
#include <hawser/containers/queueing/discipline.hpp>
#include <hawser/containers/queueing/fifo.hpp>
#include <hawser/containers/waiter_list.hpp>
#include <hawser/limit/detail/permit_word.hpp>
#include <hawser/limit/semaphore_types.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace hawser::inline v0 {

/// Lends permits, in any weight, in the order of its `Discipline`. Starts with all of them free.
///
/// Never waits, rings no bell and reads no clock: who finds too few is queued by its `waiter`, and
/// whom to wake is handed out, to be rung outside of everything.
///
/// Guarantee:     every permit is free, held, or on its way to one waiter. Nobody who comes while
///                others wait is granted anything but by the discipline's order: in `fifo`, small
///                requests never starve a big one. A waiter is woken for permits that are its own
///                already, or to be refused: nobody wakes in vain.
/// Thread safety: all members may be called concurrently. `try_acquire`, and `acquire` and
///                `release` while nobody waits, are lock-free; the rest is a short lock.
/// Cost:          one compare-and-swap to acquire, one addition to release, while nobody waits;
///                else the discipline's. Allocates nothing, but for what a discipline may at
///                construction. Two cache lines and the discipline.
/// Misuse:        a permit released twice fails an assertion, at the latest when the last of those
///                that are out is released.
template <queueing::discipline Discipline = queueing::fifo>
class basic_semaphore {
    using word_of = detail::permit_word;

public:
    using options_type = semaphore_options;
    static constexpr std::uint32_t permits_max = word_of::permits_max;

    /// `discipline` is what the discipline is made of, its options first of all. Throws
    /// `std::invalid_argument`, naming the field, if an option is out of range.
    template <class... Args>
    explicit basic_semaphore(semaphore_options const& options, Args&&... discipline)
        : word_{word_of::all_free(checked(options.permits))},
          places_{options.places},
          queue_(std::forward<Args>(discipline)...) {}
    basic_semaphore(basic_semaphore const&) = delete;
    basic_semaphore& operator=(basic_semaphore const&) = delete;

    /// Takes `count` permits if so many are free and nobody waits. Requires `count > 0`.
    [[nodiscard, gnu::always_inline]] bool try_acquire(std::uint32_t count = 1) noexcept {
        HAWSER_ASSERT(count > 0);
        auto word = word_.load(std::memory_order_relaxed);
        while (word_of::fits(word, count))
            // Acquire: what the last holder did under its permit happened before.
            if (word_.compare_exchange_weak(word, word + word_of::taking(count),
                                            std::memory_order_acquire, std::memory_order_relaxed))
                return true;
        return false;
    }

    /// Takes `count` permits, or queues `node` for them. Requires `count > 0` and that `node` is
    /// not queued. `now` is an instant, or a callable that says it, asked if need be, at most once.
    template <detail::instant Now>
    [[gnu::always_inline]] acquisition acquire(waiter& node, std::uint32_t count,
                                               Now&& now) noexcept {
        if (try_acquire(count)) [[likely]]
            return {.result = acquired::granted};
        auto const answer = queue_up(node, count, detail::instant_of(now));
        return {.result = answer.result, .to_wake = wake_list{answer.first}};
    }

    /// Gives `count` permits back, to whoever is next. Requires that the caller holds them. `now`
    /// as of `acquire`.
    template <detail::instant Now>
    [[gnu::always_inline]] wake_list release(std::uint32_t count, Now&& now) noexcept {
        // Release: the next holder sees what was done under the permit.
        auto const before = word_.fetch_sub(word_of::taking(count), std::memory_order_release);
        HAWSER_ASSERT(word_of::out_of(before) >= count && "released more than is out");
        if (!word_of::waited_for(before)) [[likely]]
            return {};
        return wake_list{pass_on(detail::instant_of(now))};
    }

    /// Asks what has become of a waiter that was queued: it has been woken, or its wait is over.
    /// Requires that it is neither claimed nor withdrawn yet. A granted or turned away waiter's
    /// bell has rung, or will.
    claim_answer claim(waiter& node, time_point now) noexcept {
        std::lock_guard const lock{mutex_};
        if (node.granted) {
            if (node.turned_away) return {.result = claimed::turned_away};
            arrive(node.permits);
            return {.result = claimed::granted};
        }
        wake_chain waking;
        queue_.remove(node);
        hand_out(now, waking);
        return {.result = claimed::expired, .to_wake = wake_list{waking.first}};
    }

    /// Takes a waiter out, wherever it stands; what it was granted goes back, and on to the next.
    /// Requires that it was queued, and neither claimed nor withdrawn yet.
    withdrawal withdraw(waiter& node, time_point now) noexcept {
        std::lock_guard const lock{mutex_};
        auto const granted = node.granted;
        if (!granted) {
            queue_.remove(node);
        } else if (!node.turned_away) {
            arrive(node.permits);
            word_.fetch_sub(word_of::taking(node.permits), std::memory_order_release);
        }
        wake_chain waking;
        hand_out(now, waking);
        return {.bell_will_ring = granted, .to_wake = wake_list{waking.first}};
    }

    /// Sets how many permits there are. Never waits: where more are out, what comes back is not
    /// lent again until they fit. Waiters for more than there are now are turned away. Throws
    /// `std::invalid_argument` as the constructor does, and changes nothing then. O(waiting) if
    /// it shrinks.
    wake_list resize(std::uint32_t permits, time_point now) {
        (void)checked(permits);
        std::lock_guard const lock{mutex_};
        // Under the lock nobody else changes the sum of free and out.
        auto const before = word_of::capacity_of(word_.load(std::memory_order_relaxed));
        word_.fetch_add(word_of::growing(before, permits), std::memory_order_relaxed);
        wake_chain waking;
        if (permits < before)
            queue_.for_each([&](waiter& node) noexcept {
                if (node.permits <= permits) return;
                queue_.remove(node);
                waking.add(node, true);
            });
        hand_out(now, waking);
        return wake_list{waking.first};
    }

    [[nodiscard]] semaphore_snapshot snapshot() const noexcept {
        std::lock_guard const lock{mutex_};
        auto const word = word_.load(std::memory_order_relaxed);
        return {.capacity = word_of::capacity_of(word),
                .free = word_of::free_of(word),
                .held = word_of::out_of(word) - on_the_way_,
                .on_the_way = on_the_way_,
                .waiting = queue_.size()};
    }

    /// Permits there are. Out of date once somebody resizes. One load.
    [[nodiscard]] std::uint32_t capacity() const noexcept {
        return word_of::capacity_of(word_.load(std::memory_order_relaxed));
    }

    /// Permits that are out: held, or on their way. Out of date at once. One load.
    [[nodiscard]] std::uint32_t in_use() const noexcept {
        return word_of::out_of(word_.load(std::memory_order_relaxed));
    }

private:
    struct queue_answer {
        acquired result;
        waiter* first;
    };

    static std::uint32_t checked(std::uint32_t permits) {
        if (permits == 0 || permits > permits_max)
            throw std::invalid_argument{"semaphore: permits is not in [1, 1000000000]"};
        return permits;
    }

    [[gnu::noinline]] queue_answer queue_up(waiter& node, std::uint32_t count,
                                            time_point now) noexcept {
        std::lock_guard const lock{mutex_};
        HAWSER_ASSERT(!node.queued && !node.granted);
        if (count > word_of::capacity_of(word_.load(std::memory_order_relaxed)))
            return {acquired::too_large, nullptr};
        node.permits = count;
        node.since = now;
        node.turned_away = false;
        wake_chain waking;
        if (queue_.size() >= places_ && !make_place(node, now, waking))
            return {acquired::full, nullptr};
        queue_.push(node, now);
        // Before the free permits are looked at: who gives back from here on finds the bit set, and
        // comes for the lock; what was given back before is seen.
        word_.fetch_or(word_of::waited_for_bit, std::memory_order_relaxed);
        auto const result = hand_out(now, waking, &node);
        return {result, waking.first};
    }

    /// Turns away who has to go for `node`, if anybody has. Requires the lock.
    bool make_place(waiter& node, time_point now, wake_chain& waking) noexcept {
        if constexpr (queueing::displacing<Discipline>) {
            auto* const displaced = queue_.size() > 0 ? queue_.displaced_by(node, now) : nullptr;
            if (displaced == nullptr) return false;
            queue_.remove(*displaced);
            waking.add(*displaced, true);
            return true;
        } else {
            return false;
        }
    }

    [[gnu::noinline]] waiter* pass_on(time_point now) noexcept {
        std::lock_guard const lock{mutex_};
        wake_chain waking;
        hand_out(now, waking);
        return waking.first;
    }

    /// Serves who is next for as long as there is enough. Says what became of `asking`, which is
    /// told so and not woken. Requires the lock.
    acquired hand_out(time_point now, wake_chain& waking, waiter const* asking = nullptr) noexcept {
        auto result = acquired::queued;
        while (auto* const node = queue_.first(now)) {
            // Acquire, as in `try_acquire`. Free permits only become more meanwhile.
            auto const word = word_.load(std::memory_order_acquire);
            if (word_of::free_of(word) < std::int64_t{node->permits}) return result;
            auto const served = queue_.take(*node, now) == queueing::fate::serve;
            if (served) word_.fetch_add(word_of::taking(node->permits), std::memory_order_relaxed);
            if (node == asking) {
                result = served ? acquired::granted : acquired::full;
            } else {
                if (served) on_the_way_ += node->permits;
                waking.add(*node, !served);
            }
        }
        word_.fetch_and(~word_of::waited_for_bit, std::memory_order_relaxed);
        return result;
    }

    /// Granted permits are on their way no more. Requires the lock.
    void arrive(std::uint32_t permits) noexcept {
        HAWSER_ASSERT(on_the_way_ >= permits && "claimed or withdrawn twice");
        on_the_way_ -= permits;
    }

    alignas(cache_line) std::atomic<std::uint64_t> word_;
    alignas(cache_line) mutable std::mutex mutex_;  // Guards what follows.
    std::uint32_t const places_;
    std::uint32_t on_the_way_ = 0;
    Discipline queue_;
};

/// First come, first served.
using semaphore = basic_semaphore<>;

}  // namespace hawser::inline v0
#endif  // HAWSER_LIMIT_SEMAPHORE_HPP
