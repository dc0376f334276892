// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/asio/operation.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <stdexcept>
#include <type_traits>

namespace asio = boost::asio;
using boost::system::error_code;
using hawser::detail::async_operation;
using hawser::detail::startable;

struct call {
    hawser::time_point deadline() const { return {}; }
};
struct initiates {
    template <class Token>
    auto operator()(call&, Token&& token) {
        return asio::async_initiate<Token, void(error_code, int)>(
            [](auto handler) { std::move(handler)(error_code{}, 3); }, token);
    }
};
struct coroutine_of_call {
    asio::awaitable<int> operator()(call&) { co_return 3; }
};
struct coroutine_of_nothing {
    asio::awaitable<void> operator()() { co_return; }
};
struct coroutine_of_both {
    asio::awaitable<int> operator()() { co_return 1; }
    asio::awaitable<char> operator()(call&) { co_return 'c'; }
};
struct plain_function {
    int operator()(call&) { return 3; }
};

TEST_CASE("async_operation: an operation says its signature itself") {
    STATIC_REQUIRE(
        std::is_same_v<async_operation<initiates, call>::signature, void(error_code, int)>);
    STATIC_REQUIRE(std::is_same_v<async_operation<coroutine_of_call, call>::signature,
                                  void(std::exception_ptr, int)>);
    STATIC_REQUIRE(std::is_same_v<async_operation<coroutine_of_nothing, call>::signature,
                                  void(std::exception_ptr)>);
    // Who takes the context is given it.
    STATIC_REQUIRE(std::is_same_v<async_operation<coroutine_of_both, call>::signature,
                                  void(std::exception_ptr, char)>);
}

TEST_CASE("startable: a coroutine or an initiating function is, a plain function is not") {
    STATIC_REQUIRE(startable<initiates, call>);
    STATIC_REQUIRE(startable<coroutine_of_call, call>);
    STATIC_REQUIRE_FALSE(startable<plain_function, call>);
    STATIC_REQUIRE_FALSE(startable<int, call>);
}

template <class Operation>
static int started(Operation operation) {
    asio::io_context io;
    call with;
    int got = -1;
    auto const ended = [&](auto&& error, auto... value) {
        if constexpr (sizeof...(value) == 0)
            got = error ? -2 : 0;
        else
            got = error ? -2 : (int{value} + ...);
    };
    async_operation<Operation, call>::start(operation, io.get_executor(), ended, with);
    io.run();
    return got;
}

TEST_CASE("async_operation: each kind is started and completes its handler") {
    CHECK(started(initiates{}) == 3);
    CHECK(started(coroutine_of_call{}) == 3);
    CHECK(started(coroutine_of_nothing{}) == 0);
    CHECK(started(coroutine_of_both{}) == 'c');
}

struct throwing_coroutine {
    asio::awaitable<int> operator()(call&) {
        throw std::runtime_error{"x"};
        co_return 1;
    }
};

TEST_CASE("async_operation: what a coroutine throws is its completion") {
    CHECK(started(throwing_coroutine{}) == -2);
}
