// SPDX-License-Identifier: BSL-1.0
//
// A sliding window, estimated from two counters: the window before counts for the part of it that a
// window up to now would still cover.
//
//               previous               current
//          |----------------|------------|---|
//                  |<----- window ------>|             granted: previous * (1 - p) + current,
//                                       now            at most the limit; p = into / window
//
// That holds the limit if what the window before granted was spread evenly over it. The fraction
// is compared exactly, in whole numbers. The number of the window and its two counters stand in one
// atomic word, so admission is a compare-and-swap.
//
//     state    number of the window | previous | current        bit_width(limit) bits a counter
//
// Source: the approximated sliding window of "How we built rate limiting capable of scaling to
// millions of domains", J. Desgats, Cloudflare, 2017.
#ifndef HAWSER_RATE_SLIDING_WINDOW_COUNTER_HPP
#define HAWSER_RATE_SLIDING_WINDOW_COUNTER_HPP

#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/rate/detail/window_word.hpp>
#include <hawser/rate/window_counter_shape.hpp>
#include <hawser/rate/window_reservation.hpp>

#include <cstdint>
#include <mutex>

namespace hawser::inline v0 {

/// Holds a stream of requests to about `limit` within any window. Starts with nothing counted.
///
/// Reads no clock and never waits: the caller says what time it is and what a refusal means.
///
/// Guarantee:     within each aligned window, grants at most `limit`. Within any span as long as a
///                window at most **2 * limit - 1**, which it reaches if a whole limit falls on the
///                end of one window and requests come without a pause in the next: the estimate
///                takes that burst to be spread evenly. Where that is too much:
///                `sliding_window_log`. With clocks that differ by e between threads, or step back
///                by e, as if the span were longer by e. A reservation counts where its wait ends.
/// Windows:       begin at whole multiples of their length from the clock's epoch.
/// Thread safety: all members may be called concurrently on one object. Lock-free, but for
///                `reconfigure` and `refill`, which make nobody wait but each other.
/// Cost:          O(1): a few multiplications and a compare-and-swap, and a division where a
///                request is refused or has to wait; nothing is allocated.
class sliding_window_counter {
public:
    using options_type = sliding_window_counter_options;

    /// The largest limit for windows so long: what fits one atomic word.
    /// Requires `window` to be positive and at most thirty years.
    [[nodiscard]] static constexpr std::uint32_t limit_max(duration window) noexcept {
        return detail::window_counter_shape::limit_max(window);
    }

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit constexpr sliding_window_counter(sliding_window_counter_options const& options)
        : word_{detail::window_counter_shape{options}} {}

    /// Counts `count` requests if they are within the limit, else none. No requests are always
    /// granted.
    ///
    /// A `now` before the latest window that was granted from counts as that window's beginning; if
    /// all that was counted in it is reserved, it is refused until then. An instant more than a
    /// century from the clock's epoch counts as one a century from it. A refusal writes nothing.
    [[gnu::always_inline]] admission try_acquire(time_point now, std::uint32_t count = 1) noexcept {
        return word_.try_acquire(now, count);
    }

    /// Counts `count` requests at the first instant within `wait_max` at which they are within the
    /// limit, else none. Nobody who asks later comes earlier.
    ///
    /// They count at once; who has waited does not ask again. With a negative `wait_max`, as of a
    /// deadline that is past, none do, except that no requests are always granted. Nobody reserves
    /// more than thirty years ahead.
    window_reservation reserve(time_point now, std::uint32_t count, duration wait_max) noexcept {
        return word_.reserve(now, count, wait_max);
    }

    /// Gives a reservation back, used by nobody. True if it is counted no longer, which it is not
    /// as long as its window is the latest that was counted in, or the one before: later ones would
    /// forget it by themselves. If others reserved after it, they keep their times.
    ///
    /// What was reserved before a `reconfigure` or `refill` is not given back. A reservation is
    /// given back once, its copies included.
    bool cancel(window_reservation& unused) noexcept { return word_.cancel(unused); }
    bool cancel(window_reservation&& unused) noexcept { return cancel(unused); }

    /// The largest request that would be granted. Out of date once another thread acquires.
    [[nodiscard]] std::uint32_t available(time_point now) const noexcept {
        return word_.available(now);
    }

    /// How long until the limiter is as a new one, if nobody asks it before: zero if it is.
    [[nodiscard]] duration fresh_in(time_point now) const noexcept { return word_.fresh_in(now); }

    /// Takes a new limit and window. What counts at `now` stays counted, however often the limit
    /// changes, but of each window never more than the limit in force. With another window it
    /// counts in full until the new one that `now` lies in is over, and then fades. Throws
    /// `std::invalid_argument` as the constructor, and changes nothing then.
    void reconfigure(sliding_window_counter_options const& options, time_point now) {
        detail::window_counter_shape const changed{options};
        std::lock_guard const lock{changing_};
        detail::sliding_counts has, kept;
        word_.replace(changed, [&](detail::window_counter_shape const& old, std::uint64_t state) {
            has = changed.take_over(old, state, over_, now);
            kept = changed.within(has);
            return changed.state_of(kept);
        });
        over_ = {has.number, 0, has.previous - kept.previous, has.current - kept.current};
    }

    /// Forgets what was counted: an operator's pardon. A clock that ran ahead and was set right
    /// leaves a limiter that stands at the window that the clock had come to.
    void refill() noexcept {
        std::lock_guard const lock{changing_};
        word_.refill();
        over_ = {};
    }

private:
    detail::window_word<detail::window_counter_shape> word_;  ///< The window and its counters.
    std::mutex changing_;
    detail::sliding_counts over_;  ///< Counted under a greater limit, beyond this one. Its mutex's.
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_SLIDING_WINDOW_COUNTER_HPP
