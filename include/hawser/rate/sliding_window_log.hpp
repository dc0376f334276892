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
//
// A reservation is a stamp of a time to come.
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
///                would fit, but for what comes after a reservation: that waits behind it. With
///                clocks that differ by e between threads, or step back by e, at most `limit`
///                within any span of window - e. A reservation counts where its wait ends.
/// Thread safety: all members may be called concurrently on one object; one mutex, held briefly.
/// Cost:          a lock, and a store for each permit taken; a refusal stores nothing; `cancel`
///                moves what was taken since, permit by permit. Memory is
///                eight bytes for each permit of the greatest limit that it had, taken at
///                construction and at `reconfigure`, never else.
class sliding_window_log {
public:
    using options_type = sliding_window_log_options;

    /// Permits that are the caller's from some time on. To be used then, or given back by `cancel`.
    struct [[nodiscard]] reservation {
        bool granted = false;

        /// If granted, how long to wait before the permits may be used. If refused, the wait that
        /// was too long; `never` for more than the limit.
        duration wait{};

        // For `cancel` alone: the stamp, and the last one that it took the place of.
        std::uint32_t count = 0;
        std::uint32_t change = 0;
        std::uint64_t due = 0;
        std::uint64_t before = 0;

        explicit operator bool() const noexcept { return granted; }
    };

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
        auto const taken = reserve(now, count, duration::zero());
        return {.granted = taken.granted,
                .retry_after = taken.granted ? duration::zero() : taken.wait};
    }

    /// Takes `count` permits that are there within `wait_max`, else none. Nobody who asks later
    /// comes earlier.
    ///
    /// The permits are taken at once; who has waited does not ask again. With a negative
    /// `wait_max`, as of a deadline that is past, nothing is, except that no permits are always
    /// granted. Nobody reserves more than thirty years ahead. O(count).
    reservation reserve(time_point now, std::uint32_t count, duration wait_max) noexcept {
        if (count == 0) return {.granted = true};
        auto const told = instant_of(now);
        std::lock_guard const lock{mutex_};
        if (count > limit_) return {.wait = never};
        auto const at = std::max(told, clock_);
        auto const due = std::max({at, latest(), back_at(count - 1)});
        // Who is late is served at the time that is by now; who has to wait, waits by his clock.
        auto const wait = due > at ? detail::wait_of(due - told) : duration::zero();
        if (wait > std::min(wait_max, detail::window_max)) return {.wait = wait};
        auto const before = granted_at_[place(count - 1)];
        for (std::uint32_t i = 0; i < count; ++i) granted_at_[place(i)] = due;
        head_ = place(count);
        clock_ = at;
        return {true, wait, count, change_, due, before};
    }

    /// Gives a reservation back, used by nobody. True if its permits are there again: they are
    /// within a window of their time, unless a whole limit was taken since. Of those that are not
    /// the latest, others keep their times, and theirs come back with the latest one's at latest.
    ///
    /// Lost is what was reserved before a `reconfigure` or `refill`. A reservation is given back
    /// once, its copies included. O(permits taken since).
    bool cancel(reservation& unused) noexcept {
        if (!unused.granted || unused.count == 0) return false;
        unused.granted = false;
        std::lock_guard const lock{mutex_};
        auto const size = granted_at_.size();
        auto after = first_after(unused.due);  // Stamps that are equal are as good as each other.
        if (unused.change != change_ || after < unused.count ||
            granted_at_[place(after - unused.count)] != unused.due)
            return false;
        // What later ones took the place of had left the window by the time of the latest. One that
        // is due at the same time may be later: its stamp is not told apart.
        auto const last = after == size && first_after(unused.due - 1) == size - unused.count;
        auto const oldest = std::min(latest() - window_, granted_at_[head_]);
        auto const filled = last ? unused.before : oldest;
        for (; after < size; ++after)
            granted_at_[place(after - unused.count)] = granted_at_[place(after)];
        head_ = place(size - unused.count);
        for (std::uint32_t i = 0; i < unused.count; ++i) granted_at_[place(i)] = filled;
        return true;
    }
    bool cancel(reservation&& unused) noexcept { return cancel(unused); }

    /// Permits that are there. Out of date once another thread acquires. O(log limit).
    [[nodiscard]] std::uint32_t available(time_point now) const noexcept {
        auto const told = instant_of(now);
        std::lock_guard const lock{mutex_};
        auto const at = std::max(told, clock_);
        if (latest() > at) return 0;
        auto const out = granted_at_.size() - first_after(at - window_);
        return out < limit_ ? limit_ - static_cast<std::uint32_t>(out) : 0;
    }

    /// How long until the limiter is as a new one, if nobody asks it before: zero if it is.
    [[nodiscard]] duration fresh_in(time_point now) const noexcept {
        auto const told = instant_of(now);
        std::lock_guard const lock{mutex_};
        auto const back = latest() + window_;
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
        ++change_;
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
        ++change_;
        std::fill(granted_at_.begin(), granted_at_.end(), 0);
        clock_ = 0;
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

    [[nodiscard]] std::uint64_t latest() const noexcept {
        return granted_at_[place(granted_at_.size() - 1)];
    }

    /// How many stamps are no later than `when`.
    [[nodiscard]] std::size_t first_after(std::uint64_t when) const noexcept {
        std::size_t low = 0, high = granted_at_.size();
        while (low < high) {
            auto const middle = low + (high - low) / 2;
            if (granted_at_[place(middle)] <= when)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    mutable std::mutex mutex_;               // Guards what follows.
    std::vector<std::uint64_t> granted_at_;  ///< Zero if never.
    std::uint32_t limit_;                    ///< At most as many.
    std::uint32_t change_ = 0;               ///< Counts the options that there were.
    std::uint64_t window_;
    std::uint64_t clock_ = 0;  ///< The latest time that a grant was asked for.
    std::size_t head_ = 0;     ///< The oldest stamp.
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_SLIDING_WINDOW_LOG_HPP
