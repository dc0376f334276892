// SPDX-License-Identifier: BSL-1.0
//
// std::expected as a result of calls: its errors are classified, and a refusal becomes one.
//
// Needs C++23's <expected>. With a compiler that has none, this header is empty.
#ifndef HAWSER_ADAPT_EXPECTED_HPP
#define HAWSER_ADAPT_EXPECTED_HPP

#include <hawser/adapt/std_error_code.hpp>
#include <hawser/base/error.hpp>
#include <hawser/base/outcome_traits.hpp>

#include <version>

#ifdef __cpp_lib_expected

#include <concepts>
#include <exception>
#include <expected>
#include <type_traits>

namespace hawser::inline v0 {

/// How an error type `E` says a refusal. Specialise it for an error type of your own:
///
///     template <>
///     struct hawser::error_from<shop_error> {
///         static shop_error from(refusal const& why) { return shop_error::busy; }
///         static verdict classify(shop_error const& e) noexcept;   // default: every error fails
///     };
///
/// Without a specialisation, the first of these that serves is taken: `outcome_traits<E>`, where
/// they carry refusals (error codes and statuses whose adapter is included); `E` that is `errc`,
/// `refusal` or `std::exception_ptr`; `E` to which `make_error_code(errc)` converts, with
/// `boost_system.hpp`. If none does, a refusal is thrown.
template <class E>
struct error_from {};

template <>
struct error_from<errc> {
    static errc from(refusal const& why) noexcept { return why.code; }
    static verdict classify(errc code) noexcept { return verdict_of(refusal{code, {}, ""}); }
};
template <>
struct error_from<refusal> {
    static refusal from(refusal const& why) noexcept { return why; }
    static verdict classify(refusal const& why) noexcept { return verdict_of(why); }
};
template <>
struct error_from<std::exception_ptr> {
    static std::exception_ptr from(refusal const& why) {
        return std::make_exception_ptr(refused{why});
    }
};

namespace detail {

template <class E>
concept says_refusals = requires(refusal const& why) {
    { error_from<E>::from(why) } -> std::same_as<E>;
};
template <class E>
concept says_verdicts = requires(E const& error) {
    { error_from<E>::classify(error) }
    noexcept->std::same_as<verdict>;
};
template <class E, class Code = errc>
concept made_from_code = requires(Code code) {
    { make_error_code(code) } -> std::convertible_to<E>;
};
template <class E>
concept takes_refusals = says_refusals<E> || carries_refusal<E> || made_from_code<E>;

template <class E, class Code = errc>
E error_of(refusal const& why) {
    if constexpr (says_refusals<E>)
        return error_from<E>::from(why);
    else if constexpr (carries_refusal<E>)
        return outcome_traits<E>::from(why);
    else
        return make_error_code(static_cast<Code>(why.code));  // Found by what `Code` is, later.
}

/// An error is no success, whatever it says of itself.
template <class E>
verdict verdict_of_error(E const& error) noexcept {
    auto said = verdict::failure;
    if constexpr (says_verdicts<E>)
        said = error_from<E>::classify(error);
    else if constexpr (carries_refusal<E> && classifiable<E>)
        said = outcome_traits<E>::classify(error);
    return said == verdict::success ? verdict::failure : said;
}

}  // namespace detail

template <class T, class E>
struct outcome_traits<std::expected<T, E>> {
    using expected = std::expected<T, E>;

    static verdict classify(expected const& result) noexcept {
        return result.has_value() ? verdict::success : detail::verdict_of_error(result.error());
    }
    static expected from(refusal const& why) requires detail::takes_refusals<E> {
        return std::unexpected<E>{detail::error_of<E>(why)};
    }
    /// The error itself if it is an exception, the exception its own traits make of it, or what
    /// `value()` would throw.
    static std::exception_ptr to_exception(expected const& result) {
        if constexpr (std::is_same_v<E, std::exception_ptr>)
            return result.error();
        else if constexpr (requires { outcome_traits<E>::to_exception(result.error()); })
            return outcome_traits<E>::to_exception(result.error());
        else
            return std::make_exception_ptr(std::bad_expected_access<E>{result.error()});
    }
};

}  // namespace hawser::inline v0

#endif  // __cpp_lib_expected
#endif  // HAWSER_ADAPT_EXPECTED_HPP
