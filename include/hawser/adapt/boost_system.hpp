// SPDX-License-Identifier: BSL-1.0
//
// Boost.System's error_code and result as results of calls, and refusals as error codes.
#ifndef HAWSER_ADAPT_BOOST_SYSTEM_HPP
#define HAWSER_ADAPT_BOOST_SYSTEM_HPP

#include <hawser/base/error.hpp>
#include <hawser/base/outcome_traits.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// The category of `errc` among Boost's error codes. Its codes compare equal to the generic
/// conditions a caller would test for: `timed_out`, `operation_canceled`, and for a call refused
/// for load `resource_unavailable_try_again`.
class boost_category_type final : public boost::system::error_category {
public:
    // Any fixed number makes two copies of the category equal; this one was drawn at random.
    constexpr boost_category_type() noexcept : error_category{0x9b7e3fd1c2a85460U} {}

    [[nodiscard]] char const* name() const noexcept override { return "hawser"; }
    [[nodiscard]] std::string message(int value) const override {
        return to_string(static_cast<errc>(value));
    }
    [[nodiscard]] char const* message(int value, char*, std::size_t) const noexcept override {
        return to_string(static_cast<errc>(value));
    }
    [[nodiscard]] boost::system::error_condition default_error_condition(
        int value) const noexcept override {
        namespace generic = boost::system::errc;
        switch (static_cast<errc>(value)) {
            case errc::timed_out: return generic::make_error_condition(generic::timed_out);
            case errc::cancelled: return generic::make_error_condition(generic::operation_canceled);
            case errc::too_large: return generic::make_error_condition(generic::message_size);
            case errc::not_permitted:
                return generic::make_error_condition(generic::operation_not_permitted);
            case errc::circuit_open:
            case errc::probes_full:
            case errc::isolated:
            case errc::rate_limited:
            case errc::bulkhead_full:
            case errc::overloaded:
                return generic::make_error_condition(generic::resource_unavailable_try_again);
            default: return {value, *this};
        }
    }
};

namespace detail {
inline constexpr boost_category_type boost_category_instance{};
}

[[nodiscard]] inline boost::system::error_category const& boost_category() noexcept {
    return detail::boost_category_instance;
}

/// Found by Boost.System, so that an `errc` converts to its `error_code` and compares with one.
[[nodiscard]] inline boost::system::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), boost_category()};
}

/// The refusal that an error code of ours stands for, or no error.
[[nodiscard]] inline errc to_errc(boost::system::error_code const& code) noexcept {
    return code.category() == boost_category() ? static_cast<errc>(code.value()) : errc{};
}

/// How an error code counts: a cancelled operation is neutral, any other failure a failure. A
/// refusal that comes back as a code counts as the refusal.
[[nodiscard]] inline verdict verdict_of(boost::system::error_code const& code) noexcept {
    if (!code.failed()) [[likely]]
        return verdict::success;
    if (auto const ours = to_errc(code); ours != errc{}) return verdict_of(refusal{ours, {}, ""});
    return code == boost::system::errc::operation_canceled ? verdict::neutral : verdict::failure;
}

namespace detail {
[[nodiscard]] inline std::exception_ptr as_system_error(boost::system::error_code const& code) {
    return std::make_exception_ptr(boost::system::system_error{code});
}
}  // namespace detail

template <>
struct outcome_traits<boost::system::error_code> {
    static verdict classify(boost::system::error_code const& code) noexcept {
        return verdict_of(code);
    }
    static boost::system::error_code from(refusal const& why) noexcept {
        return make_error_code(why.code);
    }
    static std::exception_ptr to_exception(boost::system::error_code const& code) {
        return detail::as_system_error(code);
    }
};

template <class T>
struct outcome_traits<boost::system::result<T>> {
    static verdict classify(boost::system::result<T> const& result) noexcept {
        return result.has_value() ? verdict::success : verdict_of(result.error());
    }
    static boost::system::result<T> from(refusal const& why) noexcept {
        return make_error_code(why.code);
    }
    static std::exception_ptr to_exception(boost::system::result<T> const& result) {
        return detail::as_system_error(result.error());
    }
};

/// What an Asio operation completes with: a code first, then values, which a refusal leaves empty.
template <class... T>
struct outcome_traits<std::tuple<boost::system::error_code, T...>> {
    using tuple = std::tuple<boost::system::error_code, T...>;

    static verdict classify(tuple const& result) noexcept {
        return verdict_of(std::get<0>(result));
    }
    static tuple from(refusal const& why) requires(std::is_default_constructible_v<T>&&...) {
        return tuple{make_error_code(why.code), T{}...};
    }
    static std::exception_ptr to_exception(tuple const& result) {
        return detail::as_system_error(std::get<0>(result));
    }
};

template <class T>
struct outcome_traits<std::pair<boost::system::error_code, T>> {
    using pair = std::pair<boost::system::error_code, T>;

    static verdict classify(pair const& result) noexcept { return verdict_of(result.first); }
    static pair from(refusal const& why) requires std::is_default_constructible_v<T> {
        return pair{make_error_code(why.code), T{}};
    }
    static std::exception_ptr to_exception(pair const& result) {
        return detail::as_system_error(result.first);
    }
};

}  // namespace hawser::inline v0

template <>
struct boost::system::is_error_code_enum<hawser::errc> : std::true_type {};

#endif  // HAWSER_ADAPT_BOOST_SYSTEM_HPP
