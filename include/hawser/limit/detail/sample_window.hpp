// SPDX-License-Identifier: BSL-1.0
//
// What a number of calls that ended one after the other say together.
#ifndef HAWSER_LIMIT_DETAIL_SAMPLE_WINDOW_HPP
#define HAWSER_LIMIT_DETAIL_SAMPLE_WINDOW_HPP

#include <hawser/limit/limit_algorithm.hpp>
#include <hawser/stats/quantile.hpp>

#include <algorithm>
#include <cstdint>

namespace hawser::inline v0 {
namespace limits::detail {

/// The calls of one window, in sums. Starts empty, and open at no time.
///
/// Thread safety: none. Cost: O(1) without allocation; `latency` and `restart` pass over the
/// buckets of the sketch, about 15 KiB.
class sample_window {
public:
    /// Counts a call that was served or dropped; only those that were served have times.
    void record(limit_sample const& sample) noexcept {
        if (opened_by_call_ && calls() == 0) start_ = last_ = sample.now;
        last_ = std::max(last_, sample.now);
        peak_ = std::max(peak_, sample.inflight_at_start);
        if (sample.outcome == sample_outcome::dropped) {
            ++dropped_;
            return;
        }
        times_.record(sample.service_time);
        latest_ = sample.service_time;
        inflight_ += sample.inflight_at_start;
    }

    [[nodiscard]] std::uint64_t calls() const noexcept { return times_.count() + dropped_; }
    [[nodiscard]] std::uint64_t served() const noexcept { return times_.count(); }

    /// The share of calls that were dropped. Requires a call.
    [[nodiscard]] double dropped() const noexcept {
        return static_cast<double>(dropped_) / static_cast<double>(calls());
    }

    /// The service time of the call that was served last, in this window or before; zero if none.
    [[nodiscard]] duration latest() const noexcept { return latest_; }

    /// From the beginning to the end of the last call so far.
    [[nodiscard]] duration length() const noexcept { return time_between(start_, last_); }

    /// Nanoseconds that stand at `quantile` of the service times. Requires a call that was served.
    [[nodiscard]] double latency(double quantile) const noexcept {
        return nanoseconds_of(*times_.at(quantile));
    }

    /// When the last call so far ended.
    [[nodiscard]] time_point end() const noexcept { return last_; }

    /// The mean of the calls in flight when those served started. Requires one that was served.
    [[nodiscard]] double inflight() const noexcept {
        return std::max(inflight_ / static_cast<double>(served()), 1.0);
    }

    /// Calls served in a nanosecond; at least a part of one. The call whose end is the beginning
    /// was not served within the window.
    [[nodiscard]] double throughput() const noexcept {
        auto const within = static_cast<double>(served()) - (opened_by_call_ ? 1 : 0);
        return std::max(within, 0.5) / nanoseconds_of(length());
    }

    /// The most calls that were in flight.
    [[nodiscard]] std::uint32_t peak() const noexcept { return peak_; }

    /// Empties it. It begins at the end of the call that ended it, or, if `gap`, with the end of
    /// the next call it counts.
    void restart(bool gap) noexcept {
        times_.clear();
        inflight_ = 0;
        dropped_ = peak_ = 0;
        opened_by_call_ = gap;
        start_ = last_;
    }

private:
    quantile_sketch times_;
    duration latest_{};
    double inflight_ = 0;  ///< A sum; a double holds every one exactly for 2^33 calls and more.
    std::uint64_t dropped_ = 0;
    std::uint32_t peak_ = 0;
    bool opened_by_call_ = true;
    time_point start_ = time_point::min(), last_ = time_point::min();
};

}  // namespace limits::detail
}  // namespace hawser::inline v0
#endif  // HAWSER_LIMIT_DETAIL_SAMPLE_WINDOW_HPP
