// SPDX-License-Identifier: BSL-1.0
//
// isolated: the layer from which on a call runs on threads of a pool of its own.
//
//     the caller's thread, or executor          |  a thread of the pool
//     retry -> breaker -> attempt_timeout -> isolated -> bulkhead -> operation
//                                       ^       |            |
//       its result, or, at the deadline --------+------------+
//       or when it is cancelled, none
//
// Bulkhead and thread pool isolation: M. Nygard, "Release It!", 2nd edition, chapter 5; the form
// with threads of its own is that of Netflix's Hystrix, "How it Works", section "Isolation".
#ifndef HAWSER_ADAPT_ASIO_ISOLATED_HPP
#define HAWSER_ADAPT_ASIO_ISOLATED_HPP

#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/adapt/asio/completion.hpp>
#include <hawser/adapt/asio/detail/isolated_operation.hpp>
#include <hawser/adapt/asio/isolation_pool.hpp>
#include <hawser/base/borrow.hpp>
#include <hawser/compose/fork.hpp>
#include <hawser/policy/concept.hpp>

#include <boost/asio/async_result.hpp>

#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// A layer of a pipeline: what is further in runs on the threads of an `isolation_pool`, as a plain
/// call, whether the pipeline is called by `execute` or by `async_execute`.
///
///     isolation_pool search{{.threads = 8, .places = 16}, named{"search"}};
///     auto const line = compose(retry{}, borrow(breaker), attempt_timeout{250ms},
///                               isolated{borrow(search)});
///     auto found = execute(line, [query](auto& call) { return find(query, call.stop_token()); });
///
/// The caller waits no longer than the innermost deadline outside of this layer, and no longer than
/// it wants to: it is then told `timed_out` or `cancelled` at once, whatever the operation does. A
/// call that still waited for a thread is never run. An operation that runs is told to stop through
/// its call's stop token, on which listeners run at once and hold the caller; it goes on, on its
/// own, and its result is destroyed where it ran.
///
/// What runs on its own may outlive the call and the pipeline. So the operation is copied into the
/// call, or moved if no outer layer starts it again, and must own what it touches: a lambda that
/// captures by reference is a dangling one. What the inner layers borrow, the pipeline's sink, and
/// what the call's key points to must live until the pool has stopped: make the pool after them.
///
/// An `attempt_timeout` belongs outside of it: inside, it can only mark what comes too late. A
/// retry outside may start an operation again while the last one still runs.
///
/// Refusals: `bulkhead_full` (no thread is free and no place to wait), `closed` (the pool has been
/// closed). Both are neutral to circuit breakers further out, and cost no retry budget.
///
/// Guarantee:     an operation runs once for each start, or never and its caller is told why; its
///                result, refusal or exception reaches the caller, with its provenance, or is
///                destroyed on the pool's thread, never both.
/// Thread safety: const; shared freely.
/// Cost:          for each start two blocks of memory, three locks on the pool and two changes of
///                threads.
class isolated {
public:
    using fork = void;
    static constexpr layer_role role = layer_role::bulkhead;

    /// The pool outlives the pipeline.
    explicit isolated(borrowed<isolation_pool> pool) noexcept
        : pool_{std::shared_ptr<void>{}, pool.lent} {}
    /// Throws `std::invalid_argument` if there is none.
    explicit isolated(std::shared_ptr<isolation_pool> pool) : pool_{std::move(pool)} {
        if (pool_ == nullptr) throw std::invalid_argument{"isolated: pool is null"};
    }

    [[nodiscard]] char const* name() const noexcept { return pool_->name(); }
    [[nodiscard]] isolation_pool& pool() const noexcept { return *pool_; }

    /// For `forked_pipeline`.
    template <class Outer, class Inner, class Operation>
    [[nodiscard]] auto bind(std::shared_ptr<Inner const> const& inner,
                            Operation&& operation) const {
        using held = std::conditional_t<std::is_lvalue_reference_v<Operation>, Operation,
                                        std::decay_t<Operation>>;
        return detail::isolated_operation<Outer, Inner, held>{pool_->core(), inner,
                                                              std::forward<Operation>(operation)};
    }

private:
    std::shared_ptr<isolation_pool> pool_;
};

