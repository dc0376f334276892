// SPDX-License-Identifier: BSL-1.0
//
// A circuit breaker around asynchronous calls: results that come too late, probes that are
// cancelled, destroyed, or never answered.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/policy/circuit_breaker.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <deque>

using namespace std::chrono_literals;
using namespace support;
using hawser::breaker_state;
using hawser::errc;

static auto make_line(hawser::testing::asio_time& time, hawser::circuit_breaker& breaker) {
    return hawser::compose_in(time.environment(), hawser::borrow(breaker));
}

struct stand {
    std::optional<asio::io_context> io{std::in_place};
    hawser::testing::asio_time time{*io};
    dependency remote{io->get_executor()};
    hawser::circuit_breaker breaker{{.window = 1,
                                     .minimum_calls = 1,
                                     .open_for = 1s,
                                     .jitter = 0,
                                     .probes = 1,
                                     .probe_lease = 10s}};
    decltype(make_line(time, breaker)) line = make_line(time, breaker);
    asio::cancellation_signal signal;
    std::deque<receipt> receipts;

    receipt& call() {
        auto& got = receipts.emplace_back();
        hawser::async_execute(line, io->get_executor(), request{&remote},
                              to_receipt{got, io->get_executor(), signal.slot()});
        return got;
    }
    void trip() {
        call();
        remote.fail();
        time.poll();
        REQUIRE(breaker.state() == breaker_state::open);
    }
    /// Opens, and waits until a probe may go.
    receipt& probe() {
        trip();
        time.advance(1s);
        auto& got = call();
        time.poll();
        REQUIRE(breaker.state() == breaker_state::half_open);
        return got;
    }
    bool next_probe_closes() {
        call();
        if (remote.waiting() == 0) return false;
        remote.succeed(1);
        time.poll();
        return breaker.state() == breaker_state::closed;
    }
};

TEST_CASE("async_execute: results of an earlier generation change nothing") {
    stand on;
    for (int i = 0; i < 3; ++i) on.call();
    on.remote.fail();
    on.time.poll();
    REQUIRE(on.breaker.state() == breaker_state::open);

    on.time.advance(1s);
    on.call();  // The probe, behind the two that are still out.
    on.time.poll();
    auto const generation = on.breaker.generation();
    on.remote.succeed(1);
    on.remote.fail();
    on.time.poll();
    CHECK(on.breaker.state() == breaker_state::half_open);
    CHECK(on.breaker.generation() == generation);

    on.remote.succeed(1);
    on.time.poll();
    CHECK(on.breaker.state() == breaker_state::closed);
}

TEST_CASE("async_execute: a probe that its caller cancels returns its slot, without a vote") {
    stand on;
    on.probe();
    on.signal.emit(asio::cancellation_type::terminal);
    on.time.poll();
    CHECK(on.breaker.state() == breaker_state::half_open);
    CHECK(on.next_probe_closes());
}

TEST_CASE("async_execute: a probe that is destroyed returns its slot, without a vote") {
    stand on;
    on.probe();
    on.remote.drop();
    CHECK(on.breaker.state() == breaker_state::half_open);
    CHECK(on.next_probe_closes());
}

TEST_CASE("async_execute: a probe whose operation throws where it starts has voted") {
    stand on;
    on.trip();
    on.time.advance(1s);
    on.remote.next = dependency::manner::throws_once;
    on.call();
    CHECK(on.breaker.state() == breaker_state::open);
    CHECK_THROWS_AS(on.time.run(), std::runtime_error);
}

TEST_CASE("async_execute: a probe that never answers loses its slot by lease") {
    stand on;
    on.probe();
    auto const& refused = on.call();
    on.time.poll();
    CHECK(refused.code == hawser::make_error_code(errc::probes_full));

    on.time.advance(10s);
    on.call();
    on.time.poll();
    REQUIRE(on.remote.waiting() == 2);

    on.remote.fail();  // The first probe's answer: no longer wanted.
    on.time.poll();
    CHECK(on.breaker.state() == breaker_state::half_open);
    on.remote.succeed(1);
    on.time.poll();
    CHECK(on.breaker.state() == breaker_state::closed);
}

TEST_CASE("async_execute: a coroutine destroyed while its probe is out returns the slot") {
    stand on;
    on.trip();
    on.time.advance(1s);
    {
        asio::io_context other;
        dependency forever{other.get_executor()};
        request const op{&forever};
        bool resumed = false;
        auto const caller = [&]() -> asio::awaitable<void> {
            co_await hawser::async_execute(on.line, other.get_executor(), op, asio::use_awaitable);
            resumed = true;
        };
        asio::co_spawn(other, caller(), asio::detached);
        other.poll();
        REQUIRE(forever.starts == 1);
        REQUIRE(on.breaker.state() == breaker_state::half_open);
        forever.drop();
        CHECK_FALSE(resumed);
    }
    CHECK(on.next_probe_closes());
}

TEST_CASE("async_execute: a thousand cancelled calls neither trip a breaker nor leak") {
    stand on;
    for (int i = 0; i < 1000; ++i) {
        auto const& got = on.call();
        on.signal.emit(asio::cancellation_type::total);
        on.time.poll();
        REQUIRE(got.code == asio::error::operation_aborted);
    }
    CHECK(on.breaker.state() == breaker_state::closed);
}
