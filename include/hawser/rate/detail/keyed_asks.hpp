// SPDX-License-Identifier: BSL-1.0
//
// How a `keyed` asks what it keeps for a key: at once, or for a time to come.
#ifndef HAWSER_RATE_DETAIL_KEYED_ASKS_HPP
#define HAWSER_RATE_DETAIL_KEYED_ASKS_HPP

#include <hawser/base/detail/stored.hpp>
#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/rate/keyed_answers.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>

namespace hawser::inline v0::detail {

/// The options of which all keys share what they say: of the limiter as it is kept, or of itself.
template <class Limits, class Limiter>
struct options_of_keys {
    struct type {};  // It has none.
};
template <class Limits, class Limiter>
requires requires { typename Limits::options_type; }
struct options_of_keys<Limits, Limiter> {
    using type = typename Limits::options_type;
};
template <class Limits, class Limiter>
requires(
    !requires { typename Limits::options_type; } &&
    requires { typename Limiter::options_type; }) struct options_of_keys<Limits, Limiter> {
    using type = typename Limiter::options_type;
};

/// What the limiter of a key lends.
template <class Limits>
struct lent_by_keys {
    using type = unit;
};
template <class Limits>
requires requires(Limits const& limits, typename Limits::state& of_key) {
    limits.reserve(of_key, time_point{}, std::uint32_t{}, duration{});
}
struct lent_by_keys<Limits> {
    using type = decltype(std::declval<Limits const&>().reserve(
        std::declval<typename Limits::state&>(), time_point{}, std::uint32_t{}, duration{}));
};

/// A state that is never taken from: what is asked for where there is no room is asked of it.
template <class Limits>
class keyed_sample {
public:
    template <class Make>
    explicit keyed_sample(Make& make) : fresh_(make()) {}

    /// Whether so many tokens can be there at all.
    [[nodiscard]] bool can_grant(Limits const& limits, time_point now,
                                 std::uint32_t count) noexcept {
        std::lock_guard const lock{mutex_};
        return limits.reserve(fresh_, now, count, duration{-1}).wait != never;
    }

private:
    std::mutex mutex_;  // Some limiters are safe for one thread alone.
    typename Limits::state fresh_;
};

/// Asks for `count` tokens now. `Limits` is a `per_key`.
template <class Limits>
struct acquiring {
    using state = typename Limits::state;
    using answer = keyed_admission;

    Limits const& of;
    time_point now;
    std::uint32_t count;

    [[gnu::always_inline]] answer operator()(state& from, asked_of whom) const noexcept {
        return {of.try_acquire(from, now, count), whom};
    }
    static answer without_room(admission const& told) noexcept { return {told, asked_of::nobody}; }
};

/// Asks for `count` tokens within `wait_max`.
template <class Limits>
struct reserving : acquiring<Limits> {
    using state = typename Limits::state;
    using lent = typename lent_by_keys<Limits>::type;
    using answer = keyed_reservation<lent>;

    duration wait_max;
    std::atomic<std::uint32_t> const& pardons;

    answer operator()(state& from, asked_of whom) const noexcept {
        auto const taken = this->of.reserve(from, this->now, this->count, wait_max);
        auto again = taken.granted ? duration::zero() : taken.wait;
        if constexpr (requires { taken.retry_after; }) again = taken.retry_after;
        return {.granted = taken.granted,
                .wait = taken.wait,
                .retry_after = again,
                .from = whom,
                .pardons = pardons.load(std::memory_order_relaxed),
                .taken = taken};
    }
    static answer without_room(admission const& told) noexcept {
        return {.granted = told.granted,
                .wait = told.retry_after,
                .retry_after = told.retry_after,
                .from = asked_of::nobody};
    }
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_RATE_DETAIL_KEYED_ASKS_HPP
