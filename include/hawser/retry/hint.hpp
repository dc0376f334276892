// SPDX-License-Identifier: BSL-1.0
//
// What to make of a delay that the other side asked for: HTTP's Retry-After, gRPC's pushback, the
// `retry_after` of a refusal.
//
//        0            min(hint, cap)             x (1 + spread)      time_left
//        |------------------|#############################|--------------|
//                            drawn evenly from here
#ifndef HAWSER_RETRY_HINT_HPP
#define HAWSER_RETRY_HINT_HPP

#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>

namespace hawser::inline v0 {

/// How far a delay that the other side asks for is obeyed.
///
/// First it is capped, then it is spread, upwards only: callers that were all told the same time do
/// not come back in one instant, be that time the hint or the cap, and none comes before the hint
/// unless the cap says so. The cap bounds what the other side can ask for; the wait may be longer
/// by the spread.
struct hint_policy {
    /// The most of a hint that is obeyed. Positive. A hint of hours from a server out of order must
    /// not park its callers for hours.
    duration cap = std::chrono::minutes{5};

    /// The wait is drawn from [hint, hint * (1 + spread)]. In [0, 1]; zero is no spread.
    double spread = 0.5;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range. Who stores a
    /// `hint_policy` calls it once.
    constexpr void validate() const {
        if (cap <= duration::zero())
            throw std::invalid_argument{"hint_policy: cap is not positive"};
        if (!(spread >= 0 && spread <= 1))
            throw std::invalid_argument{"hint_policy: spread is not in [0, 1]"};
    }

    /// How long to wait, or nothing if there is to be no further attempt: the hint is `never`, or
    /// its wait would not end before the time is up.
    ///
    /// `time_left` is how long it is until the last moment at which an attempt makes sense, `never`
    /// without a deadline. Whether to stop follows from the hint and the time left alone; where the
    /// full spread does not fit, it is cut to what does. A negative hint is taken as zero.
    [[nodiscard]] constexpr std::optional<duration> operator()(
        duration hint, duration time_left, std::uint64_t random) const noexcept {
        if (hint == never) return std::nullopt;
        auto const least = std::clamp(hint, duration::zero(), cap);
        if (least >= time_left) return std::nullopt;
        auto const room = time_left - least - duration{1};
        return least + part_of(std::min(scale(least, spread), room), random);
    }
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RETRY_HINT_HPP
