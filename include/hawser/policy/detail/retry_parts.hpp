// SPDX-License-Identifier: BSL-1.0
//
// The parts of a retry: its backoff, jitter, budget, predicates and source of random numbers.
#ifndef HAWSER_POLICY_DETAIL_RETRY_PARTS_HPP
#define HAWSER_POLICY_DETAIL_RETRY_PARTS_HPP

#include <hawser/base/borrow.hpp>
#include <hawser/base/error.hpp>
#include <hawser/base/outcome.hpp>
#include <hawser/base/parts.hpp>
#include <hawser/base/random.hpp>
#include <hawser/base/time.hpp>
#include <hawser/policy/concept.hpp>
#include <hawser/retry/backoff.hpp>
#include <hawser/retry/budget.hpp>
#include <hawser/retry/hint.hpp>
#include <hawser/retry/jitter.hpp>
#include <hawser/trace/event.hpp>

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// Retries what `predicate(outcome<R> const&)` says: on values, refusals and exceptions alike. In
/// place of the default, which retries failures. Not asked when the caller stops.
template <class Predicate>
struct retry_if {
    constexpr explicit retry_if(Predicate predicate) : ask(std::move(predicate)) {}
    [[no_unique_address]] Predicate ask;
};

/// Stops at once where `predicate(outcome<R> const&)` says so, whatever else speaks for a retry.
template <class Predicate>
struct abort_if {
    constexpr explicit abort_if(Predicate predicate) : ask(std::move(predicate)) {}
    [[no_unique_address]] Predicate ask;
};

/// Takes the delay from the outcome where it names one (a Retry-After): `extract(outcome<R>
/// const&)` returns an `optional<duration>`; `never` says not to come again. See `hint_policy`.
template <class Extract>
struct delay_from {
    constexpr explicit delay_from(Extract extract, hint_policy const& policy = {})
        : ask(std::move(extract)), obey{policy} {
        obey.validate();
    }
    [[no_unique_address]] Extract ask;
    hint_policy obey;
};

/// No budget: only where something else bounds the load of retries.
struct no_budget {};

/// True for every exception of type `E` or derived from it: `retry_if{threw<std::system_error>}`.
///
/// Rethrows to look, which costs a microsecond: on the failing path only.
template <class E>
struct threw_type {
    template <class R>
    [[nodiscard]] bool operator()(outcome<R> const& out) const noexcept {
        auto const thrown = out.exception();
        if (!thrown) return false;
        try {
            std::rethrow_exception(thrown);
        } catch (E const&) {
            return true;
        } catch (...) {
            return false;
        }
    }
};
template <class E>
inline constexpr threw_type<E> threw{};

namespace detail {

template <class T, template <class> class Template>
inline constexpr bool is_a = false;
template <class T, template <class> class Template>
inline constexpr bool is_a<Template<T>, Template> = true;

/// The budget behind a part: `part`, `*part`, or none.
template <class Part>
[[nodiscard]] constexpr retry_budget* budget_of(Part& part) noexcept {
    if constexpr (std::is_same_v<Part, no_budget>)
        return nullptr;
    else if constexpr (std::is_same_v<Part, retry_budget>)
        return &part;
    else
        return &*part;
}

struct backoff_part {
    template <class Part>
    static constexpr bool is = backoff::strategy<Part>;
    using standard = backoff::exponential;
};

/// A backoff that says which wait is its longest.
template <class Backoff>
concept capped = requires(Backoff const& asked) {
    duration{asked.cap};
};

struct jitter_part {
    template <class Part>
    static constexpr bool is = jitter::strategy<Part>;
    using standard = jitter::full;
};
struct random_part {
    template <class Part>
    static constexpr bool is = random_source<Part const>;
    using standard = shared_random;
};
struct retry_if_part {
    template <class Part>
    static constexpr bool is = is_a<Part, retry_if>;
    struct standard {};
};
struct abort_if_part {
    template <class Part>
    static constexpr bool is = is_a<Part, abort_if>;
    struct standard {};
};
struct delay_from_part {
    template <class Part>
    static constexpr bool is = is_a<Part, delay_from>;
    struct standard {};
};

/// Where a retry's tokens come from: a budget of its own, one that is shared, or none.
struct budget_part {
    template <class Part>
    static constexpr bool is =
        std::is_same_v<Part, no_budget> || std::is_same_v<Part, retry_budget> ||
        std::is_same_v<Part, borrowed<retry_budget>> || smart_pointer<Part>;
    using standard = retry_budget;
};
using retry_kinds = kinds<backoff_part, jitter_part, random_part, retry_if_part, abort_if_part,
                          delay_from_part, budget_part>;

/// How far a call has come.
struct retry_state {
    std::uint32_t rounds = 0;    ///< Attempts and refused asks that are over.
    std::uint32_t failures = 0;  ///< Attempts that failed.
    duration last_delay{};
    time_point began{};
    bool has_begun = false;
    bool repeated_unsent = false;
    bool reserved = false;             ///< A token was taken for an attempt that has not begun,
    std::uint32_t reserved_after = 0;  ///< after so many that had.
};

/// What a retry would do next.
struct retry_plan {
    duration delay;  ///< `never` if there is no use in waiting.
    delay_source source;
};

/// Who says not to come again: the other side; or the backoff, or a layer further in.
[[nodiscard]] constexpr give_up reason_of_never(delay_source source) noexcept {
    return source == delay_source::retry_after ? give_up::aborted : give_up::endless_wait;
}

/// Refusals that another time may not meet again.
[[nodiscard]] constexpr bool passes_with_time(errc code) noexcept {
    return code == errc::circuit_open || code == errc::probes_full || code == errc::rate_limited ||
           code == errc::bulkhead_full || code == errc::overloaded;
}

/// A retry with a budget of its own has state that its calls meet in.
struct has_own_state {
    using stateful = void;
};
struct has_no_state {};
template <class... Parts>
using retry_mark = std::conditional_t<std::is_same_v<part_t<budget_part, Parts...>, retry_budget>,
                                      has_own_state, has_no_state>;

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_DETAIL_RETRY_PARTS_HPP
