// SPDX-License-Identifier: BSL-1.0
//
// The one kind of time in the library, and arithmetic on it that saturates instead of overflowing.
#ifndef HAWSER_BASE_TIME_HPP
#define HAWSER_BASE_TIME_HPP

#include <chrono>
#include <cstdint>

namespace hawser::inline v0 {

/// Every length of time, in nanoseconds.
using duration = std::chrono::nanoseconds;

/// Every instant, on the steady clock's time line. Clocks are sources of it (`base/clock.hpp`), so
/// a deadline made from `steady_clock::now()` fits everywhere, under manual time too.
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

/// The wait that no wait ends: what a refusal says when asking again cannot help.
inline constexpr duration never = duration::max();

/// The deadline of a call that has none.
inline constexpr time_point no_deadline = time_point::max();

/// `from + wait`, or the nearest representable instant.
[[nodiscard]] constexpr time_point add_saturating(time_point from, duration wait) noexcept {
    auto const start = from.time_since_epoch();
    if (wait > duration::zero() && start > duration::max() - wait) return time_point::max();
    if (wait < duration::zero() && start < duration::min() - wait) return time_point::min();
    return from + wait;
}

/// How long it is from `from` to `to`: negative if `to` is earlier, clamped to what a `duration`
/// holds. An end of `no_deadline` is `never` away.
[[nodiscard]] constexpr duration time_between(time_point from, time_point to) noexcept {
    if (to == no_deadline) return never;
    auto const start = from.time_since_epoch(), end = to.time_since_epoch();
    if (start < duration::zero() && end > duration::max() + start) return duration::max();
    if (start > duration::zero() && end < duration::min() + start) return duration::min();
    return end - start;
}

/// How long it is from `from` to a later `to`, as `time_between` has it, with fewer compares.
/// Requires `from <= to`.
[[nodiscard]] constexpr duration time_ahead(time_point from, time_point to) noexcept {
    if (to == no_deadline) return never;
    // The difference of two 64-bit numbers in order always fits 64 bits without a sign.
    auto const ahead = static_cast<std::uint64_t>(to.time_since_epoch().count()) -
                       static_cast<std::uint64_t>(from.time_since_epoch().count());
    constexpr auto longest = static_cast<std::uint64_t>(duration::max().count());
    return duration{static_cast<duration::rep>(ahead < longest ? ahead : longest)};
}

}  // namespace hawser::inline v0
#endif  // HAWSER_BASE_TIME_HPP
