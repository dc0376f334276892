// SPDX-License-Identifier: BSL-1.0
//
// Moving averages that forget exponentially: one by the age of a sample, one by its place.
//
//     weight
//       1 |                         #         ewma:            e^(-age / time_constant)
//         |                     #   #         ewma_per_sample: alpha * (1 - alpha)^(samples since)
//         |    #     #   #  #   #   #
//       0 +--------------------------- time
#ifndef HAWSER_STATS_EWMA_HPP
#define HAWSER_STATS_EWMA_HPP

#include <hawser/base/time.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace hawser::inline v0 {

namespace detail {

/// The point between `from` and `to` that lies `part` of the way on, for a part in [0, 1].
///
/// Written as a mixture, because `to - from` may overflow; clamped, because rounding may carry a
/// mixture past its ends: an average then never leaves the range of its samples.
[[nodiscard]] inline double mix(double from, double to, double part) noexcept {
    auto const mixed = from * (1 - part) + to * part;
    return std::clamp(mixed, std::min(from, to), std::max(from, to));
}

}  // namespace detail

/// The average of samples that arrive at any times, each weighted by e^(-age / time_constant).
///
/// With w for the sum of the weights, a sample x that arrives d after the one before it makes
///
///     w     <- w * e^(-d / time_constant) + 1
///     value <- value + (x - value) / w
///
/// So the first sample stands for itself, samples of one instant weigh the same, and a sample after
/// a long rest weighs more than all before it. After one time constant a sample counts 37 %, after
/// three 5 %.
///
/// Guarantee:     `value` is finite and between the smallest and the largest sample.
/// Time:          that runs backwards is taken to stand still.
/// Thread safety: none; callers serialise.
/// Cost:          O(1): one `exp` if time has passed.
/// Source:        G. Cormode, V. Shkapenyuk, D. Srivastava, B. Xu, "Forward decay", ICDE 2009.
class ewma {
public:
    /// Throws `std::invalid_argument` if `time_constant` is not positive.
    explicit ewma(duration time_constant)
        : time_constant_{static_cast<double>(time_constant.count())} {
        if (time_constant <= duration::zero())
            throw std::invalid_argument{"ewma: time_constant is not positive"};
    }

    /// Takes a sample in. One that is not finite is ignored.
    void record(time_point now, double sample) noexcept {
        if (!std::isfinite(sample)) return;
        weight_ = weight(now) + 1;
        value_ = detail::mix(value_, sample, 1 / weight_);
        last_ = std::max(last_, now);
    }

    /// The average; zero before the first sample.
    [[nodiscard]] double value() const noexcept { return value_; }

    /// The sum of the weights at `now`: how many samples of this instant the average is worth. It
    /// falls towards zero while none arrives: the average stays, but says less and less.
    [[nodiscard]] double weight(time_point now) const noexcept {
        if (now <= last_) return weight_;
        auto const passed = static_cast<double>(time_between(last_, now).count());
        return weight_ * std::exp(-passed / time_constant_);
    }

    /// Forgets every sample.
    void clear() noexcept {
        value_ = weight_ = 0;
        last_ = time_point::min();
    }

private:
    double time_constant_;
    double value_ = 0, weight_ = 0;
    time_point last_ = time_point::min();
};

/// The average of samples, each weighted by how many came after it.
///
/// A sample x makes value <- value + alpha * (x - value); the first one stands for itself.
///
/// Guarantee, thread safety and cost as of `ewma`, without the `exp`.
class ewma_per_sample {
public:
    /// `alpha` is the weight of the newest sample: 1 keeps that one alone; 2 / (n + 1) weighs about
    /// as the last n. Throws `std::invalid_argument` if it is not in (0, 1].
    explicit ewma_per_sample(double alpha) : alpha_{alpha} {
        if (!(alpha > 0 && alpha <= 1))
            throw std::invalid_argument{"ewma_per_sample: alpha is not in (0, 1]"};
    }

    /// Takes a sample in. One that is not finite is ignored.
    void record(double sample) noexcept {
        if (!std::isfinite(sample)) return;
        value_ = empty_ ? sample : detail::mix(value_, sample, alpha_);
        empty_ = false;
    }

    /// The average; zero before the first sample.
    [[nodiscard]] double value() const noexcept { return value_; }

    /// Whether no sample was taken in yet.
    [[nodiscard]] bool empty() const noexcept { return empty_; }

    /// Forgets every sample.
    void clear() noexcept {
        value_ = 0;
        empty_ = true;
    }

private:
    double alpha_;
    double value_ = 0;
    bool empty_ = true;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_STATS_EWMA_HPP
