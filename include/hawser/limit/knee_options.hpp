// SPDX-License-Identifier: BSL-1.0
//
// What a `limits::knee` can be told.
#ifndef HAWSER_LIMIT_KNEE_OPTIONS_HPP
#define HAWSER_LIMIT_KNEE_OPTIONS_HPP

#include <hawser/limit/limit_algorithm.hpp>

#include <cstdint>

namespace hawser::inline v0 {
namespace limits {

class knee;

/// How a `knee` measures, and how far it goes. The defaults serve calls from microseconds to
/// seconds: what is time in it is counted in round trips.
struct knee_options {
    using algorithm_type = knee;

    /// The limit to begin with. In [`floor`, `ceiling`]. It probes after three windows, so that one
    /// that is far too high does not stay.
    std::uint32_t initial = 20;

    /// The smallest limit. In [1, `ceiling`]. A probe may go to half of it, but not below 1.
    std::uint32_t floor = 1;

    /// The largest limit. In [`floor`, `limit_max`].
    std::uint32_t ceiling = 1000;

    /// Of the service times of a window, the one that is watched. In [0.5, 0.99].
    double quantile = 0.9;

    /// Calls that make a window. From 10 to 100,000. More are steadier and slower to see a change.
    std::uint32_t window = 50;

    /// After so long, ten calls make a window. From 1 ms to a minute.
    duration window_max = std::chrono::seconds{1};

    /// The least time between probes that find nothing. From 1 ms to a day.
    duration probe_every = std::chrono::seconds{10};

    /// The limit is at most this times the most calls that were in flight of late, or `initial` if
    /// that is more. In [1, 1000].
    double headroom = 5;

    /// The share of calls in a window that may be dropped before the limit falls for it. In [0, 1).
    /// A dependency that loses one call in a hundred whatever its load is not to be starved.
    double dropped = 0.02;

    friend constexpr bool operator==(knee_options const&, knee_options const&) = default;
};

namespace detail {

/// Throws `std::invalid_argument`, naming the field and the rule.
constexpr knee_options const& checked(knee_options const& options) {
    using namespace std::chrono_literals;
    require(options.ceiling >= 1 && options.ceiling <= limit_max,
            "limits::knee: ceiling is not in [1, 1000000]");
    require(options.floor >= 1 && options.floor <= options.ceiling,
            "limits::knee: floor is not in [1, ceiling]");
    require(options.initial >= options.floor && options.initial <= options.ceiling,
            "limits::knee: initial is not in [floor, ceiling]");
    require(options.quantile >= 0.5 && options.quantile <= 0.99,
            "limits::knee: quantile is not in [0.5, 0.99]");
    require(options.window >= 10 && options.window <= 100'000,
            "limits::knee: window is not in [10, 100000]");
    require(options.window_max >= 1ms && options.window_max <= 1min,
            "limits::knee: window_max is not in [1 ms, 1 min]");
    require(options.probe_every >= 1ms && options.probe_every <= 24h,
            "limits::knee: probe_every is not in [1 ms, 24 h]");
    require(options.headroom >= 1 && options.headroom <= 1000,
            "limits::knee: headroom is not in [1, 1000]");
    require(options.dropped >= 0 && options.dropped < 1, "limits::knee: dropped is not in [0, 1)");
    return options;
}

}  // namespace detail
}  // namespace limits
}  // namespace hawser::inline v0
#endif  // HAWSER_LIMIT_KNEE_OPTIONS_HPP
