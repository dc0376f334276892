// SPDX-License-Identifier: BSL-1.0
//
// How an Asio completion and an outcome stand for each other.
//
//     signature                    result type of the call          a refusal becomes
//     void(error_code)             error_code                       its error code
//     void(error_code, T...)       tuple<error_code, T...>          its error code and empty values
//     void(exception_ptr)          void                             an exception of type refused
//     void(exception_ptr, T)       T                                likewise, or T if T carries it
//     void(exception_ptr, T...)    tuple<T...>                      likewise
//     void(T)                      T, if it carries refusals        a T
//
// A call that its caller cancelled completes with `operation_aborted`, as Asio's users expect.
#ifndef HAWSER_ADAPT_ASIO_COMPLETION_HPP
#define HAWSER_ADAPT_ASIO_COMPLETION_HPP

#include <hawser/adapt/boost_system.hpp>
#include <hawser/base/outcome.hpp>

#include <boost/asio/error.hpp>

#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

namespace detail {

[[nodiscard]] inline boost::system::error_code completion_code(errc code) noexcept {
    if (code == errc::cancelled) return boost::asio::error::operation_aborted;
    return make_error_code(code);
}

[[nodiscard]] inline std::exception_ptr completion_exception(refusal const& why) {
    if (why.code == errc::cancelled)
        return std::make_exception_ptr(
            boost::system::system_error{boost::asio::error::operation_aborted});
    return std::make_exception_ptr(refused{why});
}

}  // namespace detail

/// What a completion signature means to a pipeline.
template <class Signature>
struct completion {
    static_assert(!std::is_same_v<Signature, Signature>,
                  "hawser: an asynchronous operation completes with (error_code, ...), "
                  "(exception_ptr, ...), or one value whose outcome_traits carry refusals");
};

template <class... T>
struct completion<void(boost::system::error_code, T...)> {
    static_assert((std::is_default_constructible_v<std::decay_t<T>> && ...),
                  "hawser: a refusal completes with empty values beside its error code, so each "
                  "must be default-constructible");

    using result = std::conditional_t<sizeof...(T) == 0, boost::system::error_code,
                                      std::tuple<boost::system::error_code, std::decay_t<T>...>>;

    /// Of a call that ends here, nobody asks for the provenance.
    static outcome<result> take(outcome<result>&& out) noexcept {
        return outcome<result>{bare_outcome{}, std::move(out)};
    }

    template <class... Arguments>
    static void store(outcome<result>& out, Arguments&&... arguments) {
        out.emplace(std::forward<Arguments>(arguments)...);
    }

    /// An exception has no place in this signature: it leaves through the executor's `run`.
    template <class Handler>
    static void deliver(Handler&& handler, outcome<result>&& out) {
        if (auto const* why = out.why())
            return std::move(handler)(detail::completion_code(why->code), std::decay_t<T>{}...);
        if constexpr (sizeof...(T) == 0)
            std::move(handler)(std::move(out.value()));
        else
            std::apply(std::forward<Handler>(handler), std::move(out.value()));
    }
};

template <class... T>
struct completion<void(std::exception_ptr, T...)> {
    static_assert((std::is_default_constructible_v<std::decay_t<T>> && ...),
                  "hawser: a refusal completes with empty values beside its exception, so each "
                  "must be default-constructible");

    template <class... U>
    struct result_of {
        using type = std::tuple<U...>;
    };
    template <class U>
    struct result_of<U> {
        using type = U;
    };
    using result =
        std::conditional_t<sizeof...(T) == 0, void, typename result_of<std::decay_t<T>...>::type>;

    /// Of a call that ends here, nobody asks for the provenance.
    static outcome<result> take(outcome<result>&& out) noexcept {
        return outcome<result>{bare_outcome{}, std::move(out)};
    }

    template <class... Arguments>
    static void store(outcome<result>& out, std::exception_ptr thrown, Arguments&&... arguments) {
        if (!thrown) return out.emplace(std::forward<Arguments>(arguments)...);
        try {
            std::rethrow_exception(thrown);
        } catch (refused const& nested) {
            out.refuse(nested.why());
        } catch (...) {
            out.fail(std::move(thrown));
        }
    }

    template <class Handler>
    static void deliver(Handler&& handler, outcome<result>&& out) {
        if constexpr (carries_refusal<result>)
            if (auto const* why = out.why(); why != nullptr && why->code != errc::cancelled)
                return std::move(handler)(nullptr, outcome_traits<result>::from(*why));
        if (!out.has_value()) {
            auto const* why = out.why();
            return std::move(handler)(
                why != nullptr ? detail::completion_exception(*why) : out.exception(),
                std::decay_t<T>{}...);
        }
        if constexpr (sizeof...(T) == 0)
            std::move(handler)(nullptr);
        else if constexpr (sizeof...(T) == 1)
            std::move(handler)(nullptr, std::move(out.value()));
        else
            std::apply([&](auto&&... values) { std::move(handler)(nullptr, std::move(values)...); },
                       std::move(out).value());
    }
};

template <class R>
requires carries_refusal<R> &&
    (!std::is_same_v<R, boost::system::error_code>)struct completion<void(R)> {
    using result = R;

    /// Of a call that ends here, nobody asks for the provenance.
    static outcome<result> take(outcome<result>&& out) noexcept {
        return outcome<result>{bare_outcome{}, std::move(out)};
    }

    template <class Argument>
    static void store(outcome<result>& out, Argument&& argument) {
        out.emplace(std::forward<Argument>(argument));
    }
    template <class Handler>
    static void deliver(Handler&& handler, outcome<result>&& out) {
        if (auto const* why = out.why())
            return std::move(handler)(outcome_traits<result>::from(*why));
        std::move(handler)(std::move(out.value()));
    }
};

}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_ASIO_COMPLETION_HPP
