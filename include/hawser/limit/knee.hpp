// SPDX-License-Identifier: BSL-1.0
//
// A limit that finds the knee: where the dependency does as much as it can, and nothing waits yet.
//
//     throughput                            latency
//         |        ,-------- capacity          |           /
//         |      /                             |         /
//         |    /                               | -------'      <- baseline
//         |  /                                 |
//         +--------|-------- in flight         +---------|----- in flight
//                 knee                                  knee
//
// In windows of some 50 calls:
//
//     latency    p90 of the service times, smoothed
//     queue      = N * (1 - baseline / latency)      what of N in flight waits (Little's law)
//     response   does throughput follow when N moves, or stall?    (throughput_response)
//
//     queue          short             middling             long
//                 < 3 log10 L                            > 6 log10 L
//     L           up by log10 L        unchanged       down to what does not wait,
//                 (x 6 if it follows)                  unless throughput follows: then the
//     stalls      down by log10 L      down by log10 L      baseline is out of date, and rises
//
// The baseline is learned where no limit of ours can have made a queue: while the limit is not in
// use; and by a probe, which halves the limit for two windows. Calls that started before a probe
// say nothing about it.
//
// Sources: the queue and its bounds, TCP Vegas; windows, quantile and the correlation with
// throughput, Uber's Cinnamon and failsafe-go; draining before a probe is believed, Envoy's
// adaptive concurrency. That the knee is the place to be: L. Kleinrock, "Power and deterministic
// rules of thumb for probabilistic problems in computer communications", ICC 1979.
#ifndef HAWSER_LIMIT_KNEE_HPP
#define HAWSER_LIMIT_KNEE_HPP

#include <hawser/base/saturating.hpp>
#include <hawser/limit/detail/sample_window.hpp>
#include <hawser/limit/detail/throughput_response.hpp>
#include <hawser/limit/knee_options.hpp>
#include <hawser/limit/limit_algorithm.hpp>
#include <hawser/stats/ewma.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace hawser::inline v0 {
namespace limits {

/// Learns from windows of calls how long they take, how many get done, and what halving the limit
/// does to both. The algorithm to use where nothing speaks for another.
///
/// What it does not do: grow or shrink while the limit is not in use, or nothing arrives; take a
/// call that was ignored or dropped for a quick one; take waiting in our own queue for slowness of
/// the dependency; tell a dependency whose capacity falls from one that others load as well.
///
/// A probe costs half of the throughput for about four times the latency, at most once in 40
/// windows and `probe_every`; while probes still find that the limit is too high, after each third
/// window, and so once where the limit has halved since. It does not probe unless the limit is what
/// holds the calls back.
///
/// Guarantee, thread safety and cost as of `limit_algorithm`: what a window costs is two passes
/// over a `quantile_sketch`, some microseconds. About 16 KiB. `floor` <= limit <= `ceiling`, and in
/// a probe half of that, but at least 1.
class knee {
public:
    using options_type = knee_options;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit knee(knee_options const& options = {})
        : options_{detail::checked(options)}, limit_{static_cast<double>(options.initial)} {}

    std::uint32_t on_sample(limit_sample const& sample) noexcept {
        if (sample.outcome == sample_outcome::ignored) return limit();
        if (time_between(sample.now, window_.end()) > options_.window_max) follow_clock_back();
        if (sample.started < counts_from_ || sample.now < settled_at_) return limit();
        window_.record(sample);
        if (is_over()) close();
        return limit();
    }

    [[nodiscard]] std::uint32_t limit() const noexcept {
        return detail::whole(probing_ ? std::ceil(limit_ / 2) : limit_);
    }

    /// Whether the limit is halved to see what that does.
    [[nodiscard]] bool is_probing() const noexcept { return probing_; }

    /// What a call takes, at the quantile, when nothing waits; zero before the first window.
    [[nodiscard]] duration baseline() const noexcept { return scale(duration{1}, baseline_); }

    /// What a call takes of late, at the quantile, smoothed; zero before the first window.
    [[nodiscard]] duration latency() const noexcept { return scale(duration{1}, latency_.value()); }

private:
    using response = detail::response;

