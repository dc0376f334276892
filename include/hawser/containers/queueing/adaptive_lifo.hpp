// SPDX-License-Identifier: BSL-1.0
//
// First come, first served, until the queue stands; then the newest first.
//
//     empty --push--> fair: oldest first --(not empty for longer than `stands_after`)--> newest
//     first
//       ^                                                                                   |
//       +-------------------------------- empty again --------------------------------------+
//
// A queue that empties every now and then only smooths bursts, and order is fair in it. One that
// has not been empty for long holds calls whose callers are about to give up: served in order,
// every call is served too late. Newest first, those that come now are served in time, and those
// that have waited too long already are the ones that are lost.
//
// Source: B. Maurer, "Fail at scale", ACM Queue 13(8), 2015, "adaptive LIFO".
#ifndef HAWSER_CONTAINERS_QUEUEING_ADAPTIVE_LIFO_HPP
#define HAWSER_CONTAINERS_QUEUEING_ADAPTIVE_LIFO_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/time.hpp>
#include <hawser/containers/queueing/discipline.hpp>
#include <hawser/containers/waiter_list.hpp>

#include <cstddef>
#include <stdexcept>
#include <utility>

namespace hawser::inline v0::queueing {

/// When an `adaptive_lifo` turns round.
struct adaptive_lifo_options {
    /// How long the queue is not empty before it serves the newest first. Zero or more; zero is a
    /// stack as soon as any time has passed. 100 ms is the source's.
    duration stands_after = std::chrono::milliseconds{100};
};

/// Oldest first while the queue empties now and then, newest first once it stands. Starts empty.
///
/// A full queue that stands turns its oldest away for each that comes; one that does not stand, or
/// not yet, nobody. A waiter for many permits is overtaken by those that come after it: use weights
/// with `fifo`.
///
/// Guarantee:     within one stretch without an empty queue it turns round once.
/// Thread safety: none; the owner has a lock.
/// Cost:          O(1) each, but for `for_each`; allocates nothing.
class adaptive_lifo {
public:
    using options_type = adaptive_lifo_options;

    /// Throws `std::invalid_argument` if `stands_after` is negative.
    explicit adaptive_lifo(adaptive_lifo_options const& options = {})
        : stands_after_{options.stands_after} {
        if (stands_after_ < duration::zero())
            throw std::invalid_argument{"adaptive_lifo: stands_after is negative"};
    }

    void push(waiter& node, time_point now) noexcept {
        if (waiting_.empty()) filled_at_ = now;
        waiting_.push_back(node);
    }

    [[nodiscard]] waiter* first(time_point now) noexcept {
        return stands(now) ? waiting_.back() : waiting_.front();
    }

    fate take(waiter& node, time_point now) noexcept {
        HAWSER_ASSERT(&node == first(now));
        static_cast<void>(now);
        waiting_.remove(node);
        return fate::serve;
    }

    void remove(waiter& node) noexcept { waiting_.remove(node); }

    /// The oldest, once the queue stands.
    [[nodiscard]] waiter* displaced_by(waiter&, time_point now) noexcept {
        return stands(now) ? waiting_.front() : nullptr;
    }

    [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }

    template <class Visit>
    void for_each(Visit&& visit) noexcept {
        waiting_.for_each(std::forward<Visit>(visit));
    }

    /// Whether the queue has not been empty for longer than `stands_after`.
    [[nodiscard]] bool stands(time_point now) const noexcept {
        return !waiting_.empty() && time_between(filled_at_, now) > stands_after_;
    }

private:
    duration stands_after_;
    time_point filled_at_{};  ///< When the first of an unbroken stretch came.
    waiter_list waiting_;
};

}  // namespace hawser::inline v0::queueing
#endif  // HAWSER_CONTAINERS_QUEUEING_ADAPTIVE_LIFO_HPP
