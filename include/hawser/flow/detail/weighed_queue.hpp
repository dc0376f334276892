// SPDX-License-Identifier: BSL-1.0
//
// The items of a bounded buffer: where they stand, what they weigh, and what became of each.
//
//            dropped: to be handed out          queued
//       +---+---+---+---+---+---+---+---+---+---+---+---+
//       |   | x | x | a | b | c | d | e | f |   |   |   |
//       +---+---+---+---+---+---+---+---+---+---+---+---+
//     hand_out v      v pop                   ^ store
//
// What is dropped is counted, and loses its weight, at once; it stays where it is until a drop list
// with a place for it comes by. So a push that drops a million items moves a handful, and all of
// them are destroyed where the owner wants it: outside its lock.
#ifndef HAWSER_FLOW_DETAIL_WEIGHED_QUEUE_HPP
#define HAWSER_FLOW_DETAIL_WEIGHED_QUEUE_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/time.hpp>
#include <hawser/flow/bounded_buffer_types.hpp>
#include <hawser/flow/detail/slot_ring.hpp>
#include <hawser/flow/dropped.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

/// What `pushed == popped + dropped.total() + depth` is kept by. Thread safety: none. Cost: O(1),
/// amortised for `drop_expired`; allocates when it is made.
template <class T>
class weighed_queue {
public:
    /// Takes options that were checked.
    explicit weighed_queue(bounded_buffer_options const& options)
        : slots_{options.capacity},
          weight_limit_{options.weight == 0 ? unbounded : options.weight} {}

    [[nodiscard]] std::size_t size() const noexcept { return slots_.size() - to_collect_; }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] std::size_t capacity() const noexcept { return slots_.capacity(); }
    [[nodiscard]] std::uint64_t weight() const noexcept { return weight_; }
    [[nodiscard]] std::uint64_t weight_limit() const noexcept { return weight_limit_; }
    [[nodiscard]] std::size_t to_collect() const noexcept { return to_collect_; }

    [[nodiscard]] bool has_places() const noexcept { return size() < capacity(); }
    [[nodiscard]] bool can_bear(std::uint64_t weight) const noexcept {
        return weight <= weight_limit_ - weight_;
    }

    /// Requires room for it, and that a slot is free of what is to be handed out.
    void store(T&& item, std::uint64_t weight, time_point expires) noexcept {
        HAWSER_ASSERT(has_places() && can_bear(weight));
        slots_.emplace_back(std::move(item), expires, weight);
        weight_ += weight;
        ++pushed_;
        note_highest();
    }

    /// Requires `!empty()` and `can_bear(weight)`. What `merge` throws passes through, before
    /// anything has changed here.
    template <class Merge, class Weigh>
    void merge(Merge& merge, T& item, Weigh const& weigh, std::uint64_t weight, time_point aged) {
        HAWSER_ASSERT(!empty() && can_bear(weight));
        auto& newest = slots_.back();
        merge(newest.item, item);
        // At most both together, which can be borne: so no merge breaks the bound.
        auto const merged = std::min(static_cast<std::uint64_t>(weigh(std::as_const(newest.item))),
                                     newest.note + weight);
        weight_ = weight_ - newest.note + merged;
        newest.note = merged;
        newest.expires = expiry_of(weigh, std::as_const(newest.item), aged);
        note_highest();
    }

    /// Counts an item that was taken, and is dropped without having been queued.
    void count_in_and_dropped(drop_cause cause) noexcept {
        ++pushed_;
        ++dropped_[cause];
    }

    void count_refused() noexcept { ++refused_; }

    /// Gives the oldest item. Requires that there is one, and nothing to be handed out before it.
    void pop(std::optional<T>& into) noexcept {
        HAWSER_ASSERT(to_collect_ == 0);
        auto& oldest = slots_[0];
        into.emplace(std::move(oldest.item));
        weight_ -= oldest.note;
        slots_.drop_front();
        ++popped_;
    }

    /// Drops the oldest item. Requires that there is one.
    void drop_oldest(drop_cause cause) noexcept {
        HAWSER_ASSERT(!empty());
        auto& oldest = slots_[to_collect_];
        weight_ -= oldest.note;
        oldest.note = static_cast<std::uint64_t>(cause);
        ++to_collect_;
        ++dropped_[cause];
    }

    /// Drops items from the front that are too old, and says how many.
    std::uint32_t drop_expired(time_point now) noexcept {
        std::uint32_t count = 0;
        for (; !empty() && now > slots_[to_collect_].expires; ++count)
            drop_oldest(drop_cause::expired);
        return count;
    }

    /// Moves what was dropped, in that order, onto `drops`, but for the last `spare` places of it.
    template <std::size_t Places>
    void hand_out(drop_list<T, Places>& drops, std::size_t spare) noexcept {
        for (; to_collect_ != 0 && drops.room() > spare; --to_collect_) {
            auto& oldest = slots_[0];
            drops.add(std::move(oldest.item), static_cast<drop_cause>(oldest.note));
            slots_.drop_front();
        }
    }

    [[nodiscard]] bounded_buffer_snapshot snapshot(bool is_high) const noexcept {
        return {.depth = size(),
                .weight = weight_,
                .capacity = capacity(),
                .weight_limit = weight_limit_ == unbounded ? 0 : weight_limit_,
                .highest_depth = highest_depth_,
                .highest_weight = highest_weight_,
                .is_high = is_high,
                .to_collect = to_collect_,
                .pushed = pushed_,
                .popped = popped_,
                .dropped = dropped_,
                .refused = refused_};
    }

