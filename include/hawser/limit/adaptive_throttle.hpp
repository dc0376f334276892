// SPDX-License-Identifier: BSL-1.0
//
// A client that sends less to a dependency that turns it away, by what it was turned away of late.
//
//     rejected here with probability   p = (requests - K * accepts) / (requests + 1), at least 0
//
//     p 1 |.                 of the last `window`:
//         |  .                 requests   calls that were asked for, those rejected here among them
//         |    .               accepts    calls that the dependency accepted
//         |      .
//       0 +--------.----------
//         0       1/K        1  accepts / requests
//
// With K = 2 the dependency gets at most about twice of what it accepts, however much is asked for.
// With priorities the share p is taken from the lowest first:
//
//     class    lowest          ...          highest      of all calls
//              |########|######|........|..........|
//              |<-- p of all calls ->|
//
// Source: "Handling Overload", in B. Beyer et al., "Site Reliability Engineering", O'Reilly 2016
// (client-side throttling). The floors, and that classes share p by their shares, are ours.
#ifndef HAWSER_LIMIT_ADAPTIVE_THROTTLE_HPP
#define HAWSER_LIMIT_ADAPTIVE_THROTTLE_HPP

#include <hawser/base/random.hpp>
#include <hawser/base/saturating.hpp>
#include <hawser/limit/limit_algorithm.hpp>
#include <hawser/stats/time_window.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

namespace hawser::inline v0 {

/// When an `adaptive_throttle` rejects, and what it always lets through.
struct adaptive_throttle_options {
    /// K: how many calls may be asked for each one that is accepted before any is rejected. In
    /// [1, 100]. Nearer to 1 it rejects sooner, and the dependency is asked for less in vain.
    double multiplier = 2.0;

    /// How far back calls count. From 10 ms to an hour.
    duration window = std::chrono::minutes{2};

    /// Parts in which the window moves on, from 1 to 1000.
    std::uint32_t buckets = 24;

    /// The largest probability with which a call of any class is rejected. In [0, 1). What is left
    /// is how a dependency that has recovered is found.
    double rejection_max = 0.9;

    /// Calls in the window below which none is rejected: a few failures are no overload. At most
    /// a million.
    std::uint32_t requests_min = 10;

    /// A call that comes so long after the last that was let through is let through. From 1 ms to
    /// an hour. It bounds what a client with few calls waits for its chance.
    duration let_through_every = std::chrono::seconds{1};

    /// The lowest and the highest priority that are told apart; what lies beyond counts as the
    /// nearer of the two. The lowest is rejected first. `priority_min` <= `priority_max`, and at
    /// most 15 apart.
    std::int32_t priority_min = -2;
    std::int32_t priority_max = 2;

    friend constexpr bool operator==(adaptive_throttle_options const&,
                                     adaptive_throttle_options const&) = default;
};

/// The answer to one call that asks to go on.
struct [[nodiscard]] throttle_answer {
    bool admitted = false;

    /// Zero if admitted. If rejected, the wait after which the same call would be admitted for
    /// certain, were no other to be until then. Asked again before that, it has its chance anew.
    duration retry_after{};

    /// With what probability a call of this priority is rejected as things stand.
    double probability = 0;

    explicit operator bool() const noexcept { return admitted; }
};

/// Rejects calls at random, as far as the dependency refuses them. Starts by admitting all.
///
/// `admit` is asked before a call, `on_result` told after each that was admitted. A call counts
/// when it ends, or at once if it is rejected: calls still out are neither accepted nor refused.
///
/// Guarantee:     of a class, at least 1 - `rejection_max` of the calls are admitted, on average;
///                whatever the chances, a call `let_through_every` after the last that was
///                admitted. No call is rejected while one of a lower class has a smaller
///                probability to be.
/// Time:          that runs backwards is taken to stand still.
/// Thread safety: all members may be called concurrently; `Random` is drawn from outside the lock.
/// Cost:          a short critical section for each call of a member, and a second one with a draw
///                where calls are rejected: O(classes) there, else O(1), amortised over the
///                buckets that time passes. Nothing is allocated after construction.
template <random_source Random = shared_random>
class basic_adaptive_throttle {
public:
    using options_type = adaptive_throttle_options;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit basic_adaptive_throttle(adaptive_throttle_options const& options = {},
                                     Random random = {})
        : options_{checked(options)},
          random_{std::move(random)},
          all_{{.span = options.window, .buckets = options.buckets}},
          classes_(classes_of(options), all_) {}

    basic_adaptive_throttle(basic_adaptive_throttle const&) = delete;
    basic_adaptive_throttle& operator=(basic_adaptive_throttle const&) = delete;

