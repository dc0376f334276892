// SPDX-License-Identifier: BSL-1.0
//
// The synchronous driver: the layers of a pipeline as nested calls that inline away.
#ifndef HAWSER_COMPOSE_DETAIL_SYNC_CALL_HPP
#define HAWSER_COMPOSE_DETAIL_SYNC_CALL_HPP

#include <hawser/base/outcome.hpp>
#include <hawser/compose/context.hpp>
#include <hawser/compose/detail/invoke.hpp>
#include <hawser/compose/detail/sync_wait.hpp>
#include <hawser/policy/concept.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

/// Runs on a landing pad only: tells a layer that its call was torn down by a forced unwinding.
template <class Policy, class Call>
class abandon_guard {
public:
    abandon_guard(Policy& policy, call_state_t<Policy>& state, Call& call) noexcept
        : policy_{policy}, state_{state}, call_{call} {}
    abandon_guard(abandon_guard const&) = delete;
    abandon_guard& operator=(abandon_guard const&) = delete;
    ~abandon_guard() {
        if (armed_) [[unlikely]]
            policy_.abandon(state_, call_);
    }
    void disarm() noexcept { armed_ = false; }

private:
    Policy& policy_;
    call_state_t<Policy>& state_;
    Call& call_;
    bool armed_ = true;
};

/// One synchronous call. The operation writes the one outcome in place; every layer sees it there.
template <class Pipeline, class Call, class Operation, class R>
class sync_call {
public:
    sync_call(Pipeline const& line, Call& call, Operation& operation, outcome<R>& out) noexcept
        : line_{line}, call_{call}, operation_{operation}, out_{out} {}

    [[gnu::always_inline]] void run() { descend<0>(); }

private:
    template <std::size_t I>
    using policy_at = typename Pipeline::template policy_type<I>;

    /// Whether a call can have a deadline or a stop at all.
    static constexpr bool timed = []<std::size_t... I>(std::index_sequence<I...>) {
        return Call::has_facts || (scopes<policy_at<I>, Call> || ...);
    }
    (std::make_index_sequence<Pipeline::size>{});

    template <std::size_t I>
    [[gnu::always_inline]] void descend() {
        if constexpr (I == Pipeline::size) {
            start();
        } else {
            auto& policy = line_.template policy<I>();
            [[maybe_unused]] call_state_t<policy_at<I>> state{};
            if (pass<I>(policy, state)) [[unlikely]]
                repeat<I>(line_, policy, state, call_, operation_, out_);
        }
    }

    /// The second and all later rounds of a layer, apart from the first: what the compiler knows of
    /// a call that has just begun, it would forget at the head of a loop.
    template <std::size_t I, class Policy>
    [[gnu::cold, gnu::noinline]] static void repeat(Pipeline const& line, Policy& policy,
                                                    call_state_t<Policy>& state, Call& call,
                                                    Operation& operation, outcome<R>& out) {
        sync_call again{line, call, operation, out};
        while (again.template pass<I>(policy, state)) {}
    }

    /// Goes in and comes out once; whether the layer wants to go in again.
    template <std::size_t I, class Policy>
    [[gnu::always_inline]] bool pass(Policy& policy, call_state_t<Policy>& state) {
        auto const entered = enter(policy, state);
        if (entered == step::kind::refuse) [[unlikely]]
            return false;
        if constexpr (abandons<Policy, Call>) {
            abandon_guard guard{policy, state, call_};
            if (entered == step::kind::proceed) go_in<I>(policy, state);
            guard.disarm();
        } else {
            if (entered == step::kind::proceed) go_in<I>(policy, state);
        }
        return leave(policy, state, call_, out_);
    }

    template <class Policy>
    [[gnu::always_inline]] step::kind enter(Policy& policy, call_state_t<Policy>& state) {
        if constexpr (only_gates<Policy, Call>) {
            auto const answer = policy.before(state, call_);
            if (answer.code == errc{}) [[likely]]
                return step::kind::proceed;
            refuse(call_, out_, {answer.code, answer.retry_after, policy_name(policy)});
            return step::kind::refuse;
        } else if constexpr (asks_before<Policy, Call> || parks_before<Policy, Call> ||
                             responds_before<Policy, Call, R>) {
            return sync_entry<Policy, Call, R>{policy, state, call_, out_}.settle();
        } else {
            return step::kind::proceed;
        }
    }

    /// Ends a call that has no outcome yet.
    [[gnu::always_inline]] static void refuse(Call& call, outcome<R>& out,
                                              refusal const& why) noexcept {
        out.emplace_refusal(why);
        call.template emit<call_refused>(why.policy, [&](event_origin at) {
            return call_refused{at, why};
        });
    }

