// SPDX-License-Identifier: BSL-1.0
//
// A call completes whatever completion token it is given, from whatever kind of operation it runs.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/policy/circuit_breaker.hpp>
#include <hawser/policy/retry.hpp>
#include <hawser/policy/timeout.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/consign.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace support;
using hawser::async_execute;
using manner = dependency::manner;

struct stand {
    asio::io_context io;
    hawser::testing::asio_time time{io};
    dependency remote{io.get_executor()};
    hawser::circuit_breaker breaker{{.window = 1, .minimum_calls = 1, .jitter = 0}};
    receipt got;

    auto line() { return hawser::compose_in(time.environment(), hawser::borrow(breaker)); }
};

TEST_CASE("async_execute: completes a future") {
    stand on;
    auto const line = on.line();
    auto good = async_execute(line, on.io.get_executor(), request{&on.remote}, asio::use_future);
    on.remote.succeed(1);
    on.time.run();
    CHECK(good.get() == 1);

    on.breaker.isolate(on.time.now());
    auto bad = async_execute(line, on.io.get_executor(), request{&on.remote}, asio::use_future);
    on.time.run();
    CHECK_THROWS_AS(bad.get(), boost::system::system_error);
}

TEST_CASE(
    "async_execute: for a future all is done on the executor that the call was started with") {
    asio::io_context io{1};
    auto const line = hawser::compose(
        hawser::retry{{.max_attempts = 3}, hawser::backoff::constant{1ms}, hawser::no_budget{}},
        hawser::attempt_timeout{1ms});
    std::vector<std::thread::id> began;
    // Its attempts end by their timeouts, and then begin again: none of that is the operation's.
    auto const never_ends = [&](auto&, auto&& token) {
        began.push_back(std::this_thread::get_id());
        auto timer = std::make_shared<asio::steady_timer>(io, 1h);
        auto ends = asio::consign(std::forward<decltype(token)>(token), timer);
        return timer->async_wait(std::move(ends));
    };
    auto answer = async_execute(line, io.get_executor(), never_ends, asio::use_future);
    io.run();
    REQUIRE(answer.wait_for(0s) == std::future_status::ready);
    CHECK_THROWS_AS(answer.get(), boost::system::system_error);
    CHECK(began == std::vector{3, std::this_thread::get_id()});
}

TEST_CASE("async_execute: knows the executors whose threads keep no order") {
    using hawser::detail::on_bare_thread_pool;
    STATIC_REQUIRE(on_bare_thread_pool<asio::thread_pool::executor_type>());
    STATIC_REQUIRE(on_bare_thread_pool<asio::system_executor>());
    STATIC_REQUIRE_FALSE(on_bare_thread_pool<asio::io_context::executor_type>());
    STATIC_REQUIRE_FALSE(on_bare_thread_pool<asio::strand<asio::system_executor>>());
}

TEST_CASE("async_execute: a deferred call starts when it is launched, and not before") {
    stand on;
    auto const line = on.line();
    auto call = async_execute(line, on.io.get_executor(), request{&on.remote}, asio::deferred);
    CHECK(on.remote.starts == 0);

    std::move(call)(to_receipt{on.got, on.io.get_executor()});
    CHECK(on.remote.starts == 1);
    on.remote.succeed(3);
    on.time.run();
    CHECK(on.got.value == 3);
}

TEST_CASE("async_execute: completes a coroutine, with a value, an exception or a tuple") {
    stand on;
    auto const line = on.line();
    bool ended = false;
    auto const caller = [&]() -> asio::awaitable<void> {
        request const op{&on.remote};
        on.remote.next = manner::answers_inline;
        // Not inside CHECK: g++ 12 evaluates a co_await that the macro only wants to look at.
        auto const first =
            co_await async_execute(line, on.io.get_executor(), op, asio::use_awaitable);
        CHECK(first == 1);
        auto const [code, value] = co_await async_execute(line, on.io.get_executor(), op,
                                                          asio::as_tuple(asio::use_awaitable));
        CHECK_FALSE(code.failed());
        CHECK(value == 2);
        on.breaker.isolate(on.time.now());
        bool threw = false;
        try {
            (void)co_await async_execute(line, on.io.get_executor(), op, asio::use_awaitable);
        } catch (boost::system::system_error const&) {
            threw = true;
        }
        CHECK(threw);
        ended = true;
    };
    asio::co_spawn(on.io, caller(), asio::detached);
    on.time.run();
    CHECK(ended);
}

