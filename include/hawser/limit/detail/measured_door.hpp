// SPDX-License-Identifier: BSL-1.0
//
// A front door that is measured as it is used: how fast it is served, how long they wait, and what
// becomes of them.
//
//     semaphore --(its lock)--> door_of --> measured_door <--(its own lock)-- who wants to know
#ifndef HAWSER_LIMIT_DETAIL_MEASURED_DOOR_HPP
#define HAWSER_LIMIT_DETAIL_MEASURED_DOOR_HPP

#include <hawser/base/time.hpp>
#include <hawser/containers/queueing/front_door.hpp>
#include <hawser/limit/admission_types.hpp>
#include <hawser/limit/detail/turn_times.hpp>
#include <hawser/stats/quantile.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

namespace hawser::inline v0::detail {

/// Thread safety: all members may be called concurrently; those of the discipline are called by the
/// semaphore that has it, one at a time.
class measured_door {
    using fate = queueing::fate;

public:
    explicit measured_door(queueing::front_door_options const& options)
        : door_{options}, target_{options.target}, interval_{options.interval} {}

    // The discipline's part.

    void push(waiter& node, time_point now) noexcept {
        std::lock_guard const lock{mutex_};
        door_.push(node, now);
        note_standing(now);
        most_waiting_ = std::max(most_waiting_, door_.size());
    }
    waiter* first(time_point now) noexcept {
        std::lock_guard const lock{mutex_};
        return door_.first(now);
    }
    fate take(waiter& node, time_point now) noexcept {
        std::lock_guard const lock{mutex_};
        auto const what = door_.take(node, now);
        note_standing(now);
        if (what == fate::serve) {
            turns_.served(now, node.permits, door_.size() > 0);
            ++counts_.served;
            waits_.record(time_between(node.since, now));
            if (waits_.count() == waits_kept) waits_.halve();
        } else {
            node.turned_away = true;  // For who asks, and so is on nobody's wake list.
            ++counts_.shed;
            note_empty();
        }
        return what;
    }
    void remove(waiter& node) noexcept {
        std::lock_guard const lock{mutex_};
        door_.remove(node);
        note_empty();
    }
    waiter* displaced_by(waiter& node, time_point now) noexcept {
        std::lock_guard const lock{mutex_};
        auto* const gone = door_.displaced_by(node, now);
        if (gone != nullptr) ++counts_.displaced;  // Who asks removes it.
        return gone;
    }
    [[nodiscard]] std::size_t size() const noexcept {
        std::lock_guard const lock{mutex_};
        return door_.size();
    }
    /// Not under the lock: `visit` removes, and the semaphore's lock keeps everybody else out.
    template <class Visit>
    void for_each(Visit&& visit) noexcept {
        door_.for_each(std::forward<Visit>(visit));
    }

    // What is measured.

    /// How long one of this class waits that comes now and needs so many more than are free.
    [[nodiscard]] wait_estimate wait_of(std::uint8_t priority, double missing,
                                        time_point now) const noexcept {
        std::lock_guard const lock{mutex_};
        if (!turns_.is_known(now)) return {};
        auto const line = door_.ahead_of(priority, now);
        auto const before = static_cast<double>(door_.permits_before(priority));
        auto const own = static_cast<double>(line.own) + missing;
        auto const all = own + static_cast<double>(line.higher);
        return {.expected = turns_.expected(before + missing),
                .at_least = std::min(line.in_order_for,
                                     std::max(turns_.at_least(own),
                                              std::min(turns_.at_least(all), line.classes_for))),
                .is_known = true};
    }

    /// When one of this class would wait for no more than the target, or `wait_max` if that is
    /// less, should nobody else come. Not rounded, and without a bound.
    [[nodiscard]] duration short_again_in(std::uint8_t priority, duration wait_max,
                                          time_point now) const noexcept {
        std::lock_guard const lock{mutex_};
        auto const known = turns_.is_known(now);
        auto const line = static_cast<double>(door_.permits_before(priority)) + 1;
        auto const wait = known ? turns_.expected(line) : duration::zero();
        // What has not moved for so long is not expected to move sooner.
        auto const still = door_.size() > 0 ? turns_.since_last(now) : duration::zero();
        // An overload that has lasted for an interval is not over sooner.
        auto const over = !known || door_.stands(now) ? interval_ : duration::zero();
        auto const good = std::clamp(wait_max, duration::zero(), target_);
        return std::max({wait - good, still, over});
    }

    void count(std::uint64_t admission_counts::*what) noexcept {
        std::lock_guard const lock{mutex_};
        ++(counts_.*what);
    }

    /// Whether it stood when last somebody came to wait, or had a turn.
    [[nodiscard]] bool stood() const noexcept { return stood_.load(std::memory_order_relaxed); }

    [[nodiscard]] bool stands(time_point now) const noexcept {
        std::lock_guard const lock{mutex_};
        return door_.stands(now);
    }

    /// Fills in all but the permits.
    void describe(admission_snapshot& seen, time_point now) const noexcept {
        std::lock_guard const lock{mutex_};
        seen.most_waiting = most_waiting_;
        seen.median_wait = waits_.at(0.5).value_or(duration::zero());
        seen.p99_wait = waits_.at(0.99).value_or(duration::zero());
        seen.stands = door_.stands(now);
        seen.counts = counts_;
    }

private:
    /// Enough for a steady 99th percentile, and few enough to forget what was long ago.
    static constexpr std::uint64_t waits_kept = 8192;

    /// Relaxed: who wants to be sure asks under the lock.
    void note_standing(time_point now) noexcept {
        stood_.store(door_.stands(now), std::memory_order_relaxed);
    }
    void note_empty() noexcept {
        if (door_.size() == 0) turns_.emptied();
    }

    std::atomic<bool> stood_{false};
    mutable std::mutex mutex_;  // Guards what follows. Taken last, under the semaphore's or none.
    queueing::front_door door_;
    duration const target_, interval_;
    turn_times turns_;
    quantile_sketch waits_;
    std::size_t most_waiting_ = 0;
    admission_counts counts_;
};

/// The door as a semaphore's discipline. The door outlives it.
class door_of {
public:
    explicit door_of(measured_door& door) noexcept : door_{&door} {}

    void push(waiter& node, time_point now) noexcept { door_->push(node, now); }
    [[nodiscard]] waiter* first(time_point now) noexcept { return door_->first(now); }
    queueing::fate take(waiter& node, time_point now) noexcept { return door_->take(node, now); }
    void remove(waiter& node) noexcept { door_->remove(node); }
    [[nodiscard]] waiter* displaced_by(waiter& node, time_point now) noexcept {
        return door_->displaced_by(node, now);
    }
    [[nodiscard]] std::size_t size() const noexcept { return door_->size(); }
    template <class Visit>
    void for_each(Visit&& visit) noexcept {
        door_->for_each(std::forward<Visit>(visit));
    }

private:
    measured_door* door_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_LIMIT_DETAIL_MEASURED_DOOR_HPP