    /// Whether a call goes on. Never waits. Draws only if the call may be rejected.
    throttle_answer admit(time_point now, std::int32_t priority = 0) noexcept {
        auto const place = place_of(priority);
        double probability = 0;
        {
            std::lock_guard const lock{mutex_};
            probability = probability_of(now, place);
            if (probability == 0) return let_through(now, probability);
        }
        auto const chance = static_cast<double>(random_()) * 0x1p-64;  // In [0, 1].
        std::lock_guard const lock{mutex_};
        auto const next = add_saturating(admitted_at_, options_.let_through_every);
        if (chance >= probability || now >= next) return let_through(now, probability);
        count(now, place, {.failure = true});
        return {
            .admitted = false, .retry_after = time_between(now, next), .probability = probability};
    }

    /// A call that was admitted has ended. `dropped`: the dependency refused it as too much, or
    /// did not answer in time. `success`: it accepted it, whatever the answer was. `ignored`: it
    /// says nothing, and does not count.
    void on_result(time_point now, sample_outcome outcome, std::int32_t priority = 0) noexcept {
        if (outcome == sample_outcome::ignored) return;
        std::lock_guard const lock{mutex_};
        count(now, place_of(priority), {.failure = outcome == sample_outcome::dropped});
    }

    /// With what probability a call of this priority would be rejected at `now`.
    [[nodiscard]] double rejection_probability(time_point now,
                                               std::int32_t priority = 0) const noexcept {
        std::lock_guard const lock{mutex_};
        return probability_of(now, place_of(priority));
    }

private:
    static adaptive_throttle_options const& checked(adaptive_throttle_options const& options) {
        using namespace std::chrono_literals;
        auto const require = limits::detail::require;
        require(options.multiplier >= 1 && options.multiplier <= 100,
                "adaptive_throttle: multiplier is not in [1, 100]");
        require(options.window >= 10ms && options.window <= 1h,
                "adaptive_throttle: window is not in [10 ms, 1 h]");
        require(options.buckets >= 1 && options.buckets <= time_window::buckets_max,
                "adaptive_throttle: buckets is not in [1, 1000]");
        require(options.rejection_max >= 0 && options.rejection_max < 1,
                "adaptive_throttle: rejection_max is not in [0, 1)");
        require(options.requests_min <= 1'000'000,
                "adaptive_throttle: requests_min is over 1000000");
        require(options.let_through_every >= 1ms && options.let_through_every <= 1h,
                "adaptive_throttle: let_through_every is not in [1 ms, 1 h]");
        require(options.priority_min <= options.priority_max,
                "adaptive_throttle: priority_max is below priority_min");
        require(classes_of(options) <= 16,
                "adaptive_throttle: priority_max is more than 15 above priority_min");
        return options;
    }

    static std::size_t classes_of(adaptive_throttle_options const& options) noexcept {
        return static_cast<std::size_t>(std::int64_t{options.priority_max} - options.priority_min) +
               1;
    }

    [[nodiscard]] std::size_t place_of(std::int32_t priority) const noexcept {
        auto const known = std::clamp(priority, options_.priority_min, options_.priority_max);
        return static_cast<std::size_t>(std::int64_t{known} - options_.priority_min);
    }

    throttle_answer let_through(time_point now, double probability) noexcept {
        admitted_at_ = std::max(admitted_at_, now);
        return {.admitted = true, .retry_after = {}, .probability = probability};
    }

    void count(time_point now, std::size_t place, call_mark mark) noexcept {
        all_.record(now, mark);
        classes_[place].record(now, mark);
    }

    /// The share of all calls that is to be rejected.
    [[nodiscard]] double wanted(call_counts const& seen) const noexcept {
        if (seen.calls < options_.requests_min) return 0;
        auto const requests = static_cast<double>(seen.calls);
        auto const accepts = requests - static_cast<double>(seen.failures);
        return std::max((requests - options_.multiplier * accepts) / (requests + 1), 0.0);
    }

    /// What falls to one class of the share wanted, when those below it have rejected what they
    /// may. A class that was not seen of late has no share to give, and is as the one above it.
    [[nodiscard]] double probability_of(time_point now, std::size_t place) const noexcept {
        auto const seen = all_.totals(now);
        auto left = wanted(seen) * static_cast<double>(seen.calls);
        if (left == 0) return 0;
        for (std::size_t below = 0; below < place; ++below)
            left -= options_.rejection_max * calls_of(now, below);
        if (left <= 0) return 0;
        auto mine = calls_of(now, place);
        for (auto above = place + 1; mine == 0 && above < classes_.size(); ++above)
            mine = calls_of(now, above);
        return mine == 0 ? options_.rejection_max : std::min(left / mine, options_.rejection_max);
    }

    [[nodiscard]] double calls_of(time_point now, std::size_t place) const noexcept {
        return static_cast<double>(classes_[place].totals(now).calls);
    }

    adaptive_throttle_options const options_;
    [[no_unique_address]] Random random_;
    mutable std::mutex mutex_;  // Guards what follows.
    time_window all_;
    std::vector<time_window> classes_;
    time_point admitted_at_ = time_point::min();
};

/// A throttle that draws from the random numbers of the process.
using adaptive_throttle = basic_adaptive_throttle<>;

}  // namespace hawser::inline v0
#endif  // HAWSER_LIMIT_ADAPTIVE_THROTTLE_HPP
