// SPDX-License-Identifier: BSL-1.0
//
// A ticker: how stages notice that time has passed, without a thread of their own.
//
// A stage that waits for a time sets an alarm. Whoever owns the ticker polls it: from a loop, from
// a timer, from wherever a thread has nothing else to do. `poll` reads the clock and wakes the
// flows whose time has come, on the caller's thread; `next` says when it will be worth while again.
//
//     for (;;) { ticker.poll(); spot.park(ticker.next(), stop); spot.rearm(); }
#ifndef HAWSER_RUN_DEMAND_TICKER_HPP
#define HAWSER_RUN_DEMAND_TICKER_HPP

#include <hawser/base/clock.hpp>
#include <hawser/base/time.hpp>
#include <hawser/containers/deadline_heap.hpp>
#include <hawser/run/demand/flow.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::demand {

namespace detail {

class alarm;

/// A ticker as its alarms see it.
class alarm_board {
public:
    alarm_board() = default;
    alarm_board(alarm_board const&) = delete;
    alarm_board& operator=(alarm_board const&) = delete;

    [[nodiscard]] virtual time_point now() const noexcept = 0;

protected:
    ~alarm_board() = default;

    /// One that is due at `now`, taken off the board; none if there is none.
    inline std::shared_ptr<wakeable> take_due(time_point now, bool& found) noexcept;

    [[nodiscard]] time_point first() const noexcept {
        std::lock_guard const lock{mutex_};
        return heap_.empty() ? no_deadline : heap_.first()->deadline();
    }

private:
    friend class alarm;
    virtual void sooner() noexcept = 0;  ///< The first alarm is another, and an earlier one.

    mutable std::mutex mutex_;  // Guards what follows and every alarm. Nobody is called under it.
    deadline_heap heap_;
    time_point polled_ = time_point::min();  ///< The latest time of a poll.
};

/// One stage's place on the board. Off it at first.
///
/// Thread safety: belongs to who has the turn of its flow, and to the board's lock.
class alarm : private deadline_node {
public:
    explicit alarm(alarm_board& board) noexcept : board_{&board} {}
    ~alarm() { clear(); }

    [[nodiscard]] time_point now() const noexcept { return board_->now(); }

    /// Whom it wakes. Requires that it is off the board.
    void wakes(std::shared_ptr<wakeable> const& flow) noexcept { flow_ = flow; }

    /// Rings at `at`, and at no other time; but after the last poll, so that every poll comes to an
    /// end, also of a clock that steps back.
    void set(time_point at) noexcept {
        {
            std::lock_guard const lock{board_->mutex_};
            at = std::max(at, add_saturating(board_->polled_, duration{1}));
            auto& heap = board_->heap_;
            if (is_linked() && deadline() == at) return;
            auto const before = heap.empty() ? no_deadline : heap.first()->deadline();
            if (is_linked()) heap.remove(*this);
            heap.add(*this, at);
            if (at >= before) return;
        }
        board_->sooner();
    }

    void clear() noexcept {
        std::lock_guard const lock{board_->mutex_};
        if (is_linked()) board_->heap_.remove(*this);
    }

private:
    friend class alarm_board;
    alarm_board* board_;
    std::weak_ptr<wakeable> flow_;
};

inline std::shared_ptr<wakeable> alarm_board::take_due(time_point now, bool& found) noexcept {
    std::lock_guard const lock{mutex_};
    polled_ = std::max(polled_, now);
    found = !heap_.empty() && heap_.first()->deadline() <= now;
    if (!found) return nullptr;
    auto& due = static_cast<alarm&>(*heap_.first());
    heap_.remove(due);
    return due.flow_.lock();
}

}  // namespace detail

/// What a ticker does by default when an alarm is set that is earlier than all others: nothing.
struct no_bell {
    void operator()() const noexcept {}
};

/// Wakes flows at their times, when it is polled. Between two polls nothing that waits for a time
/// alone moves on. Must outlive the flows whose stages were given it, until these have ended or
/// were cancelled and no thread is inside of one.
///
/// `Bell` is a callable `noexcept` that is called, with no lock held, when `next` has become
/// earlier: on the thread that a flow runs on. Needed where that is not the one that polls, which
/// may be parked for too long; it calls nothing of the flow.
///
/// Thread safety: all members may be called concurrently.
/// Cost:          a poll reads the clock once; an alarm is O(log n) under a short lock, and
///                allocates nothing.
template <clock_source Clock = steady_clock_source, class Bell = no_bell>
requires std::is_nothrow_invocable_v<Bell&>
class ticker final : public detail::alarm_board {
public:
    explicit ticker(Clock clock = Clock{}, Bell bell = Bell{})
        : clock_{std::move(clock)}, bell_(std::move(bell)) {}

    /// Wakes what is due now, and says how many flows that were.
    std::size_t poll() noexcept {
        // Read once: what sets itself an alarm for a later time waits for the next poll.
        auto const until = clock_.now();
        std::size_t woken = 0;
        for (bool found = true; found;) {
            auto const flow = take_due(until, found);
            if (!flow) continue;
            flow->wake();
            ++woken;
        }
        return woken;
    }

    /// When the next alarm is due; `no_deadline` if none is set. Out of date once a flow moves on.
    [[nodiscard]] time_point next() const noexcept { return first(); }

    [[nodiscard]] time_point now() const noexcept override { return clock_.now(); }

private:
    void sooner() noexcept override { bell_(); }

    [[no_unique_address]] Clock clock_;
    [[no_unique_address]] Bell bell_;
};

}  // namespace hawser::inline v0::demand
#endif  // HAWSER_RUN_DEMAND_TICKER_HPP
