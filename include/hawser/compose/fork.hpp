// SPDX-License-Identifier: BSL-1.0
//
// forked_pipeline: a pipeline that `compose` has split at a fork, a layer that runs what is further
// in elsewhere.
//
//     compose(retry, breaker, isolated, bulkhead)
//
//     outer part            retry, breaker       runs where the call is made; its operation is
//     the fork, bound to    isolated             the fork with the inner part and the caller's own
//     inner part            bulkhead             operation: runs where the fork says
#ifndef HAWSER_COMPOSE_FORK_HPP
#define HAWSER_COMPOSE_FORK_HPP

#include <hawser/compose/execute.hpp>
#include <hawser/compose/lint.hpp>
#include <hawser/compose/pipeline.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// A line of policies with a fork in it. Made by `compose`; stays where it is made.
///
/// What runs in the inner part may outlive the call, and the pipeline: it shares the ownership of
/// the inner part, with a copy of the environment. What that part borrows, and the sink, must live
/// until nothing runs in it any more.
///
/// A fork has `bind<Outer>(inner, operation)`: an operation for the outer part, marked as a
/// `fork_operation`.
///
/// Thread safety: as of `pipeline`.
template <class Outer, class Fork, class Inner>
class forked_pipeline {
    template <std::size_t... I>
    using places = std::index_sequence<I...>;

public:
    using environment_type = typename Outer::environment_type;
    using allowed = typename Outer::allowed;
    using outer_type = Outer;
    using inner_type = Inner;

    /// `policies` are references to the policies before the fork, the fork, and those after it.
    template <class Policies>
    forked_pipeline(environment_type const& env, Policies policies)
        : forked_pipeline{env, policies, std::make_index_sequence<Outer::size>{},
                          std::make_index_sequence<Inner::size>{}} {}
    forked_pipeline(forked_pipeline const&) = delete;
    forked_pipeline& operator=(forked_pipeline const&) = delete;

    [[nodiscard]] environment_type const& environment() const noexcept {
        return outer_.environment();
    }
    [[nodiscard]] Outer const& outer() const noexcept { return outer_; }
    [[nodiscard]] Inner const& inner() const noexcept { return *inner_; }
    [[nodiscard]] Fork const& fork() const noexcept { return fork_; }

    /// How often one call may start the operation at most: the layers' bounds, multiplied.
    [[nodiscard]] std::uint32_t max_attempts() const noexcept {
        auto const product = std::uint64_t{outer_.max_attempts()} * inner_->max_attempts();
        constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
        return static_cast<std::uint32_t>(std::min(product, most));
    }

    /// The operation of the outer part that runs `operation` in the inner one.
    template <class Operation>
    [[nodiscard]] auto bind(Operation&& operation) const {
        return fork_.template bind<Outer>(inner_, std::forward<Operation>(operation));
    }

private:
    template <class Policies, std::size_t... Before, std::size_t... After>
    forked_pipeline(environment_type const& env, Policies& policies, places<Before...> before,
                    places<After...> after)
        : outer_(env, allowed{}, std::get<Before>(std::move(policies))...),
          fork_(std::get<Outer::size>(std::move(policies))),
          inner_{std::make_shared<Inner const>(
              env, allowed{}, std::get<Outer::size + 1 + After>(std::move(policies))...)} {
        check(before, after);
    }

    /// The rules of the order hold across the split.
    template <std::size_t... Before, std::size_t... After>
    void check(places<Before...>, places<After...>) const {
        static_assert(detail::check_order<allowed, typename Outer::template policy_type<Before>...,
                                          Fork, typename Inner::template policy_type<After>...>());
        detail::check_values(std::array<detail::layer_facts, Outer::size + 1 + Inner::size>{
            detail::facts_of(outer_.template policy<Before>())..., detail::facts_of(fork_),
            detail::facts_of(inner_->template policy<After>())...});
    }

    Outer outer_;
    Fork fork_;
    std::shared_ptr<Inner const> inner_;
};

