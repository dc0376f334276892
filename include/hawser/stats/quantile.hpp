// SPDX-License-Identifier: BSL-1.0
//
// Quantiles of any number of durations, in memory that does not grow, within a stated error.
//
//     0 1 2 ... 63 | 64 66 68 ... 126 | 128 132 ... 252 | ...      nanoseconds
//     1 wide       | 2 wide           | 4 wide          | 8 wide ...
//
// A bucket is at most 1/32 as wide as the values in it are large, and answers with its middle. The
// bucket of a value is its five bits after the leading one, and the place of that: no logarithm.
// Source: the bucket layout of G. Tene's HdrHistogram; the idea of a bound relative to the value
// instead of its rank, C. Masson, J. Rim, H. Lee, "DDSketch", VLDB 2019.
#ifndef HAWSER_STATS_QUANTILE_HPP
#define HAWSER_STATS_QUANTILE_HPP

#include <hawser/base/time.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace hawser::inline v0 {

/// What part of a set of durations lies below which. Starts empty.
///
/// Guarantee:     `at(q)` is within `relative_error` (1/64, under 1.6 %) of the sample that stands
///                at the rank of q, whatever the samples are, from zero to `duration::max()`;
///                below 64 ns it is that sample.
/// Thread safety: none; callers serialise.
/// Cost:          `record` O(1); `at` one pass over the buckets, so ask seldom and keep the answer.
///                About 15 KiB inside the object; nothing is allocated.
/// What it does not do: forget by itself. `halve` it at intervals, or `merge` a ring of sketches.
class quantile_sketch {
public:
    /// |answer - sample| <= relative_error * sample.
    static constexpr double relative_error = 1.0 / 64;

    /// Counts a duration; a negative one as zero.
    void record(duration sample) noexcept {
        ++buckets_[bucket_of(sample)];
        ++count_;
    }

    /// The sample of rank ceil(q * count), at least 1, in ascending order, to within the error:
    /// 0 asks for the smallest, 0.5 for the median, 1 for the largest. None if nothing was counted.
    ///
    /// A q outside [0, 1] is taken as the nearer end, and one that is no number as 1.
    [[nodiscard]] std::optional<duration> at(double q) const noexcept {
        if (count_ == 0) return std::nullopt;
        auto const rank = rank_of(q);
        std::uint64_t seen = 0;
        std::size_t bucket = 0;
        while ((seen += buckets_[bucket]) < rank) ++bucket;
        return middle_of(bucket);
    }

    /// How many samples it stands for.
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

    /// Counts every sample of `other` too.
    void merge(quantile_sketch const& other) noexcept {
        for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
        count_ += other.count_;
    }

    /// Keeps every second sample, in ascending order: the older ones come to weigh half as much as
    /// those still to arrive, and no quantile moves by more than one rank.
    void halve() noexcept {
        std::uint64_t seen = 0, kept = 0;
        for (auto& bucket : buckets_) {
            seen += bucket;
            bucket = seen / 2 - kept;
            kept = seen / 2;
        }
        count_ = kept;
    }

    /// Forgets every sample.
    void clear() noexcept {
        buckets_.fill(0);
        count_ = 0;
    }

private:
    static constexpr int precision_bits = 5;  // Half a bucket is 1/2^(5+1) of its values.
    static constexpr std::uint64_t per_octave = 1U << precision_bits;
    // Two octaves of single values, then one for each higher place of the leading bit, up to 62.
    static constexpr std::size_t bucket_count = (63 - precision_bits + 1) * per_octave;

    [[nodiscard]] static std::size_t bucket_of(duration sample) noexcept {
        auto const value = static_cast<std::uint64_t>(std::max(sample, duration::zero()).count());
        auto const octave =
            std::max(static_cast<int>(std::bit_width(value)) - precision_bits - 1, 0);
        return static_cast<std::size_t>(octave) * per_octave + (value >> octave);
    }

    [[nodiscard]] static duration middle_of(std::size_t bucket) noexcept {
        if (bucket < 2 * per_octave) return duration{static_cast<duration::rep>(bucket)};
        auto const octave = bucket / per_octave - 1;
        auto const lowest = (bucket - octave * per_octave) << octave;
        auto const half_width = std::uint64_t{1} << (octave - 1);
        return duration{static_cast<duration::rep>(lowest + half_width)};
    }

    [[nodiscard]] std::uint64_t rank_of(double q) const noexcept {
        if (!(q < 1)) return count_;
        auto const rank = std::ceil(std::max(q, 0.0) * static_cast<double>(count_));
        // Below 2^64 it converts; a count that a double rounds up may be overtaken, hence the end.
        constexpr double too_large = 18446744073709551616.0;
        if (rank >= too_large) return count_;
        return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1, count_);
    }

    std::array<std::uint64_t, bucket_count> buckets_{};
    std::uint64_t count_ = 0;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_STATS_QUANTILE_HPP
