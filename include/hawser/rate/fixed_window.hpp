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
#include <hawser/rate/detail/shaped_word.hpp>
#include <hawser/rate/detail/window_line.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <stdexcept>

namespace hawser::inline v0 {

class fixed_window;

/// How much a `fixed_window` grants.
struct fixed_window_options {
    using limiter_type = fixed_window;

    /// Requests granted in each window, and so the largest that can be granted. Positive, and at
    /// most one for each nanosecond of the window.
    std::uint32_t limit = 100;

    /// The length of a window. Positive, at most thirty years.
    duration window = std::chrono::seconds{1};
};

namespace detail {

/// So many permits of a window.
struct window_spent {
    std::uint64_t number = 0;
    std::uint64_t count = 0;
};

/// A checked limit and window. Immutable.
class fixed_window_shape {
public:
    explicit constexpr fixed_window_shape(fixed_window_options const& options)
        : line_{checked(options)}, limit_{options.limit} {}

    [[nodiscard]] constexpr window_line const& line() const noexcept { return line_; }
    [[nodiscard]] constexpr std::uint64_t limit() const noexcept { return limit_; }

    /// The window that a request at `now` falls into, with the mark where it is. It is a later one
    /// than that of `now` where such a one was granted from already.
    [[nodiscard, gnu::always_inline]] constexpr std::uint64_t window_at(
        std::uint64_t now, std::uint64_t mark) const noexcept {
        if (mark <= (now + 1) * limit_) [[likely]]
            return now;
        return (mark - 1) / limit_;
    }

    /// The permits of window `number` that are gone.
    [[nodiscard, gnu::always_inline]] constexpr std::uint64_t spent(
        std::uint64_t number, std::uint64_t mark) const noexcept {
        auto const first = number * limit_;
        return mark > first ? mark - first : 0;
    }

    /// What a limiter of this shape has spent that stands in for one of the shape `old`: what that
    /// one has in the window that is open.
    [[nodiscard]] constexpr window_spent take_over(fixed_window_shape const& old,
                                                   std::uint64_t mark, window_spent const& over,
                                                   time_point now) const noexcept {
        auto const open = old.window_at(old.line_.at(now).number, mark);
        auto const since = std::max(now, old.line_.start_of(open));
        auto const beyond = open == over.number ? over.count : 0;
        return {line_.at(since).number, old.spent(open, mark) + beyond};
    }

    /// The mark after so much was spent: of more than the limit, the window is full.
    [[nodiscard]] constexpr std::uint64_t mark_after(window_spent const& has) const noexcept {
        return has.number * limit_ + std::min(has.count, limit_);
    }

    /// What the mark cannot tell of it.
    [[nodiscard]] constexpr window_spent beyond(window_spent const& has) const noexcept {
        return {has.number, has.count - std::min(has.count, limit_)};
    }

private:
    static constexpr duration checked(fixed_window_options const& options) {
        if (options.limit == 0) throw std::invalid_argument{"fixed_window: limit is zero"};
        if (options.window <= duration::zero())
            throw std::invalid_argument{"fixed_window: window is not positive"};
        if (options.window > window_max)
            throw std::invalid_argument{"fixed_window: window is over thirty years"};
        // Also what keeps the permits of two centuries within 63 bits.
        if (options.limit > static_cast<std::uint64_t>(options.window.count()))
            throw std::invalid_argument{"fixed_window: limit is more than one a nanosecond"};
        return options.window;
    }

    window_line line_;
    std::uint64_t limit_;
};

}  // namespace detail

/// Holds a stream of requests to `limit` in each window. Starts with nothing spent.
///
/// Reads no clock and never waits: the caller says what time it is and what a refusal means.
///
/// Guarantee:     within each window, grants at most `limit`; so within any span d, at most `limit`
///                for each window that it touches, and within a span as long as a window up to
///                **twice the limit**: what is left of one at its end, and all of the next at its
///                beginning. Where that is too much: `sliding_window_log`, or a `token_bucket`.
///                With clocks that differ by e between threads, or step back by e, as if d were d +
///                e.
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
    /// A `now` before the latest window that was granted from counts as that window's beginning.
    /// An instant more than a century from the clock's epoch counts as one a century from it. A
    /// refusal writes nothing.
    [[gnu::always_inline]] admission try_acquire(time_point now, std::uint32_t count = 1) noexcept {
        if (count == 0) return {.granted = true, .retry_after = {}};
        for (auto word = word_.load();;) {
            auto const shape = word_.shape_of(word);
            auto const mark = word_.state_of(word);
            auto const open = shape.window_at(shape.line().at(now).number, mark);
            auto const next = std::max(mark, open * shape.limit()) + count;
            if (next <= (open + 1) * shape.limit()) [[likely]] {
                if (word_.swap(word, next)) [[likely]]
                    return {.granted = true, .retry_after = {}};
            } else if (word_.still(word)) {
                return {.granted = false, .retry_after = wait_for(shape, open, now, count)};
            } else {
                word = word_.load();
            }
        }
    }

    /// Permits left in the window. Out of date once another thread acquires.
    [[nodiscard]] std::uint32_t available(time_point now) const noexcept {
        for (auto word = word_.load();; word = word_.load()) {
            auto const shape = word_.shape_of(word);
            auto const mark = word_.state_of(word);
            auto const open = shape.window_at(shape.line().at(now).number, mark);
            auto const left = shape.limit() - shape.spent(open, mark);
            if (word_.still(word)) return static_cast<std::uint32_t>(left);
        }
    }

    /// How long until the limiter is as a new one, if nobody asks it before: zero if it is.
    [[nodiscard]] duration fresh_in(time_point now) const noexcept {
        for (auto word = word_.load();; word = word_.load()) {
            auto const shape = word_.shape_of(word);
            auto const mark = word_.state_of(word);
            auto const open = shape.window_at(shape.line().at(now).number, mark);
            auto const wait = shape.spent(open, mark) == 0
                                  ? duration::zero()
                                  : shape.line().until({.number = open + 1, .into = 0}, now);
            if (word_.still(word)) return wait;
        }
    }

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
        for (auto word = word_.load(); !word_.swap(word, 0);) {}
        over_ = {};
    }

private:
    static duration wait_for(detail::fixed_window_shape const& shape, std::uint64_t open,
                             time_point now, std::uint32_t count) noexcept {
        if (count > shape.limit()) return never;
        return shape.line().until({.number = open + 1, .into = 0}, now);
    }

    detail::shaped_word<detail::fixed_window_shape> word_;  ///< The mark.
    std::mutex changing_;
    detail::window_spent over_;  ///< Spent under a greater limit, beyond this one. Its mutex's.
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_FIXED_WINDOW_HPP