namespace detail {

template <class Environment, class Allowed, class Arguments, class Places>
struct line_of;
template <class Environment, class Allowed, class... Arguments, std::size_t... I>
struct line_of<Environment, Allowed, std::tuple<Arguments...>, std::index_sequence<I...>> {
    /// The pipeline of the arguments from `First` on, as many as there are `I`.
    template <std::size_t First>
    using type = pipeline<Environment, Allowed,
                          layer_t<std::tuple_element_t<First + I, std::tuple<Arguments...>>>...>;
};

/// The forked pipeline of these policies, with their references.
template <class Environment, class Allowed, class... Policies>
struct forked_line_of {
    static constexpr std::size_t before = [] {
        constexpr std::array is_fork{fork_layer<Policies>...};
        return static_cast<std::size_t>(std::find(is_fork.begin(), is_fork.end(), true) -
                                        is_fork.begin());
    }();
    static_assert(((fork_layer<Policies> ? 1 : 0) + ...) == 1,
                  "hawser: a pipeline has one fork (isolated) at most");
    static_assert(std::is_copy_constructible_v<Environment>,
                  "hawser: both parts of a forked pipeline need the environment: lend its sink by "
                  "reference, so that it can be copied");

    using all = std::tuple<Policies...>;
    template <std::size_t First, std::size_t Size>
    using part = typename line_of<Environment, Allowed, all,
                                  std::make_index_sequence<Size>>::template type<First>;
    using type =
        forked_pipeline<part<0, before>, std::remove_cvref_t<std::tuple_element_t<before, all>>,
                        part<before + 1, sizeof...(Policies) - before - 1>>;
};

}  // namespace detail

template <class Line>
concept forked_line = requires(Line const& line) {
    typename Line::outer_type;
    typename Line::inner_type;
    line.fork();
};

/// Composes policies with a fork among them. See `compose`.
template <class Environment, class... Rules, class... Policies>
requires(fork_layer<Policies> || ...)
    [[nodiscard]] auto compose_in(Environment env, allow<Rules...>, Policies&&... policies) {
    using line = typename detail::forked_line_of<Environment, allow<Rules...>, Policies&&...>::type;
    return line(env, std::forward_as_tuple(std::forward<Policies>(policies)...));
}
template <class Environment, class... Policies>
requires(fork_layer<Policies> || ...)
    [[nodiscard]] auto compose_in(Environment env, Policies&&... policies) {
    return compose_in(std::move(env), allow<>{}, std::forward<Policies>(policies)...);
}

// `try_execute` and `execute`, as for any pipeline. The operation is copied, or moved if that is
// enough, to where the fork runs it.

template <forked_line Line, class Operation>
auto try_execute(Line const& line, Operation&& operation) {
    auto forked = line.bind(std::forward<Operation>(operation));
    return detail::sync_outcome(line.outer(), no_facts{}, forked);
}
template <forked_line Line, class Key, class Operation>
auto try_execute(Line const& line, call_facts<Key> const& facts, Operation&& operation) {
    auto forked = line.bind(std::forward<Operation>(operation));
    return detail::sync_outcome(line.outer(), facts, forked);
}
template <forked_line Line, class Operation>
auto try_execute(Line const& line, call_facts<> const& facts, Operation&& operation) {
    auto forked = line.bind(std::forward<Operation>(operation));
    return detail::sync_outcome(line.outer(), facts, forked);
}

template <forked_line Line, class Operation>
decltype(auto) execute(Line const& line, Operation&& operation) {
    auto forked = line.bind(std::forward<Operation>(operation));
    return detail::sync_value(line.outer(), no_facts{}, forked);
}
template <forked_line Line, class Key, class Operation>
decltype(auto) execute(Line const& line, call_facts<Key> const& facts, Operation&& operation) {
    auto forked = line.bind(std::forward<Operation>(operation));
    return detail::sync_value(line.outer(), facts, forked);
}
template <forked_line Line, class Operation>
decltype(auto) execute(Line const& line, call_facts<> const& facts, Operation&& operation) {
    auto forked = line.bind(std::forward<Operation>(operation));
    return detail::sync_value(line.outer(), facts, forked);
}

}  // namespace hawser::inline v0
#endif  // HAWSER_COMPOSE_FORK_HPP