    // Fewer calls than these make no quantile.
    static constexpr std::uint64_t fewest_calls = 10;
    // Smoothing over about five windows: it halves the noise of a p90 of 50 calls, and a step is
    // seen to two thirds after three windows.
    static constexpr double smoothing = 0.3;
    // The baseline moves over ten windows or so: slower than the latency that it is to judge.
    static constexpr double baseline_weight = 0.1;
    // No step down leaves less than this, however long the queue looks: the estimate is one of a
    // round trip ago.
    static constexpr double most_at_once = 0.7;
    // From this share of the limit on it is the limit that holds the calls back, not the demand.
    static constexpr double held_from = 0.8;
    // Windows between probes: probes then take about 2 % of the throughput; or, while they find
    // something, as few as show what the last one changed.
    static constexpr std::uint32_t probe_seldom = 40, probe_soon = 3;
    // A limit that has fallen below this share of one that was tried is itself tried soon.
    static constexpr double doubted_from = 0.5;
    // The regression reaches back over about 25 windows.
    static constexpr double response_memory = 0.96;
    // The highest number in flight of the last 50 windows or so is what `headroom` multiplies.
    static constexpr double peak_memory = 0.98;

    [[nodiscard]] static double unit_of(double limit) noexcept {
        return std::max(std::log10(limit), 1.0 / 3);  // A limit of 1 moves too: by one in three.
    }

    /// A round trip takes a while to show what the limit does: a window lasts two, or `window_max`.
    [[nodiscard]] bool is_over() const noexcept {
        auto const calls = window_.calls();
        if (calls < fewest_calls) return false;
        auto const length = window_.length();
        if (length < std::min(two_round_trips(), options_.window_max)) return false;
        // A probe decides alone, where windows are smoothed: it is twice as long.
        return calls >= options_.window * (probing_ ? 2U : 1U) || length >= options_.window_max;
    }

    [[nodiscard]] duration two_round_trips() const noexcept {
        return latency_.empty() ? scale(window_.latest(), 2) : scale(duration{2}, latency_.value());
    }

    void close() noexcept {
        if (probing_) {
            if (is_telling()) conclude();
            probing_ = false;
            since_probe_ = 0;
            vouched_for_ = limit_;
            return settle();
        }
        ++since_probe_;
        peak_ = std::max(peak_ * peak_memory, static_cast<double>(window_.peak()));
        if (window_.served() >= fewest_calls) learn();
        decide();
        // What was learned when more was in flight is no evidence for a flood to come.
        auto const most = std::max<double>(options_.initial, options_.headroom * peak_);
        limit_ = std::clamp<double>(std::min(limit_, most), options_.floor, options_.ceiling);
        probing_ = is_probe_due();
        if (probing_) return settle();
        window_.restart(false);
    }

    [[nodiscard]] bool is_telling() const noexcept {
        return window_.served() >= fewest_calls && window_.dropped() <= options_.dropped;
    }

    [[nodiscard]] bool is_held() const noexcept {
        return window_.served() != 0 && window_.inflight() >= held_from * limit_;
    }

    void learn() noexcept {
        auto const took = window_.latency(options_.quantile);
        if (latency_.empty())
            baseline_ = took;
        else
            scatter_.record(std::min(std::abs(took / latency_.value() - 1), 1.0));
        latency_.record(took);
        inflight_.record(window_.inflight());
        throughput_.record(window_.throughput());
        // Where demand decides how much is in flight, a slow spell raises it: the line would say
        // that calls more slow things down, and mistake the effect for the cause.
        if (is_held()) response_.record(window_.inflight(), window_.throughput());
    }

    void decide() noexcept {
        auto const dropped = window_.dropped();
        if (dropped > options_.dropped) {
            limit_ *= 1 - dropped / 2;  // All of them: half of it.
            quick_ = false;
        } else if (latency_.empty()) {
            return;
        } else if (detail::is_unused(limit_, window_.peak())) {
            // Unless what is in flight waits all the same.
            if (response_now() != response::stalls) move_baseline(latency_.value());
            probed_at_ = window_.end();
            vouched_for_ = limit_;
        } else {
            steer();
        }
    }

