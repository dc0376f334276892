// SPDX-License-Identifier: BSL-1.0
//
// A rate that ramps up after idleness: for what has to warm up, such as caches and connections.
//
// Kept are the first time that is free and a coldness, which idleness raises and every token
// lowers. A token takes the longer, the colder it finds the limiter:
//
//     time for a token
//     cold_factor * s |               .
//                     |            .  |          s = period / rate
//                     |         .     |          from cold to half, under full load: warm_up
//                   s |------.        |          from hot to cold, idle: warm_up
//                     +------|--------|---->  coldness
//                    hot   half      cold
//
// The line is that of Guava's SmoothWarmingUp: with stored permits for the coldness, threshold
// 0.5 * warm_up / s and maximum threshold + 2 * warm_up / (s + cold_factor * s). The time for many
// tokens is the area below it. Here the coldness is counted in the time that its tokens take hot,
// so that the threshold is warm_up / 2, and the area above s between two of them
//
//     surcharge(c) - surcharge(c'),   surcharge(c) = (cold_factor^2 - 1) / (4 * warm_up) *
//                                                    max(0, c - warm_up / 2)^2
#ifndef HAWSER_RATE_WARMING_BUCKET_HPP
#define HAWSER_RATE_WARMING_BUCKET_HPP

#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace hawser::inline v0 {

class warming_bucket;

/// How fast a `warming_bucket` is when hot, and how slow and how long when not.
struct warming_bucket_options {
    using limiter_type = warming_bucket;

    /// Tokens per `period` when hot. Positive, and at most one for each nanosecond.
    std::uint32_t rate = 100;

    /// Time in which `rate` tokens come when hot. Positive.
    duration period = std::chrono::seconds{1};

    /// How long full load takes to warm a cold limiter, and idleness to cool a hot one. In
    /// (0, 24 h]; a limiter that needs no warming up is a `token_bucket` or a `shaper`.
    duration warm_up = std::chrono::seconds{10};

    /// How many times longer than when hot a token takes when cold. In [2, 100].
    std::uint32_t cold_factor = 3;

    /// The largest request that can be granted: it is granted when one is, and the next waits for
    /// the time of all its tokens. Positive; they take at most thirty years, cold.
    std::uint32_t count_max = 1;
};

/// Spaces requests evenly, at a rate that is lower after idleness. Starts cold.
///
/// Reads no clock and never waits: the caller says what time it is and what a refusal means. It
/// saves nothing up: idleness makes it slower, not faster.
///
/// Guarantee:     within any span d, grants at most count_max + floor((d + 1 ns) * rate / period)
///                tokens, as reservations fall due; with clocks that differ by e between threads,
///                or step back by e, as if d were d + e. Hot, and under full load, the rate is
///                exact: token k comes k * period / rate later, rounded up to the nanosecond.
/// Thread safety: all members may be called concurrently on one object. A short lock.
/// Cost:          O(1), some divisions of 128 bits: a microsecond at most. Allocates nothing.
class warming_bucket {
    // Times are counted in parts of a nanosecond, of which a token's time is a whole number; so is
    // the coldness, in finer parts, of which both what a token takes and what a part of a
    // nanosecond of idleness gives are whole numbers. Neither ever rounds. 128 bits hold them: 2^64
    // nanoseconds of 2^40 parts of 2^8.
    using units = detail::wide_int;

    struct state {
        units free_at;   // In parts since the clock's epoch.
        units coldness;  // At that time, in finer parts; at most that of a cold limiter.

        friend bool operator==(state const&, state const&) = default;
    };

public:
    using options_type = warming_bucket_options;

    /// Tokens that are the caller's from some time on. To be used, or given back by `cancel`.
    struct [[nodiscard]] reservation {
        bool granted = false;

        /// If granted, how long to wait before the tokens may be used. If refused, the wait that
        /// was too long; `never` for more than `count_max`.
        duration wait{};

        state before{}, after{};  ///< For `cancel` alone.

        explicit operator bool() const noexcept { return granted; }
    };

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit warming_bucket(warming_bucket_options const& options)
        : numbers_{numbers_of(options)},
          state_{.free_at = numbers_.nanosecond * duration::min().count(),
                 .coldness = numbers_.cold} {}

    /// Takes `count` tokens if they are there now, else none. No tokens are always granted.
    ///
    /// Time before the last grant is due counts as no idleness, also a `now` that steps back. A
    /// refusal changes nothing.
    admission try_acquire(time_point now, std::uint32_t count = 1) noexcept {
        auto const taken = reserve(now, count, duration::zero());
        return {.granted = taken.granted,
                .retry_after = taken.granted ? duration::zero() : taken.wait};
    }

    /// Takes `count` tokens that are there within `wait_max`, else none. Later requests come after
    /// them. With a negative `wait_max` nothing is taken, except that no tokens are always granted.
    /// None are there that are 292 years away, as far as a wait reaches.
    reservation reserve(time_point now, std::uint32_t count, duration wait_max) noexcept {
        if (count == 0) return {.granted = true};
        if (count > numbers_.count_max) return {.granted = false, .wait = never};
        std::lock_guard const lock{mutex_};
        auto const found = cooled(now);
        auto const wait = until(now, found.free_at);
        // One that is further off than a wait can say would fall due with the next.
        if (wait > wait_max || wait == longest) return {.granted = false, .wait = wait};
        auto const before = std::exchange(state_, spent(found, count));
        return {.granted = true, .wait = wait, .before = before, .after = state_};
    }

