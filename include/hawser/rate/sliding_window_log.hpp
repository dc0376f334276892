// SPDX-License-Identifier: BSL-1.0
//
// A sliding window, exactly: it remembers when each of the last `limit` requests was granted.
//
// A grant is a time stamp in a ring, in the place of the oldest one. They are made in order, so
// that a request for n looks at one stamp: at the n-th of the last `limit` ones. If that has left
// the window, so have all before it.
//
//              head_                                      limit 6, window 6.0
//                v
//      +-----+-----+-----+-----+-----+-----+
//      | 9.1 | 3.0 | 3.0 | 4.2 | 7.7 | 9.1 |        at 10.0: two have left; three by 10.2
//      +-----+-----+-----+-----+-----+-----+
#ifndef HAWSER_RATE_SLIDING_WINDOW_LOG_HPP
#define HAWSER_RATE_SLIDING_WINDOW_LOG_HPP

#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/rate/detail/window_line.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace hawser::inline v0 {

class sliding_window_log;

/// How much a `sliding_window_log` grants.
struct sliding_window_log_options {
    using limiter_type = sliding_window_log;

    /// Requests granted in any span as long as the window, and so the largest that can be granted.
    /// From 1 to `sliding_window_log::limit_max`; each takes eight bytes.
    std::uint32_t limit = 100;

    /// The length of the window. Positive, at most thirty years.
    duration window = std::chrono::seconds{1};
};

/// Holds a stream of requests to `limit` within any window. Starts with nothing granted.
///
/// Reads no clock and never waits: the caller says what time it is and what a refusal means.
///
/// Guarantee:     within any span [t, t + window), grants at most `limit`, and refuses nothing that
///                would fit. With clocks that differ by e between threads, or step back by e, at
///                most `limit` within any span of window - e.
/// Thread safety: all members may be called concurrently on one object; one mutex, held briefly.
/// Cost:          a lock, and a store for each permit taken; a refusal stores nothing. Memory is
///                eight bytes for each permit of the greatest limit that it had, taken at
///                construction and at `reconfigure`, never else.
class sliding_window_log {
public:
    using options_type = sliding_window_log_options;

    /// The largest limit, of 8 MiB. More than that are better counted than remembered.
    static constexpr std::uint32_t limit_max = 1U << 20U;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range; or
    /// `std::bad_alloc`.
    explicit sliding_window_log(sliding_window_log_options const& options)
        : granted_at_(checked(options).limit), limit_{options.limit}, window_{length_of(options)} {}

    /// Takes `count` permits if so many are there, else none. No permits are always granted.
    ///
    /// A `now` before that of the latest grant counts as the same. An instant more than a century
    /// from the clock's epoch counts as one a century from it. O(count).
    admission try_acquire(time_point now, std::uint32_t count = 1) noexcept {
        if (count == 0) return {.granted = true, .retry_after = {}};
        auto const told = instant_of(now);
        std::lock_guard const lock{mutex_};
        if (count > limit_) return {.granted = false, .retry_after = never};
        auto const at = std::max(told, latest_);
        if (auto const back = back_at(count - 1); back > at)
            return {.granted = false, .retry_after = detail::wait_of(back - told)};
        for (std::uint32_t i = 0; i < count; ++i) granted_at_[place(i)] = at;
        head_ = place(count);
        latest_ = at;
        return {.granted = true, .retry_after = {}};
    }

    /// Permits that are there. Out of date once another thread acquires. O(log limit).
    [[nodiscard]] std::uint32_t available(time_point now) const noexcept {
        auto const told = instant_of(now);
        std::lock_guard const lock{mutex_};
        auto const at = std::max(told, latest_);
        std::size_t low = 0, high = limit_;  // Those before low are back, from high on not.
        while (low < high) {
            auto const middle = low + (high - low) / 2;
            if (back_at(middle) <= at)
                low = middle + 1;
            else
                high = middle;
        }
        return static_cast<std::uint32_t>(low);
    }

    /// How long until the limiter is as a new one, if nobody asks it before: zero if it is.
    [[nodiscard]] duration fresh_in(time_point now) const noexcept {
        auto const told = instant_of(now);
        std::lock_guard const lock{mutex_};
        auto const back = latest_ + window_;
        return back > told ? detail::wait_of(back - told) : duration::zero();
    }

    /// Takes a new limit and window, which hold for what was granted before as well. What is not
    /// remembered is not counted: grants that had left a shorter window, beyond as many as the
    /// greatest limit so far. The time is not asked for: it is there for all limiters to be called
    /// alike.
    ///
    /// Throws as the constructor, and changes nothing then. O(limit); allocates outside the lock.
    void reconfigure(sliding_window_log_options const& options, time_point /*now*/) {
        std::vector<std::uint64_t> larger(checked(options).limit);
        std::lock_guard const lock{mutex_};
        limit_ = options.limit;
        window_ = length_of(options);
        auto const old = granted_at_.size();
        if (larger.size() <= old) return;  // What a greater limit remembers is kept.
        for (std::size_t i = 0; i < old; ++i)
            larger[larger.size() - old + i] = granted_at_[place(i)];
        granted_at_.swap(larger);
        head_ = 0;
    }

    /// Forgets every grant: an operator's pardon. A clock that ran ahead and was set right leaves
    /// permits that come back only a window after what it had come to. O(limit).
    void refill() noexcept {
        std::lock_guard const lock{mutex_};
        std::fill(granted_at_.begin(), granted_at_.end(), 0);
        latest_ = 0;
    }

private:
    static sliding_window_log_options const& checked(sliding_window_log_options const& options) {
        if (options.limit == 0) throw std::invalid_argument{"sliding_window_log: limit is zero"};
        if (options.limit > limit_max)
            throw std::invalid_argument{"sliding_window_log: limit is over 1048576"};
        if (options.window <= duration::zero())
            throw std::invalid_argument{"sliding_window_log: window is not positive"};
        if (options.window > detail::window_max)
            throw std::invalid_argument{"sliding_window_log: window is over thirty years"};
        return options;
    }
    static std::uint64_t length_of(sliding_window_log_options const& options) noexcept {
        return static_cast<std::uint64_t>(options.window.count());
    }

    /// Later than any window is long, so that a stamp of zero has always left the window.
    static std::uint64_t instant_of(time_point now) noexcept {
        return detail::since_horizon(now) + static_cast<std::uint64_t>(detail::window_max.count());
    }

    /// Where the stamp number `i` from the oldest on stands; `i` is at most their number.
    [[nodiscard]] std::size_t place(std::size_t i) const noexcept {
        auto const at = head_ + i;
        return at < granted_at_.size() ? at : at - granted_at_.size();
    }

    /// When the permit number `i` of the limit comes back.
    [[nodiscard]] std::uint64_t back_at(std::size_t i) const noexcept {
        return granted_at_[place(granted_at_.size() - limit_ + i)] + window_;
    }

    mutable std::mutex mutex_;               // Guards what follows.
    std::vector<std::uint64_t> granted_at_;  ///< Zero if never.
    std::uint32_t limit_;                    ///< At most as many.
    std::uint64_t window_;
    std::uint64_t latest_ = 0;  ///< The latest stamp.
    std::size_t head_ = 0;      ///< The oldest stamp.
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_SLIDING_WINDOW_LOG_HPP
