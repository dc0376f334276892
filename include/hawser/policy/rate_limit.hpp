// SPDX-License-Identifier: BSL-1.0
//
// rate_limit: so many calls in so much time, and no more.
#ifndef HAWSER_POLICY_RATE_LIMIT_HPP
#define HAWSER_POLICY_RATE_LIMIT_HPP

#include <hawser/base/borrow.hpp>
#include <hawser/base/error.hpp>
#include <hawser/base/parts.hpp>
#include <hawser/base/time.hpp>
#include <hawser/policy/concept.hpp>
#include <hawser/policy/detail/rate_parts.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/rate/token_bucket.hpp>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// Admits calls as a limiter grants them tokens; refuses the others, with the time after which the
/// same call would be admitted.
///
///     rate_limit limit{{.rate = 100, .burst = 20}};                    // refuses at once
///     rate_limit limit{{.rate = 100, .burst = 20}, wait_up_to{50ms}};  // waits its turn
///     rate_limit limit{borrow(bucket), cost_by{size_of}, named{"uploads"}};
///     rate_limit limit{borrow(per_user)};                              // each key has its own
///
/// `Limiter` is an engine of `rate/`. One that is borrowed may stand in several policies; what it
/// admits, it admits for all of them together. A `keyed` one, and a `joint_limit` of such, is asked
/// for the call's key; a call without one does not compile. Parts, in any order:
/// - `wait_up_to{d}`: a call takes its place at once, and waits for it, for `d` at most and never
///   past its deadline: a wait that would be longer is refused and not begun. A call that stops
///   waiting gives its place back. Needs a limiter with `reserve`.
/// - `cost_by{f}`: a call takes `f(call)` tokens, a `std::uint32_t`; none is admitted for nothing.
///   `f` is `noexcept`. Without it, one.
/// - `named{"..."}`: what refusals and events call it.
///
/// A call that asks for more tokens than there ever are at once is refused as `too_large`. Tokens
/// are spent when the call is let in, whatever becomes of it; a call that has been stopped before,
/// or whose time is over, takes none. A refusal is neutral to circuit breakers further out, and
/// costs no retry budget.
///
/// Thread safety: may be called concurrently. It does not copy: `borrow` it, or `build` it inside.
/// Cost:          the limiter's decision, and a clock read.
template <class Limiter = token_bucket, class... Parts>
class rate_limit {
    static_assert(detail::rate_kinds::know_all<Parts...>,
                  "hawser: a part of a rate_limit is wait_up_to, cost_by or named");
    static_assert(detail::rate_kinds::none_twice<Parts...>,
                  "hawser: a rate_limit has one part of each kind");
    template <class Kind>
    using part = detail::part_t<Kind, Parts...>;
    static constexpr bool waits =
        !std::is_same_v<part<detail::waiting_part>, detail::waiting_part::standard>;
    using source = typename detail::engine_source<Limiter>::type;
    using engine = std::remove_reference_t<decltype(detail::engine_of(std::declval<Limiter&>()))>;

public:
    using stateful = void;
    static constexpr layer_role role = layer_role::rate_limit;
    using call_state = typename detail::turn_of<engine, waits>::type;

    /// Throws `std::invalid_argument`, naming the field, if an option or a part is out of range.
    explicit rate_limit(source const& made_from, Parts... parts)
        : limiter_{made_from},
          waiting_(detail::checked(detail::take_part<detail::waiting_part>(parts...),
                                   "rate_limit: wait_up_to is not positive")),
          cost_(detail::take_part<detail::cost_part>(parts...)),
          name_{detail::name_or(detail::take_part<detail::name_part>(parts...), "rate_limit",
                                "rate_limit: name is null")} {}

    rate_limit(rate_limit const&) = delete;
    rate_limit& operator=(rate_limit const&) = delete;

    [[nodiscard]] char const* name() const noexcept { return name_; }

    /// The engine: what is available, new options while running.
    [[nodiscard]] auto& limiter() noexcept { return detail::engine_of(limiter_); }

    // The hooks.

    template <class Call>
    [[gnu::always_inline]] gate before(call_state&, Call& call) noexcept requires(!waits) {
        if (detail::is_over(call)) [[unlikely]]
            return {};
        auto const answer = acquire(call, cost(call));
        if (answer) [[likely]]
            return {};
        return {detail::code_of(answer, answer.retry_after), answer.retry_after};
    }

    template <class Call>
    step before(call_state& place, Call& call) noexcept requires waits {
        if (place.granted) return step::proceed();  // Its turn has come.
        if (detail::is_over(call)) return step::proceed();
        place = reserve(call, cost(call), std::min(waiting_.limit, call.remaining()));
        if (!place) {
            auto const again = detail::ask_again_in(place);
            return step::refuse(detail::code_of(place, again), again);
        }
        return place.wait > duration::zero() ? step::wait(place.wait) : step::proceed();
    }

    template <class Call>
    void withdraw(call_state& place, [[maybe_unused]] Call& call) noexcept requires waits {
        if constexpr (requires { limiter().cancel(place); })
            limiter().cancel(place);
        else
            limiter().cancel(call.key(), place);
        place = {};
    }

private:
    template <class Call>
    [[nodiscard]] std::uint32_t cost([[maybe_unused]] Call& call) const noexcept {
        if constexpr (std::is_same_v<part<detail::cost_part>, detail::unit_cost>) {
            return 1;
        } else {
            static_assert(noexcept(cost_.f(std::as_const(call))),
                          "hawser: what cost_by is given must be noexcept");
            return cost_.f(std::as_const(call));
        }
    }

    template <class Call>
    [[gnu::always_inline]] auto acquire(Call& call, std::uint32_t count) noexcept {
        if constexpr (detail::decides_without_throwing<engine>) {
            return limiter().try_acquire(call.now(), count);
        } else if constexpr (requires { limiter().try_acquire(call.now(), count); }) {
            return detail::answer_of([&] { return limiter().try_acquire(call.now(), count); });
        } else {
            static_assert(detail::tells_its_key<Call>,
                          "hawser: a rate_limit for each key needs the call's key: "
                          "call_facts<Key>");
            return detail::answer_of(
                [&] { return limiter().try_acquire(call.key(), call.now(), count); });
        }
    }

    template <class Call>
    call_state reserve(Call& call, std::uint32_t count, duration wait_max) noexcept {
        if constexpr (requires { limiter().reserve(call.now(), count, wait_max); }) {
            return limiter().reserve(call.now(), count, wait_max);
        } else {
            static_assert(detail::tells_its_key<Call>,
                          "hawser: a rate_limit for each key needs the call's key: "
                          "call_facts<Key>");
            return detail::answer_of(
                [&] { return limiter().reserve(call.key(), call.now(), count, wait_max); });
        }
    }

    Limiter limiter_;
    [[no_unique_address]] part<detail::waiting_part> waiting_;
    [[no_unique_address]] part<detail::cost_part> cost_;
    char const* name_;
};

template <class... Parts>
rate_limit(token_bucket_options, Parts...) -> rate_limit<token_bucket, Parts...>;
template <class Limiter, class... Parts>
rate_limit(borrowed<Limiter>, Parts...) -> rate_limit<borrowed<Limiter>, Parts...>;
template <class Options, class... Parts>
requires requires { typename Options::limiter_type; }
rate_limit(Options, Parts...)->rate_limit<typename Options::limiter_type, Parts...>;

}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_RATE_LIMIT_HPP
