// SPDX-License-Identifier: BSL-1.0
//
// How a result type says success or failure, and how a refusal becomes one of its values.
//
// Adapters specialise it for the types of other libraries (`adapt/`), users for their own:
//
//     template <>
//     struct hawser::outcome_traits<reply> {
//         static verdict classify(reply const& r) noexcept {
//             return r.status < 500 ? verdict::success : verdict::failure;
//         }
//         static reply from(refusal const& why) { return {.status = 503, .wait = why.retry_after};
//         }
//     };
#ifndef HAWSER_BASE_OUTCOME_TRAITS_HPP
#define HAWSER_BASE_OUTCOME_TRAITS_HPP

#include <hawser/base/error.hpp>

#include <concepts>
#include <exception>

namespace hawser::inline v0 {

/// What the library knows of a result type `R`. By default every value is a success, and a refusal
/// has no place in it, so it is thrown.
///
/// A specialisation may have:
/// - `static verdict classify(R const&) noexcept`
/// - `static R from(refusal const&)`: then a pipeline returns its refusals instead of throwing them
/// - `static std::exception_ptr to_exception(R const&)`: a failed value as an exception, kept when
///   a fallback replaces the value; without it the value itself is kept in a `returned_error`
template <class R>
struct outcome_traits {
    static constexpr verdict classify(R const&) noexcept { return verdict::success; }
};

template <>
struct outcome_traits<void> {};

/// A result type that can carry a refusal.
template <class R>
concept carries_refusal = requires(refusal const& why) {
    { outcome_traits<R>::from(why) } -> std::same_as<R>;
};

/// A result type whose values are classified without throwing.
template <class R>
concept classifiable = requires(R const& result) {
    { outcome_traits<R>::classify(result) }
    noexcept->std::same_as<verdict>;
};

/// A failed value of a result type, kept as an exception beside the outcome that replaced it.
template <class R>
struct returned_error final : std::exception {
    explicit returned_error(R const& failed) : value{failed} {}
    [[nodiscard]] char const* what() const noexcept override {
        return "the operation returned a failure";
    }

    R value;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_BASE_OUTCOME_TRAITS_HPP
