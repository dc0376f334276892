// SPDX-License-Identifier: BSL-1.0
//
// A call's place in the deadline queue.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_CALL_ALARM_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_CALL_ALARM_HPP

#include <hawser/adapt/asio/deadline_queue.hpp>
#include <hawser/base/time.hpp>

namespace hawser::inline v0::detail {

/// Tells a call of its next deadline: by `Call::relay_deadline` from any thread, or by
/// `Call::lose_deadline` if the context shuts down. While it is set, the call stays.
///
/// Thread safety: none; `set`, `cancel` and `arrived` belong to the call's handlers.
template <class Call, class Environment, class Executor>
class call_alarm final : private timed_event {
public:
    call_alarm(Call& call, Environment const& env, Executor const& executor)
        : call_{call}, deadlines_{env, executor} {}

    [[nodiscard]] bool is_set() const noexcept { return set_; }

    /// It comes at `at`, or earlier: it may come in vain.
    void set(time_point at) {
        if (set_) {
            if (for_ <= at) return;                 // It comes early, and is then set anew.
            if (!deadlines_.cancel(*this)) return;  // It is on its way, and likewise.
        }
        set_ = true;
        for_ = at;
        deadlines_.schedule(*this, at);
    }
    /// Stays set if it is on its way.
    void cancel() {
        if (set_ && deadlines_.cancel(*this)) set_ = false;
    }
    void arrived() noexcept { set_ = false; }

private:
    void deadline_reached() noexcept override { call_.relay_deadline(); }
    void deadline_dropped() noexcept override { call_.lose_deadline(); }

    Call& call_;
    deadline_access<Environment, Executor> deadlines_;
    time_point for_{};
    bool set_ = false;  ///< In the queue, or on its way.
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_CALL_ALARM_HPP
