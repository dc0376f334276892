// SPDX-License-Identifier: BSL-1.0
//
// How long to wait before the next attempt, from the number of attempts that failed.
//
//   failures        1     2       3       4       5
//   constant        d     d       d       d       d
//   linear          b     b+s     b+2s    b+3s    b+4s        each stops growing at its cap
//   exponential     b     b*f     b*f^2   b*f^3   b*f^4
//   fibonacci       b     b       2b      3b      5b
//   decorrelated    a random time between b and three times the one before
#ifndef HAWSER_RETRY_BACKOFF_HPP
#define HAWSER_RETRY_BACKOFF_HPP

#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <stdexcept>

namespace hawser::inline v0 {

/// Backoffs. Each is an aggregate of options, called for a delay, with no state of its own.
///
/// `backoff(failures, previous, random)` is the wait before the attempt that follows `failures`
/// failed ones (at least 1; 0 is taken as 1). `previous` is what it answered the time before, zero
/// at first; `random` is 64 random bits. Only `decorrelated` looks at these two.
///
/// `validate()` throws `std::invalid_argument`, naming the field, if an option is out of range. Who
/// stores a backoff calls it once; in a constant expression the throw is a compile error.
///
/// An answer of `never` asks for no further attempt, and stays `never` whatever the jitter.
///
/// `jittered` says that the answer is random already, and that no jitter is to be applied to it.
///
/// Guarantee:     of a validated backoff, 0 <= delay <= cap whatever the arguments are; and but for
///                `decorrelated`, more failures never make a delay shorter.
/// Thread safety: all of it is const.
/// Cost:          O(1); `fibonacci` at most 92 additions.
namespace backoff {

/// What can be asked for a delay.
template <class Backoff>
concept strategy = std::copyable<Backoff> &&
    requires(Backoff const& ask, std::uint32_t failures, duration previous, std::uint64_t random) {
    { ask(failures, previous, random) }
    noexcept->std::same_as<duration>;
    { Backoff::jittered } -> std::convertible_to<bool>;
    ask.validate();
};

namespace detail {

constexpr void check(bool holds, char const* rule) {
    if (!holds) throw std::invalid_argument{rule};
}

/// How many attempts failed before the one that failed last.
[[nodiscard]] constexpr std::uint32_t earlier(std::uint32_t failures) noexcept {
    return failures == 0 ? 0 : failures - 1;
}

}  // namespace detail

/// No wait: the next attempt starts at once. For work that is local, or paced by something else.
struct none {
    static constexpr bool jittered = false;

    constexpr void validate() const noexcept {}

    [[nodiscard]] constexpr duration operator()(std::uint32_t, duration,
                                                std::uint64_t) const noexcept {
        return duration::zero();
    }
};

/// The same wait each time.
struct constant {
    /// Positive; `none` is the way to ask for no wait.
    duration delay = std::chrono::milliseconds{100};

    static constexpr bool jittered = false;

    constexpr void validate() const {
        detail::check(delay > duration::zero(), "backoff::constant: delay is not positive");
    }

    [[nodiscard]] constexpr duration operator()(std::uint32_t, duration,
                                                std::uint64_t) const noexcept {
        return delay;
    }
};

/// A wait that grows by the same step each time.
struct linear {
    /// The first wait. Positive.
    duration base = std::chrono::milliseconds{100};

    /// What each further failure adds. Not negative; zero makes every wait the base.
    duration step = std::chrono::milliseconds{100};

    /// The longest wait. At least the base.
    duration cap = std::chrono::seconds{10};

    static constexpr bool jittered = false;

    constexpr void validate() const {
        detail::check(base > duration::zero(), "backoff::linear: base is not positive");
        detail::check(step >= duration::zero(), "backoff::linear: step is negative");
        detail::check(cap >= base, "backoff::linear: cap is under the base");
    }

    [[nodiscard]] constexpr duration operator()(std::uint32_t failures, duration,
                                                std::uint64_t) const noexcept {
        duration const grown{multiply_divide(step.count(), detail::earlier(failures), 1)};
        return std::min(add_saturating(base, grown), cap);
    }
};

/// A wait that grows by the same factor each time: what to use where nothing speaks against it.
struct exponential {
    /// The first wait. Positive.
    duration base = std::chrono::milliseconds{100};

    /// What each further failure multiplies the wait by. Finite, at least 1; 1 makes every wait the
    /// base.
    double factor = 2.0;

    /// The longest wait. At least the base.
    duration cap = std::chrono::seconds{10};

    static constexpr bool jittered = false;

    constexpr void validate() const {
        detail::check(base > duration::zero(), "backoff::exponential: base is not positive");
        detail::check(factor >= 1 && factor <= std::numeric_limits<double>::max(),
                      "backoff::exponential: factor is not finite and at least 1");
        detail::check(cap >= base, "backoff::exponential: cap is under the base");
    }

    /// `pow` and not a product of squares: its last bit is right, and so a factor a hair above 1
    /// gives no shorter wait after more failures. A power too large for a double is infinite, and
    /// the cap holds it.
    [[nodiscard]] duration operator()(std::uint32_t failures, duration,
                                      std::uint64_t) const noexcept {
        auto const growth = std::pow(factor, static_cast<double>(detail::earlier(failures)));
        return std::clamp(scale(base, growth), std::min(base, cap), cap);
    }
};

/// A wait that is the sum of the two before it: grows by 1.6 each time, after a slower start.
struct fibonacci {
    /// The first and the second wait. Positive.
    duration base = std::chrono::milliseconds{100};

    /// The longest wait. At least the base.
    duration cap = std::chrono::seconds{10};

    static constexpr bool jittered = false;

    constexpr void validate() const {
        detail::check(base > duration::zero(), "backoff::fibonacci: base is not positive");
        detail::check(cap >= base, "backoff::fibonacci: cap is under the base");
    }

    /// Ends when the cap is reached: with a base of 1 ns, within 92 steps whatever the cap is.
    [[nodiscard]] constexpr duration operator()(std::uint32_t failures, duration,
                                                std::uint64_t) const noexcept {
        auto before = duration::zero(), now = base;
        for (auto left = detail::earlier(failures); left > 0 && now < cap; --left) {
            auto const next = add_saturating(before, now);
            before = now;
            now = next;
        }
        return std::min(now, cap);
    }
};

/// A random wait between the base and three times the wait before it, at most the cap.
///
/// It grows like an exponential one where luck has it, and callers that failed together drift apart
/// for good, because each builds on its own last wait. Source: M. Brooker, "Exponential Backoff And
/// Jitter", AWS Architecture Blog, 2015.
struct decorrelated {
    /// The shortest wait. Positive.
    duration base = std::chrono::milliseconds{100};

    /// The longest wait. At least the base.
    duration cap = std::chrono::seconds{10};

    static constexpr bool jittered = true;

    constexpr void validate() const {
        detail::check(base > duration::zero(), "backoff::decorrelated: base is not positive");
        detail::check(cap >= base, "backoff::decorrelated: cap is under the base");
    }

    /// A `previous` shorter than the base, as at first, is taken as the base.
    [[nodiscard]] constexpr duration operator()(std::uint32_t, duration previous,
                                                std::uint64_t random) const noexcept {
        duration const upper{multiply_divide(std::max(previous, base).count(), 3, 1)};
        return std::min(base + part_of(upper - base, random), cap);
    }
};

}  // namespace backoff
}  // namespace hawser::inline v0
#endif  // HAWSER_RETRY_BACKOFF_HPP
