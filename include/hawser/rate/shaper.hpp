// SPDX-License-Identifier: BSL-1.0
//
// A shaper: gives each request a time to depart, `period / rate` after the one before it.
//
// The leaky bucket as a queue. Nothing is queued: what waits are the callers, each until its own
// time. Kept is the first time that is free, the mark, as a number on the line of units of a
// `token_scale`. A request departs at the mark, or at once if that is past, and moves it one
// interval on.
//
//          now                         mark           now + (queue_max + 1) intervals
//           |--- wait --->|--- wait --->|---- free ----------->|
//        departs       departs     next departs          here the queue is full
//
// It is the token bucket's word, and the same compare-and-swap: a bucket of queue_max + 1 tokens,
// whose requests wait until their tokens would have been there one at a time.
// Source: the leaky bucket in its virtual-scheduling form, ITU-T Recommendation I.371, with tokens
// for the axis in place of time, which loses no rate.
#ifndef HAWSER_RATE_SHAPER_HPP
#define HAWSER_RATE_SHAPER_HPP

#include <hawser/base/padded.hpp>
#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/rate/token_scale.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <stdexcept>

namespace hawser::inline v0 {

class shaper;

/// How fast a `shaper` lets requests depart, and how many may wait for it.
struct shaper_options {
    using limiter_type = shaper;

    /// Departures per `period`. Positive, and at most one for each nanosecond.
    std::uint32_t rate = 100;

    /// Time in which `rate` requests depart, evenly spaced. Positive.
    duration period = std::chrono::seconds{1};

    /// How many may wait besides the one that departs, counted to the 2 ns. Zero: a request departs
    /// at once or not at all. At most 4,294,967,294, and a full queue departs within thirty years.
    std::uint32_t queue_max = 100;
};

/// Spaces requests evenly, in the order in which they ask. Starts idle.
///
/// Reads no clock and never waits: it says how long the caller is to wait.
///
/// Guarantee:     the first departs at once. While the queue is not empty, departure k after it
///                comes k * period / rate later, rounded up to the nanosecond: exactly where an
///                interval takes whole nanoseconds; else all of them up to 2 ns later than that,
///                by the same length. No rounding ever adds up. Two departures are never closer
///                than an interval rounded down; on clocks that differ by e between threads, or
///                step back by e, never closer by more than e. Within any span d depart at most
///                1 + floor((d + 1 ns) * rate / period), requests of one place each.
/// Thread safety: all members may be called concurrently on one object. Lock-free.
class shaper {
public:
    using options_type = shaper_options;

    /// A time to depart. To be used, or given back by `cancel`.
    struct [[nodiscard]] departure {
        bool granted = false;

        /// If granted, how long to wait before departing. If refused, the wait that was too long;
        /// `never` if the queue has no place.
        duration wait{};

        /// Zero if granted. If refused, the wait after which the same request would be granted,
        /// were nobody to ask before, exact to the nanosecond; `never` if it is larger than the
        /// queue.
        duration retry_after{};

        std::uint64_t before = 0;  ///< For `cancel` alone: the mark as it was found, ...
        std::uint64_t after = 0;   ///< ... and as it was left.

        explicit operator bool() const noexcept { return granted; }
    };

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit shaper(shaper_options const& options)
        : scale_{checked(options)},
          places_{std::uint64_t{options.queue_max} + 1},
          room_{places_ * scale_.token() + (options.period.count() % options.rate != 0 ? 1 : 0)} {}

    /// Takes the next time to depart, if it comes within `wait_max` and the queue has a place;
    /// else nothing.
    ///
    /// A request of `count` departs as one, and the next departs `count` intervals later: it takes
    /// as many places. None at all departs at once. With a negative `wait_max` nothing else is
    /// granted; the answer tells what one of zero would have met. An instant more than a century
    /// from the clock's epoch counts as one a century from it. O(1); a refusal writes nothing.
    departure schedule(time_point now, std::uint32_t count = 1,
                       duration wait_max = never) noexcept {
        if (count == 0) return {.granted = true};
        if (count > places_) return {.wait = never, .retry_after = never};
        auto const at = scale_.at(now);
        auto const limit = at.floor + room_;
        // Relaxed, here and below: the mark is the whole state, and publishes nothing but itself.
        auto mark = mark_.load(std::memory_order_relaxed);
        for (;;) {
            // An idle line begins on a whole unit: the next comes no sooner than an interval later.
            auto const next = std::max(mark, at.ceil()) + count * scale_.token();
            auto const wait = until(at, mark);
            if (next > limit) return refused(wait, wait_max, scale_.until(at, next - limit));
            if (wait > wait_max) return refused(wait, wait_max, duration::zero());
            if (mark_.compare_exchange_weak(mark, next, std::memory_order_relaxed))
                return {.granted = true, .wait = wait, .before = mark, .after = next};
        }
    }