TEST_CASE("async_execute: completes a handler whose type is erased") {
    stand on;
    auto const line = on.line();
    asio::cancellation_signal signal;
    asio::any_completion_handler<void(error_code, int)> handler{
        to_receipt{on.got, on.io.get_executor(), signal.slot()}};
    async_execute(line, on.io.get_executor(), request{&on.remote}, std::move(handler));
    signal.emit(asio::cancellation_type::terminal);
    on.time.run();
    CHECK(on.got.code == asio::error::operation_aborted);
}

/// A result that carries refusals by itself, as a StatusOr does.
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

TEST_CASE("async_execute: completes with a result that carries refusals, and nothing beside it") {
    stand on;
    auto const line = on.line();
    auto const op = [&](auto&, auto&& token) {
        return asio::async_initiate<decltype(token), void(reply)>(
            [&](auto handler) {
                asio::post(on.io,
                           [to = std::move(handler)]() mutable { std::move(to)(reply{500}); });
            },
            token);
    };
    std::vector<int> seen;
    auto const note = [&](reply const& r) { seen.push_back(r.status); };
    async_execute(line, on.io.get_executor(), op, note);
    on.time.run();
    CHECK(on.breaker.state() == hawser::breaker_state::open);
    async_execute(line, on.io.get_executor(), op, note);
    on.time.run();
    CHECK(seen == std::vector{500, 503});
}

/// A value that cannot be copied out of what the operation completes with.
struct brittle {
    brittle() = default;
    brittle(brittle&&) noexcept {}
    brittle(brittle const&) { throw std::runtime_error{"does not copy"}; }
    brittle& operator=(brittle&&) = default;
};

TEST_CASE("async_execute: a result that cannot be taken over is the failure of its attempt") {
    stand on;
    auto const line = on.line();
    auto const op = [&](auto&, auto&& token) {
        return asio::async_initiate<decltype(token), void(std::exception_ptr, brittle)>(
            [&](auto handler) {
                asio::post(on.io, [to = std::move(handler)]() mutable {
                    brittle const kept;
                    std::move(to)(nullptr, kept);
                });
            },
            token);
    };
    std::exception_ptr thrown;
    async_execute(line, on.io.get_executor(), op,
                  [&](std::exception_ptr what, brittle const&) { thrown = std::move(what); });
    on.time.run();
    CHECK_THROWS_AS(std::rethrow_exception(thrown), std::runtime_error);
    CHECK(on.breaker.state() == hawser::breaker_state::open);
}

TEST_CASE("async_execute: runs a coroutine, which it can cancel") {
    stand on;
    auto const line = on.line();
    bool unwound = false;
    auto const op = [&](auto& call) -> asio::awaitable<int> {
        struct mark {
            bool& at;
            ~mark() { at = true; }
        } const at_end{unwound};
        CHECK(call.attempt() == 1);
        request const inner{&on.remote};
        co_return co_await inner(call, asio::use_awaitable);
    };
    asio::cancellation_signal signal;
    std::exception_ptr thrown;
    async_execute(line, on.io.get_executor(), op,
                  asio::bind_cancellation_slot(
                      signal.slot(), [&](std::exception_ptr what, int) { thrown = what; }));
    on.time.run();
    REQUIRE(on.remote.starts == 1);
    signal.emit(asio::cancellation_type::terminal);
    on.time.run();
    CHECK(unwound);
    CHECK(on.remote.cancels == std::vector{asio::cancellation_type::terminal});
    try {
        std::rethrow_exception(thrown);
    } catch (boost::system::system_error const& error) {
        CHECK(error.code() == asio::error::operation_aborted);
    }
    CHECK(on.breaker.state() == hawser::breaker_state::closed);
}
