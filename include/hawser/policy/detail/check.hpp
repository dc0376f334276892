// SPDX-License-Identifier: BSL-1.0
//
// The rules that every policy in a pipeline keeps, each with the one line that says it is broken.
#ifndef HAWSER_POLICY_DETAIL_CHECK_HPP
#define HAWSER_POLICY_DETAIL_CHECK_HPP

#include <hawser/policy/concept.hpp>

namespace hawser::inline v0::detail {

// A policy that has a hook of some shape, checked for throwing: true if absent or noexcept.

template <class P, class Call, class R>
concept before_never_throws = (!asks_before<P, Call> ||
                               requires(P & p, call_state_t<P>& s, Call& c) {
                                   { p.before(s, c) }
                                   noexcept;
                               }) &&
                              (!parks_before<P, Call> ||
                               requires(P & p, call_state_t<P>& s, Call& c, waiter& w) {
                                   { p.before(s, c, w) }
                                   noexcept;
                               }) &&
                              (!responds_before<P, Call, R> ||
                               requires(P & p, call_state_t<P>& s, Call& c, outcome<R>& o) {
                                   { p.before(s, c, o) }
                                   noexcept;
                               });

template <class P, class Call>
concept withdraw_never_throws = (!withdraws<P, Call> ||
                                 requires(P & p, call_state_t<P>& s, Call& c) {
                                     { p.withdraw(s, c) }
                                     noexcept;
                                 }) &&
                                (!withdraws_waiter<P, Call> ||
                                 requires(P & p, call_state_t<P>& s, Call& c, waiter& w) {
                                     { p.withdraw(s, c, w) }
                                     noexcept;
                                 });

template <class P, class Call, class R>
concept after_never_throws = (!looks_after<P, Call, R> ||
                              requires(P & p, call_state_t<P>& s, Call& c, outcome<R>& o) {
                                  { p.after(s, c, o) }
                                  noexcept;
                              }) &&
                             (!sees_alternative<P, Call, R> ||
                              requires(P & p, call_state_t<P>& s, Call& c, outcome<R>& o) {
                                  { p.alternative_ended(s, c, o) }
                                  noexcept;
                              });

template <class P, class Call>
concept abandon_never_throws = !abandons<P, Call> || requires(P & p, call_state_t<P>& s, Call& c) {
    { p.abandon(s, c) }
    noexcept;
};

template <class P, class Call>
concept scope_never_throws = !scopes<P, Call> || requires(P & p, call_state_t<P>& s, Call& c) {
    { p.scope_deadline(s, c) }
    noexcept;
};

template <class P, class Call, class R>
concept expiry_never_throws =
    !sees_expiry<P, Call, R> || requires(P & p, call_state_t<P>& s, Call& c, outcome<R>& o) {
    { p.scope_expired(s, c, o) }
    noexcept;
};

template <class P, class Call, class R>
concept has_any_hook = asks_before<P, Call> || parks_before<P, Call> ||
    responds_before<P, Call, R> || looks_after<P, Call, R> || scopes<P, Call>;

/// Refuses to compile, with one line that says why, if `P` breaks a rule. Always true.
template <class P, class Call, class R>
consteval bool check_policy() {
    static_assert(
        has_any_hook<P, Call, R>,
        "hawser: this layer has none of a policy's hooks (or they are not const where the "
        "pipeline holds it by value)");
    static_assert(before_never_throws<P, Call, R>, "hawser: hook before() is not noexcept");
    static_assert(withdraw_never_throws<P, Call>, "hawser: hook withdraw() is not noexcept");
    static_assert(after_never_throws<P, Call, R>, "hawser: hook after() is not noexcept");
    static_assert(abandon_never_throws<P, Call>, "hawser: hook abandon() is not noexcept");
    static_assert(scope_never_throws<P, Call>, "hawser: hook scope_deadline() is not noexcept");
    static_assert(expiry_never_throws<P, Call, R>, "hawser: hook scope_expired() is not noexcept");
    static_assert(!parks_before<P, Call> || withdraws_waiter<P, Call>,
                  "hawser: a policy that parks calls needs bool withdraw(state, call, waiter&)");
    return true;
}

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_POLICY_DETAIL_CHECK_HPP
