// SPDX-License-Identifier: BSL-1.0
//
// What finds out how many calls a dependency can carry at once: a number, learned from calls.
//
//        call admitted                       call ends
//     ------+----------------------------------+------------> time
//     wait  |          service time            |
//     ----->|<-------------------------------->|     limit_sample --> on_sample --> the new limit
//     queue_time   the sample's `started`     `now`
//
// An algorithm decides the number and nothing else: it counts no calls and refuses none. Whoever
// holds the semaphore tells it how each call went, and takes over the limit it answers.
#ifndef HAWSER_LIMIT_LIMIT_ALGORITHM_HPP
#define HAWSER_LIMIT_LIMIT_ALGORITHM_HPP

#include <hawser/base/time.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <stdexcept>

namespace hawser::inline v0 {

/// What a call says about the load on its dependency.
enum class sample_outcome : std::uint8_t {
    success,  ///< Served. How long it took is a measure of the load.

    /// Says nothing: cancelled, refused by a policy of ours, or failed for a reason that is not
    /// load. A failure that comes at once has not been served, and is no sign of a quick server.
    ignored,

    dropped,  ///< Overload: timed out, or refused by the dependency as too much (429, 503).
};

/// One call, as an algorithm is told of it when it ends.
struct limit_sample {
    time_point now;      ///< When it ended.
    time_point started;  ///< When it was admitted.

    /// From admission to end: what the dependency took. Less than a nanosecond counts as one.
    duration service_time{};

    /// What it waited for its admission, in a queue of ours: demand, not load on the dependency. It
    /// is no part of `service_time`.
    duration queue_time{};

    /// Calls that were admitted and had not ended when this one started, itself among them.
    std::uint32_t inflight_at_start = 1;

    sample_outcome outcome = sample_outcome::success;
};

/// A rule that learns a limit of concurrency. Constructed from its `options_type`, which is checked
/// there by throwing `std::invalid_argument` that names the field.
///
/// `limit()` is how many calls may be in flight; at least 1, always: with none in flight the next
/// one is admitted, so that there is always a call to learn from. `on_sample` takes a call in and
/// answers the new `limit()`.
///
/// Guarantee:     an `ignored` sample changes nothing. Of one that is `dropped` the times are not
///                used: a refusal that comes quickly is no quick service.
/// Time:          samples may come in any order; time that runs backwards is taken to stand still.
/// Thread safety: none; who shares it holds a lock, that of the semaphore as a rule.
/// Cost:          O(1), amortised over the samples of a window where there are windows. Nothing is
///                allocated.
template <class Algorithm>
concept limit_algorithm = std::destructible<Algorithm> &&
    std::constructible_from<Algorithm, typename Algorithm::options_type const&> &&
    requires(Algorithm& learner, Algorithm const& learned, limit_sample const& sample) {
    { learner.on_sample(sample) }
    noexcept->std::same_as<std::uint32_t>;
    { learned.limit() }
    noexcept->std::same_as<std::uint32_t>;
};

/// Rules that learn a limit, each with its `<rule>_options`.
namespace limits {

/// The largest limit there is. More calls at once than that fit no process.
inline constexpr std::uint32_t limit_max = 1'000'000;

namespace detail {

constexpr void require(bool holds, char const* otherwise) {
    if (!holds) throw std::invalid_argument{otherwise};
}

/// How long a call took, in nanoseconds, as something to divide by.
[[nodiscard]] inline double nanoseconds_of(duration length) noexcept {
    return static_cast<double>(std::max(length, duration{1}).count());
}

/// log10 of a limit, but at least 1, so that a small limit moves too.
[[nodiscard]] inline double log_of(double limit) noexcept {
    return std::max(std::log10(limit), 1.0);
}

/// The limit that a number with a fraction stands for. Never 0.
[[nodiscard]] constexpr std::uint32_t whole(double limit) noexcept {
    return std::max<std::uint32_t>(static_cast<std::uint32_t>(limit), 1);
}

/// Whether so few calls were in flight that the limit held none back. What is not in use says
/// nothing about how much of it would do.
[[nodiscard]] constexpr bool is_unused(double limit, std::uint32_t inflight) noexcept {
    return 2.0 * inflight < limit;
}

}  // namespace detail
}  // namespace limits
}  // namespace hawser::inline v0
#endif  // HAWSER_LIMIT_LIMIT_ALGORITHM_HPP
