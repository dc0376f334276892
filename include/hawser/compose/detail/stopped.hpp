// SPDX-License-Identifier: BSL-1.0
//
// The refusal that a stopped call ends with.
#ifndef HAWSER_COMPOSE_DETAIL_STOPPED_HPP
#define HAWSER_COMPOSE_DETAIL_STOPPED_HPP

#include <hawser/base/error.hpp>
#include <hawser/policy/concept.hpp>

namespace hawser::inline v0::detail {

[[nodiscard]] constexpr refusal stopped_by(stop_cause cause, char const* policy) noexcept {
    return {cause == stop_cause::timeout ? errc::timed_out : errc::cancelled, {}, policy};
}

/// The refusal of an attempt that the call's allowance has no place for.
inline constexpr refusal no_attempt_left{errc::not_permitted, never, "pipeline"};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_COMPOSE_DETAIL_STOPPED_HPP
