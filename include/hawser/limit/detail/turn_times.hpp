// SPDX-License-Identifier: BSL-1.0
//
// How fast a queue is served: what passes between one turn and the next while somebody waits.
#ifndef HAWSER_LIMIT_DETAIL_TURN_TIMES_HPP
#define HAWSER_LIMIT_DETAIL_TURN_TIMES_HPP

#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>
#include <hawser/stats/ewma.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace hawser::inline v0::detail {

/// Averages over the last turns, some 64 of them. Starts without data.
///
/// Only turns in a row are measured: from one to the next while the queue is not empty between
/// them. What an idle server does not finish says nothing of how fast it could.
///
/// Thread safety: none; the owner has a lock. Cost: O(1), three `exp` a turn.
class turn_times {
    /// Turns after which one counts 37 %: enough to average over, and few enough to follow a server
    /// that changes.
    static constexpr duration memory{64};
    /// Fewer say too little of how much they vary.
    static constexpr double fewest = 8;
    /// What was measured so long ago was another load.
    static constexpr duration stale_after = std::chrono::seconds{10};

public:
    /// A waiter for so many permits has had its turn; `others_wait` behind it.
    void served(time_point now, std::uint32_t permits, bool others_wait) noexcept {
        if (in_a_row_) {
            auto const gap =
                static_cast<double>(std::max(time_between(last_, now), duration::zero()).count());
            time_point const turn{duration{++turns_}};  // The averages' time: they forget by turns.
            gap_.record(turn, gap);
            square_.record(turn, gap * gap);
            permits_.record(turn, permits);
        }
        last_ = now;
        in_a_row_ = others_wait;
    }

    /// The queue has become empty otherwise.
    void emptied() noexcept { in_a_row_ = false; }

    [[nodiscard]] bool is_known(time_point now) const noexcept {
        return samples() >= fewest && since_last(now) <= stale_after;
    }

    /// Since the last turn.
    [[nodiscard]] duration since_last(time_point now) const noexcept {
        return turns_ == 0 ? duration::zero() : time_between(last_, now);
    }

    /// What so many permits take to come back, as an average has it.
    [[nodiscard]] duration expected(double permits) const noexcept {
        return scale(duration{1}, std::ceil(turns_for(permits) * gap_.value()));
    }

    /// What they take at the least: the average, less the turn that is under way, less two standard
    /// errors. For m turns that differ by s, of whom n were measured, one is s * sqrt(m + m * m /
    /// n): they add up by chance, and what they add up to was measured as well as n can say.
    [[nodiscard]] duration at_least(double permits) const noexcept {
        auto const m = std::max(turns_for(permits) - 1, 0.0);
        auto const variance = std::max(square_.value() - gap_.value() * gap_.value(), 0.0);
        auto const error = std::sqrt(variance * (m + m * m / std::max(samples(), 1.0)));
        return scale(duration{1}, std::max(m * gap_.value() - 2 * error, 0.0));
    }

private:
    [[nodiscard]] double samples() const noexcept {
        return gap_.weight(time_point{duration{turns_}});
    }
    [[nodiscard]] double turns_for(double permits) const noexcept {
        return permits / std::max(permits_.value(), 1.0);
    }

    ewma gap_{memory}, square_{memory}, permits_{memory};
    std::int64_t turns_ = 0;  ///< Measured.
    time_point last_{};
    bool in_a_row_ = false;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_LIMIT_DETAIL_TURN_TIMES_HPP
