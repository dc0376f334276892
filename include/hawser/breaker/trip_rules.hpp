// SPDX-License-Identifier: BSL-1.0
//
// The rules by which a closed circuit breaker opens: policy classes, several of which may stand in
// one breaker. Each is an aggregate of its numbers; its `detector` is what runs in the machine.
//
//     breaker_machine<trip::failure_rate, trip::consecutive_failures>
//
// A detector sees, under the machine's lock, every call that fails or is slow, and of the good ones
// only those it asks for through `watch_from`: the healthy case costs it nothing. It may ask for
// all while the next good call could decide (it completes the minimum of calls, or ends a row of
// failures), and for the first one after an instant.
#ifndef HAWSER_BREAKER_TRIP_RULES_HPP
#define HAWSER_BREAKER_TRIP_RULES_HPP

#include <hawser/base/time.hpp>
#include <hawser/breaker/hit_window.hpp>
#include <hawser/breaker/options.hpp>
#include <hawser/breaker/vote.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace hawser::inline v0 {

/// One counted call, as a detector sees it.
struct breaker_sample {
    bool failure = false;
    bool slow = false;           ///< Slow by the caller's own measure.
    duration took{};             ///< Known only if a rule of the breaker `needs_duration`.
    std::uint64_t position = 0;  ///< The calls counted so far, this one included.
    time_point now{};
};

/// What a class needs in order to be a rule of a `breaker_machine`.
///
/// `record` answers whether the breaker should open; `watch_from` the instant from which the
/// detector wants good calls too: `time_point::min()` for all, `max()` for none, and any other only
/// if `needs_now`. `slow_after` is the time above which a call is slow, or `never`.
template <class Rule>
concept trip_rule = std::copyable<Rule> &&
    std::constructible_from<typename Rule::detector, Rule const&> &&
    requires(typename Rule::detector detector, typename Rule::detector const& read,
             breaker_sample const& sample, std::uint64_t position, time_point now) {
    { Rule::needs_now } -> std::convertible_to<bool>;
    { Rule::needs_duration } -> std::convertible_to<bool>;
    { detector.record(sample) }
    noexcept->std::same_as<bool>;
    { read.watch_from(position, now) }
    noexcept->std::same_as<time_point>;
    { read.reading(position, now) }
    noexcept->std::same_as<rule_reading>;
    { read.slow_after() }
    noexcept->std::same_as<duration>;
    { detector.clear(position, now) }
    noexcept;
    { detector.adopt(detector, position) }
    noexcept;
};

namespace detail {

/// Trips where the share of hits in a window reaches a limit.
template <class Rule>
class rate_detector {
public:
    explicit rate_detector(Rule const& rule) : rule_{checked(rule)}, window_{rule.make_window()} {}

    bool record(breaker_sample const& call) noexcept {
        window_.advance(call.position, call.now);
        if (rule_.is_hit(call)) window_.hit(call.position);
        auto const seen = window_.counts(call.position, call.now);
        return seen.calls >= rule_.minimum_calls && reaches(seen.hits, seen.calls);
    }

    [[nodiscard]] time_point watch_from(std::uint64_t position, time_point now) const noexcept {
        // While calls are fewer than the minimum, a good one may be what completes it. Later, a
        // good call cannot raise the share: it comes in, and what it pushes out is a hit or not.
        auto const seen = window_.counts(position, now);
        bool const could =
            seen.hits > 0 && reaches(seen.hits, std::max(seen.calls, rule_.minimum_calls));
        return could ? time_point::min() : window_.next_edge();
    }

    [[nodiscard]] rule_reading reading(std::uint64_t position, time_point now) const noexcept {
        auto const seen = window_.counts(position, now);
        return {.rule = Rule::name, .calls = seen.calls, .hits = seen.hits, .limit = rule_.rate};
    }
    [[nodiscard]] duration slow_after() const noexcept { return rule_.slow_after(); }

    void clear(std::uint64_t position, time_point now) noexcept { window_.clear(position, now); }

    void adopt(rate_detector& fresh, std::uint64_t position) noexcept {
        rule_ = fresh.rule_;
        window_.adopt(fresh.window_, position);
    }

private:
    [[nodiscard]] bool reaches(std::uint32_t hits, std::uint32_t calls) const noexcept {
        // A quotient, not a product: division rounds to the nearest double, and so does the
        // compiler that reads "0.1", so that 3 of 30 reach 0.1. 0.1 * 30 is a little above 3.
        return static_cast<double>(hits) / static_cast<double>(calls) >= rule_.rate;
    }
    static Rule const& checked(Rule const& rule) {
        std::string const name = Rule::name;
        if (!is_share(rule.rate)) throw std::invalid_argument{name + ": rate is not in (0, 1]"};
        if (rule.minimum_calls == 0) throw std::invalid_argument{name + ": minimum_calls is zero"};
        rule.check();
        return rule;
    }

    Rule rule_;
    decltype(std::declval<Rule const&>().make_window()) window_;
};

inline void check_count_window(std::string const& rule, std::uint32_t window,
                               std::uint32_t minimum_calls) {
    if (window == 0 || window > breaker_window_max)
        throw std::invalid_argument{rule + ": window is not in [1, 65536]"};
    if (minimum_calls > window)
        throw std::invalid_argument{rule + ": minimum_calls is above window"};
}

}  // namespace detail

