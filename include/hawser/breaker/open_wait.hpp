// SPDX-License-Identifier: BSL-1.0
//
// How long a breaker stays open: longer with each opening in a row, never beyond a cap, and spread
// by chance.
//
//     openings in a row     1      2      3      4      5      6 ...
//     wait (defaults)       5 s   10 s   20 s   40 s   60 s   60 s     + up to 10 % of chance
#ifndef HAWSER_BREAKER_OPEN_WAIT_HPP
#define HAWSER_BREAKER_OPEN_WAIT_HPP

#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>
#include <hawser/breaker/options.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace hawser::inline v0::detail {

/// Counts openings in a row and turns them into waits.
///
/// A row begins anew with healthy time: each `forget_after` spent closed takes one opening off,
/// counted from the first opening whose wait reached the cap. `reset` forgets the row at once.
/// Thread safety: none of its own.
class open_wait {
public:
    /// The wait of an opening at `now`, one more in the row. Of `hint`, a wish of the dependency,
    /// and the wait of the row the longer counts, capped; jitter by `chance` comes on top.
    duration next(circuit_breaker_options const& options, time_point now, duration hint,
                  std::uint64_t chance) noexcept {
        forget(options, now);
        if (in_a_row_ < std::numeric_limits<std::uint32_t>::max()) ++in_a_row_;
        auto const row = scale(options.open_for, std::pow(options.open_for_factor, in_a_row_ - 1));
        auto const wait = std::min(std::max(row, hint), options.open_for_max);
        return add_saturating(wait, part_of(scale(wait, options.jitter), chance));
    }

    /// The breaker closed at `now`: healthy time begins.
    void closed(time_point now) noexcept {
        closed_at_ = now;
        is_closed_ = true;
    }

    /// The row is forgotten.
    void reset() noexcept { in_a_row_ = 0; }

    [[nodiscard]] std::uint32_t in_a_row() const noexcept { return in_a_row_; }

private:
    void forget(circuit_breaker_options const& options, time_point now) noexcept {
        if (!std::exchange(is_closed_, false) || now <= closed_at_) return;
        auto const per_opening =
            options.forget_after != duration::zero() ? options.forget_after : options.open_for_max;
        auto const forgiven = time_between(closed_at_, now) / per_opening;
        auto const counted = std::min<std::int64_t>(in_a_row_, openings_to_cap(options));
        if (forgiven > 0)
            in_a_row_ = static_cast<std::uint32_t>(std::max<std::int64_t>(0, counted - forgiven));
    }

    /// The first opening whose wait reaches the cap.
    static std::uint32_t openings_to_cap(circuit_breaker_options const& options) noexcept {
        if (options.open_for_factor <= 1) return 1;
        auto const span = static_cast<double>(options.open_for_max.count()) /
                          static_cast<double>(options.open_for.count());
        auto const steps = std::ceil(std::log(span) / std::log(options.open_for_factor));
        // A factor of 1 + 2^-52 takes 2^57 steps, more than is ever counted.
        return steps < 1e9 ? 1 + static_cast<std::uint32_t>(steps) : 1'000'000'000;
    }

    time_point closed_at_{};
    bool is_closed_ = false;
    std::uint32_t in_a_row_ = 0;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_BREAKER_OPEN_WAIT_HPP
