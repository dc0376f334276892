// SPDX-License-Identifier: BSL-1.0
//
// First come, first served, and a queue that stands is shed on the way out: controlled delay.
//
//                      waited < target, or nobody behind
//            +-----------------------------------------------------+
//            v                                                     |
//       [ good ] --(waited >= target, for an interval on end)--> [ shedding ]
//                   turns one away                                  turns one away, and again
//                                                                   interval / sqrt(count) later
//
// A long queue is no harm if it is a burst, which passes; a queue whose shortest wait of an
// interval is above the target stands, and only adds delay. The longer it goes on, the faster it is
// shed. A queue that stands again soon after begins at the rate that helped last time.
//
// Source: K. Nichols, V. Jacobson, A. McGregor, J. Iyengar, "Controlled Delay Active Queue
// Management", RFC 8289, sections 4 and 5; its constants are our defaults. A waiter stands for a
// packet, and a queue of one, as there, is not shed.
#ifndef HAWSER_CONTAINERS_QUEUEING_CODEL_HPP
#define HAWSER_CONTAINERS_QUEUEING_CODEL_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/time.hpp>
#include <hawser/containers/queueing/detail/control_law.hpp>
#include <hawser/containers/queueing/discipline.hpp>
#include <hawser/containers/waiter_list.hpp>

#include <cstddef>
#include <stdexcept>
#include <utility>

namespace hawser::inline v0::queueing {

/// What a `codel` holds the wait to.
struct codel_options {
    /// A wait that is good enough. Positive, and below `interval`.
    duration target = std::chrono::milliseconds{5};

    /// How long the wait may stay above the target: a time in which a burst is worked off. At most
    /// an hour.
    duration interval = std::chrono::milliseconds{100};
};

/// First come, first served, with controlled delay. Starts empty, in the good state.
///
/// `take` says for each waiter whose turn it is whether it is served or turned away; one that is
/// turned away has cost nothing, and the next is looked at. Sheds nobody whose turn has not come:
/// where nothing is ever given back, nobody is turned away either.
///
/// Guarantee:     a waiter that waited less than `target`, or that nobody stands behind, is served.
/// Thread safety: none; the owner has a lock.
/// Cost:          O(1) each, a square root for each that is turned away; allocates nothing.
class codel {
public:
    using options_type = codel_options;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit codel(codel_options const& options = {})
        : target_{options.target}, interval_{options.interval}, law_{options.interval} {
        if (interval_ <= duration::zero() || interval_ > std::chrono::hours{1})
            throw std::invalid_argument{"codel: interval is not in (0, 1 h]"};
        if (target_ <= duration::zero() || target_ >= interval_)
            throw std::invalid_argument{"codel: target is not in (0, interval)"};
    }

    void push(waiter& node, time_point) noexcept { waiting_.push_back(node); }

    [[nodiscard]] waiter* first(time_point) noexcept { return waiting_.front(); }

    fate take(waiter& node, time_point now) noexcept {
        HAWSER_ASSERT(&node == waiting_.front());
        remove(node);
        auto const too_long = stands(time_between(node.since, now), now);
        if (!too_long) return end_shedding();
        auto const sheds = law_.sheds_at(now);
        law_.look(now);
        return sheds ? fate::turn_away : fate::serve;
    }

    void remove(waiter& node) noexcept {
        waiting_.remove(node);
        if (!waiting_.empty()) return;
        above_ = false;  // An empty queue does not stand.
        law_.stop();
    }

    [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }

    template <class Visit>
    void for_each(Visit&& visit) noexcept {
        waiting_.for_each(std::forward<Visit>(visit));
    }

    /// Whether it is turning waiters away, at the rate of its control law.
    [[nodiscard]] bool is_shedding() const noexcept { return law_.is_shedding(); }

private:
    /// Whether the wait has been above the target for an interval, this one included.
    bool stands(duration waited, time_point now) noexcept {
        if (waited < target_ || waiting_.empty()) return above_ = false;
        if (!std::exchange(above_, true)) {
            above_until_ = add_saturating(now, interval_);
            return false;
        }
        return now >= above_until_;
    }

    fate end_shedding() noexcept {
        law_.stop();
        return fate::serve;
    }

    duration target_, interval_;
    waiter_list waiting_;
    bool above_ = false;  ///< The last wait was above the target.
    time_point above_until_{};
    detail::control_law law_;
};

}  // namespace hawser::inline v0::queueing
#endif  // HAWSER_CONTAINERS_QUEUEING_CODEL_HPP
