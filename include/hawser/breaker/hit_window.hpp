// SPDX-License-Identifier: BSL-1.0
//
// Windows over calls of which only the bad ones ("hits") are ever written down.
//
// Each call has a position: how many calls there were up to and with it. Somebody else counts them,
// cheaply and in many places at once; a window is told the position only when a hit comes, or when
// somebody asks. What it stores is where the hits stand:
//
//     calls        . . . . x . . . . . . x . . x . . . . . . .      x hit, . good call
//     position     1       5             12    15            22
//     last 12                          [ 12    15            ]      12 calls, 2 hits
//
// So a good call costs a window nothing at all. Given exact positions the windows are exact.
#ifndef HAWSER_BREAKER_HIT_WINDOW_HPP
#define HAWSER_BREAKER_HIT_WINDOW_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>
#include <hawser/containers/ring.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace hawser::inline v0::detail {

struct window_counts {
    std::uint32_t calls = 0;
    std::uint32_t hits = 0;
};

/// The count of calls as a 32-bit number, or the largest there is.
[[nodiscard]] constexpr std::uint32_t clamped(std::uint64_t count) noexcept {
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(count, std::numeric_limits<std::uint32_t>::max()));
}

/// Hits among the last `length` calls. Exact.
///
/// Thread safety: none of its own. Cost: `hit` O(1) amortised; `counts` O(1) right after `advance`
/// with the same position, else O(hits that have left since). Allocates in the constructor only.
class count_hits {
public:
    /// Requires `length > 0`. May throw `std::bad_alloc`.
    explicit count_hits(std::uint32_t length) : positions_{std::size_t{length}} {}

    /// Forgets what the call at `position` pushes out. Positions never fall.
    void advance(std::uint64_t position, time_point) noexcept {
        while (!positions_.empty() && has_left(positions_.front(), position))
            positions_.pop_front();
    }

    /// The call at `position`, to which the window was advanced, is a hit.
    void hit(std::uint64_t position) noexcept {
        // Positions differ and those that left are gone: there is a slot for each that remains.
        positions_.push_back_evicting(position);
    }

    [[nodiscard]] window_counts counts(std::uint64_t position, time_point) const noexcept {
        std::size_t left = 0;
        while (left < positions_.size() && has_left(positions_[left], position)) ++left;
        return {clamped(std::min<std::uint64_t>(position - begin_, positions_.capacity())),
                clamped(positions_.size() - left)};
    }

    /// Forgets all calls up to and with `position`.
    void clear(std::uint64_t position, time_point) noexcept {
        positions_.clear();
        begin_ = position;
    }

    /// No instant at which time alone changes the counts.
    [[nodiscard]] static time_point next_edge() noexcept { return time_point::max(); }

    /// Takes the length of `fresh` and keeps what both lengths know; `fresh` gets the old storage.
    void adopt(count_hits& fresh, std::uint64_t position) noexcept {
        advance(position, {});
        std::swap(positions_, fresh.positions_);
        auto& old = fresh.positions_;
        if (position - begin_ > old.capacity()) begin_ = position - old.capacity();
        while (!old.empty()) positions_.push_back_evicting(old.pop_front());
    }

private:
    [[nodiscard]] bool has_left(std::uint64_t hit, std::uint64_t position) const noexcept {
        return position - hit >= positions_.capacity();
    }

    ring<std::uint64_t> positions_;
    std::uint64_t begin_ = 0;  ///< The position before the first call that counts.
};

struct hit_bucket {
    std::int64_t index = 0;    ///< Its start, in widths since the clock's epoch.
    std::uint64_t before = 0;  ///< The position before its first call.
    std::uint64_t hits = 0;
};

/// Hits in the last `length` of time, kept in `buckets` of equal width: what it answers for reaches
/// back between `length` less one bucket and `length`. Within its buckets, exact.
///
/// The first call in a bucket has to `advance` the window, good or not; `next_edge` says when that
/// will be. If time steps back, calls join the newest bucket until time has caught up with it.
///
/// Thread safety: none of its own. Cost: O(buckets). Allocates in the constructor only.
class timed_hits {
public:
    /// Requires `length > 0`, `buckets > 0`. May throw `std::bad_alloc`.
    timed_hits(duration length, std::uint32_t buckets)
        : width_{(length - duration{1}) / buckets + duration{1}}, buckets_{std::size_t{buckets}} {}

    /// Makes sure that there is a bucket for the call at `position` and `now`.
    void advance(std::uint64_t position, time_point now) noexcept {
        auto const index = index_of(now);
        if (!buckets_.empty() && index <= buckets_.back().index) return;
        while (!buckets_.empty() && has_left(buckets_.front().index, index)) buckets_.pop_front();
        buckets_.push_back_evicting({.index = index, .before = position - 1, .hits = 0});
    }

    /// The call at a position to which the window was advanced is a hit.
    void hit(std::uint64_t) noexcept { ++buckets_.back().hits; }

    [[nodiscard]] window_counts counts(std::uint64_t position, time_point now) const noexcept {
        std::uint64_t calls = 0, hits = 0;
        for (std::size_t i = buckets_.size(); i-- > 0;) {
            if (has_left(buckets_[i].index, index_of(now))) break;
            calls = position - buckets_[i].before;
            hits += buckets_[i].hits;
        }
        return {clamped(calls), clamped(hits)};
    }

    /// Forgets all calls up to and with `position`.
    void clear(std::uint64_t, time_point) noexcept { buckets_.clear(); }

    /// The first instant whose call must advance the window.
    [[nodiscard]] time_point next_edge() const noexcept {
        if (buckets_.empty()) return time_point::min();
        auto const start = multiply_divide(buckets_.back().index, width_.count(), 1);
        return add_saturating(time_point{duration{start}}, width_);
    }

    /// Takes the measures of `fresh`. What is known is kept if the buckets are as wide as before,
    /// as far as the new number of them reaches; else the window starts anew.
    void adopt(timed_hits& fresh, std::uint64_t) noexcept {
        bool const as_wide = width_ == fresh.width_;
        width_ = fresh.width_;
        std::swap(buckets_, fresh.buckets_);
        while (as_wide && !fresh.buckets_.empty())
            buckets_.push_back_evicting(fresh.buckets_.pop_front());
    }

private:
    [[nodiscard]] std::int64_t index_of(time_point now) const noexcept {
        auto const since = now.time_since_epoch();
        return since / width_ - (since % width_ < duration::zero() ? 1 : 0);  // Rounds down.
    }
    [[nodiscard]] bool has_left(std::int64_t bucket_index, std::int64_t index) const noexcept {
        // Wide, because indices take all 64 bits where buckets are a nanosecond wide.
        return wide_int{index} - bucket_index >= static_cast<std::int64_t>(buckets_.capacity());
    }

    duration width_;
    ring<hit_bucket> buckets_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_BREAKER_HIT_WINDOW_HPP