    /// Whether a request may depart now; if so, it does.
    admission try_acquire(time_point now, std::uint32_t count = 1) noexcept {
        auto const slot = schedule(now, count, duration::zero());
        return {.granted = slot.granted, .retry_after = slot.retry_after};
    }

    /// `schedule`, by the name under which every limiter is asked for a time to come.
    departure reserve(time_point now, std::uint32_t count, duration wait_max) noexcept {
        return schedule(now, count, wait_max);
    }

    /// Gives a departure back at which nobody departs. True if its place is free again: if nothing
    /// was scheduled since, or all of that was cancelled, the last first; then the shaper is as if
    /// it had never been asked. Else the place stays empty, so that others keep their times: what
    /// is lost is the interval of one request. A departure is given back once, the copies of it
    /// included.
    bool cancel(departure& unused) noexcept {
        if (!unused.granted) return false;
        unused.granted = false;
        auto mark = unused.after;
        return mark_.compare_exchange_strong(mark, unused.before, std::memory_order_relaxed);
    }
    bool cancel(departure&& unused) noexcept { return cancel(unused); }

    /// How long a request would wait that came now. Out of date once another thread schedules.
    [[nodiscard]] duration backlog(time_point now) const noexcept {
        return until(scale_.at(now), mark_.load(std::memory_order_relaxed));
    }

    /// How long until it is as a new one, which is the same.
    [[nodiscard]] duration fresh_in(time_point now) const noexcept { return backlog(now); }

    /// How many wait now: the places taken by requests whose time is more than 2 ns away.
    [[nodiscard]] std::uint64_t queued(time_point now) const noexcept {
        auto const mark = mark_.load(std::memory_order_relaxed);
        auto const from = scale_.at(now).ceil();
        return mark > from ? (mark - from - 1) / scale_.token() : 0;
    }

    /// Forgets the queue: the next request departs at once, whoever still waits. An operator's
    /// pardon, for a clock that ran ahead and was set right.
    void clear() noexcept { mark_.store(0, std::memory_order_relaxed); }

private:
    [[nodiscard]] duration until(token_instant const& now, std::uint64_t mark) const noexcept {
        return mark > now.floor ? scale_.until(now, mark - now.floor) : duration::zero();
    }

    /// `place` is how long until the queue has one.
    static departure refused(duration wait, duration wait_max, duration place) noexcept {
        auto const sooner = wait - std::max(wait_max, duration::zero());
        return {.wait = place > duration::zero() ? never : wait,
                .retry_after = std::max({sooner, place, duration::zero()})};
    }

    static token_scale checked(shaper_options const& options) {
        if (options.rate == 0) throw std::invalid_argument{"shaper: rate is zero"};
        if (options.period <= duration::zero())
            throw std::invalid_argument{"shaper: period is not positive"};
        auto const length = static_cast<std::uint64_t>(options.period.count());
        if (options.rate > length)
            throw std::invalid_argument{"shaper: rate is more than one a nanosecond"};
        if (options.queue_max == std::numeric_limits<std::uint32_t>::max())
            throw std::invalid_argument{"shaper: queue_max is over 4294967294"};
        constexpr std::chrono::nanoseconds drain_max = std::chrono::hours{24 * 365 * 30};
        auto const drain =
            detail::wide_uint{length} * (std::uint64_t{options.queue_max} + 1) / options.rate;
        if (drain > static_cast<std::uint64_t>(drain_max.count()))
            throw std::invalid_argument{"shaper: queue_max takes over thirty years to depart"};
        return {options.rate, options.period, std::uint64_t{options.queue_max} + 1};
    }

    token_scale const scale_;
    std::uint64_t const places_;  ///< The one that departs, and the queue.

    /// How far ahead of now the mark may be: all places, and one unit where a unit is no whole
    /// nanosecond, since the first of them may have been rounded up by as much.
    std::uint64_t const room_;
    alignas(cache_line) std::atomic<std::uint64_t> mark_{0};
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_SHAPER_HPP
