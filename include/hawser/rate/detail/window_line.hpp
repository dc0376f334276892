// SPDX-License-Identifier: BSL-1.0
//
// Time cut into windows of one length, and which of them an instant lies in.
//
//     number    0       1             k             k+1           k+2
//               |-------|--- ... -----|-------------|-------------|--- ...
//     time    a century before it   epoch        epoch + width
#ifndef HAWSER_RATE_DETAIL_WINDOW_LINE_HPP
#define HAWSER_RATE_DETAIL_WINDOW_LINE_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace hawser::inline v0::detail {

/// Instants further from the clock's epoch are taken for these: a century.
inline constexpr duration window_horizon = std::chrono::hours{24 * 36525};

/// The longest window: then numbers of nanoseconds on the line stay under 2^63.
inline constexpr duration window_max = std::chrono::hours{24 * 365 * 30};

/// Nanoseconds from a century before the epoch.
[[nodiscard]] constexpr std::uint64_t since_horizon(time_point now) noexcept {
    auto const since = std::clamp(now.time_since_epoch(), -window_horizon, window_horizon);
    return static_cast<std::uint64_t>((since + window_horizon).count());
}

/// A wait of so many nanoseconds; less than `never`, which is said of what never comes.
[[nodiscard]] constexpr duration wait_of(std::uint64_t length) noexcept {
    constexpr auto longest = static_cast<std::uint64_t>(never.count()) - 1;
    return duration{static_cast<duration::rep>(std::min(length, longest))};
}

/// An instant: the window it lies in, and how far in it.
struct window_place {
    std::uint64_t number = 0;
    std::uint64_t into = 0;
};

/// The windows of one length. One of them begins at the clock's epoch; none is cut off. Immutable.
class window_line {
public:
    /// Requires `width` in (0, `window_max`].
    explicit constexpr window_line(duration width) noexcept
        : width_{static_cast<std::uint64_t>(width.count())},
          inverse_{~std::uint64_t{0} / width_},
          shift_{(width_ - since_horizon(time_point{}) % width_) % width_} {
        HAWSER_ASSERT(width > duration::zero() && width <= window_max);
    }

    [[nodiscard, gnu::always_inline]] constexpr window_place at(time_point now) const noexcept {
        auto const instant = since_horizon(now) + shift_;
        // The quotient of a multiplication, which is a few times as fast as a division. The inverse
        // is rounded down by less than one, and an instant is under 2^63: so it is right, or one
        // too small.
        auto number = static_cast<std::uint64_t>((wide_uint{instant} * inverse_) >> 64U);
        auto into = instant - number * width_;
        if (into >= width_) {
            ++number;
            into -= width_;
        }
        return {number, into};
    }

    /// How long it is from `now` to `place`, which is later.
    [[nodiscard]] constexpr duration until(window_place place, time_point now) const noexcept {
        return wait_of(place.number * width_ + place.into - (since_horizon(now) + shift_));
    }

    /// The window that window `number` of `other` begins in: where that was reserved from, it may
    /// lie further ahead than a century.
    [[nodiscard]] constexpr std::uint64_t at_start_of(window_line const& other,
                                                      std::uint64_t number) const noexcept {
        auto const start = number * other.width_;
        return (start - std::min(start, other.shift_) + shift_) / width_;
    }

    [[nodiscard]] constexpr std::uint64_t width() const noexcept { return width_; }

    /// The window that a century after the epoch lies in.
    [[nodiscard]] constexpr std::uint64_t last() const noexcept {
        return at(time_point{window_horizon}).number;
    }

private:
    std::uint64_t width_;
    std::uint64_t inverse_;  ///< 1 / width_, in parts of 2^-64.
    std::uint64_t shift_;    ///< From where window 0 begins to a century before the epoch.
};

/// What time some caller's clock has come to: tells a window that was opened from one that is yet
/// to come, and has been reserved from.
///
/// Relaxed all through: it is a hint. What is told stays true, whatever becomes of the limiter;
/// not heard of in time, a caller whose clock is late waits for what his own says.
class told_time {
public:
    void tell(time_point now) noexcept {
        if (auto const when = now.time_since_epoch().count();
            when > latest_.load(std::memory_order_relaxed))
            latest_.store(when, std::memory_order_relaxed);
    }
    [[nodiscard]] bool has_come_to(window_line const& line, std::uint64_t number) const noexcept {
        auto const latest = duration{latest_.load(std::memory_order_relaxed)};
        return line.at(time_point{latest}).number >= number;
    }
    void forget() noexcept { latest_.store(duration::min().count(), std::memory_order_relaxed); }

private:
    std::atomic<duration::rep> latest_{duration::min().count()};
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_RATE_DETAIL_WINDOW_LINE_HPP
