// SPDX-License-Identifier: BSL-1.0
//
// Timeouts and deadlines: the operation is cancelled and waited for, exactly one scope reports, and
// what is further out may go on.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/policy/circuit_breaker.hpp>
#include <hawser/policy/retry.hpp>
#include <hawser/policy/timeout.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"
#include "support/test_bulkhead.hpp"
#include "support/trace_of.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>

using namespace std::chrono_literals;
using namespace support;
using manner = dependency::manner;
using lines = trace_of::lines;

struct stand {
    asio::io_context io;
    hawser::testing::asio_time time{io};
    trace_of trace;
    dependency remote{io.get_executor()};
    test_bulkhead bulkhead{1};
    hawser::circuit_breaker outer_breaker{{.window = 1, .minimum_calls = 1, .name = "outer"}};
    hawser::circuit_breaker inner_breaker{{.window = 1, .minimum_calls = 1, .name = "inner"}};
    receipt got;
    hawser::time_point const start_time = time.now();

    /// Both timeouts, with a breaker inside the total one and one inside both.
    auto line() {
        return hawser::compose_in(time.environment(trace), hawser::total_timeout{2s},
                                  hawser::borrow(bulkhead),
                                  hawser::retry{{.max_attempts = 5},
                                                hawser::backoff::constant{.delay = 100ms},
                                                hawser::jitter::none{},
                                                hawser::no_budget{}},
                                  hawser::borrow(outer_breaker), hawser::attempt_timeout{500ms},
                                  hawser::borrow(inner_breaker));
    }
    template <class Line>
    void start(Line const& line, hawser::call_facts<> const& facts = {}) {
        hawser::async_execute(line, io.get_executor(), facts, request{&remote},
                              to_receipt{got, io.get_executor()});
    }
    auto elapsed() const { return time.now() - start_time; }
    void disable_breakers() {
        outer_breaker.disable(time.now());
        inner_breaker.disable(time.now());
    }
    bool timed_out() const {
        return got.completed == 1 && got.code == hawser::make_error_code(hawser::errc::timed_out);
    }
};

TEST_CASE("async_execute: an attempt that takes too long is cancelled, and tried again") {
    stand on;
    on.disable_breakers();
    auto const line = on.line();
    on.start(line);
    on.time.advance(499ms);
    CHECK(on.remote.cancels.empty());
    on.time.advance(1ms);
    CHECK(on.remote.cancels == std::vector{asio::cancellation_type::terminal});
    CHECK(on.got.completed == 0);

    on.time.advance(100ms);
    CHECK(on.remote.starts == 2);
    on.remote.succeed(3);
    on.time.run();
    CHECK(on.got.value == 3);
    CHECK(on.elapsed() == 600ms);
}

TEST_CASE("async_execute: an operation that does not heed its cancel is waited for") {
    stand on;
    on.disable_breakers();
    auto const line = on.line();
    on.remote.next = manner::ignores_cancel;
    on.start(line);
    on.time.advance(10s);
    CHECK(on.got.completed == 0);
    CHECK(on.bulkhead.counts().held == 1);

    SECTION("and has timed out when it fails") {
        on.remote.fail();
        on.time.run();
        CHECK(on.timed_out());
    }
    SECTION("and has succeeded when it succeeds, marked late") {
        on.remote.succeed(3);
        on.time.run();
        CHECK(on.got.value == 3);
    }
    CHECK(on.bulkhead.is_whole());
}

TEST_CASE("async_execute: the deadline that an operation sees is the nearest of all") {
    stand on;
    on.disable_breakers();
    auto const line = on.line();
    on.start(line, {.deadline = on.time.now() + 200ms});
    CHECK(on.remote.deadline_seen == on.time.now() + 200ms);
    on.remote.succeed(1);
    on.time.run();

    on.got = {};
    on.start(line);
    CHECK(on.remote.deadline_seen == on.time.now() + 500ms);
    on.time.run();
    CHECK(on.timed_out());
}

TEST_CASE("async_execute: the deadline of the caller's facts ends the call") {
    stand on;
    auto const line = on.line();
    on.start(line, {.deadline = on.time.now() + 200ms});
    on.time.run();
    CHECK(on.timed_out());
    CHECK(on.elapsed() == 200ms);
    CHECK(on.remote.starts == 1);
    CHECK(on.bulkhead.is_whole());
}

TEST_CASE("async_execute: a deadline that has passed before the call refuses it") {
    stand on;
    auto const line = on.line();
    on.start(line, {.deadline = on.time.now()});
    CHECK(on.got.completed == 0);
    on.time.run();
    CHECK(on.timed_out());
    CHECK(on.remote.starts == 0);
    CHECK(on.bulkhead.is_whole());
}

