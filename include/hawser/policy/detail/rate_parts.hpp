// SPDX-License-Identifier: BSL-1.0
//
// The parts that a rate limit is put together from.
#ifndef HAWSER_POLICY_DETAIL_RATE_PARTS_HPP
#define HAWSER_POLICY_DETAIL_RATE_PARTS_HPP

#include <hawser/base/borrow.hpp>
#include <hawser/base/detail/stored.hpp>
#include <hawser/base/error.hpp>
#include <hawser/base/named.hpp>
#include <hawser/base/parts.hpp>
#include <hawser/base/time.hpp>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// A limit that makes calls wait their turn, for so long at most. Positive.
struct wait_up_to {
    duration limit;
};

/// Calls that take `f(call)` tokens or permits. `f` is `noexcept` and answers a `std::uint32_t`.
template <class F>
struct cost_by {
    F f;
};
template <class F>
cost_by(F) -> cost_by<F>;

namespace detail {

struct no_waiting {};
struct unit_cost {};

template <class Part>
inline constexpr bool is_cost = false;
template <class F>
inline constexpr bool is_cost<cost_by<F>> = true;

struct waiting_part {
    template <class Part>
    static constexpr bool is = std::is_same_v<Part, wait_up_to>;
    using standard = no_waiting;
};
struct cost_part {
    template <class Part>
    static constexpr bool is = is_cost<Part>;
    using standard = unit_cost;
};
struct standard_name {};
struct name_part {
    template <class Part>
    static constexpr bool is = std::is_same_v<Part, named>;
    using standard = standard_name;
};

using rate_kinds = kinds<waiting_part, cost_part, name_part>;

/// What a policy's engine is made from: its options, or, if it is borrowed, the loan.
template <class Engine>
struct engine_source {
    using type = typename Engine::options_type;
};
template <class Engine>
struct engine_source<borrowed<Engine>> {
    using type = borrowed<Engine>;
};

template <class Engine>
[[nodiscard]] Engine& engine_of(Engine& own) noexcept {
    return own;
}
template <class Engine>
[[nodiscard]] Engine& engine_of(borrowed<Engine>& loan) noexcept {
    return *loan;
}

template <class Limiter>
concept reserves_turns = requires(Limiter& limiter) {
    limiter.reserve(time_point{}, std::uint32_t{1}, duration{});
};
/// A `keyed` one, whatever the key.
template <class Limiter>
concept reserves_turns_of_keys = !reserves_turns<Limiter> && requires {
    typename Limiter::reservation;
}
&&Limiter::lends;

template <class Call>
concept tells_its_key = requires(Call& call) {
    call.key();
};

/// What a call that waits for its turn holds: the limiter's reservation. Not of a borrowed one.
template <class Limiter, bool Waits>
struct turn_of {
    using type = unit;
};
template <class Limiter>
struct turn_of<Limiter, true> {
    static_assert(reserves_turns<Limiter> || reserves_turns_of_keys<Limiter>,
                  "hawser: wait_up_to needs a limiter with reserve and cancel; of any other, let a "
                  "retry further out wait as long as the refusal says");
    using type = unit;
};
template <class Limiter>
requires reserves_turns<Limiter>
struct turn_of<Limiter, true> {
    using type =
        decltype(std::declval<Limiter&>().reserve(time_point{}, std::uint32_t{1}, duration{}));
};
template <class Limiter>
requires reserves_turns_of_keys<Limiter>
struct turn_of<Limiter, true> {
    using type = typename Limiter::reservation;
};
/// A limiter that has no key to keep, and so nothing that could fail.
template <class Limiter>
concept decides_without_throwing = requires(Limiter& limiter) {
    { limiter.try_acquire(time_point{}, std::uint32_t{1}) }
    noexcept;
};

/// What `ask()` answers; a refusal, if it throws: a key that cannot be kept is not let in.
template <class Ask>
[[nodiscard, gnu::always_inline]] inline auto answer_of(Ask&& ask) noexcept -> decltype(ask()) {
    if constexpr (noexcept(ask())) {
        return ask();
    } else {
        try {
            return ask();
        } catch (...) {
            using answer = decltype(ask());
            if constexpr (requires { answer::no_room(); })
                return answer::no_room();
            else
                return {};
        }
    }
}

/// Why a limiter refused.
template <class Answer>
[[nodiscard]] constexpr errc code_of(Answer const& refused, duration again) noexcept {
    if (again == never) return errc::too_large;
    if constexpr (requires { refused.found_no_room(); })
        if (refused.found_no_room()) return errc::overloaded;
    return errc::rate_limited;
}

/// When a reservation that was refused would be granted at once: after the wait that was too long,
/// or, where there was no place to wait, when it says. A wait that is too long for what is left of
/// the call's time stays so, however soon it is asked again.
template <class Reservation>
[[nodiscard]] constexpr duration ask_again_in(Reservation const& refused) noexcept {
    if constexpr (requires { refused.retry_after; })
        return refused.wait != never ? std::max(refused.wait, refused.retry_after)
                                     : refused.retry_after;
    else
        return refused.wait;
}

/// Whether the call has been stopped, or its time is over. It is ended before its operation starts,
/// and takes nothing until then that does not come back.
template <class Call>
[[nodiscard, gnu::always_inline]] inline bool is_over(Call& call) noexcept {
    return call.stop_requested() || !call.fits({});
}

[[nodiscard]] constexpr no_waiting checked(no_waiting none, char const*) { return none; }
/// Throws `std::invalid_argument` with `message` if the wait is not positive.
[[nodiscard]] constexpr wait_up_to checked(wait_up_to const& waiting, char const* message) {
    if (waiting.limit <= duration::zero()) throw std::invalid_argument{message};
    return waiting;
}

[[nodiscard]] constexpr char const* name_or(standard_name, char const* standard, char const*) {
    return standard;
}
[[nodiscard]] constexpr char const* name_or(named const& given, char const*, char const* message) {
    return checked(given, message);
}

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_DETAIL_RATE_PARTS_HPP
