// SPDX-License-Identifier: BSL-1.0
//
// How the calls of the last while went, to within the width of a bucket.
//
//         |<----------------- span ------------------>|
//         +---------+---------+---------+---------+---+- - -+
//         | oldest  |         |         |         | head    |     sum_ = all buckets
//         +---------+---------+---------+---------+---+- - -+
//                                                     now
//
// Calls are counted in the head bucket. When time passes its end, the oldest bucket leaves the sum
// and becomes the head; no timer does this, but the next call that tells the time.
#ifndef HAWSER_STATS_TIME_WINDOW_HPP
#define HAWSER_STATS_TIME_WINDOW_HPP

#include <hawser/base/time.hpp>
#include <hawser/stats/call_counts.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace hawser::inline v0 {

struct time_window_options {
    /// How far back the window reaches. At least a nanosecond for each bucket.
    duration span = std::chrono::seconds{10};

    /// Parts that the span is divided into, from 1 to 1000. More of them make the window slide more
    /// smoothly; one makes it jump: it then forgets everything once in every span.
    std::uint32_t buckets = 10;
};

/// A window over the calls of the last `span`. Starts empty.
///
/// Guarantee:     `totals(now)` counts every call of the last `span - width`, none from before the
///                last `span`, and what lies between wholly or not, a bucket at a time. `width` is
///                `span / buckets`, rounded down to a nanosecond, and `span` is `width * buckets`.
/// Time:          that runs backwards is taken to stand still: a call is dated by the latest time
///                that `record` was told by then, and nothing counted is thrown away.
/// Thread safety: none; callers serialise. `totals` writes nothing.
/// Cost:          O(1) without allocation, and at most one pass over the buckets after a rest.
class time_window {
public:
    static constexpr std::uint32_t buckets_max = 1000;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit time_window(time_window_options const& options = {})
        : width_{width_of(options)}, buckets_(options.buckets) {
        start_head_at(time_point::min());
    }

    time_window(time_window const&) = default;
    time_window& operator=(time_window const&) = default;
    ~time_window() = default;

    /// Counts a call that ends at `now`.
    void record(time_point now, call_mark mark) noexcept {
        if (now >= head_end_) advance(now);
        buckets_[head_] += mark;
        sum_ += mark;
    }

    /// The calls that the window holds at `now`.
    [[nodiscard]] call_counts totals(time_point now) const noexcept {
        auto held = sum_;
        auto const gone = buckets_passed_by(now);
        auto oldest = head_;
        for (std::uint64_t i = 0; i < gone; ++i) held -= buckets_[oldest = after(oldest)];
        return held;
    }

    /// Forgets every call.
    void clear() noexcept {
        std::fill(buckets_.begin(), buckets_.end(), call_counts{});
        sum_ = {};
    }

    /// The length of a bucket.
    [[nodiscard]] duration width() const noexcept { return width_; }

    /// How far back the window reaches.
    [[nodiscard]] duration span() const noexcept {
        return width_ * static_cast<duration::rep>(buckets_.size());
    }

private:
    static duration width_of(time_window_options const& options) {
        if (options.buckets == 0 || options.buckets > buckets_max)
            throw std::invalid_argument{"time_window: buckets is not in [1, 1000]"};
        if (options.span < duration{options.buckets})
            throw std::invalid_argument{"time_window: span is under a nanosecond for each bucket"};
        return options.span / options.buckets;
    }

    [[nodiscard]] std::size_t after(std::size_t bucket) const noexcept {
        return bucket + 1 == buckets_.size() ? 0 : bucket + 1;
    }

    /// From the head's beginning to `now`, which is not before it. Unsigned, because the whole line
    /// of time is longer than a signed number of nanoseconds can say.
    [[nodiscard]] std::uint64_t since_head(time_point now) const noexcept {
        return static_cast<std::uint64_t>(now.time_since_epoch().count()) -
               static_cast<std::uint64_t>(head_start_.time_since_epoch().count());
    }

    /// How many buckets have left the window when it is `now`: at most all of them.
    [[nodiscard]] std::uint64_t buckets_passed_by(time_point now) const noexcept {
        if (now < head_end_) return 0;
        auto const width = static_cast<std::uint64_t>(width_.count());
        return std::min<std::uint64_t>(since_head(now) / width, buckets_.size());
    }

    void advance(time_point now) noexcept {
        for (auto gone = buckets_passed_by(now); gone > 0; --gone) {
            head_ = after(head_);
            sum_ -= buckets_[head_];
            buckets_[head_] = {};
        }
        auto const into_bucket = since_head(now) % static_cast<std::uint64_t>(width_.count());
        start_head_at(now - duration{static_cast<duration::rep>(into_bucket)});
    }

    /// At the end of all time the end saturates; the head then stays the head.
    void start_head_at(time_point start) noexcept {
        head_start_ = start;
        head_end_ = add_saturating(start, width_);
    }

    duration width_;
    time_point head_start_, head_end_;
    std::size_t head_ = 0;
    call_counts sum_;
    std::vector<call_counts> buckets_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_STATS_TIME_WINDOW_HPP
