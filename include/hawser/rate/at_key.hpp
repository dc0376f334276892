// SPDX-License-Identifier: BSL-1.0
//
// What `all_of` asks of a limiter, and how one of many that are told apart by a key is such a one.
#ifndef HAWSER_RATE_AT_KEY_HPP
#define HAWSER_RATE_AT_KEY_HPP

#include <hawser/base/time.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <utility>

namespace hawser::inline v0 {

/// What `all_of` asks of a limiter, and every limiter of `rate/` has:
///
/// - `reserve(now, count, wait_max)` takes `count` tokens if they are there within `wait_max`, and
///   says so in `granted`. If not, it takes nothing, and says in `retry_after`, or where it has no
///   such member in `wait`, after what time to ask again. With a negative `wait_max` it takes
///   nothing in any case; zero is then the answer if the tokens are there.
/// - `cancel(reservation)` gives a reservation back, and says whether its tokens are there again.
template <class Limiter>
concept reserving_limiter = requires(Limiter& limiter, time_point now, std::uint32_t count,
                                     decltype(limiter.reserve(now, count, duration{}))& taken) {
    { taken.granted } -> std::convertible_to<bool>;
    { taken.wait } -> std::convertible_to<duration>;
    { limiter.cancel(taken) }
    noexcept->std::convertible_to<bool>;
};

/// The limiter of one key among many, as a limiter: `limiters.reserve(key, now, count, wait_max)`
/// and `limiters.cancel(key, reservation)`, as a `keyed` has them.
///
/// A view: it refers to `limiters`, and to the key if that has a name; a temporary key it keeps.
template <class Limiters, class Key>
class at_key {
public:
    constexpr at_key(Limiters& limiters, Key&& key)
        : limiters_{std::addressof(limiters)}, key_{std::forward<Key>(key)} {}

    auto reserve(time_point now, std::uint32_t count, duration wait_max) const
        noexcept(noexcept(std::declval<Limiters&>().reserve(std::declval<Key const&>(), now, count,
                                                            wait_max)))
            -> decltype(std::declval<Limiters&>().reserve(std::declval<Key const&>(), now, count,
                                                          wait_max)) {
        return limiters_->reserve(key_, now, count, wait_max);
    }
    template <class Reservation>
    bool cancel(Reservation& unused) const noexcept {
        return limiters_->cancel(key_, unused);
    }

    /// What the order of taking goes by.
    [[nodiscard]] constexpr void const* identity() const noexcept { return limiters_; }

private:
    Limiters* limiters_;
    Key key_;
};
template <class Limiters, class Key>
at_key(Limiters&, Key&&) -> at_key<Limiters, Key>;

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_AT_KEY_HPP
