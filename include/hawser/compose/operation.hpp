// SPDX-License-Identifier: BSL-1.0
//
// What an operation says of itself: whether it may be repeated.
#ifndef HAWSER_COMPOSE_OPERATION_HPP
#define HAWSER_COMPOSE_OPERATION_HPP

#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// An operation that must not run twice: charging a card without an idempotency key. Made by
/// `at_most_once`; a pipeline that could repeat it does not compile.
template <class Operation>
struct at_most_once_call {
    Operation operation;

    template <class... Arguments>
    requires std::is_invocable_v<Operation&, Arguments...>
    decltype(auto) operator()(Arguments&&... arguments) noexcept(
        std::is_nothrow_invocable_v<Operation&, Arguments...>) {
        return operation(std::forward<Arguments>(arguments)...);
    }
};

/// Marks an operation as one that must not run twice.
template <class Operation>
[[nodiscard]] constexpr auto at_most_once(Operation operation) {
    return at_most_once_call<Operation>{std::move(operation)};
}

/// An operation that is the inner part of a pipeline, run elsewhere: it has layers and attempts of
/// its own, tells of those itself, and says in the call's context how many there were.
template <class Operation>
inline constexpr bool fork_operation = false;

template <class Operation>
inline constexpr bool at_most_once_operation = false;
template <class Operation>
inline constexpr bool at_most_once_operation<at_most_once_call<Operation>> = true;

}  // namespace hawser::inline v0
#endif  // HAWSER_COMPOSE_OPERATION_HPP
