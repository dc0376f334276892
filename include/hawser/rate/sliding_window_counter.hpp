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

#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/rate/detail/shaped_word.hpp>
#include <hawser/rate/detail/window_line.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <stdexcept>

namespace hawser::inline v0 {

class sliding_window_counter;

/// How much a `sliding_window_counter` grants.
struct sliding_window_counter_options {
    using limiter_type = sliding_window_counter;

    /// Requests granted in a window, and so the largest that can be granted. Positive, at most
    /// `sliding_window_counter::limit_max(window)`: 32767 for a second, 262143 for a minute.
    std::uint32_t limit = 100;

    /// The length of the window. Positive, at most thirty years.
    duration window = std::chrono::seconds{1};
};

namespace detail {

/// The two counters of a window, as they stand at an instant.
struct sliding_counts {
    std::uint64_t number = 0;
    std::uint64_t into = 0;
    std::uint64_t previous = 0;
    std::uint64_t current = 0;
};

/// A checked limit and window. Immutable.
class window_counter_shape {
public:
    explicit constexpr window_counter_shape(sliding_window_counter_options const& options)
        : line_{checked(options)}, limit_{options.limit} {}

    /// Two counters up to it and the windows of two centuries fit 63 bits.
    static constexpr std::uint32_t limit_max(duration window) noexcept {
        auto const numbers = std::bit_width(window_line{window}.last());
        return (std::uint32_t{1} << ((63 - static_cast<unsigned>(numbers)) / 2)) - 1;
    }

    [[nodiscard]] constexpr std::uint64_t limit() const noexcept { return limit_; }

    /// The counters at `now`. If a later window was granted from already, it is its beginning.
    [[nodiscard, gnu::always_inline]] constexpr sliding_counts counts_at(
        time_point now, std::uint64_t state) const noexcept {
        auto const place = line_.at(now);
        auto const bits = bits_of_a_counter();
        auto const kept = (std::uint64_t{1} << bits) - 1;
        auto const number = state >> 2 * bits, current = state & kept;
        if (place.number == number) return {number, place.into, state >> bits & kept, current};
        if (place.number < number) [[unlikely]]
            return {number, 0, state >> bits & kept, current};
        return {place.number, place.into, place.number - number == 1 ? current : 0, 0};
    }

    [[nodiscard, gnu::always_inline]] constexpr bool admits(sliding_counts const& has,
                                                            std::uint64_t count) const noexcept {
        return has.current + count <= limit_ &&
               wide_uint{has.previous} * (line_.width() - has.into) <=
                   wide_uint{limit_ - has.current - count} * line_.width();
    }

    [[nodiscard, gnu::always_inline]] constexpr std::uint64_t state_of(
        sliding_counts const& counts) const noexcept {
        auto const bits = bits_of_a_counter();
        return counts.number << 2 * bits | counts.previous << bits | counts.current;
    }

    /// The first instant at which `count` more, refused now, would be granted; in the next window
    /// what counts now counts as previous. Requires `count <= limit()`.
    [[nodiscard]] constexpr window_place admits_at(sliding_counts const& has,
                                                   std::uint64_t count) const noexcept {
        if (has.current + count <= limit_) {
            auto const into = fades_to(has.previous, limit_ - has.current - count);
            return {has.number, into};  // Is it the window's end, it is the next one's beginning.
        }
        return {has.number + 1, fades_to(has.current, limit_ - count)};
    }

    [[nodiscard]] constexpr std::uint64_t left(sliding_counts const& has) const noexcept {
        auto const counted = estimate(has);
        return counted < limit_ ? limit_ - counted : 0;
    }

    [[nodiscard]] constexpr window_line const& line() const noexcept { return line_; }

    /// What a limiter of this shape counts that stands in for one of the shape `old`: as much as
    /// that one. In windows of another length its estimate counts as current.
    [[nodiscard]] constexpr sliding_counts take_over(window_counter_shape const& old,
                                                     std::uint64_t state,
                                                     sliding_counts const& over,
                                                     time_point now) const noexcept {
        auto has = old.counts_at(now, state);
        if (has.number == over.number) {
            has.previous += over.previous;
            has.current += over.current;
        } else if (has.number == over.number + 1) {
            has.previous += over.current;
        }
        if (line_.width() == old.line_.width()) return has;
        auto const since = std::max(now, old.line_.start_of(has.number));
        return {line_.at(since).number, 0, 0, old.estimate(has)};
    }

    /// The part of the counters that fits the state: as much as the limit.
    [[nodiscard]] constexpr sliding_counts within(sliding_counts const& has) const noexcept {
        return {has.number, has.into, std::min(has.previous, limit_),
                std::min(has.current, limit_)};
    }

private:
    static constexpr duration checked(sliding_window_counter_options const& options) {
        if (options.limit == 0)
            throw std::invalid_argument{"sliding_window_counter: limit is zero"};
        if (options.window <= duration::zero())
            throw std::invalid_argument{"sliding_window_counter: window is not positive"};
        if (options.window > window_max)
            throw std::invalid_argument{"sliding_window_counter: window is over thirty years"};
        if (options.limit > limit_max(options.window))
            throw std::invalid_argument{
                "sliding_window_counter: limit is over limit_max of its window"};
        return options.window;
    }

