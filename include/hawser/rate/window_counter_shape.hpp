// SPDX-License-Identifier: BSL-1.0
//
// Limit and length of a sliding window of two counters, and what they make of these.
#ifndef HAWSER_RATE_WINDOW_COUNTER_SHAPE_HPP
#define HAWSER_RATE_WINDOW_COUNTER_SHAPE_HPP

#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>
#include <hawser/rate/detail/window_line.hpp>
#include <hawser/rate/window_reservation.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
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
    bool late = false;  ///< It is a later window than that of the instant.
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
            return {number, 0, state >> bits & kept, current, true};
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

    /// Asks for `count` requests, at least one. A later window than that of `now` is open if
    /// `clock` has come to it; else it was reserved from, and has yet to begin.
    [[nodiscard, gnu::always_inline]] window_request ask(time_point now, std::uint64_t state,
                                                         std::uint32_t count,
                                                         told_time const& clock) const noexcept {
        auto has = counts_at(now, state);
        auto const opens = has.current == 0;
        if (admits(has, count)) [[likely]] {
            auto const wait =
                is_open(has, clock) ? duration::zero() : line_.until({has.number, 0}, now);
            has.current += count;
            return {state_of(has), has.number, wait, opens && wait == duration::zero()};
        }
        if (count > limit_) return {state, has.number, never};
        auto due = admits_at(has, count);
        if (due.into == line_.width()) due = {due.number + 1, 0};
        auto const wait = line_.until(due, now);
        auto const kept = due.number == has.number
                              ? sliding_counts{has.number, 0, has.previous, has.current + count}
                              : sliding_counts{due.number, 0, has.current, count};
        return {state_of(kept), due.number, wait};
    }

    /// The largest request that would be granted.
    [[nodiscard]] std::uint64_t available(time_point now, std::uint64_t state,
                                          told_time const& clock) const noexcept {
        auto const has = counts_at(now, state);
        auto const counted = estimate(has);
        return counted < limit_ && is_open(has, clock) ? limit_ - counted : 0;
    }

    [[nodiscard]] constexpr duration fresh_in(time_point now, std::uint64_t state) const noexcept {
        auto const has = counts_at(now, state);
        auto const windows = has.current != 0 ? 2U : has.previous != 0 ? 1U : 0U;
        return windows == 0 ? duration::zero() : line_.until({has.number + windows, 0}, now);
    }

    /// Whether the count of `unused` is still there, and the state without it. What others counted
    /// stays; the last to count leaves the state as it was found.
    [[nodiscard]] constexpr bool gives_back(window_reservation const& unused,
                                            std::uint64_t& state) const noexcept {
        if (state == unused.after) {
            state = unused.before;
            return true;
        }
        auto const bits = bits_of_a_counter();
        auto const kept = (std::uint64_t{1} << bits) - 1;
        auto const later = (state >> 2 * bits) - unused.number;  // One window at most.
        auto const counted = later == 0 ? state & kept : state >> bits & kept;
        if (later > 1 || counted < unused.count) return false;
        state -= later == 0 ? unused.count : std::uint64_t{unused.count} << bits;
        return true;
    }

    /// Whether the number of a window fits the state.
    [[nodiscard]] constexpr bool holds(std::uint64_t number) const noexcept {
        return number <= number_max();
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
        auto const from = line_.at_start_of(old.line_, has.number);
        auto const number = std::max(line_.at(now).number, from);
        // Reserved beyond the century, where a smaller limit left room for its number: the last
        // window that fits is full.
        if (number > number_max()) return {number_max(), 0, 0, limit_};
        if (line_.width() == old.line_.width()) return has;
        return {number, 0, 0, old.estimate(has)};
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

    [[nodiscard, gnu::always_inline]] bool is_open(sliding_counts const& has,
                                                   told_time const& clock) const noexcept {
        return !has.late || clock.has_come_to(line_, has.number);
    }

    [[nodiscard]] constexpr std::uint64_t number_max() const noexcept {
        return (std::uint64_t{1} << (63 - 2 * bits_of_a_counter())) - 1;
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

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_WINDOW_COUNTER_SHAPE_HPP
