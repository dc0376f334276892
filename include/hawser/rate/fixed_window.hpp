// SPDX-License-Identifier: BSL-1.0
//
// A fixed window: grants `limit` requests in each window of time, and starts anew with the next.
//
// Windows follow each other without a gap, and one begins at the clock's epoch. The whole state is
// a number on the line of permits, the mark: `limit` permits belong to each window, in order, and
// those up to the mark are spent or lapsed. What lapses is worked out when somebody asks.
//
//     windows   |--- 7 ---|--- 8 ---|--- 9 ---|        limit 4
//     permits   28..31    32..35    36..39
//                            ^ mark 34, in window 8: two are spent, two are left
//
// One mark fits in one atomic word, so admission is a compare-and-swap.
#ifndef HAWSER_RATE_FIXED_WINDOW_HPP
#define HAWSER_RATE_FIXED_WINDOW_HPP

#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/rate/detail/window_word.hpp>
#include <hawser/rate/fixed_window_shape.hpp>
#include <hawser/rate/window_reservation.hpp>

#include <cstdint>
#include <mutex>

namespace hawser::inline v0 {

/// Holds a stream of requests to `limit` in each window. Starts with nothing spent.
///
/// Reads no clock and never waits: the caller says what time it is and what a refusal means.
///
/// Guarantee:     within each window, grants at most `limit`; so within any span d, at most `limit`
///                for each window that it touches, and within a span as long as a window up to
///                **twice the limit**: what is left of one at its end, and all of the next at its
///                beginning. Where that is too much: `sliding_window_log`, or a `token_bucket`.
///                With clocks that differ by e between threads, or step back by e, as if d were d +
///                e. A reservation counts where its wait ends.
/// Windows:       begin at whole multiples of their length from the clock's epoch, whenever the
///                limiter was made: limiters of one length start anew at the same instant.
/// Thread safety: all members may be called concurrently on one object. Lock-free, but for
///                `reconfigure` and `refill`, which make nobody wait but each other.
/// Cost:          O(1): a multiplication and a compare-and-swap; nothing is allocated.
class fixed_window {
public:
    using options_type = fixed_window_options;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit constexpr fixed_window(fixed_window_options const& options)
        : word_{detail::fixed_window_shape{options}} {}

    /// Takes `count` of the window's permits if it has them, else none. No permits are always
    /// granted.
    ///
    /// A `now` before the latest window that was granted from counts as that window's beginning; if
    /// all that was taken from it is reserved, it is refused until then. An instant more than a
    /// century from the clock's epoch counts as one a century from it. A refusal writes nothing.
    [[gnu::always_inline]] admission try_acquire(time_point now, std::uint32_t count = 1) noexcept {
        return word_.try_acquire(now, count);
    }

    /// Takes `count` permits of the first window that begins within `wait_max` and has them, else
    /// none. What is left of the windows before lapses: nobody who asks later comes earlier.
    ///
    /// The permits are taken at once; who has waited does not ask again. With a negative
    /// `wait_max`, as of a deadline that is past, nothing is, except that no permits are always
    /// granted. Nobody reserves more than thirty years ahead.
    window_reservation reserve(time_point now, std::uint32_t count, duration wait_max) noexcept {
        return word_.reserve(now, count, wait_max);
    }

    /// Gives a reservation back, used by nobody. True if its permits are there again, which they
    /// are until a later window is taken from; else they are lost, so that others keep their times.
    /// If others reserved from its window meanwhile, what it passed over has lapsed all the same:
    /// less than it asked for.
    ///
    /// Lost as well is what was reserved before a `reconfigure` or `refill`. A reservation is given
    /// back once, its copies included.
    bool cancel(window_reservation& unused) noexcept { return word_.cancel(unused); }
    bool cancel(window_reservation&& unused) noexcept { return cancel(unused); }

    /// Permits left in the window. Out of date once another thread acquires.
    [[nodiscard]] std::uint32_t available(time_point now) const noexcept {
        return word_.available(now);
    }

    /// How long until the limiter is as a new one, if nobody asks it before: zero if it is.
    [[nodiscard]] duration fresh_in(time_point now) const noexcept { return word_.fresh_in(now); }

    /// Takes a new limit and window. What was spent in the window that is open counts in the new
    /// one that `now` lies in, to the last permit, however often the limit changes; what was spent
    /// in windows before is not known. Throws `std::invalid_argument` as the constructor, and
    /// changes nothing then.
    void reconfigure(fixed_window_options const& options, time_point now) {
        detail::fixed_window_shape const changed{options};
        std::lock_guard const lock{changing_};
        detail::window_spent spent;
        word_.replace(changed, [&](detail::fixed_window_shape const& old, std::uint64_t mark) {
            spent = changed.take_over(old, mark, over_, now);
            return changed.mark_after(spent);
        });
        over_ = changed.beyond(spent);
    }

    /// Forgets what was spent: an operator's pardon. A clock that ran ahead and was set right
    /// leaves a limiter that stands at the window that the clock had come to.
    void refill() noexcept {
        std::lock_guard const lock{changing_};
        word_.refill();
        over_ = {};
    }

private:
    detail::window_word<detail::fixed_window_shape> word_;  ///< The mark.
    std::mutex changing_;
    detail::window_spent over_;  ///< Spent under a greater limit, beyond this one. Its mutex's.
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_FIXED_WINDOW_HPP
