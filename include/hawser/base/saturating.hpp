// SPDX-License-Identifier: BSL-1.0
//
// Arithmetic on durations and counts that neither overflows nor rounds on the way.
#ifndef HAWSER_BASE_SATURATING_HPP
#define HAWSER_BASE_SATURATING_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/time.hpp>

#include <cstdint>
#include <limits>

namespace hawser::inline v0 {

namespace detail {
__extension__ using wide_int = __int128;
__extension__ using wide_uint = unsigned __int128;
}  // namespace detail

/// `left + right`, or the largest value of the type.
[[nodiscard]] constexpr std::uint64_t add_saturating(std::uint64_t left,
                                                     std::uint64_t right) noexcept {
    return right > std::numeric_limits<std::uint64_t>::max() - left
               ? std::numeric_limits<std::uint64_t>::max()
               : left + right;
}

/// `left + right` of two lengths of time, or the nearest one that can be held.
[[nodiscard]] constexpr duration add_saturating(duration left, duration right) noexcept {
    if (right > duration::zero() && left > duration::max() - right) return duration::max();
    if (right < duration::zero() && left < duration::min() - right) return duration::min();
    return left + right;
}

/// `value * numerator / denominator`, exact before the division, which truncates towards zero; or
/// the nearest value that can be held.
///
/// Requires `denominator > 0`.
[[nodiscard]] constexpr std::int64_t multiply_divide(std::int64_t value, std::int64_t numerator,
                                                     std::int64_t denominator) noexcept {
    HAWSER_ASSERT(denominator > 0);
    using limits = std::numeric_limits<std::int64_t>;
    auto const exact = detail::wide_int{value} * numerator / denominator;
    if (exact > limits::max()) return limits::max();
    if (exact < limits::min()) return limits::min();
    return static_cast<std::int64_t>(exact);
}

/// `length * factor`, or the nearest length that can be held; zero where the product is no number.
///
/// Accurate to a double's 53 bits. Never undefined: converting a double that does not fit into an
/// integer is, and so it is not done.
[[nodiscard]] constexpr duration scale(duration length, double factor) noexcept {
    auto const exact = static_cast<double>(length.count()) * factor;
    constexpr double limit = 9223372036854775808.0;  // 2^63, the first double beyond the range.
    if (exact >= limit) return duration::max();
    if (exact < -limit) return duration::min();
    return exact == exact ? duration{static_cast<duration::rep>(exact)} : duration::zero();
}

/// The part `fraction / 2^64` of `whole`, for a `fraction` drawn at random: uniform over
/// [0, whole] inclusive, without a division and without bias worth naming (below 2^-63 of whole).
///
/// Requires `whole >= 0`. Source: D. Lemire, "Fast random integer generation in an interval",
/// ACM TOMACS 29(1), 2019; here without the rejection step.
[[nodiscard]] constexpr duration part_of(duration whole, std::uint64_t fraction) noexcept {
    HAWSER_ASSERT(whole >= duration::zero());
    auto const choices = detail::wide_uint{static_cast<std::uint64_t>(whole.count())} + 1;
    return duration{static_cast<duration::rep>((choices * fraction) >> 64)};
}

}  // namespace hawser::inline v0
#endif  // HAWSER_BASE_SATURATING_HPP
