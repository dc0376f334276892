// SPDX-License-Identifier: BSL-1.0
//
// How the last N calls went, exactly.
//
//                next_
//                  v
//     +----+----+----+----+----+----+     two bits for each call, 32 calls in a word;
//     | ok | F  | ok | S  | FS | ok |     the mark under next_ is the oldest: it leaves the
//     +----+----+----+----+----+----+     sums when the next call takes its place
#ifndef HAWSER_STATS_COUNT_WINDOW_HPP
#define HAWSER_STATS_COUNT_WINDOW_HPP

#include <hawser/stats/call_counts.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace hawser::inline v0 {

/// A window over the last `size` calls. Starts empty.
///
/// Guarantee:     `counts` is exact: the calls recorded last, up to `size` of them, and no other.
/// Thread safety: none; callers serialise.
/// Cost:          `record` and `counts` O(1), without allocation; memory is a quarter of a byte a
///                call, taken at construction and at `resize`.
/// Copies are independent. A move copies, so that a window is never without its memory.
class count_window {
public:
    /// The largest window, of 256 KiB. More calls than that are better counted by time.
    static constexpr std::uint32_t size_max = 1U << 20;

    /// Throws `std::invalid_argument` if `size` is not in [1, `size_max`].
    explicit count_window(std::uint32_t size) : marks_(words_for(size)), size_{size} {}

    count_window(count_window const&) = default;
    count_window& operator=(count_window const&) = default;
    ~count_window() = default;

    /// Counts a call, in the place of the oldest one if the window is full.
    void record(call_mark mark) noexcept {
        if (counts_.calls == size_) counts_ -= only(at(next_));
        put(next_, mark);
        counts_ += mark;
        if (++next_ == size_) next_ = 0;
    }

    [[nodiscard]] call_counts counts() const noexcept { return counts_; }

    /// The number of calls that fill the window.
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

    /// Forgets every call.
    void clear() noexcept { counts_ = {}; }  // The marks are overwritten before they are read.

    /// Makes this a window over the last `size` calls; the most recent ones stay, as many as fit.
    ///
    /// Throws `std::invalid_argument` as the constructor does, or `std::bad_alloc`; the window is
    /// then as before. O(size).
    void resize(std::uint32_t size) {
        count_window resized{size};
        auto const kept = std::min(static_cast<std::uint32_t>(counts_.calls), size);
        auto from = next_ >= kept ? next_ - kept : next_ + size_ - kept;  // The oldest to stay.
        for (std::uint32_t i = 0; i < kept; ++i) {
            resized.record(at(from));
            if (++from == size_) from = 0;
        }
        marks_.swap(resized.marks_);
        size_ = size;
        next_ = resized.next_;
        counts_ = resized.counts_;
    }

private:
    static constexpr std::uint32_t marks_per_word = 32;
    static constexpr std::uint64_t failure_bit = 1, slow_bit = 2, both_bits = 3;

    static std::size_t words_for(std::uint32_t size) {
        if (size == 0 || size > size_max)
            throw std::invalid_argument{"count_window: size is not in [1, 1048576]"};
        return (size + marks_per_word - 1) / marks_per_word;
    }

    static constexpr call_counts only(call_mark mark) noexcept { return call_counts{} += mark; }

    static constexpr std::uint32_t shift(std::uint32_t place) noexcept {
        return place % marks_per_word * 2;
    }

    [[nodiscard]] call_mark at(std::uint32_t place) const noexcept {
        auto const bits = marks_[place / marks_per_word] >> shift(place);
        return {.failure = (bits & failure_bit) != 0, .slow = (bits & slow_bit) != 0};
    }

    void put(std::uint32_t place, call_mark mark) noexcept {
        auto const bits = (mark.failure ? failure_bit : 0) | (mark.slow ? slow_bit : 0);
        auto& word = marks_[place / marks_per_word];
        word = (word & ~(both_bits << shift(place))) | bits << shift(place);
    }

    std::vector<std::uint64_t> marks_;
    std::uint32_t size_;
    std::uint32_t next_ = 0;
    call_counts counts_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_STATS_COUNT_WINDOW_HPP
