// SPDX-License-Identifier: BSL-1.0
//
// The orders of layers that are nearly always a mistake, refused where they can be seen.
//
// Recommended, from the outside in: fallback, cache, total timeout, retry, hedge, rate limit,
// bulkhead, breaker, attempt timeout, chaos, operation. What the types show is refused when the
// pipeline is compiled, with an `allow<...>` for whoever means it; what only the values show makes
// `compose` throw.
#ifndef HAWSER_COMPOSE_LINT_HPP
#define HAWSER_COMPOSE_LINT_HPP

#include <hawser/base/time.hpp>
#include <hawser/policy/concept.hpp>

#include <array>
#include <cstddef>
#include <stdexcept>
#include <type_traits>

namespace hawser::inline v0 {

/// The rules that `allow` can lift.
namespace order {
struct fallback_inside_retry {};          ///< The retry would only ever see the stand-in.
struct chaos_not_innermost {};            ///< Injected faults would miss the layers inside it.
struct total_timeout_inside_retry {};     ///< It would limit each attempt, not their total.
struct attempt_timeout_outside_retry {};  ///< It would limit all attempts together.
struct repeated_at_most_once {};          ///< The operation may have happened already.
struct bare_thread_pool {};               ///< Two threads could run one call at once.
}  // namespace order

/// Lifts rules of the order for one pipeline: `compose(allow<order::fallback_inside_retry>{}, …)`.
template <class... Rules>
struct allow {
    template <class Rule>
    static constexpr bool lifts = (std::is_same_v<Rule, Rules> || ...);
};

namespace detail {

template <class Policy>
[[nodiscard]] constexpr layer_role role_of() noexcept {
    if constexpr (requires {
                      { Policy::role } -> std::convertible_to<layer_role>;
                  })
        return Policy::role;
    else
        return layer_role::other;
}

/// Whether a layer of role `inner` stands further in than one of role `outer`.
template <std::size_t Size>
[[nodiscard]] constexpr bool stands_inside(std::array<layer_role, Size> const& roles,
                                           layer_role inner, layer_role outer) noexcept {
    bool seen = false;
    for (auto const role : roles) {
        if (seen && role == inner) return true;
        seen = seen || role == outer;
    }
    return false;
}

/// Refuses to compile if the types of the layers, outermost first, show a mistake. Always true.
template <class Allowed, class... Policies>
consteval bool check_order() {
    if constexpr (sizeof...(Policies) > 1) {
        using enum layer_role;
        constexpr std::array roles{role_of<Policies>()...};
        static_assert(Allowed::template lifts<order::fallback_inside_retry> ||
                          !stands_inside(roles, fallback, retry),
                      "hawser: a fallback inside a retry hides every failure from it: put the "
                      "fallback outside, or allow<order::fallback_inside_retry>");
        static_assert(Allowed::template lifts<order::total_timeout_inside_retry> ||
                          !stands_inside(roles, total_timeout, retry),
                      "hawser: a total_timeout inside a retry limits one attempt: use "
                      "attempt_timeout, or allow<order::total_timeout_inside_retry>");
        static_assert(Allowed::template lifts<order::attempt_timeout_outside_retry> ||
                          !stands_inside(roles, retry, attempt_timeout),
                      "hawser: an attempt_timeout outside a retry limits all attempts together: "
                      "use total_timeout, or allow<order::attempt_timeout_outside_retry>");
        constexpr bool chaos_last = [&] {
            for (std::size_t i = 0; i + 1 < roles.size(); ++i)
                if (roles[i] == chaos && roles[i + 1] != chaos) return false;
            return true;
        }();
        static_assert(Allowed::template lifts<order::chaos_not_innermost> || chaos_last,
                      "hawser: chaos is the innermost layer, or the layers inside it go untested: "
                      "move it, or allow<order::chaos_not_innermost>");
    }
    return true;
}

/// What `check_values` needs of one layer.
struct layer_facts {
    void const* state = nullptr;  ///< The shared state behind it, if it has any.
    layer_role role = layer_role::other;
    duration limit = never;
};

template <class Policy>
[[nodiscard]] constexpr layer_facts facts_of(Policy& policy) noexcept {
    layer_facts facts{.role = role_of<Policy>()};
    if constexpr (stateful_policy<Policy>) facts.state = std::addressof(policy);
    if constexpr (requires {
                      { policy.limit() } -> std::same_as<duration>;
                  })
        facts.limit = policy.limit();
    return facts;
}

/// Throws `std::invalid_argument` if the values of the layers, outermost first, show a mistake.
template <std::size_t Size>
constexpr void check_values(std::array<layer_facts, Size> const& layers) {
    for (std::size_t outer = 0; outer < Size; ++outer) {
        for (std::size_t inner = outer + 1; inner < Size; ++inner) {
            auto const &o = layers[outer], &i = layers[inner];
            if (o.state != nullptr && o.state == i.state)
                throw std::invalid_argument{
                    "compose: the same policy object stands in the pipeline twice, so that one "
                    "call would pass it twice"};
            if (o.role == layer_role::total_timeout && i.role == layer_role::attempt_timeout &&
                i.limit >= o.limit)
                throw std::invalid_argument{
                    "compose: attempt_timeout is not below total_timeout, so that it never fires"};
        }
    }
}

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_COMPOSE_LINT_HPP
