// SPDX-License-Identifier: BSL-1.0
//
// execute and try_execute: a plain call through a pipeline, on the calling thread.
#ifndef HAWSER_COMPOSE_EXECUTE_HPP
#define HAWSER_COMPOSE_EXECUTE_HPP

#include <hawser/base/outcome.hpp>
#include <hawser/compose/context.hpp>
#include <hawser/compose/detail/check_call.hpp>
#include <hawser/compose/detail/sync_call.hpp>
#include <hawser/compose/pipeline.hpp>

#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

namespace detail {

/// Runs one call and leaves its outcome in `out`, with the number of attempts if that is kept.
template <bool KeepOrigin, class Pipeline, class Facts, class Operation, class R>
[[gnu::always_inline]] inline void run_sync(Pipeline const& line, Facts const& facts,
                                            Operation& operation, outcome<R>& out) {
    using call_type = context<typename Pipeline::environment_type, Facts>;
    static_assert(check_call<Pipeline, call_type, R, Operation>());
    call_type call{line.environment(), facts};
    using sink = std::remove_reference_t<decltype(line.environment().sink())>;
    [[maybe_unused]] time_point began{};
    if constexpr (listens_to<sink, call_ended>) began = call.now();

    sync_call<Pipeline, call_type, Operation, R>{line, call, operation, out}.run();

    if constexpr (KeepOrigin) {
        out.origin().attempts = call.attempt();
        if constexpr (call_type::has_facts)  // Those of layers are the layers' own to mark.
            if (out.classify() == verdict::success && !call.fits({})) out.origin().late = true;
    }
    call.template emit<call_ended>("pipeline", [&](event_origin at) {
        return call_ended{at, out.classify(), out.code(), time_between(began, at.at),
                          out.origin().degraded};
    });
}

template <class Pipeline, class Facts, class Operation>
using sync_result =
    operation_result_t<Operation, context<typename Pipeline::environment_type, Facts>>;

/// The edge: the outcome as the operation's own result type.
template <class R>
[[gnu::always_inline]] inline R unwrap_outcome(outcome<R>& out) {
    using value = std::remove_cvref_t<R>;
    if constexpr (carries_refusal<value> && !std::is_reference_v<R>)
        if (auto const* why = out.why()) [[unlikely]]
            return outcome_traits<value>::from(*why);
    return std::move(out).value();
}

template <class Line, class Facts, class Operation>
[[gnu::always_inline]] inline auto sync_outcome(Line const& line, Facts const& facts,
                                                Operation& operation) {
    using result = sync_result<Line, Facts, Operation>;
    return outcome<result>{
        std::in_place, [&](outcome<result>& out) { run_sync<true>(line, facts, operation, out); }};
}
template <class Line, class Facts, class Operation>
[[gnu::always_inline]] inline decltype(auto) sync_value(Line const& line, Facts const& facts,
                                                        Operation& operation) {
    outcome<sync_result<Line, Facts, Operation>> out;
    run_sync<false>(line, facts, operation, out);
    return unwrap_outcome(out);
}

}  // namespace detail

/// Calls `operation` through `line` and returns how it went: value, refusal or exception.
///
/// `operation` is called as an lvalue, with the call's context if it takes an argument, and again
/// if a layer says so. Blocks the calling thread while a layer waits. Throws nothing of its own; a
/// forced unwinding passes through and leaves no permit lent.
template <pipeline_type Line, class Operation>
[[gnu::always_inline]] inline auto try_execute(Line const& line, Operation&& operation) {
    return detail::sync_outcome(line, no_facts{}, operation);
}

/// As `try_execute`, for a call of which something is known.
template <pipeline_type Line, class Key, class Operation>
[[gnu::always_inline]] inline auto try_execute(Line const& line, call_facts<Key> const& facts,
                                               Operation&& operation) {
    return detail::sync_outcome(line, facts, operation);
}

/// The same, so that facts without a key can be written in place: `{.deadline = soon}`.
template <pipeline_type Line, class Operation>
[[gnu::always_inline]] inline auto try_execute(Line const& line, call_facts<> const& facts,
                                               Operation&& operation) {
    return detail::sync_outcome(line, facts, operation);
}

/// Calls `operation` through `line` and returns its result.
///
/// A refusal becomes a value of the result type where its `outcome_traits` say how; else it is
/// thrown as `refused`. What the operation threw is rethrown.
template <pipeline_type Line, class Operation>
[[gnu::always_inline]] inline decltype(auto) execute(Line const& line, Operation&& operation) {
    return detail::sync_value(line, no_facts{}, operation);
}

/// As `execute`, for a call of which something is known.
template <pipeline_type Line, class Key, class Operation>
[[gnu::always_inline]] inline decltype(auto) execute(Line const& line, call_facts<Key> const& facts,
                                                     Operation&& operation) {
    return detail::sync_value(line, facts, operation);
}
template <pipeline_type Line, class Operation>
[[gnu::always_inline]] inline decltype(auto) execute(Line const& line, call_facts<> const& facts,
                                                     Operation&& operation) {
    return detail::sync_value(line, facts, operation);
}

}  // namespace hawser::inline v0
#endif  // HAWSER_COMPOSE_EXECUTE_HPP
