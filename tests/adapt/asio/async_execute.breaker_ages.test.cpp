// SPDX-License-Identifier: BSL-1.0
//
// Asynchronous calls that outlive the age of the breaker that admitted them, herds of probes, and
// what a breaker tells while calls are out.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/policy/circuit_breaker.hpp>
#include <hawser/policy/retry.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

using namespace std::chrono_literals;
using namespace support;
using hawser::breaker_state;
using hawser::errc;

/// Keeps every step, and may do something each time.
struct keeping {
    std::vector<hawser::breaker_changed> steps{};
    std::function<void()> act{};
    void on(hawser::breaker_changed const& e) {
        steps.push_back(e);
        if (act) act();
    }
};

/// Opens at the second failure of two calls, for 5, 10, 20 s in a row.
constexpr hawser::circuit_breaker_options quick{
    .window = 10, .minimum_calls = 2, .open_for = 5s, .jitter = 0, .probes = 3, .name = "quotes"};

/// One call, with a dependency of its own, so that calls may end in any order.
struct one_call {
    explicit one_call(asio::io_context& io) : remote{io.get_executor()} {}
    dependency remote;
    receipt got;
    asio::cancellation_signal signal;
};

struct stand {
    keeping sink;
    hawser::basic_circuit_breaker<hawser::told_to<hawser::sink_reference<keeping>>> breaker{
        quick, hawser::told_by_reference(sink)};
    asio::io_context io;
    hawser::testing::asio_time time{io};
    std::deque<one_call> calls;

    decltype(hawser::compose_in(time.environment(), hawser::borrow(breaker))) const alone =
        hawser::compose_in(time.environment(), hawser::borrow(breaker));

    one_call& call() {
        auto& made = calls.emplace_back(io);
        hawser::async_execute(alone, io.get_executor(), request{&made.remote},
                              to_receipt{made.got, io.get_executor(), made.signal.slot()});
        time.poll();
        return made;
    }
    void end(one_call& which, bool well) {
        well ? which.remote.succeed(1) : which.remote.fail();
        time.poll();
    }
    void trip() {
        for (int i = 0; i < 2; ++i)
            if (auto& made = call(); made.remote.waiting() > 0) end(made, false);
        REQUIRE(breaker.state() == breaker_state::open);
    }
    auto snapshot() { return breaker.snapshot(time.now()); }
    void await_probes() {
        trip();
        time.advance(snapshot().retry_after);
    }
};

