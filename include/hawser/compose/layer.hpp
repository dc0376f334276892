// SPDX-License-Identifier: BSL-1.0
//
// How a pipeline holds its policies: by value, built in place, or borrowed.
//
//     compose(retry{{.max_attempts = 4}},            // by value: copied or moved in
//             build<circuit_breaker>(options),       // built where it stays; the pipeline owns it
//             borrow(breaker),                       // somebody else's, who outlives the pipeline
//             std::make_shared<circuit_breaker>())   // owned together
#ifndef HAWSER_COMPOSE_LAYER_HPP
#define HAWSER_COMPOSE_LAYER_HPP

#include <hawser/base/borrow.hpp>
#include <hawser/policy/concept.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// A policy that is made inside the pipeline. Made by `build`.
template <class Make>
struct built {
    using policy_type = std::invoke_result_t<Make>;
    Make make;
};

/// Makes a `Policy` from `arguments` where it stays, for policies that cannot move. What it refers
/// to must live until `compose` returns.
template <class Policy, class... Arguments>
[[nodiscard]] constexpr auto build(Arguments&&... arguments) {
    auto make = [&arguments...]() -> Policy {
        return Policy(std::forward<Arguments>(arguments)...);
    };
    return built<decltype(make)>{make};
}
namespace detail {

/// Reached as const: without shared state, a policy does not change while calls pass through it.
template <class Policy>
class value_layer {
public:
    using policy_type = Policy const;
    template <class Argument>
    constexpr explicit value_layer(Argument&& policy) : policy_(std::forward<Argument>(policy)) {}
    [[nodiscard]] constexpr Policy const& get() const noexcept { return policy_; }

private:
    [[no_unique_address]] Policy policy_;
};

/// Owns a policy with shared state, which is safe to reach from a const pipeline on many threads.
template <class Policy>
class state_layer {
public:
    using policy_type = Policy;
    constexpr explicit state_layer(Policy&& policy) : policy_(std::move(policy)) {}
    template <class Make>
    constexpr explicit state_layer(built<Make> const& made) : policy_(made.make()) {}
    [[nodiscard]] constexpr Policy& get() const noexcept { return policy_; }

private:
    mutable Policy policy_;
};

template <class Policy>
class borrowed_layer {
public:
    using policy_type = Policy;
    constexpr explicit borrowed_layer(borrowed<Policy> const& from) noexcept : policy_{from.lent} {}
    [[nodiscard, gnu::always_inline]] constexpr Policy& get() const noexcept { return *policy_; }

private:
    Policy* policy_;
};

template <class Pointer>
class pointer_layer {
public:
    using policy_type = typename Pointer::element_type;
    constexpr explicit pointer_layer(Pointer policy) noexcept : policy_{std::move(policy)} {}
    [[nodiscard]] constexpr policy_type& get() const noexcept { return *policy_; }

private:
    Pointer policy_;
};

/// The layer that `compose` makes from an argument of type `Argument` (with its reference).
template <class Argument, class Plain = std::remove_cvref_t<Argument>>
struct layer_of {
    static_assert(!stateful_policy<Plain> || !std::is_lvalue_reference_v<Argument>,
                  "hawser: a policy with state is not copied: pass borrow(policy) or a shared_ptr");
    static_assert(
        !stateful_policy<Plain> || std::is_lvalue_reference_v<Argument> ||
            std::is_move_constructible_v<Plain>,
        "hawser: this policy cannot move: pass borrow(policy), or build<policy>(options)");
    using type = std::conditional_t<stateful_policy<Plain>, state_layer<Plain>, value_layer<Plain>>;
};
template <class Argument, class Policy>
struct layer_of<Argument, borrowed<Policy>> {
    using type = borrowed_layer<Policy>;
};
template <class Argument, class Make>
struct layer_of<Argument, built<Make>> {
    using type = state_layer<typename built<Make>::policy_type>;
};
template <class Argument, smart_pointer Pointer>
struct layer_of<Argument, Pointer> {
    using type = pointer_layer<Pointer>;
};
template <class Argument>
using layer_t = typename layer_of<Argument>::type;

/// One of a pipeline's layers, found by its place.
template <std::size_t Place, class Layer>
struct placed_layer {
    template <class Argument>
    constexpr explicit placed_layer(Argument&& argument)
        : layer(std::forward<Argument>(argument)) {}
    [[no_unique_address]] Layer layer;
};

template <class Places, class... Layers>
struct layer_stack;
template <std::size_t... Places, class... Layers>
struct layer_stack<std::index_sequence<Places...>, Layers...> : placed_layer<Places, Layers>... {
    template <class... Arguments>
    constexpr explicit layer_stack(Arguments&&... arguments)
        : placed_layer<Places, Layers>(std::forward<Arguments>(arguments))... {}
};

template <std::size_t Place, class Layer>
[[gnu::always_inline]] constexpr Layer const& layer_at(
    placed_layer<Place, Layer> const& at) noexcept {
    return at.layer;
}

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_COMPOSE_LAYER_HPP
