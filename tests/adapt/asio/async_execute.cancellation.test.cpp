// SPDX-License-Identifier: BSL-1.0
//
// A caller's cancel: through the handler's cancellation slot, or through a stop token from any
// thread. It reaches the operation as it is, ends a wait at once, is not retried and votes nothing.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/policy/circuit_breaker.hpp>
#include <hawser/policy/retry.hpp>
#include <hawser/policy/timeout.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"
#include "support/test_bulkhead.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <stop_token>

using namespace std::chrono_literals;
using namespace support;
using manner = dependency::manner;
using type = asio::cancellation_type;

struct stand {
    asio::io_context io;
    hawser::testing::asio_time time{io};
    dependency remote{io.get_executor()};
    test_bulkhead bulkhead{1};
    hawser::circuit_breaker breaker{{.window = 1, .minimum_calls = 1}};
    receipt got;
    asio::cancellation_signal signal;
    std::stop_source stop;

    auto line() {
        return hawser::compose_in(
            time.environment(), hawser::borrow(bulkhead),
            hawser::retry{{.max_attempts = 3}, hawser::jitter::none{}, hawser::no_budget{}},
            hawser::borrow(breaker), hawser::attempt_timeout{1s});
    }
    template <class Line>
    void start(Line const& line) {
        hawser::async_execute(line, io.get_executor(), {.stop = stop.get_token()}, request{&remote},
                              to_receipt{got, io.get_executor(), signal.slot()});
    }
    bool was_cancelled() const {
        return got.completed == 1 && got.code == asio::error::operation_aborted;
    }
};

TEST_CASE("async_execute: a cancel of any type reaches the operation as that type") {
    for (auto const how : {type::terminal, type::partial, type::total}) {
        stand on;
        auto const line = on.line();
        on.start(line);
        on.time.poll();

        on.signal.emit(how);

        on.time.run();
        CHECK(on.remote.cancels == std::vector{how});
        CHECK(on.was_cancelled());
        CHECK(on.bulkhead.is_whole());
    }
}

TEST_CASE("async_execute: a second cancel reaches an operation that the first did not end") {
    stand on;
    auto const line = on.line();
    on.remote.next = manner::ignores_cancel;
    on.start(line);
    on.signal.emit(type::partial);
    on.signal.emit(type::terminal);
    on.time.poll();

    CHECK(on.remote.cancels == std::vector{type::partial, type::terminal});
    CHECK(on.got.completed == 0);  // A cancelled operation is waited for.

    on.remote.fail();
    on.time.run();
    CHECK(on.was_cancelled());
}

TEST_CASE("async_execute: a success in spite of a cancel is kept") {
    stand on;
    auto const line = on.line();
    on.remote.next = manner::ignores_cancel;
    on.start(line);
    on.signal.emit(type::terminal);
    on.remote.succeed(7);
    on.time.run();
    CHECK(on.got.value == 7);
    CHECK_FALSE(on.got.code.failed());
}

TEST_CASE("async_execute: a cancel is not retried and votes nothing") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.signal.emit(type::terminal);
    on.time.run();

    CHECK(on.was_cancelled());
    CHECK(on.remote.starts == 1);
    CHECK(on.breaker.state() == hawser::breaker_state::closed);
    CHECK(on.time.now() == hawser::manual_time{}.now());
}

TEST_CASE("async_execute: a cancel ends a backoff at once") {
    stand on;
    on.breaker.disable(on.time.now());
    auto const line = on.line();
    on.start(line);
    on.remote.fail();
    on.time.poll();
    REQUIRE(on.bulkhead.counts().held == 1);

    on.signal.emit(type::total);
    CHECK(on.got.completed == 0);  // Not on the stack of whoever cancels.
    on.time.poll();

    CHECK(on.was_cancelled());
    CHECK(on.remote.starts == 1);
    CHECK(on.bulkhead.is_whole());
}

TEST_CASE("async_execute: a cancel takes a parked call out of the queue") {
    stand on;
    auto const line = on.line();
    REQUIRE(on.bulkhead.try_take());
    on.start(line);
    on.signal.emit(type::terminal);
    on.time.poll();

    CHECK(on.was_cancelled());
    CHECK(on.bulkhead.counts().waiting == 0);
    on.bulkhead.give_back();
    CHECK(on.bulkhead.is_whole());
}

TEST_CASE("async_execute: a cancel between the grant and its bell returns the permit") {
    stand on;
    auto const line = on.line();
    REQUIRE(on.bulkhead.try_take());
    on.start(line);
    SECTION("with the bell on its way") {
        on.bulkhead.give_back();
        on.signal.emit(type::terminal);
        CHECK(on.bulkhead.is_whole());
    }
    SECTION("before the bell is rung") {
        auto* const granted = on.bulkhead.grant_silently();
        on.signal.emit(type::terminal);
        CHECK(on.bulkhead.is_whole());
        on.time.poll();
        CHECK(on.got.completed == 0);  // The bell still refers to the call.
        granted->wake();
    }
    on.time.poll();
    CHECK(on.was_cancelled());
    CHECK(on.remote.starts == 0);
}

