// SPDX-License-Identifier: BSL-1.0
//
// What a policy is: a class with hooks that answer, and never wait, start or read anything.
//
//            +--------------------------- again(delay) --------------------------+
//            v                                                                   |
//     before(state, call) --proceed--> [ the layers further in ] --> after(state, call, outcome)
//        |       ^                                                       |            |
//     refuse   wait / park, then asked again                          divert        done
//        |       |                                                       v            |
//        |    withdraw: the wait ended otherwise                    alternative       |
//        v                                                               v            v
//     the layers further out see a refusal                        alternative_ended, and out
//
// Every hook is optional and `noexcept`. `state` is the policy's `call_state`, one for each call
// and layer, which lives in the driver's frame; a policy without that member type gets an empty
// one. The answer's type is the capability: a `before` that returns `gate` can only admit or
// refuse, and no waiting code is made for it.
//
//     gate|step  before(state, call [, waiter&] [, outcome<R>&])  asked before what is further in
//     void|bool  withdraw(state, call [, waiter&])                a wait or park ended unproceeded
//     void|detour|next  after(state, call, outcome<R>&)           what is further in has ended
//     F&         alternative()                                    what a divert runs
//     void       alternative_ended(state, call, outcome<R>&)      and what came of it
//     void       abandon(state, call)                             torn down before an `after`
//     time_point scope_deadline(state, call)                      by when all further in has to end
//     void       scope_expired(state, call, outcome<R>&)          it did not, and has been stopped
//
// After a `before` that proceeds or responds, exactly one of `after` and `abandon` runs, from the
// innermost layer outwards, once for each attempt of that layer. A waiter that was `granted` is
// asked once more, and is then let in or refused, not parked again; it may be asked, or withdrawn,
// before its bell has rung, and the driver waits for the bell. `withdraw` of a granted waiter gives
// back what was granted and returns false: a bell will ring.
//
// A hook that is cut short ends the process: hooks are `noexcept`, so what they call of a user's
// must not be a cancellation point (`pthread_cancel`) of a thread that is cancelled there.
#ifndef HAWSER_POLICY_CONCEPT_HPP
#define HAWSER_POLICY_CONCEPT_HPP

#include <hawser/base/error.hpp>
#include <hawser/base/outcome.hpp>
#include <hawser/base/time.hpp>
#include <hawser/containers/waiter.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// Why a call is being stopped.
enum class stop_cause : std::uint8_t {
    none,
    timeout,      ///< A deadline of a layer, or of the caller, has passed.
    caller,       ///< The caller asked for it.
    hedge_loser,  ///< Another copy of the call has won.
    shutdown,     ///< What runs the call is shutting down.
};

/// The answer of a `before` that can only admit or refuse. Admits by default.
struct [[nodiscard]] gate {
    errc code{};             ///< Why it refuses; no error admits.
    duration retry_after{};  ///< As in `refusal`.
};

/// The answer of a `before` that may also wait, park or respond. Proceeds by default.
struct [[nodiscard]] step {
    enum class kind : std::uint8_t {
        proceed,  ///< Go on inwards.
        refuse,   ///< Go back out with `code` and `delay` as its `retry_after`.
        wait,     ///< Wait for `delay`, then ask again.
        park,     ///< Wait until woken, at most for `delay`, then ask again.
        respond,  ///< The outcome has been written: do not go inwards, go out through `after`.
    };

    kind action = kind::proceed;
    errc code{};
    duration delay{};

    static constexpr step proceed() noexcept { return {}; }
    static constexpr step refuse(errc code, duration retry_after = {}) noexcept {
        return {kind::refuse, code, retry_after};
    }
    static constexpr step wait(duration delay) noexcept { return {kind::wait, {}, delay}; }
    static constexpr step park(duration at_most = never) noexcept {
        return {kind::park, {}, at_most};
    }
    static constexpr step respond() noexcept { return {kind::respond, {}, {}}; }
};

/// The answer of an `after`: go out, go in again, or run the alternative. Goes out by default.
struct [[nodiscard]] next {
    enum class kind : std::uint8_t { done, again, divert };

    kind action = kind::done;
    duration delay{};  ///< Before going in again. The outcome is destroyed before this wait.

    static constexpr next done() noexcept { return {}; }
    static constexpr next again(duration delay) noexcept { return {kind::again, delay}; }
    static constexpr next divert() noexcept { return {kind::divert, {}}; }
};

/// The answer of an `after` that can only go out or run the alternative. Goes out by default.
struct [[nodiscard]] detour {
    bool taken = false;
};

