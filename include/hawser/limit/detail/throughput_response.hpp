// SPDX-License-Identifier: BSL-1.0
//
// Whether more calls at once have meant more calls done, by a line through the last windows.
//
//     log throughput
//         |            . x  x x      slope 1: each call more is done beside the others
//         |        x  .              slope 0: it waits for the others
//         |     x  .
//         |   x.
//         +------------------- log inflight
//
// Logarithms make the slope a ratio of shares, the same for 10 calls as for 10,000.
#ifndef HAWSER_LIMIT_DETAIL_THROUGHPUT_RESPONSE_HPP
#define HAWSER_LIMIT_DETAIL_THROUGHPUT_RESPONSE_HPP

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace hawser::inline v0 {
namespace limits::detail {

enum class response : std::uint8_t {
    unknown,  ///< Too few windows, too alike, or too scattered.
    follows,  ///< Throughput rises with concurrency: the dependency is not at its capacity.
    stalls,   ///< It does not: the calls more wait for one another.
};

/// A least-squares line through (log inflight, log throughput), a window a point, each window
/// counting for less by a factor of `memory` than the next.
///
/// Thread safety: none. Cost: O(1), without allocation.
class throughput_response {
public:
    /// `memory` is in (0, 1): the last 1 / (1 - memory) windows count, about.
    explicit constexpr throughput_response(double memory) noexcept : memory_{memory} {}

    /// Both are positive. A window that lies far off the line is the first of other times: what was
    /// before it says nothing about them, and a line through both would lie about either.
    void record(double inflight, double throughput) noexcept {
        auto const x = std::log(inflight), y = std::log(throughput);
        if (is_break(x, y)) clear();
        // West's update of weighted means and sums of products: sums of squares would cancel.
        weight_ = memory_ * weight_ + 1;
        squared_weights_ = memory_ * memory_ * squared_weights_ + 1;
        auto const dx = x - mean_x_, dy = y - mean_y_;
        mean_x_ += dx / weight_;
        mean_y_ += dy / weight_;
        xx_ = memory_ * xx_ + dx * (x - mean_x_);
        xy_ = memory_ * xy_ + dx * (y - mean_y_);
        yy_ = memory_ * yy_ + dy * (y - mean_y_);
    }

    /// What the line says, if it is one standard error away from saying the contrary. It stalls
    /// only where it was seen to: not at fewer calls at once than the windows had on average.
    [[nodiscard]] response answer_at(double inflight) const noexcept {
        auto const windows = weight_ * weight_ / std::max(squared_weights_, 1.0);  // As good as.
        if (windows < fewest_windows || !is_spread()) return response::unknown;
        auto const slope = xy_ / xx_;
        auto const error = scatter(slope) * std::sqrt(weight_ / ((windows - 2) * xx_));
        if (slope - error > midway) return response::follows;
        if (slope + error < midway && std::log(inflight) >= mean_x_) return response::stalls;
        return response::unknown;
    }

    /// Forgets every window.
    void clear() noexcept { *this = throughput_response{memory_}; }

private:
    [[nodiscard]] bool is_break(double x, double y) const noexcept {
        if (weight_ < fewest_windows) return false;
        // Without a spread there is no slope, and the mean is as good a guess.
        auto const slope = is_spread() ? xy_ / xx_ : 0.0;
        auto const off = std::abs(y - mean_y_ - slope * (x - mean_x_));
        return off > std::max(break_scatters * scatter(slope), least_break);
    }

    [[nodiscard]] bool is_spread() const noexcept {
        return xx_ >= weight_ * least_spread * least_spread;
    }

    /// The standard deviation of the windows about the line.
    [[nodiscard]] double scatter(double slope) const noexcept {
        return std::sqrt(std::max(yy_ - slope * xy_, 0.0) / weight_);
    }

    /// A line through two points always fits, and says nothing about itself.
    static constexpr double fewest_windows = 4;
    /// Concurrency that varied by less than 2 % tells nothing about what it does.
    static constexpr double least_spread = 0.02;
    /// Half of what is added is done, half waits: the knee of the curve.
    static constexpr double midway = 0.5;
    /// Off the line by more than chance has it once in ten thousand windows, and by half as much
    /// again or a third less: times have changed.
    static constexpr double break_scatters = 4, least_break = 0.405;

    double memory_;
    double weight_ = 0, squared_weights_ = 0;
    double mean_x_ = 0, mean_y_ = 0;
    double xx_ = 0, xy_ = 0, yy_ = 0;
};

}  // namespace limits::detail
}  // namespace hawser::inline v0
#endif  // HAWSER_LIMIT_DETAIL_THROUGHPUT_RESPONSE_HPP