namespace trip {

/// Opens when, of the last `window` calls, the share `rate` or more failed. The default rule.
///
/// Guarantee: exact where calls do not overlap. A failure that is being counted may miss successes
/// that are recorded at the same moment: the window is then too long by at most their number.
struct failure_rate {
    double rate = 0.5;                 ///< In (0, 1]; equality opens.
    std::uint32_t window = 100;        ///< In [1, `breaker_window_max`].
    std::uint32_t minimum_calls = 20;  ///< In [1, `window`]: with fewer calls there is no rate.

    static constexpr char const* name = "failure_rate";
    static constexpr bool needs_now = false, needs_duration = false;
    using detector = detail::rate_detector<failure_rate>;

    static bool is_hit(breaker_sample const& call) noexcept { return call.failure; }
    static duration slow_after() noexcept { return never; }
    void check() const { detail::check_count_window(name, window, minimum_calls); }
    [[nodiscard]] detail::count_hits make_window() const { return detail::count_hits{window}; }
};

/// Opens when, of the last `window` calls, the share `rate` or more were slow, failed or not.
///
/// A slow success is a good call to every other rule. Makes the breaker read the clock twice a
/// call.
struct slow_rate {
    duration slower_than = std::chrono::seconds{1};  ///< Positive. Equality is not slow.
    double rate = 0.5;                               ///< In (0, 1]; equality opens.
    std::uint32_t window = 100;                      ///< In [1, `breaker_window_max`].
    std::uint32_t minimum_calls = 20;                ///< In [1, `window`].

    static constexpr char const* name = "slow_rate";
    static constexpr bool needs_now = false, needs_duration = true;
    using detector = detail::rate_detector<slow_rate>;

    [[nodiscard]] bool is_hit(breaker_sample const& call) const noexcept {
        return call.slow || call.took > slower_than;
    }
    [[nodiscard]] duration slow_after() const noexcept { return slower_than; }
    void check() const {
        if (slower_than <= duration::zero())
            throw std::invalid_argument{"slow_rate: slower_than is not positive"};
        detail::check_count_window(name, window, minimum_calls);
    }
    [[nodiscard]] detail::count_hits make_window() const { return detail::count_hits{window}; }
};

/// Opens when, of the calls that ended within the last `window` of time, the share `rate` or more
/// failed. Right where traffic is so thin that the last 100 calls reach back too far.
///
/// Makes the breaker read the clock at the end of each call. The first call in each bucket takes
/// the lock, the other good ones do not. A call recorded at the very edge of a bucket may be
/// counted in the next.
struct failure_rate_over_time {
    double rate = 0.5;                           ///< In (0, 1]; equality opens.
    duration window = std::chrono::seconds{30};  ///< At least a nanosecond for each bucket.
    std::uint32_t minimum_calls = 20;            ///< Positive: with fewer calls there is no rate.
    std::uint32_t buckets = 10;                  ///< In [1, 1000]: `window` moves on in such steps.

    static constexpr char const* name = "failure_rate_over_time";
    static constexpr bool needs_now = true, needs_duration = false;
    using detector = detail::rate_detector<failure_rate_over_time>;

    static bool is_hit(breaker_sample const& call) noexcept { return call.failure; }
    static duration slow_after() noexcept { return never; }
    void check() const {
        if (buckets == 0 || buckets > 1000)
            throw std::invalid_argument{"failure_rate_over_time: buckets is not in [1, 1000]"};
        if (window < duration{buckets})
            throw std::invalid_argument{"failure_rate_over_time: window is below 1 ns a bucket"};
    }
    [[nodiscard]] detail::timed_hits make_window() const { return {window, buckets}; }
};

/// Opens at `count` failures without a success between them. Slow successes are successes.
///
/// After a failure the next success takes the lock; the ones after that do not.
struct consecutive_failures {
    std::uint32_t count = 5;  ///< Positive.

    static constexpr char const* name = "consecutive_failures";
    static constexpr bool needs_now = false, needs_duration = false;

    class detector {
    public:
        explicit detector(consecutive_failures const& rule) : limit_{rule.count} {
            if (limit_ == 0) throw std::invalid_argument{"consecutive_failures: count is zero"};
        }
        bool record(breaker_sample const& call) noexcept {
            row_ = !call.failure ? 0 : row_ == limit_ ? limit_ : row_ + 1;  // Cannot wrap.
            return row_ == limit_;
        }
        [[nodiscard]] time_point watch_from(std::uint64_t, time_point) const noexcept {
            return row_ != 0 ? time_point::min() : time_point::max();
        }
        [[nodiscard]] rule_reading reading(std::uint64_t, time_point) const noexcept {
            return {.rule = name, .calls = row_, .hits = row_, .limit = double{1} * limit_};
        }
        [[nodiscard]] static duration slow_after() noexcept { return never; }
        void clear(std::uint64_t, time_point) noexcept { row_ = 0; }
        void adopt(detector& fresh, std::uint64_t) noexcept {
            limit_ = fresh.limit_;
            row_ = std::min(row_, limit_);
        }

    private:
        std::uint32_t limit_;
        std::uint32_t row_ = 0;
    };
};

}  // namespace trip

namespace detail {

/// The rule that the options describe: for a breaker that is given no other.
[[nodiscard]] inline trip::failure_rate default_rule(circuit_breaker_options const& options) {
    check(options);  // First, so that an error names the field that the user wrote.
    return {options.failure_rate, options.window, options.minimum_calls};
}

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_BREAKER_TRIP_RULES_HPP