TEST_CASE("async_execute: calls of three ages before end in every order, and move nothing") {
    std::array<std::size_t, 3> order{0, 1, 2};
    do {
        for (unsigned fates = 0; fates < 27; ++fates) {
            stand on;
            std::vector<one_call*> late;
            for (int age = 0; age < 3; ++age) {
                late.push_back(&on.call());
                on.await_probes();
            }
            auto& probe = on.call();
            REQUIRE(on.breaker.generation() == 7);
            unsigned votes = 0, left = fates;
            for (auto const place : order) {
                if (left % 3 == 2) late[place]->remote.drop();
                if (left % 3 != 2) ++votes, on.end(*late[place], left % 3 == 0);
                left /= 3;
            }
            CHECK(on.breaker.state() == breaker_state::half_open);
            CHECK(on.breaker.generation() == 7);
            CHECK(on.snapshot().probes_out == 1);
            CHECK(on.snapshot().stale == votes);
            on.end(probe, true);
            for (int i = 0; i < 2; ++i) on.end(on.call(), true);
            CHECK(on.breaker.state() == breaker_state::closed);
        }
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("async_execute: failures that come while a breaker is open keep it open no longer") {
    stand on;
    for (int i = 0; i < 5; ++i) on.call();
    on.trip();
    on.time.advance(4s);
    for (std::size_t i = 0; i < 5; ++i) on.end(on.calls[i], false);
    CHECK(on.snapshot().retry_after == 1s);
    CHECK(on.snapshot().stale == 5);
    on.time.advance(1s);
    CHECK(on.call().remote.starts == 1);
}

TEST_CASE("async_execute: a call of an earlier age frees no slot, however it ends") {
    stand on;
    auto& late = on.call();
    on.await_probes();
    for (int i = 0; i < 3; ++i) REQUIRE(on.call().remote.starts == 1);
    SECTION("well") { on.end(late, true); }
    SECTION("cancelled") { late.signal.emit(asio::cancellation_type::terminal); }
    SECTION("destroyed") { late.remote.drop(); }
    on.time.poll();
    CHECK(on.snapshot().probes_out == 3);
    CHECK(on.call().got.code == hawser::make_error_code(errc::probes_full));
}

TEST_CASE("async_execute: of 64 calls at the instant of expiry as many start as may probe") {
    stand on;
    on.await_probes();
    int started = 0, full = 0;
    for (int i = 0; i < 64; ++i) {
        auto const& made = on.call();
        started += made.remote.starts;
        full += made.got.code == hawser::make_error_code(errc::probes_full);
    }
    CHECK(started == 3);
    CHECK(full == 61);
    for (auto& made : on.calls)
        if (made.remote.waiting() > 0) on.end(made, true);
    CHECK(on.breaker.state() == breaker_state::closed);
}

TEST_CASE("async_execute: a probe that throws what is no exception has voted, and left its slot") {
    stand on;
    on.await_probes();
    receipt got;
    auto const thrower = [](auto&, auto&& token) {
        return asio::async_initiate<decltype(token), void(error_code, int)>([](auto) { throw 5; },
                                                                            token);
    };
    hawser::async_execute(on.alone, on.io.get_executor(), thrower,
                          to_receipt{got, on.io.get_executor()});
    CHECK_THROWS_AS(on.time.poll(), int);
    CHECK(on.breaker.state() == breaker_state::open);
    CHECK(on.snapshot().probes_out == 0);
}

TEST_CASE("async_execute: an episode is decided by the first vote that settles it") {
    stand on;
    on.await_probes();
    for (int i = 0; i < 3; ++i) on.call();
    auto const first = on.calls.size() - 3;
    SECTION("by one failure, where all must succeed") {
        on.end(on.calls[first], false);
        CHECK(on.breaker.state() == breaker_state::open);
        CHECK(on.snapshot().retry_after == 10s);
    }
    SECTION("by two successes of three, and the third call has no vote") {
        auto options = quick;
        options.probe_success_rate = 0.6;
        on.breaker.reconfigure(options, on.time.now());  // Probes stay out.
        for (std::size_t i = 0; i < 2; ++i) on.end(on.calls[first + i], true);
        CHECK(on.breaker.state() == breaker_state::closed);
        on.end(on.calls[first + 2], false);
        CHECK(on.snapshot().stale == 1);
    }
}

TEST_CASE("async_execute: a storm of failures opens a breaker once, and is told once") {
    stand on;
    for (int i = 0; i < 100; ++i) on.call();
    for (auto& made : on.calls) on.end(made, false);
    REQUIRE(on.sink.steps.size() == 1);
    CHECK(on.sink.steps[0].to == std::string{"open"});
    CHECK(on.sink.steps[0].origin.at == on.time.now());
    CHECK(on.snapshot().stale == 98);
}

TEST_CASE("async_execute: a breaker's sink may start calls and give commands") {
    stand on;
    on.sink.act = [&] {
        if (on.sink.steps.size() > 1) return;
        auto const now = on.time.now();
        (void)on.snapshot();
        on.breaker.isolate(now);
        on.breaker.reconfigure(quick, now);
        on.breaker.reset(now);
        auto& made = on.calls.emplace_back(on.io);
        hawser::async_execute(on.alone, on.io.get_executor(), request{&made.remote},
                              to_receipt{made.got, on.io.get_executor()});
        REQUIRE(made.remote.starts == 1);
        made.remote.succeed(5);
    };
    for (int i = 0; i < 2; ++i) on.end(on.call(), false);
    on.time.run();
    CHECK(on.calls.back().got.value == 5);
    REQUIRE(on.sink.steps.size() == 3);
    CHECK(on.sink.steps[2].from == std::string{"isolated"});
    CHECK(on.snapshot().calls == 3);
}

TEST_CASE("async_try_execute: a breaker's refusals carry its name and when to come again") {
    stand on;
    dependency nobody{on.io.get_executor()};
    auto const refused = [&](errc code, hawser::duration when) {
        bool same = false;
        hawser::async_try_execute(
            on.alone, on.io.get_executor(), request{&nobody},
            [&](hawser::outcome<std::tuple<error_code, int>> out) {
                same = out.why() != nullptr && *out.why() == hawser::refusal{code, when, "quotes"};
            });
        on.time.poll();
        return same;
    };
    on.trip();
    on.time.advance(2s);
    CHECK(refused(errc::circuit_open, 3s));
    on.time.advance(3s);
    for (int i = 0; i < 3; ++i) on.call();
    CHECK(refused(errc::probes_full, 0s));
    on.breaker.isolate(on.time.now());
    CHECK(refused(errc::isolated, hawser::never));
    CHECK(nobody.starts == 0);
}

TEST_CASE("async_execute: a breaker that is open keeps no context busy") {
    stand on;
    on.trip();
    on.io.restart();
    CHECK(on.io.run() == 0);  // No timer: it would block.
    CHECK(on.io.stopped());
}

TEST_CASE("async_execute: a retry waits for the breaker in it exactly, and it counts attempts") {
    stand on;
    auto const line = hawser::compose_in(on.time.environment(),
                                         hawser::retry{{.max_attempts = 4},
                                                       hawser::backoff::constant{1s},
                                                       hawser::jitter::none{},
                                                       hawser::no_budget{}},
                                         hawser::borrow(on.breaker));
    auto const start = on.time.now();
    auto& made = on.calls.emplace_back(on.io);
    hawser::async_execute(line, on.io.get_executor(), request{&made.remote},
                          to_receipt{made.got, on.io.get_executor(), made.signal.slot()});
    on.end(made, false);
    on.time.advance(1s);
    on.end(made, false);  // Opens; the refusal after the backoff says 4 s.
    CHECK(on.snapshot().calls == 2);
    on.time.advance(5s - 1ns);
    CHECK(made.remote.starts == 2);
    on.time.advance(1ns);
    CHECK(made.remote.starts == 3);
    on.end(made, true);
    CHECK(made.got.value == 1);
    CHECK(on.time.now() == start + 6s);
}

TEST_CASE("async_execute: a breaker outside a retry counts calls, and never opens within one") {
    stand on;
    auto const line = hawser::compose_in(
        on.time.environment(), hawser::borrow(on.breaker),
        hawser::retry{{.max_attempts = 5}, hawser::backoff::none{}, hawser::no_budget{}});
    auto& made = on.calls.emplace_back(on.io);
    hawser::async_execute(line, on.io.get_executor(), request{&made.remote},
                          to_receipt{made.got, on.io.get_executor()});
    for (int i = 0; i < 5; ++i) on.end(made, false);
    CHECK(made.remote.starts == 5);
    CHECK(on.snapshot().calls == 1);
    CHECK(on.breaker.state() == breaker_state::closed);
}
