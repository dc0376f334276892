// SPDX-License-Identifier: BSL-1.0
//
// A queue with a bound by count and by weight, which decides what happens to an item without room.
//
//                 no room?  +-- too old ------+
//                           |                 v
//     push --> overflow --> [ queued ] --> drop_list: reported and destroyed outside the lock
//                |          |                 ^
//                |          +--> pop          |
//                +-- dropped by the policy ---+
#ifndef HAWSER_FLOW_BOUNDED_BUFFER_HPP
#define HAWSER_FLOW_BOUNDED_BUFFER_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/time.hpp>
#include <hawser/flow/bounded_buffer_types.hpp>
#include <hawser/flow/detail/weighed_queue.hpp>
#include <hawser/flow/dropped.hpp>
#include <hawser/flow/overflow.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// A first-in, first-out queue of at most `capacity` items of at most `weight` together. Starts
/// empty. `Overflow` says what happens when there is no room (`flow/overflow.hpp`); `Weigh` is
/// called as `weigh(T const&)` and answers with a number: zero is a weight too, and takes a place.
/// With a member `deadline_of(T const&)`, `noexcept` and a `time_point`, it says besides when an
/// item is of no use any more: it expires then, or by its age if that is earlier.
///
/// It never waits, reads no clock, and calls nobody but `Weigh`, a merge, T's move constructor and
/// the destructor of what it moved from. Its owner has a lock, and uses it in this order:
///
///     lock; answer = push(std::move(item), now, drops); unlock;
///     report what is on `drops`, and clear it; while `more`: lock; collect(drops); unlock; ...
///     call back for the watermark that was crossed
///
/// Guarantee: every item that it took comes out once, is dropped and counted once, or is queued:
///            `pushed == popped + dropped.total() + depth`. Those that come out come in the order
///            in which they went in. Neither bound is ever exceeded. An item that is not taken is
///            as it was.
///            Dropped items that wait to be handed out take places of their own, and no more of
///            them than `capacity`; who collects them all after each push bounds their weight too.
/// Thread safety: none; its owner has a lock.
/// Cost:      O(1), amortised where items are dropped. Allocates its slots when it is made, and
///            nothing after.
template <class T, class Overflow = overflow::block, class Weigh = unit_weight>
class bounded_buffer {
    static_assert(std::is_nothrow_move_constructible_v<T>,
                  "hawser: an item of a bounded_buffer must move without throwing, or it is lost");
    static_assert(std::is_nothrow_invocable_r_v<std::uint64_t, Weigh const&, T const&>,
                  "hawser: weighing an item must be noexcept, and answer with a number");
    static_assert(
        detail::knows_deadlines<Weigh, T> || !requires { &Weigh::deadline_of; },
        "hawser: deadline_of(item) must be const and noexcept, and answer a time_point");
    static_assert(
        std::is_invocable_r_v<overflow::decision, Overflow&, detail::overflow_room<T, Weigh>&>,
        "hawser: an overflow policy is called with a room, and answers with a decision");

public:
    using value_type = T;
    using overflow_type = Overflow;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range, and
    /// `std::bad_alloc`.
    explicit bounded_buffer(bounded_buffer_options const& options = {}, Overflow overflow = {},
                            Weigh weigh = {})
        : bounded_buffer{checked_tag{}, detail::checked(options, capacity_max()),
                         std::move(overflow), std::move(weigh)} {}

    bounded_buffer(bounded_buffer const&) = delete;
    bounded_buffer& operator=(bounded_buffer const&) = delete;

    /// Destroys what is queued, oldest first, and what waits to be handed out before it.
    ~bounded_buffer() = default;

    /// Takes `item`, or leaves it as it is; the answer says which (`is_taken`). Where there is no
    /// room, items too old go first, from the front; then the policy decides.
    ///
    /// `now` is not looked at if items never expire. Requires that `drops` has a place, unless
    /// there is room and nothing waits to be handed out, as after a pop that gave an item. What a
    /// merge throws passes through: the item is with its owner, and nothing has changed but what
    /// the merge has changed.
    template <std::size_t Places>
    push_answer push(T&& item, time_point now, drop_list<T, Places>& drops) {
        auto const weight = weight_of(item);
        return push(std::move(item), weight, now, drops);
    }

    /// The same for an item that was weighed, by `weight_of`, before the lock was taken.
    template <std::size_t Places>
    push_answer push(T&& item, std::uint64_t weight, time_point now, drop_list<T, Places>& drops) {
        push_answer answer;
        auto const aged =
            max_age_ != duration::zero() ? add_saturating(now, max_age_) : no_deadline;
        if (weight > queue_.weight_limit())
            answer.result = pushed::too_large;
        else if (!has_room(weight)) [[unlikely]]
            make_room(answer, item, weight, now, aged);

        bool const drops_it = answer.result == pushed::dropped;
        queue_.hand_out(drops, drops_it ? 1 : 0);
        if (drops_it) drops.add(std::move(item), policy_cause());
        if (answer.result == pushed::stored) {
            auto const expires = detail::expiry_of(weigh_, std::as_const(item), aged);
            queue_.store(std::move(item), weight, expires);
        }
        answer.crossed = watermarks_.at(size(), this->weight());
        answer.more = queue_.to_collect() != 0;
        return answer;
    }

