// SPDX-License-Identifier: BSL-1.0
//
// Several limits that are one limiter: some for everybody, some for each value of a part of the
// key.
//
//     joint_limit{keyed_by{per_address, &caller::address},      key { address, user }
//                 keyed_by{per_user, &caller::user},              |         |
//                 whole_service}                                  all of them, or none
#ifndef HAWSER_RATE_JOINT_LIMIT_HPP
#define HAWSER_RATE_JOINT_LIMIT_HPP

#include <hawser/base/time.hpp>
#include <hawser/rate/all_of.hpp>

#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// Limiters of which each request takes the one of `key_of(key)`, its own part of the request's
/// key: a function, or a pointer to a member. Refers to `limiters`, such as a `keyed`.
template <class Limiters, class KeyOf>
class keyed_by {
public:
    constexpr keyed_by(Limiters& limiters, KeyOf key_of)
        : limiters_{std::addressof(limiters)}, key_of_(std::move(key_of)) {}

    /// The limiter that `key` is subject to: a view.
    template <class Key>
    [[nodiscard]] auto operator()(Key const& key) const {
        if constexpr (std::is_member_object_pointer_v<KeyOf>)
            return at_key{*limiters_, key.*key_of_};
        else
            return at_key{*limiters_, key_of_(key)};
    }

private:
    Limiters* limiters_;
    KeyOf key_of_;
};
template <class Limiters, class KeyOf>
keyed_by(Limiters&, KeyOf) -> keyed_by<Limiters, KeyOf>;

namespace detail {

template <class Part>
inline constexpr bool is_keyed_by = false;
template <class Limiters, class KeyOf>
inline constexpr bool is_keyed_by<keyed_by<Limiters, KeyOf>> = true;

}  // namespace detail

/// Grants a request if each of its parts does, and charges none else: an `all_of` that is made for
/// each request. A part is a limiter that has a name, or a `keyed_by`.
///
/// Refers to its limiters, which must outlive it.
///
/// Guarantee:     that of `all_of`. A key that finds no room in a table that refuses is refused,
///                and nothing is charged.
/// Thread safety: that of its limits; it has no state of its own.
/// Cost:          that of `all_of`. Throws what a key's hash, equality or copy throws.
template <class... Parts>
class joint_limit {
    static constexpr bool has_keys = (detail::is_keyed_by<std::remove_cvref_t<Parts>> || ...);

public:
    explicit constexpr joint_limit(Parts&&... parts) : parts_{std::forward<Parts>(parts)...} {}

    /// Takes `count` tokens from every limit that `key` is subject to if all have them, else none.
    template <class Key>
    joint_admission try_acquire(Key const& key, time_point now, std::uint32_t count = 1) const {
        return std::apply(
            [&](auto&... parts) { return all_of{limit(parts, key)...}.try_acquire(now, count); },
            parts_);
    }

    /// The same, of limits that are all for everybody.
    joint_admission try_acquire(time_point now, std::uint32_t count = 1) const requires(!has_keys) {
        return try_acquire(nothing{}, now, count);
    }

private:
    struct nothing {};

    template <class Part, class Key>
    static decltype(auto) limit(Part& part, Key const& key) {
        if constexpr (detail::is_keyed_by<std::remove_cv_t<Part>>)
            return part(key);
        else
            return (part);
    }

    std::tuple<Parts...> parts_;
};
template <class... Parts>
joint_limit(Parts&&...) -> joint_limit<Parts...>;

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_JOINT_LIMIT_HPP