    [[nodiscard, gnu::always_inline]] constexpr unsigned bits_of_a_counter() const noexcept {
        return static_cast<unsigned>(std::bit_width(limit_));
    }

    /// What counts, rounded up: fractions of a request are of no use to anybody.
    [[nodiscard]] constexpr std::uint64_t estimate(sliding_counts const& has) const noexcept {
        auto const part = wide_uint{has.previous} * (line_.width() - has.into);
        return has.current + static_cast<std::uint64_t>((part + line_.width() - 1) / line_.width());
    }

    /// How far into a window `previous` counts for no more than `room`, which is less.
    [[nodiscard]] constexpr std::uint64_t fades_to(std::uint64_t previous,
                                                   std::uint64_t room) const noexcept {
        if (previous <= room) return 0;
        auto const rest = wide_uint{room} * line_.width() / previous;
        return line_.width() - static_cast<std::uint64_t>(rest);
    }

    window_line line_;
    std::uint64_t limit_;
};

}  // namespace detail

/// Holds a stream of requests to about `limit` within any window. Starts with nothing counted.
///
/// Reads no clock and never waits: the caller says what time it is and what a refusal means.
///
/// Guarantee:     within each aligned window, grants at most `limit`. Within any span as long as a
///                window at most **2 * limit - 1**, which it reaches if a whole limit falls on the
///                end of one window and requests come without a pause in the next: the estimate
///                takes that burst to be spread evenly. Where that is too much:
///                `sliding_window_log`. With clocks that differ by e between threads, or step back
///                by e, as if the span were longer by e.
/// Windows:       begin at whole multiples of their length from the clock's epoch.
/// Thread safety: all members may be called concurrently on one object. Lock-free, but for
///                `reconfigure` and `refill`, which make nobody wait but each other.
/// Cost:          O(1): a few multiplications and a compare-and-swap, and a division where a
/// request
///                is refused; nothing is allocated.
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
    /// A `now` before the latest window that was granted from counts as that window's beginning.
    /// An instant more than a century from the clock's epoch counts as one a century from it. A
    /// refusal writes nothing.
    [[gnu::always_inline]] admission try_acquire(time_point now, std::uint32_t count = 1) noexcept {
        if (count == 0) return {.granted = true, .retry_after = {}};
        for (auto word = word_.load();;) {
            auto const shape = word_.shape_of(word);
            auto has = shape.counts_at(now, word_.state_of(word));
            if (shape.admits(has, count)) [[likely]] {
                has.current += count;
                if (word_.swap(word, shape.state_of(has))) [[likely]]
                    return {.granted = true, .retry_after = {}};
            } else if (word_.still(word)) {
                return {.granted = false, .retry_after = wait_for(shape, has, now, count)};
            } else {
                word = word_.load();
            }
        }
    }

    /// The largest request that would be granted. Out of date once another thread acquires.
    [[nodiscard]] std::uint32_t available(time_point now) const noexcept {
        for (auto word = word_.load();; word = word_.load()) {
            auto const shape = word_.shape_of(word);
            auto const left = shape.left(shape.counts_at(now, word_.state_of(word)));
            if (word_.still(word)) return static_cast<std::uint32_t>(left);
        }
    }

    /// How long until the limiter is as a new one, if nobody asks it before: zero if it is.
    [[nodiscard]] duration fresh_in(time_point now) const noexcept {
        for (auto word = word_.load();; word = word_.load()) {
            auto const shape = word_.shape_of(word);
            auto const has = shape.counts_at(now, word_.state_of(word));
            auto const windows = has.current != 0 ? 2U : has.previous != 0 ? 1U : 0U;
            auto const wait = windows == 0 ? duration::zero()
                                           : shape.line().until({has.number + windows, 0}, now);
            if (word_.still(word)) return wait;
        }
    }

    /// Takes a new limit and window. What counts at `now` stays counted, however often the limit
    /// changes; with another window it counts in full until the new one that `now` lies in is over,
    /// and then fades. Throws `std::invalid_argument` as the constructor, and changes nothing then.
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
        for (auto word = word_.load(); !word_.swap(word, 0);) {}
        over_ = {};
    }

private:
    static duration wait_for(detail::window_counter_shape const& shape,
                             detail::sliding_counts const& has, time_point now,
                             std::uint32_t count) noexcept {
        if (count > shape.limit()) return never;
        return shape.line().until(shape.admits_at(has, count), now);
    }

    detail::shaped_word<detail::window_counter_shape> word_;  ///< The window and its counters.
    std::mutex changing_;
    detail::sliding_counts over_;  ///< Counted under a greater limit, beyond this one. Its mutex's.
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_SLIDING_WINDOW_COUNTER_HPP
