// SPDX-License-Identifier: BSL-1.0
//
// async_execute: an Asio operation through a pipeline, for any completion token.
//
//     auto reply = co_await async_execute(line, executor, fetch, asio::use_awaitable);
//
// With g++ 12, name the operation before the `co_await` expression, as here: that compiler destroys
// closures written inside one twice.
#ifndef HAWSER_ADAPT_ASIO_ASYNC_EXECUTE_HPP
#define HAWSER_ADAPT_ASIO_ASYNC_EXECUTE_HPP

#include <hawser/adapt/asio/detail/async_call.hpp>
#include <hawser/compose/detail/check_call.hpp>
#include <hawser/compose/pipeline.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>

#include <type_traits>
#include <utility>

namespace boost::asio {
class system_context;
class thread_pool;
}  // namespace boost::asio

namespace hawser::inline v0 {

namespace detail {

/// The completion of `async_try_execute`: the outcome itself.
template <class Completion>
struct outcome_edge {
    using result = typename Completion::result;

    template <class... Arguments>
    static void store(outcome<result>& out, Arguments&&... arguments) {
        Completion::store(out, std::forward<Arguments>(arguments)...);
    }
    static outcome<result> take(outcome<result>&& out) noexcept { return std::move(out); }

    template <class Handler>
    static void deliver(Handler&& handler, outcome<result>&& out) {
        std::move(handler)(std::move(out));
    }
};

template <class Context>
inline constexpr bool is_pool = std::is_same_v<Context, boost::asio::thread_pool> ||
                                std::is_same_v<Context, boost::asio::system_context>;

/// Whether handlers run on the threads of a pool with nothing between, as far as the type shows. A
/// strand keeps its handlers apart whatever it stands on.
template <class Executor>
consteval bool on_bare_thread_pool() {
    namespace asio = boost::asio;
    if constexpr (requires(Executor const& executor) { executor.get_inner_executor(); })
        return false;
    else if constexpr (asio::can_query_v<Executor, asio::execution::context_t>)
        return is_pool<std::remove_cvref_t<decltype(asio::query(std::declval<Executor const&>(),
                                                                asio::execution::context))>>;
    else
        return false;
}

template <class Pipeline, class Call, class R, std::size_t... I>
consteval bool only_gates_and_looks(std::index_sequence<I...>) {
    return ((!scopes<typename Pipeline::template policy_type<I>, Call> &&
             (only_gates<typename Pipeline::template policy_type<I>, Call> ||
              !(asks_before<typename Pipeline::template policy_type<I>, Call> ||
                parks_before<typename Pipeline::template policy_type<I>, Call>)) &&
             role_of<typename Pipeline::template policy_type<I>>() != layer_role::retry) &&
            ...);
}

template <class Pipeline, class Facts, class Operation, class Edge, class Executor>
struct async_initiation {
    using executor_type = Executor;
    [[nodiscard]] executor_type get_executor() const noexcept { return executor; }

    Pipeline const& line;
    Executor executor;

    template <class Handler, class Op>
    void operator()(Handler&& handler, Op&& operation, Facts const& facts) const {
        using handler_type = std::decay_t<Handler>;
        using call = async_call<Pipeline, Facts, Operation, Edge, handler_type, Executor>;
        static_assert(
            !on_bare_thread_pool<typename call::executor_type>() ||
                (!call::call_type::has_facts &&
                 only_gates_and_looks<Pipeline, typename call::call_type, typename Edge::result>(
                     std::make_index_sequence<Pipeline::size>{})) ||
                Pipeline::allowed::template lifts<order::bare_thread_pool>,
            "hawser: a call that may wait or time out needs a handler executor that serialises, "
            "and a bare thread_pool does not: use a strand, or allow<order::bare_thread_pool>");
        call::launch(line, facts, executor, std::forward<Op>(operation),
                     handler_type{std::forward<Handler>(handler)});
    }
};

template <template <class> class EdgeOf, class Line, class Executor, class Facts, class Operation>
struct async_call_types {
    using call_type = context<typename Line::environment_type, Facts>;
    using operation_type = std::decay_t<Operation>;
    using signature = typename async_operation<operation_type, call_type>::signature;
    using edge = EdgeOf<completion<signature>>;
    using result = typename edge::result;
    using initiation = async_initiation<Line, Facts, operation_type, edge, Executor>;