private:
    static constexpr auto unbounded = std::numeric_limits<std::uint64_t>::max();

    struct slot {
        slot(T&& taken, time_point end, std::uint64_t weight) noexcept
            : item{std::move(taken)}, expires{end}, note{weight} {}
        T item;
        time_point expires;  ///< The last instant at which it may come out.
        std::uint64_t note;  ///< Its weight while it is queued, its `drop_cause` once dropped.
    };

    void note_highest() noexcept {
        highest_depth_ = std::max(highest_depth_, size());
        highest_weight_ = std::max(highest_weight_, weight_);
    }

    slot_ring<slot> slots_;  ///< First what is to be collected, then what is queued.
    std::size_t to_collect_ = 0;
    std::uint64_t weight_ = 0;  ///< Of what is queued. At most `weight_limit_`.
    std::uint64_t weight_limit_;
    std::size_t highest_depth_ = 0;
    std::uint64_t highest_weight_ = 0;
    std::uint64_t pushed_ = 0;
    std::uint64_t popped_ = 0;
    drop_counts dropped_;
    std::uint64_t refused_ = 0;
};

/// An item that finds no room in a queue, and what a policy may do about it.
template <class T, class Weigh>
class overflow_room {
public:
    overflow_room(weighed_queue<T>& queue, Weigh const& weigh, T& item, std::uint64_t weight,
                  time_point aged, drop_cause cause) noexcept
        : queue_{queue}, weigh_{weigh}, item_{item}, weight_{weight}, aged_{aged}, cause_{cause} {}
    overflow_room(overflow_room const&) = delete;
    overflow_room& operator=(overflow_room const&) = delete;

    [[nodiscard]] bool is_there() const noexcept {
        return queue_.has_places() && queue_.can_bear(weight_);
    }
    [[nodiscard]] bool lacks_only_places() const noexcept { return queue_.can_bear(weight_); }

    void drop_oldest() noexcept {
        queue_.drop_oldest(cause_);
        ++dropped_;
    }
    void drop_all() noexcept {
        while (!queue_.empty()) drop_oldest();
    }
    template <class Merge>
    void merge(Merge& merge) {
        static_assert(std::is_invocable_v<Merge&, T&, T&>,
                      "hawser: a merge is called with two T&: the item kept, and the new one");
        queue_.merge(merge, item_, weigh_, weight_, aged_);
    }

    /// How many were dropped.
    [[nodiscard]] std::uint32_t dropped() const noexcept { return dropped_; }

private:
    weighed_queue<T>& queue_;
    Weigh const& weigh_;
    T& item_;
    std::uint64_t weight_;
    time_point aged_;
    drop_cause cause_;
    std::uint32_t dropped_ = 0;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_FLOW_DETAIL_WEIGHED_QUEUE_HPP
