// SPDX-License-Identifier: BSL-1.0
//
// The parts that a rate limit is put together from.
#ifndef HAWSER_POLICY_DETAIL_RATE_PARTS_HPP
#define HAWSER_POLICY_DETAIL_RATE_PARTS_HPP

#include <hawser/base/borrow.hpp>
#include <hawser/base/detail/stored.hpp>
#include <hawser/base/parts.hpp>
#include <hawser/base/time.hpp>

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

/// What refusals and events call a policy. Not null; as long-lived as the policy.
struct named {
    char const* name;
};

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

/// What a call that waits for its turn holds: the limiter's reservation.
template <class Limiter, bool Waits>
struct turn_of {
    using type = unit;
};
template <class Limiter>
struct turn_of<Limiter, true> {
    using type = decltype(engine_of(std::declval<Limiter&>())
                              .reserve(time_point{}, std::uint32_t{1}, duration{}));
};

/// When a reservation that was refused may be granted: it says so, or it is the wait for it.
template <class Reservation>
[[nodiscard]] constexpr duration ask_again_in(Reservation const& refused) noexcept {
    if constexpr (requires { refused.retry_after; })
        return refused.retry_after;
    else
        return refused.wait;
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
/// Throws `std::invalid_argument` with `message` if the name is null.
[[nodiscard]] constexpr char const* name_or(named const& given, char const*, char const* message) {
    if (given.name == nullptr) throw std::invalid_argument{message};
    return given.name;
}

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_DETAIL_RATE_PARTS_HPP