    /// Gives a reservation back, used by nobody. True if it is as if it had never been made: if
    /// nothing was taken since, or all of that was given back, the last first. Else its time is
    /// lost, so that others keep theirs. A reservation is given back once, its copies included.
    bool cancel(reservation& unused) noexcept {
        if (!unused.granted) return false;
        unused.granted = false;
        std::lock_guard const lock{mutex_};
        if (state_ != unused.after) return false;
        state_ = unused.before;
        return true;
    }
    bool cancel(reservation&& unused) noexcept { return cancel(unused); }

    /// How long until it is as a new one, which is cold.
    [[nodiscard]] duration fresh_in(time_point now) const noexcept {
        std::lock_guard const lock{mutex_};
        auto const warmth = numbers_.cold - state_.coldness;
        return until(now, state_.free_at + (warmth + numbers_.cools - 1) / numbers_.cools);
    }

    /// How many times longer than hot a token takes: `cold_factor` at the start and after idleness
    /// of `warm_up`, 1 at the full rate. Out of date once another thread acquires.
    [[nodiscard]] double slowdown(time_point now) const noexcept {
        std::lock_guard const lock{mutex_};
        auto const above = std::max(cooled(now).coldness - numbers_.half, units{0});
        auto const full = numbers_.cold - numbers_.half;
        return 1 + numbers_.steepness * static_cast<double>(above) / static_cast<double>(full);
    }

private:
    static constexpr duration longest = never - duration{1};  // Never is what does not come.

    struct numbers {
        units nanosecond;  // In parts.
        units token;       // In parts, hot.
        units finer;       // Finer parts in a part.
        units cools;       // Finer parts of coldness that a part of idleness gives.
        units half;        // The coldness, in finer parts, up to which a token takes no longer.
        units cold;        // The largest coldness.
        double steepness;  // What a token takes longer when cold, in times of a hot one.
        double surcharge;  // In parts, for a finer part above half, squared.
        std::uint32_t count_max;
    };

    static numbers numbers_of(warming_bucket_options const& options) {
        if (options.rate == 0) throw std::invalid_argument{"warming_bucket: rate is zero"};
        if (options.period <= duration::zero())
            throw std::invalid_argument{"warming_bucket: period is not positive"};
        if (options.rate > options.period.count())
            throw std::invalid_argument{"warming_bucket: rate is more than one a nanosecond"};
        if (options.warm_up <= duration::zero() || options.warm_up > std::chrono::hours{24})
            throw std::invalid_argument{"warming_bucket: warm_up is not in (0, 24 h]"};
        if (options.cold_factor < 2 || options.cold_factor > 100)
            throw std::invalid_argument{"warming_bucket: cold_factor is not in [2, 100]"};
        if (options.count_max == 0)
            throw std::invalid_argument{"warming_bucket: count_max is zero"};
        constexpr std::chrono::nanoseconds thirty_years = std::chrono::hours{24 * 365 * 30};
        units const period = options.period.count(), factor = options.cold_factor;
        if (period * options.count_max * factor / options.rate > thirty_years.count())
            throw std::invalid_argument{"warming_bucket: count_max takes over thirty years, cold"};

        // Idleness of warm_up gives warm_up * (5 + factor) / (2 + 2 * factor) of coldness.
        units const finer = 2 + 2 * factor, nanosecond = finer * options.rate;
        units const warm_up = options.warm_up.count();
        auto const squares = static_cast<double>(factor * factor - 1);
        auto const per = 4 * static_cast<double>(warm_up * nanosecond * finer * finer);
        return {.nanosecond = nanosecond,
                .token = period * finer,
                .finer = finer,
                .cools = 5 + factor,
                .half = warm_up * nanosecond * finer / 2,
                .cold = warm_up * nanosecond * (5 + factor),
                .steepness = static_cast<double>(factor - 1),
                .surcharge = squares / per,
                .count_max = options.count_max};
    }

    /// The state at `now`, were nobody to ask before. Requires the lock.
    [[nodiscard]] state cooled(time_point now) const noexcept {
        auto const at = numbers_.nanosecond * now.time_since_epoch().count();
        if (at <= state_.free_at) return state_;
        auto const gained = (at - state_.free_at) * numbers_.cools;
        return {.free_at = at, .coldness = std::min(state_.coldness + gained, numbers_.cold)};
    }

    [[nodiscard]] state spent(state const& found, std::uint32_t count) const noexcept {
        auto const hot = numbers_.token * count;
        auto const left = std::max(found.coldness - hot * numbers_.finer, units{0});
        return {.free_at = found.free_at + hot + surcharge(found.coldness) - surcharge(left),
                .coldness = left};
    }

    /// In parts. A double holds it to a millionth of a nanosecond for each second of warm_up; and
    /// as what is charged are differences of this one function, which never falls, errors neither
    /// add up nor make a token faster than hot.
    [[nodiscard]] units surcharge(units coldness) const noexcept {
        if (coldness <= numbers_.half) return 0;
        auto const above = static_cast<double>(coldness - numbers_.half);
        return static_cast<units>(above * above * numbers_.surcharge);
    }

    [[nodiscard]] duration until(time_point now, units due) const noexcept {
        auto const parts = due - numbers_.nanosecond * now.time_since_epoch().count();
        if (parts <= 0) return duration::zero();
        auto const wait = (parts + numbers_.nanosecond - 1) / numbers_.nanosecond;
        return duration{static_cast<duration::rep>(std::min(wait, units{longest.count()}))};
    }

    numbers const numbers_;
    mutable std::mutex mutex_;  // Guards what follows.
    state state_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_WARMING_BUCKET_HPP
