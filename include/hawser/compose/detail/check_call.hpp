// SPDX-License-Identifier: BSL-1.0
//
// The rules that only a whole call can show: its pipeline, its operation and its result together.
#ifndef HAWSER_COMPOSE_DETAIL_CHECK_CALL_HPP
#define HAWSER_COMPOSE_DETAIL_CHECK_CALL_HPP

#include <hawser/base/outcome_traits.hpp>
#include <hawser/compose/lint.hpp>
#include <hawser/compose/operation.hpp>
#include <hawser/compose/pipeline.hpp>
#include <hawser/policy/detail/check.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

template <class Pipeline, class Call, class R, std::size_t... I>
consteval bool check_policies(std::index_sequence<I...>) {
    return (check_policy<typename Pipeline::template policy_type<I>, Call, R>() && ...);
}

/// Every rule that only a call can show: its operation, its result, its facts. Always true.
template <class Pipeline, class Call, class R, class Operation>
consteval bool check_call() {
    static_assert(
        !at_most_once_operation<Operation> || !repeats<Pipeline> ||
            Pipeline::allowed::template lifts<order::repeated_at_most_once>,
        "hawser: a retry or hedge would repeat an operation marked at_most_once: take the "
        "layer out, or allow<order::repeated_at_most_once>");
    static_assert(std::is_void_v<R> || classifiable<std::remove_cvref_t<R>>,
                  "hawser: outcome_traits<R>::classify(R const&) must be noexcept and return a "
                  "verdict");
    return check_policies<Pipeline, Call, R>(std::make_index_sequence<Pipeline::size>{});
}

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_COMPOSE_DETAIL_CHECK_CALL_HPP