    void steer() noexcept {
        auto const inflight = inflight_.value(), unit = unit_of(limit_);
        auto const carried = inflight * std::min(1.0, baseline_ / latency_.value());
        auto const queue = inflight - carried;
        auto const noise = scatter_.value() * inflight;  // What looks like a queue, and is chance.
        if (latency_.value() < baseline_) move_baseline(latency_.value());
        if (queue > 6 * unit + noise) {
            quick_ = false;
            if (response_now() == response::follows)
                move_baseline(latency_.value());
            else
                limit_ =
                    std::max(std::min(limit_, carried + 3 * unit + noise), limit_ * most_at_once);
        } else if (response_now() == response::stalls) {
            quick_ = false;
            limit_ -= unit;
        } else if (queue < 3 * unit + noise) {
            limit_ += unit * (quick_ || response_now() == response::follows ? 6 : 1);
        }
    }

    [[nodiscard]] response response_now() const noexcept {
        return response_.answer_at(inflight_.value());
    }

    void move_baseline(double towards) noexcept {
        baseline_ += (towards - baseline_) * baseline_weight;
    }

    [[nodiscard]] bool is_probe_due() const noexcept {
        if (limit_ < 2 || !is_held() || latency_.empty()) return false;
        // A queue that a stale baseline shows takes the limit down just as one that is there.
        if (found_ || limit_ < vouched_for_ * doubted_from) return since_probe_ >= probe_soon;
        return since_probe_ >= probe_seldom &&
               time_between(probed_at_, window_.end()) >= options_.probe_every;
    }

    /// Compares half of the limit with all of it.
    void conclude() noexcept {
        auto const took = window_.latency(options_.quantile);
        auto const fewer = inflight_.value() / window_.inflight();
        auto const slower = throughput_.value() / window_.throughput();
        // The slope between the two: 1 if half of the calls at once get half as much done. Where
        // demand has shrunk meanwhile, fewer is not few enough to divide by.
        auto const followed = std::log(slower) / std::log(std::max(fewer, 1.1));
        found_ = followed < 0.5;  // Halving cost less than 30 %.
        quick_ = !found_;
        // Of calls that got done beside one another, within a sixth, none waited to speak of: that
        // the probe had shorter ones is luck.
        auto const unqueued = followed > 0.8 ? std::max(took, latency_.value()) : took;
        baseline_ = found_ && took < baseline_ ? took : baseline_ + (unqueued - baseline_) / 2;
        response_.record(window_.inflight(), window_.throughput());
        // If all that were in flight were at work, so many are at work at the full throughput.
        auto const bend = window_.inflight() * std::max(1.0, slower);
        auto const most = bend * (1 + scatter_.value()) + 3 * unit_of(bend);
        limit_ = std::max<double>(std::min(limit_, most), options_.floor);
        probed_at_ = window_.end();
    }

    /// The limit has moved far. Only calls that start from now on are counted, and those only when
    /// the long ones among them have had time to end: the first to end are the short ones.
    void settle() noexcept {
        counts_from_ = window_.end();
        settled_at_ =
            add_saturating(counts_from_, std::min(two_round_trips(), options_.window_max));
        window_.restart(true);
    }

    /// A clock that ran ahead was set right: what it said is no time to wait for.
    void follow_clock_back() noexcept {
        probing_ = false;
        counts_from_ = settled_at_ = probed_at_ = time_point::min();
        window_.restart(true);
    }

    knee_options options_;
    double limit_;
    double baseline_ = 0;     ///< Nanoseconds; zero before the first window.
    double vouched_for_ = 0;  ///< The limit when the baseline was last learned, or probed for.
    double peak_ = 0;
    ewma_per_sample latency_{smoothing}, inflight_{smoothing}, throughput_{smoothing};
    ewma_per_sample scatter_{baseline_weight};  ///< How far windows lie off the latency, a share.
    detail::throughput_response response_{response_memory};
    detail::sample_window window_;
    time_point counts_from_ = time_point::min(), settled_at_ = time_point::min();
    time_point probed_at_ = time_point::min();  ///< Or when the baseline was learned unprobed.
    std::uint32_t since_probe_ = 0;             ///< Windows.
    bool probing_ = false;
    bool found_ = true;   ///< The last probe found the limit too high; or there was none yet.
    bool quick_ = false;  ///< The last probe found it too low, and no queue was seen since.
};

}  // namespace limits
}  // namespace hawser::inline v0
#endif  // HAWSER_LIMIT_KNEE_HPP
