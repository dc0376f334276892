// SPDX-License-Identifier: BSL-1.0
//
// std::error_code as a result of calls, and refusals as standard error codes.
//
// Boost.System has codes of its own, and `make_error_code(errc)` is theirs (`boost_system.hpp`): an
// argument has one function of that name. So the standard ones are made by name,
// `to_std_error_code(errc)`, and both headers go together.
#ifndef HAWSER_ADAPT_STD_ERROR_CODE_HPP
#define HAWSER_ADAPT_STD_ERROR_CODE_HPP

#include <hawser/base/error.hpp>
#include <hawser/base/outcome_traits.hpp>

#include <concepts>
#include <exception>
#include <string>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// The category of `errc` among the standard error codes. Its codes compare equal to the conditions
/// a caller would test for: `timed_out`, `operation_canceled`, and for a call refused for load
/// `resource_unavailable_try_again`.
class [[gnu::visibility("default")]] std_category_type final : public std::error_category{
    public : [[nodiscard]] char const * name() const noexcept override{return "hawser";
}  // namespace hawser::inline v0
[[nodiscard]] std::string message(int value) const override {
    return to_string(static_cast<errc>(value));
}
[[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<errc>(value)) {
        case errc::timed_out: return std::errc::timed_out;
        case errc::cancelled: return std::errc::operation_canceled;
        case errc::too_large: return std::errc::message_size;
        case errc::not_permitted: return std::errc::operation_not_permitted;
        case errc::circuit_open:
        case errc::probes_full:
        case errc::isolated:
        case errc::rate_limited:
        case errc::bulkhead_full:
        case errc::overloaded: return std::errc::resource_unavailable_try_again;
        default: return {value, *this};
    }
}
}
;

namespace detail {

/// Never destroyed, so that codes may be looked at for as long as anything runs.
union lasting_std_category {
    constexpr lasting_std_category() noexcept : category{} {}
    ~lasting_std_category() {}
    std_category_type category;
};

/// Standard categories are told apart by address: one for all shared libraries.
[[gnu::visibility("default")]] inline constinit lasting_std_category std_category_instance{};

}  // namespace detail

[[nodiscard]] inline std::error_category const& std_category() noexcept {
    return detail::std_category_instance.category;
}

/// The standard error code of a refusal; no error for no error.
[[nodiscard]] inline std::error_code to_std_error_code(errc code) noexcept {
    return {static_cast<int>(code), code == errc{} ? std::system_category() : std_category()};
}

/// The refusal that a standard error code of ours stands for, or no error.
[[nodiscard]] inline errc to_errc(std::error_code const& code) noexcept {
    return code.category() == std_category() ? static_cast<errc>(code.value()) : errc{};
}

/// `code == errc::timed_out`: whether a standard code is that refusal. Boost's codes of ours have
/// their own comparison, and stay Boost's when they are converted.
template <std::same_as<std::error_code> Code>  // A Boost code converts to one, and is not meant.
[[nodiscard]] bool operator==(Code const& code, errc reason) noexcept {
    return code == to_std_error_code(reason);
}

/// How an error code counts: a cancelled operation is neutral, any other failure a failure. A
/// refusal that comes back as a code counts as the refusal.
[[nodiscard]] inline verdict verdict_of(std::error_code const& code) noexcept {
    if (!code) [[likely]]
        return verdict::success;
    if (auto const ours = to_errc(code); ours != errc{}) return verdict_of(refusal{ours, {}, ""});
    return code == std::errc::operation_canceled ? verdict::neutral : verdict::failure;
}

namespace detail {
[[nodiscard]] inline std::exception_ptr as_system_error(std::error_code const& code) {
    return std::make_exception_ptr(std::system_error{code});
}
}  // namespace detail

template <>
struct outcome_traits<std::error_code> {
    static verdict classify(std::error_code const& code) noexcept { return verdict_of(code); }
    static std::error_code from(refusal const& why) noexcept { return to_std_error_code(why.code); }
    static std::exception_ptr to_exception(std::error_code const& code) {
        return detail::as_system_error(code);
    }
};

/// A code first, then values, which a refusal leaves empty.
template <class... T>
struct outcome_traits<std::tuple<std::error_code, T...>> {
    using tuple = std::tuple<std::error_code, T...>;

    static verdict classify(tuple const& result) noexcept {
        return verdict_of(std::get<0>(result));
    }
    static tuple from(refusal const& why) requires(std::is_default_constructible_v<T>&&...) {
        return tuple{to_std_error_code(why.code), T{}...};
    }
    static std::exception_ptr to_exception(tuple const& result) {
        return detail::as_system_error(std::get<0>(result));
    }
};

template <class T>
struct outcome_traits<std::pair<std::error_code, T>> {
    using pair = std::pair<std::error_code, T>;

    static verdict classify(pair const& result) noexcept { return verdict_of(result.first); }
    static pair from(refusal const& why) requires std::is_default_constructible_v<T> {
        return pair{to_std_error_code(why.code), T{}};
    }
    static std::exception_ptr to_exception(pair const& result) {
        return detail::as_system_error(result.first);
    }
};

}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_STD_ERROR_CODE_HPP