TEST_CASE("async_execute: an operation may complete inside the cancellation") {
    stand on;
    auto const line = on.line();
    on.remote.next = manner::aborts_inline;
    on.remote.after_cancel = [&] { CHECK(on.got.completed == 0); };
    on.start(line);
    SECTION("by the caller") {
        on.signal.emit(type::terminal);
        CHECK(on.got.completed == 0);
        on.time.run();
        CHECK(on.was_cancelled());
    }
    SECTION("by a timeout") {
        on.time.run();
        CHECK(on.got.code == hawser::make_error_code(hawser::errc::timed_out));
        CHECK(on.remote.cancels == std::vector(2, type::terminal));  // The second is a probe.
    }
    CHECK(on.bulkhead.is_whole());
}

TEST_CASE(
    "async_execute: a cancel from inside the operation's start is heard when it has started") {
    stand on;
    auto const line = on.line();
    auto const op = [&](auto& call, auto&& token) {
        on.signal.emit(type::terminal);
        return request{&on.remote}(call, std::forward<decltype(token)>(token));
    };
    hawser::async_execute(line, on.io.get_executor(), op,
                          to_receipt{on.got, on.io.get_executor(), on.signal.slot()});
    on.time.poll();
    CHECK(on.remote.cancels == std::vector{type::terminal});
    CHECK(on.was_cancelled());
}

TEST_CASE("async_execute: a slot is empty when the call has completed") {
    stand on;
    auto const line = on.line();
    on.start(line);
    CHECK(on.signal.slot().has_handler());
    on.remote.succeed(1);
    on.time.run();
    CHECK_FALSE(on.signal.slot().has_handler());
}

TEST_CASE("async_execute: a call whose signal is gone completes") {
    stand on;
    auto const line = on.line();
    {
        asio::cancellation_signal brief;
        hawser::async_execute(line, on.io.get_executor(), request{&on.remote},
                              to_receipt{on.got, on.io.get_executor(), brief.slot()});
    }
    on.remote.succeed(5);
    on.time.run();
    CHECK(on.got.value == 5);
}

TEST_CASE("async_execute: a stop that was requested before the call refuses it") {
    stand on;
    auto const line = on.line();
    on.stop.request_stop();
    on.start(line);
    CHECK(on.got.completed == 0);
    on.time.run();
    CHECK(on.was_cancelled());
    CHECK(on.remote.starts == 0);
    CHECK(on.bulkhead.is_whole());
}

TEST_CASE("async_execute: a stop that was requested before the call keeps it from being parked") {
    stand on;
    auto const line = on.line();
    REQUIRE(on.bulkhead.try_take());
    on.stop.request_stop();
    on.start(line);
    CHECK(on.bulkhead.counts().waiting == 0);
    CHECK(on.bulkhead.counts().withdrawn == 1);
    on.time.run();
    CHECK(on.was_cancelled());
}

TEST_CASE("async_execute: a stop request ends the call wherever it is") {
    stand on;
    on.breaker.disable(on.time.now());
    auto const line = on.line();
    SECTION("operating") {
        on.start(line);
        on.stop.request_stop();
        on.time.poll();
        CHECK(on.remote.cancels == std::vector{type::terminal});
    }
    SECTION("backing off") {
        on.start(line);
        on.remote.fail();
        on.time.poll();
        on.stop.request_stop();
        on.time.poll();
        CHECK(on.remote.starts == 1);
    }
    SECTION("parked") {
        REQUIRE(on.bulkhead.try_take());
        on.start(line);
        on.stop.request_stop();
        on.time.poll();
        on.bulkhead.give_back();
    }
    CHECK(on.was_cancelled());
    CHECK(on.bulkhead.is_whole());
}

TEST_CASE("async_execute: a stop request after the end of the call reaches nothing") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.remote.succeed(1);
    SECTION("with the completion on its way") {
        on.stop.request_stop();
        on.time.run();
    }
    SECTION("and after it") {
        on.time.run();
        on.stop.request_stop();
        on.time.run();
    }
    CHECK(on.got.completed == 1);
    CHECK(on.got.value == 1);
}

TEST_CASE("async_execute: a cancel beats a timeout that came first") {
    stand on;
    auto const line = on.line();
    on.remote.next = manner::ignores_cancel;
    on.start(line);
    on.time.advance(1s);
    CHECK(on.remote.cancels == std::vector{type::terminal});

    on.signal.emit(type::total);
    on.remote.fail();
    on.time.run();

    CHECK(on.was_cancelled());
    CHECK(on.remote.starts == 1);
    CHECK(on.breaker.state() == hawser::breaker_state::closed);
}
