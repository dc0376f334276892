// SPDX-License-Identifier: BSL-1.0
//
// How a result type is kept inside an outcome: `void` as an empty struct, a reference as a pointer.
#ifndef HAWSER_BASE_DETAIL_STORED_HPP
#define HAWSER_BASE_DETAIL_STORED_HPP

#include <memory>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

struct unit {};

template <class Reference>
struct stored_reference {
    // NOLINTNEXTLINE(google-explicit-constructor): a reference is made from what binds to it.
    stored_reference(Reference&& bound) noexcept : target{std::addressof(bound)} {}
    std::remove_reference_t<Reference>* target;
};

template <class R>
struct stored {
    using type = std::remove_cv_t<R>;
};
template <class R>
requires std::is_void_v<R>
struct stored<R> {
    using type = unit;
};
template <class R>
requires std::is_reference_v<R>
struct stored<R> {
    using type = stored_reference<R>;
};
template <class R>
using stored_t = typename stored<R>::type;

/// The `R` that was stored: itself, its target, or nothing.
template <class R, class Stored>
constexpr decltype(auto) unwrap(Stored&& held) noexcept {
    if constexpr (std::is_void_v<R>)
        return;
    else if constexpr (std::is_reference_v<R>)
        return static_cast<std::remove_reference_t<R>&>(*held.target);
    else
        return std::forward<Stored>(held);
}

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_BASE_DETAIL_STORED_HPP
