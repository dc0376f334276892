// SPDX-License-Identifier: BSL-1.0
//
// compose: several policies, outermost first, as one line that calls pass through.
#ifndef HAWSER_COMPOSE_PIPELINE_HPP
#define HAWSER_COMPOSE_PIPELINE_HPP

#include <hawser/compose/environment.hpp>
#include <hawser/compose/layer.hpp>
#include <hawser/compose/lint.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// A line of policies. Made by `compose`, outermost layer first; stays where it is made.
///
/// Thread safety: const and shared freely; calls do not change it, and the policies with state that
/// it holds or borrows are thread-safe. An asynchronous call refers to it until it completes.
template <class Environment, class Allowed, class... Layers>
class pipeline {
    using stack = detail::layer_stack<std::index_sequence_for<Layers...>, Layers...>;

public:
    using environment_type = Environment;
    using allowed = Allowed;
    static constexpr std::size_t size = sizeof...(Layers);

    template <class... Arguments>
    constexpr explicit pipeline(Environment env, Allowed, Arguments&&... arguments)
        : env_{std::move(env)}, layers_(std::forward<Arguments>(arguments)...) {
        static_assert(detail::check_order<Allowed, typename Layers::policy_type...>());
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            detail::check_values(
                std::array<detail::layer_facts, size>{detail::facts_of(policy<I>())...});
        }
        (std::index_sequence_for<Layers...>{});
    }
    pipeline(pipeline const&) = delete;
    pipeline& operator=(pipeline const&) = delete;

    [[nodiscard]] constexpr Environment const& environment() const noexcept { return env_; }

    /// The policy at a place, 0 being the outermost; const if the pipeline holds it by value.
    template <std::size_t Place>
    [[nodiscard, gnu::always_inline]] constexpr auto& policy() const noexcept {
        return detail::layer_at<Place>(layers_).get();
    }

    /// Its type, const where the pipeline holds it by value.
    template <std::size_t Place>
    using policy_type = typename std::remove_cvref_t<decltype(detail::layer_at<Place>(
        std::declval<stack const&>()))>::policy_type;

    /// How often one call may start the operation at most: the layers' bounds, multiplied.
    [[nodiscard]] constexpr std::uint32_t max_attempts() const noexcept {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            std::uint64_t product = 1;
            ((product = times(product, bound(policy<I>()))), ...);
            return static_cast<std::uint32_t>(product);
        }
        (std::index_sequence_for<Layers...>{});
    }

private:
    static constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();

    static constexpr std::uint64_t times(std::uint64_t left, std::uint64_t right) noexcept {
        return left * right > most ? most : left * right;  // Both are below 2^32.
    }
    template <class Policy>
    static constexpr std::uint64_t bound(Policy const& policy) noexcept {
        if constexpr (requires {
                          { policy.max_attempts() } -> std::same_as<std::uint32_t>;
                      })
            return policy.max_attempts();
        else
            return 1;
    }

    [[no_unique_address]] Environment env_;
    [[no_unique_address]] stack layers_;
};

template <class Line>
concept pipeline_type = requires {
    typename Line::environment_type;
    typename Line::allowed;
    { Line::size } -> std::convertible_to<std::size_t>;
};

/// Whether a layer of the pipeline may start the operation more than once.
template <class Pipeline>
inline constexpr bool repeats = []<std::size_t... I>(std::index_sequence<I...>) {
    using enum layer_role;
    [[maybe_unused]] constexpr auto again = [](layer_role role) {
        return role == retry || role == hedge;
    };
    return (again(detail::role_of<typename Pipeline::template policy_type<I>>()) || ...);
}
(std::make_index_sequence<Pipeline::size>{});

/// A layer that runs what is further in elsewhere: `compose` splits there (`compose/fork.hpp`). It
/// says so with a member type `fork`.
template <class Layer>
concept fork_layer = requires {
    typename std::remove_cvref_t<Layer>::fork;
};

/// Composes policies, outermost first, in an environment of one's own. See `compose`.
template <class Environment, class... Rules, class... Policies>
requires(!(fork_layer<Policies> || ...))
    [[nodiscard]] constexpr auto compose_in(Environment env, allow<Rules...> allowed,
                                            Policies&&... policies) {
    return pipeline<Environment, allow<Rules...>, detail::layer_t<Policies&&>...>{
        std::move(env), allowed, std::forward<Policies>(policies)...};
}
template <class Environment, class... Policies>
requires(!(fork_layer<Policies> || ...))
    [[nodiscard]] constexpr auto compose_in(Environment env, Policies&&... policies) {
    return pipeline<Environment, allow<>, detail::layer_t<Policies&&>...>{
        std::move(env), allow<>{}, std::forward<Policies>(policies)...};
}

/// Composes policies, outermost first, into one pipeline in real time.
///
/// A policy is passed by value, as `borrow(policy)`, as a `shared_ptr`, or as
/// `build<policy>(options)`. A leading `allow<...>` lifts rules of the order.
///
/// Throws `std::invalid_argument` if the same object stands in it twice, or an attempt timeout is
/// not below the total one. Orders that the types show to be mistakes do not compile.
template <class... Policies>
[[nodiscard]] constexpr auto compose(Policies&&... policies) {
    return compose_in(hawser::environment<>{}, std::forward<Policies>(policies)...);
}

}  // namespace hawser::inline v0
#endif  // HAWSER_COMPOSE_PIPELINE_HPP
