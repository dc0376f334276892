// SPDX-License-Identifier: BSL-1.0
//
// borrow: lends a policy, or a budget, to whoever must not own it.
#ifndef HAWSER_BASE_BORROW_HPP
#define HAWSER_BASE_BORROW_HPP

#include <concepts>
#include <memory>
#include <type_traits>

namespace hawser::inline v0 {

/// Something with state that somebody else owns. Made by `borrow`.
template <class T>
struct borrowed {
    T* lent;

    [[nodiscard]] constexpr T& operator*() const noexcept { return *lent; }
};

/// Lends `object` to a pipeline or a policy, which must not outlive it. It may be lent to many.
template <class T>
[[nodiscard]] constexpr borrowed<T> borrow(T& object) noexcept {
    return {std::addressof(object)};
}
template <class T>
void borrow(T const&&) {
    static_assert(
        !std::is_same_v<T, T>,
        "hawser: borrow() lends what outlives the pipeline; this is a temporary: name it, "
        "or build<policy>(options) it inside");
}

/// A pointer that owns: `std::shared_ptr`, `std::unique_ptr`, or one's own.
template <class T>
concept smart_pointer = requires(T const& pointer) {
    typename T::element_type;
    { *pointer } -> std::convertible_to<typename T::element_type&>;
    { pointer.get() } -> std::convertible_to<typename T::element_type*>;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_BASE_BORROW_HPP
