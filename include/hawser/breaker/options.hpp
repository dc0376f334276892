// SPDX-License-Identifier: BSL-1.0
//
// What a circuit breaker can be told.
#ifndef HAWSER_BREAKER_OPTIONS_HPP
#define HAWSER_BREAKER_OPTIONS_HPP

#include <hawser/base/time.hpp>

#include <cstdint>
#include <limits>
#include <stdexcept>

namespace hawser::inline v0 {

/// Calls that a count window can look back over. More is taken for a mistake: the positions of its
/// failures would fill half a megabyte.
inline constexpr std::uint32_t breaker_window_max = 65'536;

/// Probes that one half-open episode can have.
inline constexpr std::uint32_t breaker_probes_max = 64;

/// When a breaker opens, for how long, and what closes it again.
///
/// An aggregate: name the fields you change, the rest keep their defaults.
struct circuit_breaker_options {
    /// The share of failures in the window at which the breaker opens. In (0, 1]; equality opens.
    /// It, `window` and `minimum_calls` make the default rule, and are unused beside other rules.
    double failure_rate = 0.5;

    /// Calls that the default rule looks back over. In [1, `breaker_window_max`].
    std::uint32_t window = 100;

    /// Calls in the window before the share of failures means anything. In [1, `window`].
    std::uint32_t minimum_calls = 20;

    /// The wait of the first opening. Positive.
    duration open_for = std::chrono::seconds{5};

    /// The longest wait before jitter, whatever the openings in a row and a hint in the outcome
    /// ask for. At least `open_for`.
    duration open_for_max = std::chrono::seconds{60};

    /// By how much each opening in a row waits longer than the one before. Finite, at least 1;
    /// 1 makes all waits alike.
    double open_for_factor = 2.0;

    /// The largest share that chance adds to a wait, so that breakers that opened together do not
    /// probe together. In [0, 1]. It is added after the cap: at the cap, too, they part ways.
    double jitter = 0.1;

    /// Time spent closed that takes one off the openings in a row. Not negative; zero means
    /// `open_for_max`.
    duration forget_after = duration::zero();

    /// Votes that a half-open episode collects, and the most probes out at one time.
    /// In [1, `breaker_probes_max`].
    std::uint32_t probes = 3;

    /// A tighter cap on the probes out at one time. In [0, `probes`]; zero means `probes`.
    std::uint32_t probes_at_once = 0;

    /// The share of `probes` that must succeed to close. In (0, 1]. The default is all of them: one
    /// failure then reopens at once, which is the least load on what may still be ill, and a
    /// dependency that fails half its calls is let back in by 1 episode in 8; with 2 of 3 it would
    /// be by 1 in 2.
    double probe_success_rate = 1.0;

    /// How long a probe keeps its slot without a verdict. Once over, the next caller takes the slot
    /// and the old probe's verdict is stale. Not negative; zero means the longer of `open_for` and
    /// twice the time above which a call is slow.
    duration probe_lease = duration::zero();

    /// What refusals and events call this breaker. Not null; as long-lived as the breaker. A
    /// reconfiguration does not change it.
    char const* name = "circuit_breaker";

    friend constexpr bool operator==(circuit_breaker_options const&,
                                     circuit_breaker_options const&) = default;
};

namespace detail {

/// False for what is no number.
[[nodiscard]] constexpr bool is_share(double value) noexcept { return value > 0 && value <= 1; }

/// Throws `std::invalid_argument`, naming the field and the rule; in a constant expression, does
/// not compile.
constexpr void check(circuit_breaker_options const& options) {
    auto const require = [](bool holds, char const* otherwise) {
        if (!holds) throw std::invalid_argument{otherwise};
    };
    auto const zero = duration::zero();
    require(is_share(options.failure_rate), "circuit_breaker: failure_rate is not in (0, 1]");
    require(options.window >= 1 && options.window <= breaker_window_max,
            "circuit_breaker: window is not in [1, 65536]");
    require(options.minimum_calls >= 1 && options.minimum_calls <= options.window,
            "circuit_breaker: minimum_calls is not in [1, window]");
    require(options.open_for > zero, "circuit_breaker: open_for is not positive");
    require(options.open_for_max >= options.open_for,
            "circuit_breaker: open_for_max is below open_for");
    require(options.open_for_factor >= 1 &&
                options.open_for_factor <= std::numeric_limits<double>::max(),
            "circuit_breaker: open_for_factor is not finite and at least 1");
    require(options.jitter >= 0 && options.jitter <= 1, "circuit_breaker: jitter is not in [0, 1]");
    require(options.forget_after >= zero, "circuit_breaker: forget_after is negative");
    require(options.probes >= 1 && options.probes <= breaker_probes_max,
            "circuit_breaker: probes is not in [1, 64]");
    require(options.probes_at_once <= options.probes,
            "circuit_breaker: probes_at_once is above probes");
    require(is_share(options.probe_success_rate),
            "circuit_breaker: probe_success_rate is not in (0, 1]");
    require(options.probe_lease >= zero, "circuit_breaker: probe_lease is negative");
    require(options.name != nullptr, "circuit_breaker: name is null");
}

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_BREAKER_OPTIONS_HPP
