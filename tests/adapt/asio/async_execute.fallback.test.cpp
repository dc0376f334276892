// SPDX-License-Identifier: BSL-1.0
//
// Alternatives of every kind under one asynchronous operation, and what becomes of both errors.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/policy/fallback.hpp>
#include <hawser/policy/timeout.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>

using namespace std::chrono_literals;
using namespace support;
using result = hawser::outcome<std::tuple<error_code, int>>;
using reply = std::tuple<error_code, int>;

struct stand {
    asio::io_context io;
    hawser::testing::asio_time time{io};
    dependency remote{io.get_executor()};
    dependency backup{io.get_executor()};
    asio::cancellation_signal signal;
    std::optional<result> got;

    /// Calls, has the operation fail, and runs what is ready then.
    template <class Line>
    void fail_first(Line const& line) {
        hawser::async_try_execute(line, io.get_executor(), request{&remote},
                                  asio::bind_cancellation_slot(signal.slot(), [this](result out) {
                                      got.emplace(std::move(out));
                                  }));
        remote.fail();
        time.poll();
    }
    int value() const { return std::get<1>(got->value()); }
};

static error_code code_of(hawser::call_error const& error) {
    try {
        std::rethrow_exception(error.thrown);
    } catch (boost::system::system_error const& thrown) {
        return thrown.code();
    }
}

TEST_CASE("async_execute: a fallback may be a value or a plain function") {
    stand on;
    auto const value =
        hawser::compose_in(on.time.environment(), hawser::fallback{reply{error_code{}, 5}});
    on.fail_first(value);
    CHECK(on.value() == 5);
    CHECK(on.got->origin().degraded);
    REQUIRE(on.got->earlier().size() == 1);
    CHECK(code_of(on.got->earlier().front()) == asio::error::connection_reset);

    auto const told = [](hawser::call_error const& error) {
        return reply{error_code{}, code_of(error).value()};
    };
    auto const function = hawser::compose_in(on.time.environment(), hawser::fallback{told});
    on.fail_first(function);
    CHECK(on.value() == asio::error::connection_reset);
}

/// An asynchronous alternative, which is told the error.
struct ask_backup {
    dependency* at;
    template <class Call, class Token>
    auto operator()(Call& call, hawser::call_error const& error, Token&& token) const {
        CHECK(code_of(error) == asio::error::connection_reset);
        return request{at}(call, std::forward<Token>(token));
    }
};

TEST_CASE("async_execute: a fallback may be an asynchronous operation") {
    stand on;
    auto const line = hawser::compose_in(on.time.environment(), hawser::total_timeout{1s},
                                         hawser::fallback{ask_backup{&on.backup}});
    on.fail_first(line);
    REQUIRE(on.backup.starts == 1);
    REQUIRE_FALSE(on.got);

    SECTION("that succeeds") {
        on.backup.succeed(6);
        on.time.run();
        CHECK(on.value() == 6);
        CHECK(on.got->origin().degraded);
    }
    SECTION("whose error is then the call's, with the first one kept") {
        on.backup.answer(asio::error::eof);
        on.time.run();
        CHECK(std::get<0>(on.got->value()) == asio::error::eof);
        CHECK(code_of(on.got->earlier().front()) == asio::error::connection_reset);
        CHECK_FALSE(on.got->origin().degraded);
    }
    SECTION("that a deadline from outside cancels") {
        on.time.run();
        CHECK(on.backup.cancels == std::vector{asio::cancellation_type::terminal});
        CHECK(on.got->code() == hawser::errc::timed_out);
    }
    SECTION("that the caller cancels") {
        on.signal.emit(asio::cancellation_type::partial);
        on.time.run();
        CHECK(on.backup.cancels == std::vector{asio::cancellation_type::partial});
        CHECK(on.got->code() == hawser::errc::cancelled);
    }
}

TEST_CASE("async_execute: a fallback whose initiating function throws has failed with that") {
    stand on;
    auto const line =
        hawser::compose_in(on.time.environment(), hawser::fallback{ask_backup{&on.backup}});
    on.backup.next = dependency::manner::throws_once;
    on.fail_first(line);
    CHECK_THROWS_AS(std::rethrow_exception(on.got->exception()), std::runtime_error);
    CHECK(on.got->earlier().size() == 1);
}

TEST_CASE("async_execute: a coroutine falls back to a coroutine") {
    stand on;
    auto const alternative = [](auto&, hawser::call_error const&) -> asio::awaitable<int> {
        co_return 8;
    };
    auto const line = hawser::compose_in(on.time.environment(), hawser::fallback{alternative});
    auto const op = []() -> asio::awaitable<int> {
        throw std::runtime_error{"first"};
        co_return 0;
    };
    int got = 0;
    hawser::async_execute(line, on.io.get_executor(), op,
                          [&](std::exception_ptr thrown, int value) {
                              CHECK_FALSE(thrown);
                              got = value;
                          });
    on.time.run();
    CHECK(got == 8);
}

TEST_CASE("async_execute: what a fallback throws is the call's error") {
    stand on;
    auto const line = hawser::compose_in(on.time.environment(), hawser::fallback{[]() -> reply {
                                             throw std::runtime_error{"neither"};
                                         }});
    on.fail_first(line);
    CHECK_THROWS_AS(std::rethrow_exception(on.got->exception()), std::runtime_error);
    CHECK(on.got->earlier().size() == 1);
}
