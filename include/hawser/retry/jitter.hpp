// SPDX-License-Identifier: BSL-1.0
//
// Random spread on a delay, so that callers that failed together do not come back together.
//
//                       0          d/2          d
//      none             |           |           #
//      full             #########################
//      equal            |           #############
//      proportional     |           |      ############      d*(1-f) to d*(1+f)
#ifndef HAWSER_RETRY_JITTER_HPP
#define HAWSER_RETRY_JITTER_HPP

#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <stdexcept>

namespace hawser::inline v0 {

/// Jitters. Each is called with a delay and 64 random bits, and answers with a delay drawn evenly
/// from its range, both ends included. A negative delay is taken as zero.
///
/// `validate()` throws `std::invalid_argument`, naming the field, if an option is out of range. Who
/// stores a jitter calls it once.
///
/// Guarantee:     the answer lies in the range, for any delay up to `duration::max()` and any bits.
/// Thread safety: all of it is const.
namespace jitter {

/// What can spread a delay.
template <class Jitter>
concept strategy = std::copyable<Jitter> &&
    requires(Jitter const& spread, duration delay, std::uint64_t random) {
    { spread(delay, random) }
    noexcept->std::same_as<duration>;
    spread.validate();
};

/// The delay as it is. For one caller alone, or for tests.
struct none {
    constexpr void validate() const noexcept {}

    [[nodiscard]] constexpr duration operator()(duration delay, std::uint64_t) const noexcept {
        return std::max(delay, duration::zero());
    }
};

/// Anything from no wait to the delay: the widest spread, and the least load on what recovers.
struct full {
    constexpr void validate() const noexcept {}

    [[nodiscard]] constexpr duration operator()(duration delay,
                                                std::uint64_t random) const noexcept {
        return part_of(std::max(delay, duration::zero()), random);
    }
};

/// From half the delay to the delay: never at once, and half the spread.
struct equal {
    constexpr void validate() const noexcept {}

    [[nodiscard]] constexpr duration operator()(duration delay,
                                                std::uint64_t random) const noexcept {
        auto const most = std::max(delay, duration::zero());
        auto const least = most / 2;
        return least + part_of(most - least, random);
    }
};

/// The delay, give or take a fraction of it.
///
/// The answer may be longer than the delay: who has a cap applies it after this.
struct proportional {
    /// In [0, 1]. Zero is no jitter, 1 anything from no wait to twice the delay.
    double fraction = 0.25;

    constexpr void validate() const {
        if (!(fraction >= 0 && fraction <= 1))
            throw std::invalid_argument{"jitter::proportional: fraction is not in [0, 1]"};
    }

    [[nodiscard]] constexpr duration operator()(duration delay,
                                                std::uint64_t random) const noexcept {
        auto const middle = std::max(delay, duration::zero());
        // Clamped: a double may round the product of a long delay up past the delay.
        auto const aside = std::clamp(scale(middle, fraction), duration::zero(), middle);
        return add_saturating(middle - aside, part_of(add_saturating(aside, aside), random));
    }
};

}  // namespace jitter
}  // namespace hawser::inline v0
#endif  // HAWSER_RETRY_JITTER_HPP
