// SPDX-License-Identifier: BSL-1.0
//
// A limit that follows the ratio of what calls took for long to what they take now.
//
//     gradient = 1.5 * long / now, but at least 0.5 and at most 1     1.5 tolerates some queueing
//     L        = 0.8 * L + 0.2 * (gradient * L + 4)                   4 is room for bursts
//
// Source: Netflix's concurrency-limits (Gradient2Limit), with its defaults.
#ifndef HAWSER_LIMIT_GRADIENT2_HPP
#define HAWSER_LIMIT_GRADIENT2_HPP

#include <hawser/limit/limit_algorithm.hpp>

#include <algorithm>
#include <cstdint>

namespace hawser::inline v0 {
namespace limits {

class gradient2;

struct gradient2_options {
    using algorithm_type = gradient2;

    /// The limit to begin with. In [`floor`, `ceiling`].
    std::uint32_t initial = 20;

    /// The smallest limit. In [1, `ceiling`].
    std::uint32_t floor = 20;

    /// The largest limit. In [`floor`, `limit_max`].
    std::uint32_t ceiling = 200;

    /// Calls over which the long average reaches. From 10 to a million; of the first ten it is the
    /// plain mean.
    std::uint32_t long_window = 600;

    /// How much longer than usual calls may take before the limit falls. In [1, 10].
    double tolerance = 1.5;

    /// What the limit may always grow by: the queue that is allowed. At most `limit_max`.
    std::uint32_t queue = 4;

    /// How much of each step is taken. In (0, 1].
    double smoothing = 0.2;

    friend constexpr bool operator==(gradient2_options const&, gradient2_options const&) = default;
};

/// Learns from each call's service time against a long average of the same.
///
/// As its source has it, but that the time of a dropped call is not used. The faults of the source
/// remain, which are better known than corrected:
///
/// - It drifts: the long average learns the queue of an overload that lasts, and calls it usual.
///   The limit then grows again, up to the ceiling if nothing else holds it.
/// - A dropped call does not lower the limit.
/// - The default floor of 20 is too much for a dependency that can carry fewer.
///
/// Guarantee, thread safety and cost as of `limit_algorithm`; `floor` <= limit <= `ceiling`.
class gradient2 {
public:
    using options_type = gradient2_options;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit gradient2(gradient2_options const& options = {})
        : options_{checked(options)}, limit_{static_cast<double>(options.initial)} {}

    std::uint32_t on_sample(limit_sample const& sample) noexcept {
        if (sample.outcome != sample_outcome::success) return limit();
        auto const took = detail::nanoseconds_of(sample.service_time);
        learn(took);
        // An average from a slow time is left faster than by its weight.
        if (usual_ > 2 * took) usual_ *= 0.95;
        if (detail::is_unused(limit_, sample.inflight_at_start)) return limit();
        auto const gradient = std::clamp(options_.tolerance * usual_ / took, 0.5, 1.0);
        auto const wanted = limit_ * gradient + options_.queue;
        auto const mixed = limit_ * (1 - options_.smoothing) + wanted * options_.smoothing;
        limit_ = std::clamp(mixed, static_cast<double>(options_.floor),
                            static_cast<double>(options_.ceiling));
        return limit();
    }

    [[nodiscard]] std::uint32_t limit() const noexcept { return detail::whole(limit_); }

private:
    static constexpr std::uint32_t plain_mean_of = 10;

    static gradient2_options const& checked(gradient2_options const& options) {
        detail::require(options.ceiling >= 1 && options.ceiling <= limit_max,
                        "limits::gradient2: ceiling is not in [1, 1000000]");
        detail::require(options.floor >= 1 && options.floor <= options.ceiling,
                        "limits::gradient2: floor is not in [1, ceiling]");
        detail::require(options.initial >= options.floor && options.initial <= options.ceiling,
                        "limits::gradient2: initial is not in [floor, ceiling]");
        detail::require(options.long_window >= plain_mean_of && options.long_window <= 1'000'000,
                        "limits::gradient2: long_window is not in [10, 1000000]");
        detail::require(options.tolerance >= 1 && options.tolerance <= 10,
                        "limits::gradient2: tolerance is not in [1, 10]");
        detail::require(options.queue <= limit_max, "limits::gradient2: queue is over 1000000");
        detail::require(options.smoothing > 0 && options.smoothing <= 1,
                        "limits::gradient2: smoothing is not in (0, 1]");
        return options;
    }

    void learn(double took) noexcept {
        // Each of the first ten weighs the same; then the newest weighs 2 / (n + 1).
        auto const weight =
            learned_ < plain_mean_of ? 1.0 / ++learned_ : 2.0 / (options_.long_window + 1.0);
        usual_ += (took - usual_) * weight;
    }

    gradient2_options options_;
    double limit_;
    double usual_ = 0;  ///< The long average, in nanoseconds.
    std::uint32_t learned_ = 0;
};

}  // namespace limits
}  // namespace hawser::inline v0
#endif  // HAWSER_LIMIT_GRADIENT2_HPP
