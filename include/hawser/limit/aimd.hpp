// SPDX-License-Identifier: BSL-1.0
//
// A limit that climbs by one and falls by a tenth.
//
//     limit
//       |      /|      /|      /|      + 1 with each call that is served while the limit is in use
//       |    /  |    /  |    /  |      x 0.9 with each that is dropped, or takes too long
//       |  /    |  /    |  /    |
//       +------------------------- calls
//
// Source: additive increase, multiplicative decrease, D. Chiu, R. Jain, 1989, in the form and with
// the defaults of Netflix's concurrency-limits.
#ifndef HAWSER_LIMIT_AIMD_HPP
#define HAWSER_LIMIT_AIMD_HPP

#include <hawser/limit/limit_algorithm.hpp>

#include <algorithm>
#include <cstdint>

namespace hawser::inline v0 {
namespace limits {

class aimd;

struct aimd_options {
    using algorithm_type = aimd;

    /// The limit to begin with. In [`floor`, `ceiling`].
    std::uint32_t initial = 20;

    /// The smallest limit. In [1, `ceiling`].
    std::uint32_t floor = 20;

    /// The largest limit. In [`floor`, `limit_max`].
    std::uint32_t ceiling = 200;

    /// What is left of the limit when a call is dropped. In [0.5, 1).
    double backoff = 0.9;

    /// A call that takes longer counts as dropped. Positive.
    duration timeout = std::chrono::seconds{5};

    friend constexpr bool operator==(aimd_options const&, aimd_options const&) = default;
};

/// Learns from calls that are dropped alone: for a dependency that says when it has too much.
///
/// As its source has it, and so with the faults of that, which are better known than corrected:
///
/// - Latency says nothing below the timeout. Against a dependency that queues rather than refuses,
///   the limit climbs until calls take `timeout`.
/// - It counts calls, not round trips: the limit grows by one with each call served, so it doubles
///   in each round trip and overshoots; and ten calls dropped by one hiccup take 65 % off.
/// - The default floor of 20 is too much for a dependency that can carry fewer.
///
/// Guarantee, thread safety and cost as of `limit_algorithm`; `floor` <= limit <= `ceiling`.
class aimd {
public:
    using options_type = aimd_options;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit constexpr aimd(aimd_options const& options = {})
        : options_{checked(options)}, limit_{options.initial} {}

    constexpr std::uint32_t on_sample(limit_sample const& sample) noexcept {
        if (sample.outcome == sample_outcome::ignored) return limit_;
        if (sample.outcome == sample_outcome::dropped || sample.service_time > options_.timeout)
            limit_ = static_cast<std::uint32_t>(limit_ * options_.backoff);
        else if (!detail::is_unused(limit_, sample.inflight_at_start))
            ++limit_;
        return limit_ = std::clamp(limit_, options_.floor, options_.ceiling);
    }

    [[nodiscard]] constexpr std::uint32_t limit() const noexcept { return limit_; }

private:
    static constexpr aimd_options const& checked(aimd_options const& options) {
        detail::require(options.ceiling >= 1 && options.ceiling <= limit_max,
                        "limits::aimd: ceiling is not in [1, 1000000]");
        detail::require(options.floor >= 1 && options.floor <= options.ceiling,
                        "limits::aimd: floor is not in [1, ceiling]");
        detail::require(options.initial >= options.floor && options.initial <= options.ceiling,
                        "limits::aimd: initial is not in [floor, ceiling]");
        detail::require(options.backoff >= 0.5 && options.backoff < 1,
                        "limits::aimd: backoff is not in [0.5, 1)");
        detail::require(options.timeout > duration::zero(),
                        "limits::aimd: timeout is not positive");
        return options;
    }

    aimd_options options_;
    std::uint32_t limit_;
};

}  // namespace limits
}  // namespace hawser::inline v0
#endif  // HAWSER_LIMIT_AIMD_HPP