namespace detail {

/// How the call of a forked pipeline starts and ends in Asio.
template <template <class> class EdgeOf, class Line, class Executor, class Facts, class Operation>
struct forked_call_types {
    using outer = typename Line::outer_type;
    using call_type = context<typename outer::environment_type, Facts>;
    using operation_type =
        decltype(std::declval<Line const&>().bind(std::declval<std::decay_t<Operation>>()));
    using result = operation_result_t<operation_type, call_type>;
    using edge = EdgeOf<isolated_completion<result>>;
    using initiation = async_initiation<outer, Facts, operation_type, edge, Executor>;

    static_assert(check_call<outer, call_type, result, operation_type>());
};

template <template <class> class EdgeOf, class Signature, class Line, class Executor, class Facts,
          class Operation, class Token>
auto initiate_forked(Line const& line, Executor const& executor, Facts const& facts,
                     Operation&& operation, Token&& token) {
    using types = forked_call_types<EdgeOf, Line, Executor, Facts, Operation>;
    return boost::asio::async_initiate<Token, Signature>(
        typename types::initiation{line.outer(), executor}, token,
        line.bind(std::decay_t<Operation>(std::forward<Operation>(operation))), facts);
}

template <class Line, class Facts, class Operation>
using forked_result = typename forked_call_types<plain_edge, Line, int, Facts, Operation>::result;
template <class Line, class Facts, class Operation>
using forked_signature =
    typename isolated_completion<forked_result<Line, Facts, Operation>>::signature;
template <class Line, class Facts, class Operation>
using forked_try_signature = void(outcome<forked_result<Line, Facts, Operation>>);

}  // namespace detail

// `async_execute` and `async_try_execute` of a pipeline with an isolated layer. The operation is a
// plain function, `op(call)` or `op()`, which runs on the pool. They complete with
// `void(exception_ptr, R)`, or `void(outcome<R>)`, and otherwise as those of any pipeline; when the
// caller's execution context is destroyed, its calls are destroyed with it, whatever still runs.

template <forked_line Line, class Executor, class Operation, class Token>
auto async_execute(Line const& line, Executor const& executor, Operation&& operation,
                   Token&& token) {
    return detail::initiate_forked<detail::plain_edge,
                                   detail::forked_signature<Line, no_facts, Operation>>(
        line, executor, no_facts{}, std::forward<Operation>(operation), std::forward<Token>(token));
}
template <forked_line Line, class Executor, class Key, class Operation, class Token>
auto async_execute(Line const& line, Executor const& executor, call_facts<Key> const& facts,
                   Operation&& operation, Token&& token) {
    return detail::initiate_forked<detail::plain_edge,
                                   detail::forked_signature<Line, call_facts<Key>, Operation>>(
        line, executor, facts, std::forward<Operation>(operation), std::forward<Token>(token));
}
template <forked_line Line, class Executor, class Operation, class Token>
auto async_execute(Line const& line, Executor const& executor, call_facts<> const& facts,
                   Operation&& operation, Token&& token) {
    return hawser::async_execute<Line, Executor, no_key>(
        line, executor, facts, std::forward<Operation>(operation), std::forward<Token>(token));
}

template <forked_line Line, class Executor, class Operation, class Token>
auto async_try_execute(Line const& line, Executor const& executor, Operation&& operation,
                       Token&& token) {
    return detail::initiate_forked<detail::outcome_edge,
                                   detail::forked_try_signature<Line, no_facts, Operation>>(
        line, executor, no_facts{}, std::forward<Operation>(operation), std::forward<Token>(token));
}
template <forked_line Line, class Executor, class Key, class Operation, class Token>
auto async_try_execute(Line const& line, Executor const& executor, call_facts<Key> const& facts,
                       Operation&& operation, Token&& token) {
    return detail::initiate_forked<detail::outcome_edge,
                                   detail::forked_try_signature<Line, call_facts<Key>, Operation>>(
        line, executor, facts, std::forward<Operation>(operation), std::forward<Token>(token));
}
template <forked_line Line, class Executor, class Operation, class Token>
auto async_try_execute(Line const& line, Executor const& executor, call_facts<> const& facts,
                       Operation&& operation, Token&& token) {
    return hawser::async_try_execute<Line, Executor, no_key>(
        line, executor, facts, std::forward<Operation>(operation), std::forward<Token>(token));
}

template <forked_line Line, class... Arguments>
void async_execute(Line const&& line, Arguments&&...) = delete;
template <forked_line Line, class... Arguments>
void async_try_execute(Line const&& line, Arguments&&...) = delete;

}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_ASIO_ISOLATED_HPP