/// What a layer is to the order of a pipeline. A policy says it as `static constexpr layer_role
/// role`.
enum class layer_role : std::uint8_t {
    other,
    fallback,
    cache,
    total_timeout,
    retry,
    hedge,
    rate_limit,
    bulkhead,
    breaker,
    attempt_timeout,
    chaos,
};

namespace detail {

template <class Policy>
struct call_state_of {
    using type = unit;
};
template <class Policy>
requires requires { typename Policy::call_state; }
struct call_state_of<Policy> {
    using type = typename Policy::call_state;
};

}  // namespace detail

template <class Policy>
using call_state_t = typename detail::call_state_of<Policy>::type;

/// A policy whose calls meet in shared state: it is borrowed or built in place, never copied. It
/// says so with a member type `stateful`.
template <class Policy>
concept stateful_policy = requires {
    typename std::remove_cvref_t<Policy>::stateful;
};

// One concept for each hook and shape. `Policy` is const where the pipeline holds it by value.

template <class Policy, class Call>
concept asks_before = requires(Policy& p, call_state_t<Policy>& state, Call& call) {
    p.before(state, call);
};

/// A `before` that can only admit or refuse.
template <class Policy, class Call>
concept only_gates = requires(Policy& p, call_state_t<Policy>& state, Call& call) {
    { p.before(state, call) } -> std::same_as<gate>;
};

template <class Policy, class Call>
concept parks_before = requires(Policy& p, call_state_t<Policy>& state, Call& call, waiter& node) {
    p.before(state, call, node);
};

template <class Policy, class Call, class R>
concept responds_before = requires(Policy& p, call_state_t<Policy>& state, Call& call,
                                   outcome<R>& out) {
    p.before(state, call, out);
};

template <class Policy, class Call>
concept withdraws = requires(Policy& p, call_state_t<Policy>& state, Call& call) {
    p.withdraw(state, call);
};

template <class Policy, class Call>
concept withdraws_waiter = requires(Policy& p, call_state_t<Policy>& state, Call& call,
                                    waiter& node) {
    { p.withdraw(state, call, node) } -> std::same_as<bool>;
};

template <class Policy, class Call, class R>
concept looks_after = requires(Policy& p, call_state_t<Policy>& state, Call& call,
                               outcome<R>& out) {
    p.after(state, call, out);
};

/// An `after` that may go in again.
template <class Policy, class Call, class R>
concept goes_again = requires(Policy& p, call_state_t<Policy>& state, Call& call, outcome<R>& out) {
    { p.after(state, call, out) } -> std::same_as<next>;
};

/// An `after` that may run the alternative, and nothing else.
template <class Policy, class Call, class R>
concept only_detours = requires(Policy& p, call_state_t<Policy>& state, Call& call,
                                outcome<R>& out) {
    { p.after(state, call, out) } -> std::same_as<detour>;
};

template <class Policy, class Call, class R>
concept sees_alternative = requires(Policy& p, call_state_t<Policy>& state, Call& call,
                                    outcome<R>& out) {
    p.alternative_ended(state, call, out);
};

template <class Policy>
concept has_alternative = requires(Policy& p) {
    p.alternative();
};

template <class Policy, class Call>
concept abandons = requires(Policy& p, call_state_t<Policy>& state, Call& call) {
    p.abandon(state, call);
};

template <class Policy, class Call>
concept scopes = requires(Policy& p, call_state_t<Policy>& state, Call& call) {
    { p.scope_deadline(state, call) } -> std::same_as<time_point>;
};

template <class Policy, class Call, class R>
concept sees_expiry = requires(Policy& p, call_state_t<Policy>& state, Call& call,
                               outcome<R>& out) {
    p.scope_expired(state, call, out);
};

/// The name a policy is known by in refusals and events: its `name()`, or its static `name`.
template <class Policy>
[[nodiscard]] constexpr char const* policy_name(Policy const& policy) noexcept {
    if constexpr (requires {
                      { policy.name() } -> std::convertible_to<char const*>;
                  })
        return policy.name();
    else if constexpr (requires {
                           { Policy::name } -> std::convertible_to<char const*>;
                       })
        return Policy::name;
    else
        return "policy";
}

/// How an outcome counts at a layer: as it says by itself, but a failure is neutral if it came
/// because the call is being stopped from outside this layer, or from user code of ours.
template <class Call, class R>
[[nodiscard, gnu::always_inline]] inline verdict judge(Call const& call,
                                                       outcome<R> const& out) noexcept {
    auto const said = out.classify();
    if (said != verdict::failure) [[likely]]
        return said;
    return call.cause() == stop_cause::none && !call.predicate_threw() ? said : verdict::neutral;
}

}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_CONCEPT_HPP