    /// Runs what is further in, within the layer's deadline if it sets one.
    template <std::size_t I, class Policy>
    [[gnu::always_inline]] void go_in(Policy& policy, call_state_t<Policy>& state) {
        if constexpr (scopes<Policy, Call>) {
            auto const outer = call_.deadline();
            auto const own = policy.scope_deadline(state, call_);
            if (own < outer) driver::set_deadline(call_, own);
            descend<I + 1>();
            driver::set_deadline(call_, outer);
            if constexpr (sees_expiry<Policy, Call, R>)
                // Of the scopes that have ended, the outermost alone reports.
                if (call_.now() >= own && call_.fits({})) policy.scope_expired(state, call_, out_);
            if (call_.cause() == stop_cause::timeout && call_.fits({}))
                driver::set_cause(call_, stop_cause::none);  // It was this layer's doing.
        } else {
            descend<I + 1>();
        }
    }

    // What follows is static, so that a call's own references stay in registers.

    template <class Policy>
    [[gnu::always_inline]] static bool leave(Policy& policy, call_state_t<Policy>& state,
                                             Call& call, outcome<R>& out) {
        if constexpr (goes_again<Policy, Call, R>) {
            auto const answer = policy.after(state, call, out);
            if (answer.action == next::kind::done) [[likely]]
                return false;
            if (answer.action == next::kind::again)
                return wait_for_next(policy, state, call, out, answer.delay);
            if constexpr (has_alternative<Policy>) divert(policy, state, call, out);
        } else if constexpr (only_detours<Policy, Call, R>) {
            if (policy.after(state, call, out).taken) [[unlikely]]
                divert(policy, state, call, out);
        } else if constexpr (looks_after<Policy, Call, R>) {
            policy.after(state, call, out);
        }
        return false;
    }

    /// Waits before the next round; whether there is one. A wait that would end past the deadline
    /// is not begun: the last outcome stands. The outcome is destroyed before the wait.
    template <class Policy>
    [[gnu::cold, gnu::noinline]] static bool wait_for_next(Policy& policy,
                                                           call_state_t<Policy>& state, Call& call,
                                                           outcome<R>& out, duration delay) {
        auto withdraw = [&]() noexcept {
            if constexpr (withdraws<Policy, Call>) policy.withdraw(state, call);
        };
        auto cause = call.cause();
        if (cause != stop_cause::none || !call.fits(delay)) {
            withdraw();
            return false;
        }
        out.reset();
        if (delay > duration::zero())
            cause = sleep_until(call, add_saturating(call.now(), delay), withdraw);
        if (cause == stop_cause::none) return true;
        auto const why = stopped_by(cause, policy_name(policy));
        call.template emit<wait_withdrawn>(why.policy, [&](event_origin at) {
            return wait_withdrawn{at, why.code};
        });
        refuse(call, out, why);
        return false;
    }

    template <class Policy>
    [[gnu::cold, gnu::noinline]] static void divert(Policy& policy, call_state_t<Policy>& state,
                                                    Call& call, outcome<R>& out) {
        auto const error = out.set_aside();
        capture_alternative(out, policy.alternative(), error);
        driver::forget_now(call);
        if constexpr (sees_alternative<Policy, Call, R>) policy.alternative_ended(state, call, out);
    }

    /// Starts the operation, unless the call has been stopped or is out of time.
    [[gnu::always_inline]] void start() {
        if constexpr (timed) {
            auto cause = call_.cause();
            if (cause == stop_cause::none && !call_.fits({})) cause = stop_cause::timeout;
            if (cause != stop_cause::none) [[unlikely]] {
                driver::set_cause(call_, cause);
                refuse(call_, out_, stopped_by(cause, "pipeline"));
                return;
            }
            if (!driver::take_attempt(call_)) [[unlikely]]
                return refuse(call_, out_, no_attempt_left);
        }
        driver::begin_attempt(call_);
        observed_start();
        if constexpr (timed)
            if (call_.has_deadline() && out_.classify() != verdict::success) note_timeout();
    }

    [[gnu::always_inline]] void observed_start() {
        if constexpr (fork_operation<Operation>) {
            capture_operation(out_, operation_, call_);
            return driver::forget_now(call_);
        }
        [[maybe_unused]] time_point began{};
        call_.template emit<attempt_started>("pipeline", [&](event_origin at) {
            began = at.at;
            return attempt_started{at};
        });
        capture_operation(out_, operation_, call_);
        driver::forget_now(call_);
        call_.template emit<attempt_ended>("pipeline", [&](event_origin at) {
            return attempt_ended{at, out_.classify(), time_between(began, at.at)};
        });
    }

    /// An operation that failed after its deadline failed because of it, as far as the layers
    /// within that deadline can tell.
    void note_timeout() noexcept {
        if (call_.cause() == stop_cause::none && !call_.fits({}))
            driver::set_cause(call_, stop_cause::timeout);
    }

    Pipeline const& line_;
    Call& call_;
    Operation& operation_;
    outcome<R>& out_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_COMPOSE_DETAIL_SYNC_CALL_HPP
