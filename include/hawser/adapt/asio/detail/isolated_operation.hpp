// SPDX-License-Identifier: BSL-1.0
//
// The operation of a pipeline's outer part that runs the caller's own operation, in the inner part,
// on an isolation pool.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_ISOLATED_OPERATION_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_ISOLATED_OPERATION_HPP

#include <hawser/adapt/asio/completion.hpp>
#include <hawser/adapt/asio/detail/blocking_job.hpp>
#include <hawser/adapt/asio/detail/isolation_core.hpp>
#include <hawser/adapt/asio/detail/posted_job.hpp>
#include <hawser/adapt/asio/operation.hpp>
#include <hawser/compose/detail/invoke.hpp>
#include <hawser/compose/facts.hpp>
#include <hawser/compose/operation.hpp>
#include <hawser/policy/concept.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

/// Whether a layer of the pipeline may start the operation again.
template <class Pipeline, class Call, class R>
inline constexpr bool may_start_again = []<std::size_t... I>(std::index_sequence<I...>) {
    return (goes_again<typename Pipeline::template policy_type<I>, Call, R> || ...);
}
(std::make_index_sequence<Pipeline::size>{});

template <class T>
inline constexpr bool is_reference_wrapper = false;
template <class T>
inline constexpr bool is_reference_wrapper<std::reference_wrapper<T>> = true;

/// `Held` is the caller's operation, or a reference to it that lasts as long as the call.
template <class Outer, class Inner, class Held>
class isolated_operation {
    using operation_type = std::decay_t<Held>;
    static_assert(!is_reference_wrapper<operation_type>,
                  "hawser: an isolated operation may outlive its call, so it must be owned by it: "
                  "pass it by value");

public:
    using inner_type = Inner;
    template <class Call>
    using facts_of = call_facts<typename Call::key_type>;
    template <class Call>
    using result = operation_result_t<operation_type,
                                      context<typename Inner::environment_type, facts_of<Call>>>;

    template <class Op>
    isolated_operation(std::shared_ptr<isolation_core> core, std::shared_ptr<Inner const> inner,
                       Op&& operation)
        : core_{std::move(core)}, inner_{std::move(inner)}, held_(std::forward<Op>(operation)) {}

    /// On the caller's thread, which blocks.
    template <class R, class Call>
    void run_into(outcome<R>& out, Call& call) {
        using job = blocking_job<Inner, facts_of<Call>, operation_type, R>;
        check<R>();
        parking_spot bell;
        outcome<std::shared_ptr<job>> made;
        capture(made, [&] { return make<job, R>(call, bell); });
        if (made.has_value()) return job::run(made.value(), out, call);
        // Copying the operation may throw what it likes.
        if (auto const* why = made.why())
            out.refuse(*why);
        else
            out.fail(made.exception());
    }

    /// In Asio; `handler` is invoked with an `isolated_end`.
    template <class Executor, class Handler, class Call>
    void start(Executor const& executor, Handler&& handler, Call& call) {
        using R = result<Call>;
        using job = posted_job<Inner, facts_of<Call>, operation_type, R, Call,
                               std::remove_cvref_t<Handler>, Executor>;
        check<R>();
        job::run(make<job, R>(call, call, executor, handler.get_executor()), std::move(handler));
    }

private:
    template <class R>
    static consteval void check() {
        static_assert(!std::is_reference_v<R>,
                      "hawser: what an isolated operation refers to may be gone with it: return a "
                      "value");
        static_assert(std::is_void_v<R> || std::is_nothrow_move_constructible_v<R>,
                      "hawser: the result of an isolated operation must be nothrow-movable");
    }

    template <class Job, class R, class Call, class... Waits>
    std::shared_ptr<Job> make(Call& call, Waits&&... waits) {
        constexpr bool copies = std::is_lvalue_reference_v<Held> || may_start_again<Outer, Call, R>;
        static_assert(!copies || std::is_copy_constructible_v<operation_type>,
                      "hawser: an isolated operation is copied where it is passed as an lvalue, or "
                      "may be started again by an outer layer");
        using source = std::conditional_t<copies, operation_type const&, operation_type>;
        auto const facts = call.nested();
        return std::make_shared<Job>(
            isolated_making<Inner, facts_of<Call>, source>{core_, inner_, facts, call.attempt() - 1,
                                                           static_cast<source&&>(held_)},
            std::forward<Waits>(waits)...);
    }

    std::shared_ptr<isolation_core> core_;
    std::shared_ptr<Inner const> inner_;
    Held held_;
};

template <class Outer, class Inner, class Held, class Call>
struct operation_result<isolated_operation<Outer, Inner, Held>, Call> {
    using type = typename isolated_operation<Outer, Inner, Held>::template result<Call>;
};

template <class Outer, class Inner, class Held, class Call>
struct async_operation<isolated_operation<Outer, Inner, Held>, Call> {
    template <class Executor, class Handler>
    static void start(isolated_operation<Outer, Inner, Held>& operation, Executor const& executor,
                      Handler&& handler, Call& call) {
        operation.start(executor, std::forward<Handler>(handler), call);
    }
};

/// How a call with an isolated layer completes.
template <class R>
struct isolated_completion {
    using result = R;
    using signature = void(std::exception_ptr, R);
    using standard = completion<signature>;

    template <class Call>
    static void store(outcome<R>& out, isolated_end<R, Call>&& end) noexcept {
        end.result.bring_home(out, end.call);
    }
    static outcome<R> take(outcome<R>&& out) noexcept { return standard::take(std::move(out)); }
    template <class Handler>
    static void deliver(Handler&& handler, outcome<R>&& out) {
        standard::deliver(std::forward<Handler>(handler), std::move(out));
    }
};
template <>
struct isolated_completion<void> : completion<void(std::exception_ptr)> {
    using signature = void(std::exception_ptr);

    template <class Call>
    static void store(outcome<void>& out, isolated_end<void, Call>&& end) noexcept {
        end.result.bring_home(out, end.call);
    }
};

}  // namespace hawser::inline v0::detail

namespace hawser::inline v0 {

template <class Outer, class Inner, class Held>
inline constexpr bool fork_operation<detail::isolated_operation<Outer, Inner, Held>> = true;
template <class Outer, class Inner, class Held>
inline constexpr bool at_most_once_operation<detail::isolated_operation<Outer, Inner, Held>> =
    at_most_once_operation<std::decay_t<Held>>;

}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_ASIO_DETAIL_ISOLATED_OPERATION_HPP
