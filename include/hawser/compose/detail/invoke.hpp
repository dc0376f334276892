// SPDX-License-Identifier: BSL-1.0
//
// How an operation is called: with the call's context if it takes it, and with whatever it throws
// caught once, at the leaf.
#ifndef HAWSER_COMPOSE_DETAIL_INVOKE_HPP
#define HAWSER_COMPOSE_DETAIL_INVOKE_HPP

#include <hawser/base/outcome.hpp>
#include <hawser/compose/operation.hpp>

#include <exception>
#include <type_traits>
#include <utility>

#if defined(__GLIBCXX__)
#include <bits/cxxabi_forced.h>
#endif

namespace hawser::inline v0::detail {

template <class Operation, class Call>
struct operation_result {
    using type = std::invoke_result_t<Operation&>;
};
template <class Operation, class Call>
requires std::is_invocable_v<Operation&, Call&>
struct operation_result<Operation, Call> {
    using type = std::invoke_result_t<Operation&, Call&>;
};
template <class Operation, class Call>
using operation_result_t = typename operation_result<Operation, Call>::type;

/// Writes into `out`, which is empty, what `user_code()` returns or throws. A forced unwinding
/// (a cancelled thread, a destroyed stackful coroutine) passes through.
template <class R, class UserCode>
[[gnu::always_inline]] inline void capture(outcome<R>& out,
                                           UserCode&& user_code) noexcept(noexcept(user_code())) {
    if constexpr (noexcept(user_code())) {
        out.emplace_from(user_code);
    } else {
        try {
            out.emplace_from(user_code);
        } catch (refused const& nested) {
            out.refuse(nested.why());
#if defined(__GLIBCXX__)
        } catch (__cxxabiv1::__forced_unwind const&) {
            throw;
#endif
        } catch (...) {
            out.fail(std::current_exception());
        }
    }
}

/// Calls the operation, with the context if it takes it. A fork writes the outcome itself.
template <class R, class Operation, class Call>
[[gnu::always_inline]] inline void capture_operation(outcome<R>& out, Operation& operation,
                                                     Call& call) {
    if constexpr (fork_operation<Operation>)
        operation.run_into(out, call);
    else if constexpr (std::is_invocable_v<Operation&, Call&>)
        capture(out,
                [&]() noexcept(std::is_nothrow_invocable_v<Operation&, Call&>) -> decltype(auto) {
                    return operation(call);
                });
    else
        capture(out, [&]() noexcept(std::is_nothrow_invocable_v<Operation&>) -> decltype(auto) {
            return operation();
        });
}

/// Runs a fallback's alternative: a value, `f()`, or `f(error)`.
template <class R, class Alternative>
inline void capture_alternative(outcome<R>& out, Alternative& alternative,
                                call_error const& error) {
    if constexpr (std::is_invocable_v<Alternative&, call_error const&>)
        capture(out,
                [&]() noexcept(std::is_nothrow_invocable_v<Alternative&, call_error const&>)
                    -> decltype(auto) { return alternative(error); });
    else if constexpr (std::is_invocable_v<Alternative&>)
        capture(out, [&]() noexcept(std::is_nothrow_invocable_v<Alternative&>) -> decltype(auto) {
            return alternative();
        });
    else
        capture(out, [&]() -> Alternative const& { return alternative; });
}

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_COMPOSE_DETAIL_INVOKE_HPP