    /// Gives the oldest item that is not too old; those before it are dropped.
    ///
    /// With `more` in the answer there is no item yet, because `drops` is full: empty it, and ask
    /// again. Without either, the buffer is empty. `now` is not looked at if items never expire.
    /// Requires that `drops` has a place.
    template <std::size_t Places>
    pop_answer<T> pop(time_point now, drop_list<T, Places>& drops) noexcept {
        HAWSER_ASSERT(drops.room() > 0);
        pop_answer<T> answer;
        answer.expired = queue_.drop_expired(now);
        queue_.hand_out(drops, 0);
        answer.more = queue_.to_collect() != 0;
        if (!answer.more && !empty()) queue_.pop(answer.item);
        answer.crossed = watermarks_.at(size(), weight());
        return answer;
    }

    /// Hands out items that were dropped and found no place on the list of the push or pop that
    /// dropped them, and says whether there are still more.
    template <std::size_t Places>
    bool collect(drop_list<T, Places>& drops) noexcept {
        queue_.hand_out(drops, 0);
        return queue_.to_collect() != 0;
    }

    /// What `item` weighs. To be asked anywhere: it looks at nothing but the item.
    [[nodiscard]] std::uint64_t weight_of(T const& item) const noexcept {
        return static_cast<std::uint64_t>(weigh_(item));
    }

    /// Whether an item of `weight` would be stored without anything being dropped.
    [[nodiscard]] bool has_room(std::uint64_t weight = 0) const noexcept {
        return queue_.has_places() && queue_.can_bear(weight);
    }

    /// Whether an item of `weight` would have room if there were no other.
    [[nodiscard]] bool can_bear(std::uint64_t weight) const noexcept {
        return weight <= queue_.weight_limit();
    }

    /// Whether `now` is looked at: else any will do, and no clock need be read.
    [[nodiscard]] bool needs_time() const noexcept {
        return detail::knows_deadlines<Weigh, T> || max_age_ != duration::zero();
    }

    /// Items queued, too old or not.
    [[nodiscard]] std::size_t size() const noexcept { return queue_.size(); }
    [[nodiscard]] bool empty() const noexcept { return queue_.empty(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return queue_.capacity(); }

    /// What the items queued weigh together.
    [[nodiscard]] std::uint64_t weight() const noexcept { return queue_.weight(); }

    [[nodiscard]] bounded_buffer_snapshot snapshot() const noexcept {
        return queue_.snapshot(watermarks_.is_high());
    }

private:
    struct checked_tag {};
    bounded_buffer(checked_tag, bounded_buffer_options const& options, Overflow&& overflow,
                   Weigh&& weigh)
        : queue_{options},
          max_age_{options.max_age},
          watermarks_{options},
          overflow_{std::move(overflow)},
          weigh_{std::move(weigh)} {}

    static constexpr std::size_t capacity_max() noexcept {
        if constexpr (requires { Overflow::capacity_max; })
            return Overflow::capacity_max;
        else
            return bounded_buffer_options::capacity_max;
    }
    static constexpr drop_cause policy_cause() noexcept {
        if constexpr (requires { Overflow::cause; })
            return Overflow::cause;
        else
            return drop_cause::newest;  // Asked for and not used: the policy drops nothing.
    }

    void make_room(push_answer& answer, T& item, std::uint64_t weight, time_point now,
                   time_point aged) {
        answer.expired = queue_.drop_expired(now);
        if (has_room(weight)) return;
        detail::overflow_room<T, Weigh> room{queue_, weigh_, item, weight, aged, policy_cause()};
        answer.result = result_of(overflow_(room), weight);
        answer.dropped = room.dropped();
        if (answer.result == pushed::refused) queue_.count_refused();
        if (!is_taken(answer.result) || answer.result == pushed::stored) return;
        queue_.count_in_and_dropped(policy_cause());
        ++answer.dropped;
    }
    pushed result_of(overflow::decision decision, std::uint64_t weight) const noexcept {
        switch (decision) {
            case overflow::decision::store: return has_room(weight) ? pushed::stored : pushed::full;
            case overflow::decision::merged: return pushed::merged;
            case overflow::decision::drop: return pushed::dropped;
            case overflow::decision::refuse: return pushed::refused;
            case overflow::decision::wait: break;
        }
        return pushed::full;
    }

    detail::weighed_queue<T> queue_;
    duration max_age_;
    detail::watermarks watermarks_;
    [[no_unique_address]] Overflow overflow_;
    [[no_unique_address]] Weigh weigh_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_FLOW_BOUNDED_BUFFER_HPP