    static_assert(std::is_void_v<result> || std::is_nothrow_move_constructible_v<result>,
                  "hawser: the result of an asynchronous operation must be nothrow-movable");
    static_assert(check_call<Line, call_type, result, operation_type>());
};

template <class Completion>
using plain_edge = Completion;

}  // namespace detail

/// Starts `operation` through `line` and completes `token` as the operation would have.
///
/// `operation` is `op(call, token)`, an initiating function, or `op(call)` or `op()`, a coroutine
/// returning `awaitable<T>`; it is moved or copied into the call and started as an lvalue, again if
/// a layer says so. It must pass its handler's cancellation slot on for a timeout to stop it.
///
/// Completion: on the handler's associated executor, by default `executor`, never inside this
/// function. A refusal becomes an error code or an exception (`completion`). Nothing of the call
/// outlives its completion: a cancelled operation is waited for, and a success that it has in spite
/// of the cancel is kept.
///
/// Cancellation: through the handler's cancellation slot, or `facts.stop`.
/// Lifetime:     `line`, and what it borrows, must live until the call has completed or, with its
///               context, been destroyed; a temporary does not compile.
/// Threads:      may be called on any thread. If anything in the pipeline waits or times out, the
///               handler's executor must serialise: a context that one thread runs, or a strand;
///               and a cancellation signal is emitted there.
/// Cost:         one block from the handler's allocator, recycled by default.
template <pipeline_type Line, class Executor, class Operation, class Token>
auto async_execute(Line const& line, Executor const& executor, Operation&& operation,
                   Token&& token) {
    using types = detail::async_call_types<detail::plain_edge, Line, Executor, no_facts, Operation>;
    return boost::asio::async_initiate<Token, typename types::signature>(
        typename types::initiation{line, executor}, token, std::forward<Operation>(operation),
        no_facts{});
}

/// As `async_execute`, for a call of which something is known: `{.deadline = soon}`.
template <pipeline_type Line, class Executor, class Key, class Operation, class Token>
auto async_execute(Line const& line, Executor const& executor, call_facts<Key> const& facts,
                   Operation&& operation, Token&& token) {
    using types =
        detail::async_call_types<detail::plain_edge, Line, Executor, call_facts<Key>, Operation>;
    return boost::asio::async_initiate<Token, typename types::signature>(
        typename types::initiation{line, executor}, token, std::forward<Operation>(operation),
        facts);
}
template <pipeline_type Line, class Executor, class Operation, class Token>
auto async_execute(Line const& line, Executor const& executor, call_facts<> const& facts,
                   Operation&& operation, Token&& token) {
    return hawser::async_execute<Line, Executor, no_key>(
        line, executor, facts, std::forward<Operation>(operation), std::forward<Token>(token));
}

/// As `async_execute`, but completes with the `outcome` itself: `void(outcome<R>)`.
template <pipeline_type Line, class Executor, class Operation, class Token>
auto async_try_execute(Line const& line, Executor const& executor, Operation&& operation,
                       Token&& token) {
    using types =
        detail::async_call_types<detail::outcome_edge, Line, Executor, no_facts, Operation>;
    return boost::asio::async_initiate<Token, void(outcome<typename types::result>)>(
        typename types::initiation{line, executor}, token, std::forward<Operation>(operation),
        no_facts{});
}
template <pipeline_type Line, class Executor, class Key, class Operation, class Token>
auto async_try_execute(Line const& line, Executor const& executor, call_facts<Key> const& facts,
                       Operation&& operation, Token&& token) {
    using types =
        detail::async_call_types<detail::outcome_edge, Line, Executor, call_facts<Key>, Operation>;
    return boost::asio::async_initiate<Token, void(outcome<typename types::result>)>(
        typename types::initiation{line, executor}, token, std::forward<Operation>(operation),
        facts);
}

template <pipeline_type Line, class Executor, class Operation, class Token>
auto async_try_execute(Line const& line, Executor const& executor, call_facts<> const& facts,
                       Operation&& operation, Token&& token) {
    return hawser::async_try_execute<Line, Executor, no_key>(
        line, executor, facts, std::forward<Operation>(operation), std::forward<Token>(token));
}

// A temporary pipeline would be gone before the call completes.
template <pipeline_type Line, class... Arguments>
void async_execute(Line const&& line, Arguments&&...) = delete;
template <pipeline_type Line, class... Arguments>
void async_try_execute(Line const&& line, Arguments&&...) = delete;

}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_ASIO_ASYNC_EXECUTE_HPP
