// SPDX-License-Identifier: BSL-1.0
//
// How an asynchronous operation is reached: as an initiating function `op(call, token)`, or as a
// coroutine `op(call)` or `op()` that returns an `awaitable<T>`.
#ifndef HAWSER_ADAPT_ASIO_OPERATION_HPP
#define HAWSER_ADAPT_ASIO_OPERATION_HPP

#include <hawser/policy/concept.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>

#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

template <class T>
struct awaitable_signature;
template <class T, class Executor>
struct awaitable_signature<boost::asio::awaitable<T, Executor>> {
    using type = void(std::exception_ptr, T);
};
template <class Executor>
struct awaitable_signature<boost::asio::awaitable<void, Executor>> {
    using type = void(std::exception_ptr);
};

template <class Operation, class... Arguments>
concept coroutine_operation = requires(Operation& operation, Arguments&... arguments) {
    typename awaitable_signature<decltype(operation(arguments...))>::type;
};

/// Whether something can be started with these arguments: as a coroutine, or with a token after
/// them
/// (`deferred` stands for any).
template <class Operation, class... Arguments>
concept startable = coroutine_operation<Operation, Arguments...> ||
    std::is_invocable_v<Operation&, Arguments&..., boost::asio::deferred_t const&>;

/// The primary: an initiating function. Its signature is asked of the operation itself.
template <class Operation, class... Arguments>
struct async_operation {
    using signature = boost::asio::completion_signature_of_t<Operation&, Arguments&...>;

    template <class Executor, class Handler>
    static void start(Operation& operation, Executor const&, Handler&& handler,
                      Arguments&... arguments) {
        operation(arguments..., std::forward<Handler>(handler));
    }
};

template <class Operation, class... Arguments>
requires coroutine_operation<Operation, Arguments...>
struct async_operation<Operation, Arguments...> {
    using signature =
        typename awaitable_signature<std::invoke_result_t<Operation&, Arguments&...>>::type;

    template <class Executor, class Handler>
    static void start(Operation& operation, Executor const& executor, Handler&& handler,
                      Arguments&... arguments) {
        boost::asio::co_spawn(executor, operation(arguments...), std::forward<Handler>(handler));
    }
};

template <class Operation, class Call>
requires(coroutine_operation<Operation> &&
         !coroutine_operation<Operation, Call>) struct async_operation<Operation, Call> {
    using signature = typename awaitable_signature<std::invoke_result_t<Operation&>>::type;

    template <class Executor, class Handler>
    static void start(Operation& operation, Executor const& executor, Handler&& handler, Call&) {
        boost::asio::co_spawn(executor, operation(), std::forward<Handler>(handler));
    }
};

/// Whether a layer of the pipeline may run an alternative.
template <class Pipeline>
inline constexpr bool diverts = []<std::size_t... I>(std::index_sequence<I...>) {
    return (has_alternative<typename Pipeline::template policy_type<I>> || ...);
}
(std::make_index_sequence<Pipeline::size>{});

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_OPERATION_HPP
