// SPDX-License-Identifier: BSL-1.0
//
// How a thread waits: the one primitive, `park until (woken | time | stopped)`.
#ifndef HAWSER_COMPOSE_PARKING_HPP
#define HAWSER_COMPOSE_PARKING_HPP

#include <hawser/base/time.hpp>
#include <hawser/containers/waiter.hpp>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#if __has_include(<pthread.h>)
#include <pthread.h>
#endif

namespace hawser::inline v0 {

namespace detail {

/// While it lives, the thread is not cancelled (`pthread_cancel`): what it waits for is certain,
/// and it must not be unwound from here.
class cancellation_pause {
public:
    cancellation_pause(cancellation_pause const&) = delete;
    cancellation_pause& operator=(cancellation_pause const&) = delete;
#ifdef PTHREAD_CANCEL_DISABLE
    cancellation_pause() noexcept { ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
    ~cancellation_pause() { ::pthread_setcancelstate(before_, nullptr); }

private:
    int before_ = 0;
#else
    cancellation_pause() noexcept {}
    ~cancellation_pause() {}
#endif
};

}  // namespace detail

/// What ended a park. Where several hold at once, the first of this list.
enum class wake_reason : std::uint8_t { woken, stopped, time };

/// The place where one thread waits for one grant. It never spins.
///
/// Thread safety: `wake` from any thread; the rest belongs to the thread that made it.
class parking_spot : public waiter {
public:
    parking_spot() noexcept : waiter{&ring} {}

    /// Blocks until woken, until `stop` is requested, or until `until`; `no_deadline` never comes.
    ///
    /// A wake that came before counts. Throws nothing of its own; a thread that is cancelled
    /// (`pthread_cancel`) unwinds from here.
    wake_reason park(time_point until, std::stop_token const& stop) {
        if (stop.stop_possible()) {
            std::stop_callback const on_stop{stop, [this]() noexcept { mark(stopped_); }};
            return block(until);
        }
        return block(until);
    }

    /// Waits for a wake that is certain to come, whatever the time and the stop say; a cancellation
    /// of the thread waits too.
    void await_wake() noexcept {
        detail::cancellation_pause const uncancelled;
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return woken_; });
    }

    /// Whether the bell has rung since `rearm`.
    [[nodiscard]] bool is_woken() const {
        std::lock_guard const lock{mutex_};
        return woken_;
    }

    /// Makes the spot ready for another grant. Requires that no wake is on its way.
    void rearm() noexcept { woken_ = granted = false; }

private:
    static void ring(waiter& node) noexcept {
        auto& self = static_cast<parking_spot&>(node);
        self.mark(self.woken_);
    }

    void mark(bool& flag) noexcept {
        // The notification stays inside the lock: after it the spot may be gone.
        std::lock_guard const lock{mutex_};
        flag = true;
        changed_.notify_one();
    }

    wake_reason block(time_point until) {
        std::unique_lock lock{mutex_};
        auto const over = [this] { return woken_ || stopped_; };
        if (until == no_deadline)
            changed_.wait(lock, over);
        else
            changed_.wait_until(lock, until, over);
        if (woken_) return wake_reason::woken;
        return stopped_ ? wake_reason::stopped : wake_reason::time;
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
    bool stopped_ = false;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_COMPOSE_PARKING_HPP
