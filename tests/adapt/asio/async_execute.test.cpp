// SPDX-License-Identifier: BSL-1.0
//
// How a call is started and completed: never inside the initiating function, on the handler's
// executor, once.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/policy/circuit_breaker.hpp>
#include <hawser/policy/retry.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>

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

    auto line() {
        return hawser::compose_in(time.environment(),
                                  hawser::retry{{.max_attempts = 200'000},
                                                hawser::backoff::none{},
                                                hawser::jitter::none{},
                                                hawser::no_budget{}},
                                  hawser::borrow(breaker));
    }
};

TEST_CASE("async_execute: the operation starts at once, and its answer is the call's") {
    stand on;
    auto const line = on.line();
    async_execute(line, on.io.get_executor(), request{&on.remote},
                  to_receipt{on.got, on.io.get_executor()});
    CHECK(on.remote.starts == 1);

    on.remote.succeed(42);
    on.time.run();

    CHECK(on.got.completed == 1);
    CHECK_FALSE(on.got.code.failed());
    CHECK(on.got.value == 42);
}

TEST_CASE("async_execute: never completes inside the initiating function") {
    stand on;
    auto const line = on.line();
    auto const start = [&] {
        async_execute(line, on.io.get_executor(), request{&on.remote},
                      to_receipt{on.got, on.io.get_executor()});
    };
    SECTION("even if the operation does") {
        on.remote.next = manner::answers_inline;
        start();
        CHECK(on.remote.starts == 1);
    }
    SECTION("nor if the call is refused") {
        on.breaker.isolate(on.time.now());
        start();
        CHECK(on.remote.starts == 0);
    }
    CHECK(on.got.completed == 0);
    on.time.run();
    CHECK(on.got.completed == 1);
}

TEST_CASE("async_execute: never completes inside the initiating function of an executor's thread") {
    stand on;
    auto const line = on.line();
    on.remote.next = manner::answers_inline;
    asio::post(on.io, [&] {
        async_execute(line, on.io.get_executor(), request{&on.remote},
                      to_receipt{on.got, on.io.get_executor()});
        CHECK(on.got.completed == 0);
    });
    on.time.run();
    CHECK(on.got.completed == 1);
}

TEST_CASE("async_execute: a refusal completes with its code and an empty value") {
    stand on;
    auto const line = on.line();
    on.breaker.isolate(on.time.now());
    async_execute(line, on.io.get_executor(), request{&on.remote},
                  to_receipt{on.got, on.io.get_executor()});
    on.time.run();
    CHECK(on.got.code == hawser::make_error_code(hawser::errc::isolated));
    CHECK(on.got.value == 0);
    CHECK(on.remote.starts == 0);
}

TEST_CASE("async_execute: a hundred thousand immediate attempts do not grow the stack") {
    stand on;
    on.breaker.disable(on.time.now());
    auto const line = on.line();
    on.remote.next = manner::answers_inline;
    on.remote.inline_code = asio::error::connection_reset;
    async_execute(line, on.io.get_executor(), request{&on.remote},
                  to_receipt{on.got, on.io.get_executor()});
    on.time.run();
    CHECK(on.remote.starts == 200'000);
    CHECK(on.got.code == asio::error::connection_reset);
}

TEST_CASE("async_execute: an operation that throws where it starts has failed with the exception") {
    stand on;
    auto const line = hawser::compose_in(on.time.environment(), hawser::borrow(on.breaker));
    on.remote.next = manner::throws_once;
    async_execute(line, on.io.get_executor(), request{&on.remote},
                  to_receipt{on.got, on.io.get_executor()});
    CHECK(on.breaker.state() == hawser::breaker_state::open);
    CHECK(on.got.completed == 0);

    // The signature has no place for an exception: it leaves through the context's `run`.
    CHECK_THROWS_AS(on.time.run(), std::runtime_error);
    CHECK(on.got.dropped == 1);
}

TEST_CASE("async_execute: an operation that throws a refusal where it starts has refused") {
    stand on;
    auto const line = hawser::compose_in(on.time.environment(), hawser::borrow(on.breaker));
    auto refuses = [](auto&, auto&& token) {
        return asio::async_initiate<decltype(token), void(std::exception_ptr)>(
            [](auto&&) {
                throw hawser::refused{{hawser::errc::rate_limited, 1s, "inner"}};
            },
            token);
    };
    auto code = hawser::errc{};
    async_try_execute(line, on.io.get_executor(), refuses,
                      [&](hawser::outcome<void> out) { code = out.code(); });
    on.time.run();
    CHECK(code == hawser::errc::rate_limited);
    CHECK(on.breaker.state() == hawser::breaker_state::closed);
}

TEST_CASE("async_execute: an operation that throws on a later attempt has failed with that") {
    stand on;
    on.breaker.disable(on.time.now());
    auto const line = on.line();
    async_execute(line, on.io.get_executor(), request{&on.remote},
                  to_receipt{on.got, on.io.get_executor()});
    on.remote.next = manner::throws_once;
    on.remote.fail();
    on.time.poll();
    CHECK(on.remote.starts == 3);

    on.remote.succeed(9);
    on.time.run();
    CHECK(on.got.completed == 1);
    CHECK(on.got.value == 9);
}

TEST_CASE("async_execute: completes on the handler's executor, wherever the operation ends") {
    stand on;
    asio::io_context other;
    auto const strand = asio::make_strand(on.io);
    dependency remote{other.get_executor()};
    auto const line = on.line();
    bool inside = false;
    auto handler = asio::bind_executor(
        strand, [&](error_code, int) { inside = strand.running_in_this_thread(); });
    async_execute(line, on.io.get_executor(), request{&remote}, std::move(handler));
    remote.succeed(1);
    on.time.run();
    CHECK(inside);
}

TEST_CASE("async_execute: run returns when the last call has ended") {
    stand on;
    auto const line = on.line();
    async_execute(line, on.io.get_executor(), request{&on.remote},
                  to_receipt{on.got, on.io.get_executor()});
    on.io.restart();
    on.io.poll();
    CHECK_FALSE(on.io.stopped());  // The call is work.

    on.remote.succeed(1);
    on.io.run();
    CHECK(on.got.completed == 1);
}

TEST_CASE("async_try_execute: completes with the outcome itself") {
    stand on;
    auto const line = on.line();
    using result = hawser::outcome<std::tuple<error_code, int>>;
    auto refused = hawser::errc{};
    std::uint32_t attempts = 0;
    on.remote.next = manner::answers_inline;
    hawser::async_try_execute(line, on.io.get_executor(), request{&on.remote}, [&](result out) {
        CHECK(std::get<1>(out.value()) == 1);
        attempts = out.origin().attempts;
    });
    on.time.run();
    CHECK(attempts == 1);

    on.breaker.isolate(on.time.now());
    hawser::async_try_execute(line, on.io.get_executor(), request{&on.remote},
                              [&](result out) { refused = out.code(); });
    on.time.run();
    CHECK(refused == hawser::errc::isolated);
}
