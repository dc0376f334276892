// SPDX-License-Identifier: BSL-1.0
//
// Where the time comes from: sources of `hawser::time_point`, all on the steady clock's line.
//
//                 read costs   resolution    steps back
//   steady_clock  ~24 ns       1 ns          never
//   coarse_clock  ~5 ns        1 to 10 ms    never; behind steady_clock by up to its resolution
//   manual_clock  ~1 ns        1 ns          when told to
#ifndef HAWSER_BASE_CLOCK_HPP
#define HAWSER_BASE_CLOCK_HPP

#include <hawser/base/time.hpp>

#include <atomic>
#include <concepts>
#if __has_include(<time.h>)
#include <time.h>
#endif

namespace hawser::inline v0 {

/// Something that tells the time. Copied freely; `now` may be called concurrently.
template <class Source>
concept clock_source = std::copyable<Source> && requires(Source const& source) {
    { source.now() }
    noexcept->std::same_as<time_point>;
};

/// The system's monotonic clock: exact, and the default everywhere.
struct steady_clock_source {
    [[nodiscard]] time_point now() const noexcept {
        return std::chrono::time_point_cast<duration>(std::chrono::steady_clock::now());
    }
};

/// The monotonic clock as of the kernel's last tick: five times cheaper to read, and behind by up
/// to one tick (1 to 10 ms, see `resolution`). Sound where waits are longer than that.
///
/// Falls back to the exact clock where the system has no coarse one.
struct coarse_clock_source {
    [[nodiscard]] time_point now() const noexcept {
#ifdef CLOCK_MONOTONIC_COARSE
        timespec read{};
        if (::clock_gettime(CLOCK_MONOTONIC_COARSE, &read) == 0)
            return time_point{std::chrono::seconds{read.tv_sec} + duration{read.tv_nsec}};
#endif
        return steady_clock_source{}.now();
    }

    /// The length of a tick: how far `now` may lie behind the exact clock.
    [[nodiscard]] static duration resolution() noexcept {
#ifdef CLOCK_MONOTONIC_COARSE
        timespec tick{};
        if (::clock_getres(CLOCK_MONOTONIC_COARSE, &tick) == 0)
            return std::chrono::seconds{tick.tv_sec} + duration{tick.tv_nsec};
#endif
        return duration{1};
    }
};

/// A time that stands still until somebody moves it.
///
/// Thread safety: all members may be called concurrently.
class manual_time {
public:
    /// Starts an hour after the epoch, so that a test may step back without meeting zero.
    explicit manual_time(time_point start = time_point{std::chrono::hours{1}}) noexcept
        : now_{start} {}

    manual_time(manual_time const&) = delete;
    manual_time& operator=(manual_time const&) = delete;

    [[nodiscard]] time_point now() const noexcept { return now_.load(std::memory_order_acquire); }

    /// Moves the time to `to`, backwards too.
    void set(time_point to) noexcept { now_.store(to, std::memory_order_release); }

    /// Moves the time by `step`, backwards if it is negative.
    void advance(duration step) noexcept {
        auto seen = now();
        while (!now_.compare_exchange_weak(seen, add_saturating(seen, step),
                                           std::memory_order_acq_rel)) {}
    }

private:
    std::atomic<time_point> now_;
};

/// A source that reads a `manual_time`, which must outlive it.
class manual_clock_source {
public:
    explicit manual_clock_source(manual_time const& time) noexcept : time_{&time} {}
    [[nodiscard]] time_point now() const noexcept { return time_->now(); }

private:
    manual_time const* time_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_BASE_CLOCK_HPP
