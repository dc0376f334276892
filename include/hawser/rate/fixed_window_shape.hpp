// SPDX-License-Identifier: BSL-1.0
//
// Limit and length of a fixed window, and what they make of its mark.
#ifndef HAWSER_RATE_FIXED_WINDOW_SHAPE_HPP
#define HAWSER_RATE_FIXED_WINDOW_SHAPE_HPP

#include <hawser/base/time.hpp>
#include <hawser/rate/detail/window_line.hpp>
#include <hawser/rate/window_reservation.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
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

    /// Asks for `count` permits, at least one. A later window than that of `now` is open if `clock`
    /// has come to it; else it was reserved from, and has yet to begin.
    [[nodiscard, gnu::always_inline]] window_request ask(time_point now, std::uint64_t mark,
                                                         std::uint32_t count,
                                                         told_time const& clock) const noexcept {
        auto const at = line_.at(now).number, open = window_at(at, mark), first = open * limit_;
        auto const next = std::max(mark, first) + count;
        if (next <= first + limit_) [[likely]] {
            if (open == at || clock.has_come_to(line_, open)) [[likely]]
                return {next, open, duration::zero(), mark <= first};
            return {next, open, line_.until({.number = open, .into = 0}, now)};
        }
        if (count > limit_) return {mark, open, never};
        return {first + limit_ + count, open + 1,
                line_.until({.number = open + 1, .into = 0}, now)};
    }

    /// Permits that a request at `now` could have.
    [[nodiscard]] std::uint64_t available(time_point now, std::uint64_t mark,
                                          told_time const& clock) const noexcept {
        auto const at = line_.at(now).number, open = window_at(at, mark);
        if (open != at && !clock.has_come_to(line_, open)) return 0;
        return limit_ - spent(open, mark);
    }

    [[nodiscard]] constexpr duration fresh_in(time_point now, std::uint64_t mark) const noexcept {
        auto const open = window_at(line_.at(now).number, mark);
        if (spent(open, mark) == 0) return duration::zero();
        return line_.until({.number = open + 1, .into = 0}, now);
    }

    /// Whether the permits of `unused` can be given back, and the mark then. They can for as long
    /// as no later window was taken from: permits of one window are as good as each other. The
    /// last to be taken leaves the mark where it was, and with it what it passed over.
    [[nodiscard]] constexpr bool gives_back(window_reservation const& unused,
                                            std::uint64_t& mark) const noexcept {
        auto const first = unused.number * limit_;
        if (mark < first + unused.count || mark > first + limit_) return false;
        mark = mark == unused.after ? unused.before : mark - unused.count;
        return true;
    }

    /// Whether the number of a window fits the state: that of every window that is reserved does.
    [[nodiscard]] static constexpr bool holds(std::uint64_t /*number*/) noexcept { return true; }

    /// What a limiter of this shape has spent that stands in for one of the shape `old`: what that
    /// one has in the window that is open.
    [[nodiscard]] constexpr window_spent take_over(fixed_window_shape const& old,
                                                   std::uint64_t mark, window_spent const& over,
                                                   time_point now) const noexcept {
        auto const open = old.window_at(old.line_.at(now).number, mark);
        auto const beyond = open == over.number ? over.count : 0;
        return {std::max(line_.at(now).number, line_.at_start_of(old.line_, open)),
                old.spent(open, mark) + beyond};
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
}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_FIXED_WINDOW_SHAPE_HPP