TEST_CASE("async_execute: a wait that would end past the deadline is not begun") {
    stand on;
    on.disable_breakers();
    auto const line = on.line();
    on.start(line, {.deadline = on.time.now() + 100ms});
    on.remote.fail();
    on.time.poll();
    CHECK(on.got.code == asio::error::connection_reset);  // The last outcome stands.
    CHECK(on.elapsed() == 0ms);
}

TEST_CASE("async_execute: a deadline ends a park, and takes the call out of the queue") {
    stand on;
    auto const line = on.line();
    REQUIRE(on.bulkhead.try_take());
    on.start(line);
    on.time.run();
    CHECK(on.timed_out());
    CHECK(on.elapsed() == 2s);
    CHECK(on.bulkhead.counts().waiting == 0);
    on.bulkhead.give_back();
    CHECK(on.bulkhead.is_whole());
}

TEST_CASE("async_execute: a deadline between a grant and its bell returns the permit") {
    stand on;
    auto const line = on.line();
    REQUIRE(on.bulkhead.try_take());
    on.start(line);
    on.time.poll();
    auto* const granted = on.bulkhead.grant_silently();

    on.time.advance(2s);
    CHECK(on.bulkhead.is_whole());
    CHECK(on.got.completed == 0);  // The bell still refers to the call.

    granted->wake();
    on.time.run();
    CHECK(on.timed_out());
    CHECK(on.remote.starts == 0);
}

TEST_CASE("async_execute: a timeout inside a breaker is a failure there") {
    stand on;
    on.inner_breaker.disable(on.time.now());
    auto const line = on.line();
    on.start(line);
    on.time.advance(500ms);
    CHECK(on.outer_breaker.state() == hawser::breaker_state::open);
    on.time.run();
}

TEST_CASE("async_execute: a timeout outside a breaker is neutral there") {
    stand on;
    on.outer_breaker.disable(on.time.now());
    auto const line = on.line();
    on.start(line);
    on.time.advance(500ms);
    CHECK(on.remote.cancels.size() == 1);
    CHECK(on.inner_breaker.state() == hawser::breaker_state::closed);
    on.time.run();
}

TEST_CASE("async_execute: of nested timeouts the one that came reports, alone") {
    stand on;
    on.disable_breakers();
    auto const line = on.line();
    on.start(line);
    on.time.run();

    // At 0, 600, 1200 and 1800 ms; the last attempt has only 200 ms left.
    CHECK(on.timed_out());
    CHECK(on.remote.starts == 4);
    CHECK(on.elapsed() == 2s);
    CHECK(on.trace.count("attempt_timeout fired: 500ms after 500ms cancelled") == 3);
    CHECK(on.trace.count("total_timeout fired: 2000ms after 2000ms cancelled") == 1);
    CHECK(on.trace.count("call ended: failure, timed out") == 1);
}

TEST_CASE("async_execute: the trace of a timeout that a retry makes good") {
    stand on;
    on.disable_breakers();
    auto const line = on.line();
    on.start(line);
    on.time.advance(600ms);
    on.remote.succeed(1);
    on.time.run();
    CHECK(on.trace.seen() == lines{"attempt 1", "attempt 1 ended: failure",
                                   "attempt_timeout fired: 500ms after 500ms cancelled",
                                   "retry again in 100ms by backoff", "attempt 2",
                                   "attempt 2 ended: success", "call ended: success"});
}

TEST_CASE("async_execute: a success that comes with its deadline is kept") {
    stand on;
    on.disable_breakers();
    auto const line = on.line();
    on.start(line);
    on.time.poll();
    on.remote.succeed(8);  // Its completion is posted, when the deadline comes before it runs.
    on.time.time().set(on.time.now() + 500ms);
    asio::use_service<hawser::testing::manual_deadlines>(on.io).tell_due(on.time.now());
    on.time.run();
    CHECK(on.got.value == 8);
}

TEST_CASE("async_execute: late results may be discarded") {
    stand on;
    auto const line = hawser::compose_in(
        on.time.environment(on.trace), hawser::attempt_timeout{100ms, hawser::late_result::discard},
        hawser::borrow(on.bulkhead), hawser::borrow(on.inner_breaker),
        hawser::borrow(on.outer_breaker));
    on.remote.next = manner::ignores_cancel;
    on.start(line);
    on.time.advance(200ms);
    on.remote.succeed(8);
    on.time.run();
    CHECK(on.timed_out());
    CHECK(on.got.value == 0);
}
