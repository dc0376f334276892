// SPDX-License-Identifier: BSL-1.0
//
// A limit that keeps the queue inside the dependency short, by how much calls take over the
// shortest time ever seen.
//
//     queue = ceil(L * (1 - shortest / this one))     what of L waits, by Little's law
//
//          log10 L      3 log10 L         6 log10 L
//     0 -----+--------------+------------------+---------> queue
//       L +=         L +=          unchanged         L -=
//     6 log10 L     log10 L                         log10 L     and where a call is dropped
//
// Source: TCP Vegas, L. Brakmo, S. O'Malley, L. Peterson, SIGCOMM 1994, in the form and with the
// defaults of Netflix's concurrency-limits. log10 L is at least 1 throughout.
#ifndef HAWSER_LIMIT_VEGAS_HPP
#define HAWSER_LIMIT_VEGAS_HPP

#include <hawser/base/random.hpp>
#include <hawser/limit/limit_algorithm.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace hawser::inline v0 {
namespace limits {

class vegas;

struct vegas_options {
    using algorithm_type = vegas;

    /// The limit to begin with. In [1, `ceiling`].
    std::uint32_t initial = 20;

    /// The largest limit. In [1, `limit_max`].
    std::uint32_t ceiling = 1000;

    /// How much of each step is taken. In (0, 1].
    double smoothing = 1.0;

    /// The shortest time is measured anew after this many calls for each unit of the limit, less
    /// up to half of them by chance. From 1 to a million.
    std::uint32_t probe_multiplier = 30;

    /// Begins the sequence of those chances.
    std::uint64_t seed = 0;

    friend constexpr bool operator==(vegas_options const&, vegas_options const&) = default;
};

/// Learns from each call's service time against the shortest.
///
/// As its source has it, but that a dropped call does not pass for a short one. The faults of the
/// source remain, which are better known than corrected:
///
/// - It drifts up under load: the shortest time is measured anew on a call that waited in the
///   queue of the limit as it is, so that the queue becomes part of the measure.
/// - One lucky call sinks it: where calls take 10 ms or 500 ms, nearly all of the limit looks
///   queued from the first 10 ms on.
/// - It steps with every call, not every round trip, and so overshoots both ways.
///
/// Guarantee, thread safety and cost as of `limit_algorithm`; 1 <= limit <= `ceiling`.
class vegas {
public:
    using options_type = vegas_options;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit vegas(vegas_options const& options = {})
        : options_{checked(options)}, limit_{static_cast<double>(options.initial)} {
        schedule_probe();
    }

    std::uint32_t on_sample(limit_sample const& sample) noexcept {
        if (sample.outcome == sample_outcome::ignored) return limit();
        if (sample.outcome == sample_outcome::dropped) {
            move_to(limit_ - detail::log_of(limit_));
            return limit();
        }
        auto const took = detail::nanoseconds_of(sample.service_time);
        if (++since_probe_ >= probe_at_) {
            schedule_probe();
            shortest_ = took;
        } else if (shortest_ == 0 || took < shortest_) {
            shortest_ = took;
        } else if (!detail::is_unused(limit_, sample.inflight_at_start)) {
            step(std::ceil(limit_ * (1 - shortest_ / took)));
        }
        return limit();
    }

    [[nodiscard]] std::uint32_t limit() const noexcept { return detail::whole(limit_); }

private:
    static vegas_options const& checked(vegas_options const& options) {
        detail::require(options.ceiling >= 1 && options.ceiling <= limit_max,
                        "limits::vegas: ceiling is not in [1, 1000000]");
        detail::require(options.initial >= 1 && options.initial <= options.ceiling,
                        "limits::vegas: initial is not in [1, ceiling]");
        detail::require(options.smoothing > 0 && options.smoothing <= 1,
                        "limits::vegas: smoothing is not in (0, 1]");
        detail::require(options.probe_multiplier >= 1 && options.probe_multiplier <= 1'000'000,
                        "limits::vegas: probe_multiplier is not in [1, 1000000]");
        return options;
    }

    void step(double queue) noexcept {
        auto const unit = detail::log_of(limit_);
        if (queue <= unit)
            move_to(limit_ + 6 * unit);
        else if (queue < 3 * unit)
            move_to(limit_ + unit);
        else if (queue > 6 * unit)
            move_to(limit_ - unit);
    }

    void move_to(double wanted) noexcept {
        auto const mixed = (1 - options_.smoothing) * limit_ + options_.smoothing * wanted;
        limit_ = std::clamp(mixed, 1.0, static_cast<double>(options_.ceiling));
    }

    /// Between half of the multiplier and all of it, times the limit; 2^-64 makes bits a fraction.
    void schedule_probe() noexcept {
        auto const chance =
            std::ldexp(static_cast<double>(random_at(options_.seed, probes_++)), -64);
        probe_at_ = (0.5 + chance / 2) * options_.probe_multiplier * limit_;
        since_probe_ = 0;
    }

    vegas_options options_;
    double limit_;
    double shortest_ = 0;  ///< Nanoseconds; zero before the first call.
    double probe_at_ = 0, since_probe_ = 0;
    std::uint64_t probes_ = 0;
};

}  // namespace limits
}  // namespace hawser::inline v0
#endif  // HAWSER_LIMIT_VEGAS_HPP
