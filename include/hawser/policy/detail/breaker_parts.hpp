// SPDX-License-Identifier: BSL-1.0
//
// The parts of a circuit breaker besides its rules: who says what an outcome is worth, and who
// hears of its changes.
#ifndef HAWSER_POLICY_DETAIL_BREAKER_PARTS_HPP
#define HAWSER_POLICY_DETAIL_BREAKER_PARTS_HPP

#include <hawser/base/outcome.hpp>
#include <hawser/base/parts.hpp>
#include <hawser/breaker/breaker_machine.hpp>
#include <hawser/breaker/vote.hpp>
#include <hawser/policy/concept.hpp>
#include <hawser/policy/detail/told_parts.hpp>

#include <concepts>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// Votes as the outcome says by itself. See `judge`.
struct default_votes {
    static constexpr bool is_default = true;

    template <class Call, class R>
    [[nodiscard]] vote operator()(char const*, Call& call, outcome<R>& out) const noexcept {
        return {.health = judge(call, out)};
    }
};

/// A classifier of one's own: `classify(outcome<R> const&)` returns a `verdict`, or a `vote` where
/// slowness or a Retry-After counts too.
///
/// It is asked for every outcome, also refusals from further in. What it throws is the call's
/// outcome, and votes neutral. A failure of a call that is being stopped from outside, by its
/// caller or a deadline, counts as it does without a classifier: an outcome does not show why it
/// came.
template <class Classify>
class votes_by {
public:
    static constexpr bool is_default = false;

    constexpr explicit votes_by(Classify classify) : classify_(std::move(classify)) {}

    template <class Call, class R>
    [[nodiscard]] vote operator()(char const* name, Call& call, outcome<R>& out) const noexcept {
        if (call.predicate_threw()) return {.health = verdict::neutral};
        using answer = decltype(classify_(std::as_const(out)));
        return call.ask(name, out, vote{.health = verdict::neutral},
                        [&]() noexcept(noexcept(classify_(std::as_const(out)))) {
                            if constexpr (std::same_as<answer, verdict>)
                                return vote{.health = classify_(std::as_const(out))};
                            else
                                return vote{classify_(std::as_const(out))};
                        });
    }

private:
    [[no_unique_address]] Classify classify_;
};

namespace detail {

template <class T>
inline constexpr bool is_votes_by = false;
template <class T>
inline constexpr bool is_votes_by<votes_by<T>> = true;

struct breaker_classifier {
    template <class Part>
    static constexpr bool is = is_votes_by<Part>;
    using standard = default_votes;
};
struct breaker_rule {
    template <class Part>
    static constexpr bool is = requires {
        { Part::needs_now } -> std::convertible_to<bool>;
        { Part::needs_duration } -> std::convertible_to<bool>;
    };
};
using breaker_kinds = kinds<breaker_classifier, told_part, breaker_rule>;

template <class Part>
auto rule_or_nothing(Part const& part) {
    if constexpr (breaker_rule::is<Part>)
        return std::tuple<Part>{part};
    else
        return std::tuple<>{};
}

template <class Rules>
struct machine_of;
template <>
struct machine_of<std::tuple<>> {
    using type = breaker_machine<trip::failure_rate>;
};
template <class... Rules>
struct machine_of<std::tuple<Rules...>> {
    using type = breaker_machine<Rules...>;
};
template <class... Parts>
using breaker_machine_for = typename machine_of<decltype(std::tuple_cat(
    rule_or_nothing(std::declval<Parts const&>())...))>::type;

/// Whether a machine's rules need to know how long a call took.
template <class Machine>
inline constexpr bool times_calls = false;
template <class... Rules>
inline constexpr bool times_calls<breaker_machine<Rules...>> = (Rules::needs_duration || ...);

/// What a call holds at a breaker. Where its length counts, also whether there was a start of the
/// operation in it: time spent in a queue further in is not the dependency's.
template <bool Timed>
struct breaker_call : breaker_ticket {
    static void begin(std::uint32_t) noexcept {}
    static bool has_run(std::uint32_t) noexcept { return true; }
};
template <>
struct breaker_call<true> : breaker_ticket {
    void begin(std::uint32_t attempts) noexcept { before_ = attempts; }
    [[nodiscard]] bool has_run(std::uint32_t attempts) const noexcept {
        return attempts != before_;
    }

private:
    std::uint32_t before_ = 0;
};

/// Built in place: the machine does not move.
template <class Machine, class... Parts>
[[nodiscard]] Machine make_breaker_machine(circuit_breaker_options const& options,
                                           Parts const&... parts) {
    return std::apply(
        [&](auto const&... rules) {
            return Machine{options, rules...};
        },
        std::tuple_cat(rule_or_nothing(parts)...));
}

template <class Kind, class... Parts>
[[nodiscard]] auto copy_part(Parts const&... parts) {
    auto copies = std::tuple<Parts...>{parts...};
    return std::apply([](auto&... copy) { return take_part<Kind>(copy...); }, copies);
}

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_DETAIL_BREAKER_PARTS_HPP
