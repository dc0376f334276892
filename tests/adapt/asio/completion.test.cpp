// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/asio/completion.hpp>

#include "support/catch.hpp"

#include <boost/asio/error.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>

using boost::system::error_code;
using hawser::completion;
using hawser::errc;
using hawser::outcome;
using hawser::refusal;

static constexpr refusal full{errc::bulkhead_full, {}, "bulkhead"};
static constexpr refusal cancelled{errc::cancelled, {}, "pipeline"};

/// A value that carries refusals by itself.
struct reply {
    int status = 0;
};
template <>
struct hawser::outcome_traits<reply> {
    static verdict classify(reply const& r) noexcept {
        return r.status < 500 ? verdict::success : verdict::failure;
    }
    static reply from(refusal const&) noexcept { return {503}; }
};

/// What a handler of the signature is given for an outcome.
template <class Signature, class... Received, class R = typename completion<Signature>::result>
static std::tuple<Received...> delivered(outcome<R>&& out) {
    std::tuple<Received...> got;
    completion<Signature>::deliver(
        [&](auto&&... arguments) { got = {std::forward<decltype(arguments)>(arguments)...}; },
        std::move(out));
    return got;
}
template <class R>
static outcome<R> refused(refusal const& why) {
    outcome<R> out;
    out.refuse(why);
    return out;
}

TEST_CASE("completion: the result of each signature is what the table says") {
    using thrown = std::exception_ptr;
    STATIC_REQUIRE(std::is_same_v<completion<void(error_code)>::result, error_code>);
    STATIC_REQUIRE(std::is_same_v<completion<void(error_code, int const&)>::result,
                                  std::tuple<error_code, int>>);
    STATIC_REQUIRE(std::is_same_v<completion<void(thrown)>::result, void>);
    STATIC_REQUIRE(std::is_same_v<completion<void(thrown, int)>::result, int>);
    STATIC_REQUIRE(
        std::is_same_v<completion<void(thrown, int, char)>::result, std::tuple<int, char>>);
    STATIC_REQUIRE(std::is_same_v<completion<void(reply)>::result, reply>);
}

TEST_CASE("completion: a code goes through unchanged, with its values") {
    using signature = void(error_code, std::string);
    outcome<std::tuple<error_code, std::string>> out;
    completion<signature>::store(out, boost::asio::error::eof, "partial");
    auto const [code, text] = delivered<signature, error_code, std::string>(std::move(out));
    CHECK(code == boost::asio::error::eof);
    CHECK(text == "partial");

    outcome<error_code> only;
    completion<void(error_code)>::store(only, boost::asio::error::eof);
    CHECK(std::get<0>(delivered<void(error_code), error_code>(std::move(only))) ==
          boost::asio::error::eof);
}

TEST_CASE("completion: a refusal is its code and empty values, a cancel is operation_aborted") {
    using signature = void(error_code, int);
    using result = completion<signature>::result;
    CHECK(delivered<signature, error_code, int>(refused<result>(full)) ==
          std::tuple{make_error_code(errc::bulkhead_full), 0});
    CHECK(delivered<signature, error_code, int>(refused<result>(cancelled)) ==
          std::tuple{error_code{boost::asio::error::operation_aborted}, 0});
}

TEST_CASE("completion: an exception has no place beside a code, and is thrown") {
    outcome<error_code> out;
    out.fail(std::make_exception_ptr(std::runtime_error{"x"}));
    CHECK_THROWS_AS((delivered<void(error_code), error_code>(std::move(out))), std::runtime_error);
}

TEST_CASE("completion: an exception goes through as itself, with empty values") {
    using signature = void(std::exception_ptr, int);
    outcome<int> out;
    completion<signature>::store(out, std::make_exception_ptr(std::runtime_error{"x"}), 4);
    CHECK(out.classify() == hawser::verdict::failure);
    auto const [thrown, value] = delivered<signature, std::exception_ptr, int>(std::move(out));
    CHECK_THROWS_AS(std::rethrow_exception(thrown), std::runtime_error);
    CHECK(value == 0);
}

TEST_CASE("completion: values beside a null exception go through") {
    outcome<int> one;
    completion<void(std::exception_ptr, int)>::store(one, nullptr, 4);
    CHECK(delivered<void(std::exception_ptr, int), std::exception_ptr, int>(std::move(one)) ==
          std::tuple{std::exception_ptr{}, 4});

    outcome<void> none;
    completion<void(std::exception_ptr)>::store(none, nullptr);
    CHECK(none.has_value());
    CHECK(delivered<void(std::exception_ptr), std::exception_ptr>(std::move(none)) ==
          std::tuple{std::exception_ptr{}});

    outcome<std::tuple<int, char>> two;
    completion<void(std::exception_ptr, int, char)>::store(two, nullptr, 4, 'c');
    CHECK(delivered<void(std::exception_ptr, int, char), std::exception_ptr, int, char>(
              std::move(two)) == std::tuple{std::exception_ptr{}, 4, 'c'});
}

TEST_CASE("completion: a refusal beside an exception is one, a cancel is a system_error") {
    using signature = void(std::exception_ptr, int);
    auto const thrown = [](refusal const& why) {
        return std::get<0>(delivered<signature, std::exception_ptr, int>(refused<int>(why)));
    };
    try {
        std::rethrow_exception(thrown(full));
    } catch (hawser::refused const& error) {
        CHECK(error.why() == full);
    }
    try {
        std::rethrow_exception(thrown(cancelled));
    } catch (boost::system::system_error const& error) {
        CHECK(error.code() == boost::asio::error::operation_aborted);
    }
}

TEST_CASE("completion: a refusal that an operation completes with is that refusal again") {
    outcome<int> out;
    completion<void(std::exception_ptr, int)>::store(
        out, std::make_exception_ptr(hawser::refused{full}), 0);
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == full);
}

TEST_CASE("completion: a result that carries refusals is given them as values") {
    CHECK(std::get<0>(delivered<void(reply), reply>(refused<reply>(full))).status == 503);
    CHECK(std::get<0>(delivered<void(reply), reply>(refused<reply>(cancelled))).status == 503);
    outcome<reply> out;
    completion<void(reply)>::store(out, reply{200});
    CHECK(std::get<0>(delivered<void(reply), reply>(std::move(out))).status == 200);

    using coroutine = void(std::exception_ptr, reply);
    auto const [none, value] =
        delivered<coroutine, std::exception_ptr, reply>(refused<reply>(full));
    CHECK(none == nullptr);
    CHECK(value.status == 503);
    auto const [thrown, empty] =
        delivered<coroutine, std::exception_ptr, reply>(refused<reply>(cancelled));
    CHECK(thrown != nullptr);
    CHECK(empty.status == 0);
}

TEST_CASE("completion: values that only move are moved") {
    using signature = void(error_code, std::unique_ptr<int>);
    outcome<std::tuple<error_code, std::unique_ptr<int>>> out;
    completion<signature>::store(out, error_code{}, std::make_unique<int>(3));
    CHECK(*std::get<1>(delivered<signature, error_code, std::unique_ptr<int>>(std::move(out))) ==
          3);
}
