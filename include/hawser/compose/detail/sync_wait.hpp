// SPDX-License-Identifier: BSL-1.0
//
// How a synchronous call asks one layer whether it may go in, and waits as the layer says.
#ifndef HAWSER_COMPOSE_DETAIL_SYNC_WAIT_HPP
#define HAWSER_COMPOSE_DETAIL_SYNC_WAIT_HPP

#include <hawser/base/outcome.hpp>
#include <hawser/compose/context.hpp>
#include <hawser/compose/detail/stopped.hpp>
#include <hawser/compose/parking.hpp>
#include <hawser/policy/concept.hpp>

#include <algorithm>
#include <type_traits>

namespace hawser::inline v0::detail {

/// Runs on a landing pad only: gives back what a layer holds when a wait is unwound.
template <class Withdraw>
class withdraw_guard {
public:
    explicit withdraw_guard(Withdraw& withdraw) noexcept : withdraw_{withdraw} {}
    withdraw_guard(withdraw_guard const&) = delete;
    withdraw_guard& operator=(withdraw_guard const&) = delete;
    ~withdraw_guard() {
        if (armed_) [[unlikely]]
            withdraw_();
    }
    void disarm() noexcept { armed_ = false; }

private:
    Withdraw& withdraw_;
    bool armed_ = true;
};

/// Blocks the calling thread until `until`. Returns why it must not go on, if so.
template <class Call, class Withdraw>
stop_cause sleep_until(Call& call, time_point until, Withdraw withdraw) {
    parking_spot spot;  // Nobody knows of it: only the time and the caller's stop end the wait.
    withdraw_guard guard{withdraw};
    auto const why = driver::environment(call).park(spot, until, call.stop_token());
    guard.disarm();
    driver::forget_now(call);
    if (why == wake_reason::time) return stop_cause::none;
    withdraw();
    return stop_cause::caller;
}

/// One layer's `before`, asked until it settles.
template <class Policy, class Call, class R>
class sync_entry {
public:
    sync_entry(Policy& policy, call_state_t<Policy>& state, Call& call, outcome<R>& out) noexcept
        : policy_{policy}, state_{state}, call_{call}, out_{out} {}

    /// Whether the layer lets the call in (`proceed`), answered itself (`respond`), or refused; the
    /// outcome then says so.
    step::kind settle() {
        for (;;) {
            auto const answer = ask();
            auto done = true;
            switch (answer.action) {
                case step::kind::proceed:
                case step::kind::respond: await_bell(); return answer.action;
                case step::kind::refuse:
                    refuse({answer.code, answer.delay, name()});
                    await_bell();
                    break;
                case step::kind::wait: done = !wait(answer.delay); break;
                case step::kind::park: done = !park(answer.delay); break;
            }
            if (done) return step::kind::refuse;
        }
    }

private:
    static constexpr bool parks = parks_before<Policy, Call>;
    struct no_spot {};

    char const* name() const noexcept { return policy_name(policy_); }

    step ask() noexcept {
        if constexpr (parks)
            return policy_.before(state_, call_, spot_);
        else if constexpr (responds_before<Policy, Call, R>)
            return policy_.before(state_, call_, out_);
        else
            return policy_.before(state_, call_);
    }

    /// A policy that has granted rings the bell, whatever it says then: the spot stays till then.
    void await_bell() noexcept {
        if constexpr (parks)
            if (spot_.granted) spot_.await_wake();
    }

    void refuse(refusal const& why) noexcept {
        out_.refuse(why);
        call_.template emit<call_refused>(why.policy, [&](event_origin at) {
            return call_refused{at, why};
        });
    }

    void withdraw() noexcept {
        if constexpr (parks) {
            if (!policy_.withdraw(state_, call_, spot_)) spot_.await_wake();
        } else if constexpr (withdraws<Policy, Call>) {
            policy_.withdraw(state_, call_);
        }
    }

    bool stop(stop_cause cause, duration retry_after = {}) noexcept {
        auto why = stopped_by(cause, name());
        why.retry_after = retry_after;
        call_.template emit<wait_withdrawn>(name(), [&](event_origin at) {
            return wait_withdrawn{at, why.code};
        });
        refuse(why);
        return false;
    }

    /// Whether to ask again. A wait that would end past the deadline is not begun.
    bool wait(duration delay) {
        auto cause = call_.cause();
        if (cause == stop_cause::none && !call_.fits(delay)) cause = stop_cause::timeout;
        if (cause != stop_cause::none) {
            withdraw();
            return stop(cause, delay);
        }
        call_.template emit<call_waiting>(name(), [&](event_origin at) {
            return call_waiting{at, delay, false};
        });
        cause = sleep_until(call_, add_saturating(call_.now(), delay),
                            [this]() noexcept { withdraw(); });
        return cause == stop_cause::none || stop(cause);
    }

    bool park(duration at_most) {
        if constexpr (parks) {
            call_.template emit<call_waiting>(name(), [&](event_origin at) {
                return call_waiting{at, at_most, true};
            });
            auto limit = no_deadline;
            if (at_most != never) limit = add_saturating(call_.now(), at_most);
            auto give_back = [this]() noexcept { withdraw(); };
            withdraw_guard guard{give_back};
            auto const why = driver::environment(call_).park(
                spot_, std::min(limit, call_.deadline()), call_.stop_token());
            guard.disarm();
            driver::forget_now(call_);
            if (why == wake_reason::woken) return true;
            if (why == wake_reason::time && call_.fits({})) return true;  // The layer's own limit.
            withdraw();
            if (why == wake_reason::stopped) return stop(stop_cause::caller);
            driver::set_cause(call_, stop_cause::timeout);
            return stop(stop_cause::timeout);
        } else {
            HAWSER_ASSERT(false && "a policy parked a call but takes no waiter");
            return stop(stop_cause::caller);
        }
    }

    Policy& policy_;
    call_state_t<Policy>& state_;
    Call& call_;
    outcome<R>& out_;
    [[no_unique_address]] std::conditional_t<parks, parking_spot, no_spot> spot_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_COMPOSE_DETAIL_SYNC_WAIT_HPP
