// SPDX-License-Identifier: BSL-1.0
//
// throttle: calls that a dependency would refuse anyhow, refused here.
#ifndef HAWSER_POLICY_THROTTLE_HPP
#define HAWSER_POLICY_THROTTLE_HPP

#include <hawser/base/borrow.hpp>
#include <hawser/base/error.hpp>
#include <hawser/base/outcome.hpp>
#include <hawser/limit/adaptive_throttle.hpp>
#include <hawser/policy/concept.hpp>
#include <hawser/policy/detail/limit_parts.hpp>
#include <hawser/policy/detail/rate_parts.hpp>

#include <cstdint>

namespace hawser::inline v0 {

/// Refuses calls at random, the more of them the more the dependency has refused of late: those of
/// a low priority first. So an overloaded dependency is asked for little more than it accepts, and
/// finds its feet.
///
///     throttle shed{{.multiplier = 2}};
///     throttle shed{{}, sampled_by{is_too_much}, named{"search"}};
///
/// Parts, in any order:
/// - `sampled_by{f}`: whether a call was accepted, `f(outcome) -> sample_outcome`. Without it a
///   success was accepted, a timeout further in was too much, and all else says nothing.
/// - `named{"..."}`: what refusals and events call it.
///
/// A call that has been stopped before, or whose time is over, is no demand: it is not counted, and
/// not the one that is let through.
///
/// The priority is that of the call's facts. A refusal is `overloaded`; its `retry_after` says when
/// a call is let through for certain, were no other to come. It is neutral to circuit breakers
/// further out, and costs no retry budget.
///
/// Thread safety: may be called concurrently. It does not copy: `borrow` it, or `build` it inside.
/// Cost:          two clock reads and two short locks for each call.
template <class Engine = adaptive_throttle, class... Parts>
class throttle {
    static_assert(detail::throttle_kinds::know_all<Parts...>,
                  "hawser: a part of a throttle is sampled_by or named");
    static_assert(detail::throttle_kinds::none_twice<Parts...>,
                  "hawser: a throttle has one part of each kind");
    using source = typename detail::engine_source<Engine>::type;
    using sampler = detail::part_t<detail::sampler_part, Parts...>;

public:
    using stateful = void;
    static constexpr layer_role role = layer_role::rate_limit;

    /// Throws `std::invalid_argument`, naming the field, if an option or a part is out of range.
    explicit throttle(source const& made_from = {}, Parts... parts)
        : engine_{made_from},
          sampler_(detail::take_part<detail::sampler_part>(parts...)),
          name_{detail::name_or(detail::take_part<detail::name_part>(parts...), "throttle",
                                "throttle: name is null")} {}

    throttle(throttle const&) = delete;
    throttle& operator=(throttle const&) = delete;

    [[nodiscard]] char const* name() const noexcept { return name_; }

    /// The engine: with what probability it refuses.
    [[nodiscard]] auto& chances() noexcept { return detail::engine_of(engine_); }

    // The hooks.

    template <class Call>
    gate before(detail::unit&, Call& call) noexcept {
        if (detail::is_over(call)) return {};
        auto const answer = chances().admit(call.now(), priority_of(call));
        if (answer) return {};
        return {errc::overloaded, answer.retry_after};
    }
    template <class Call, class R>
    void after(detail::unit&, Call& call, outcome<R>& out) noexcept {
        auto const said = sampler_(name(), call, out);
        chances().on_result(call.now(), said, priority_of(call));
    }

private:
    template <class Call>
    static std::int32_t priority_of([[maybe_unused]] Call& call) noexcept {
        if constexpr (Call::has_facts)
            return call.facts().priority;
        else
            return 0;
    }

    Engine engine_;
    [[no_unique_address]] sampler sampler_;
    char const* name_;
};

throttle()->throttle<>;
template <class... Parts>
throttle(adaptive_throttle_options, Parts...) -> throttle<adaptive_throttle, Parts...>;
template <class Engine, class... Parts>
throttle(borrowed<Engine>, Parts...) -> throttle<borrowed<Engine>, Parts...>;

}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_THROTTLE_HPP
