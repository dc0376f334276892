// SPDX-License-Identifier: BSL-1.0
//
// What asynchronous calls say about their dependency, and what they do not: with a rule for slow
// calls, with a classifier, and with other policies further in.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/policy/circuit_breaker.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"
#include "support/matrix.hpp"

#include <boost/asio/io_context.hpp>

#include <deque>
#include <functional>
#include <stdexcept>

using namespace std::chrono_literals;
using namespace support;
using hawser::breaker_state;
using hawser::errc;
using hawser::verdict;
namespace trip = hawser::trip;

/// Says what the test says of a code, or what the outcome says by itself.
struct as_told {
    std::function<verdict(error_code)> const* says;

    template <class R>
    verdict operator()(hawser::outcome<R> const& out) const {
        if (!*says) return out.classify();
        return (*says)(out.has_value() ? std::get<0>(out.value())
                                       : hawser::make_error_code(out.code()));
    }
};

/// Opens at the second bad or slow call of two, and probes with one.
struct stand {
    std::function<verdict(error_code)> says;
    hawser::basic_circuit_breaker<trip::failure_rate, trip::slow_rate, hawser::votes_by<as_told>>
        breaker{{.open_for = 5s, .jitter = 0, .probes = 1},
                trip::failure_rate{.window = 10, .minimum_calls = 2},
                trip::slow_rate{.slower_than = 5ms, .window = 10, .minimum_calls = 2},
                hawser::votes_by{as_told{&says}}};
    told_gate gate;
    test_bulkhead queue{1};
    asio::cancellation_signal signal;
    std::deque<receipt> receipts;
    asio::io_context io;
    hawser::testing::asio_time time{io};
    dependency remote{io.get_executor()};

    auto line() {
        return hawser::compose_in(time.environment(), hawser::borrow(breaker), hawser::borrow(gate),
                                  hawser::borrow(queue));
    }
    template <class Line>
    receipt& call(Line const& line, hawser::duration limit = 1h) {
        auto& got = receipts.emplace_back();
        hawser::async_execute(line, io.get_executor(), {.deadline = time.now() + limit},
                              request{&remote}, to_receipt{got, io.get_executor(), signal.slot()});
        time.poll();
        return got;
    }
    /// A call that takes `length` and ends with `code`.
    template <class Line>
    breaker_state end(Line const& line, error_code code, hawser::duration length = 0s) {
        call(line);
        time.advance(length);
        if (remote.waiting() > 0) remote.answer(code, 7);
        time.poll();
        return breaker.state();
    }
    template <class Line>
    void await_probe(Line const& line) {
        for (int i = 0; i < 2; ++i) (void)end(line, asio::error::connection_reset);
        REQUIRE(breaker.state() == breaker_state::open);
        time.advance(5s);
    }
    /// Whether the last probe has given its slot back without a vote.
    template <class Line>
    bool takes_another_probe(Line const& line) {
        if (breaker.state() != breaker_state::half_open) return false;
        if (breaker.snapshot(time.now()).probes_out != 0) return false;
        says = nullptr;
        return end(line, {}) == breaker_state::closed;
    }
    bool counted_nothing() {
        return breaker.state() == breaker_state::closed && breaker.snapshot(time.now()).calls == 0;
    }
};

constexpr auto everything_fails = [](error_code) { return verdict::failure; };

TEST_CASE("async_execute: a probe whose error the classifier ignores gives its slot back") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    on.says = [](error_code) { return verdict::neutral; };
    CHECK(on.end(line, asio::error::host_not_found) == breaker_state::half_open);
    CHECK(on.takes_another_probe(line));
}

TEST_CASE("async_execute: a probe whose classifier throws gives its slot back") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    on.says = [](error_code) -> verdict { throw std::logic_error{"vote"}; };
    on.call(line);
    on.remote.succeed(1);
    CHECK_THROWS_AS(on.time.poll(), std::logic_error);
    CHECK(on.takes_another_probe(line));
}

TEST_CASE("async_execute: what is alive but overloaded closes, if the classifier says so") {
    stand on;
    auto const line = on.line();
    on.await_probe(line);
    auto const busy = error_code{asio::error::try_again};
    on.says = [&](error_code code) { return code == busy ? verdict::success : verdict::failure; };
    CHECK(on.end(line, busy) == breaker_state::closed);
    CHECK(on.receipts.back().code == busy);
}

TEST_CASE("async_execute: cancelled calls cast no vote, whatever a classifier says") {
    stand on;
    auto const line = on.line();
    if (GENERATE(false, true)) on.says = everything_fails;
    for (int i = 0; i < 1000; ++i) {
        on.call(line);
        on.signal.emit(asio::cancellation_type::terminal);
        on.time.poll();
    }
    CHECK(on.receipts.back().code == asio::error::operation_aborted);
    CHECK(on.counted_nothing());
    CHECK(on.queue.is_whole());
}

TEST_CASE("async_execute: a deadline from further out is no vote, whatever a classifier says") {
    stand on;
    auto const line = on.line();
    if (GENERATE(false, true)) on.says = everything_fails;
    for (int i = 0; i < 1000; ++i) {
        on.call(line, 5ms);
        on.time.advance(5ms);
    }
    CHECK(on.receipts.back().code == hawser::make_error_code(errc::timed_out));
    CHECK(on.counted_nothing());
}

TEST_CASE("async_execute: a deadline from further out that a slow call missed is its fault") {
    stand on;
    auto const line = on.line();
    for (int i = 0; i < 2; ++i) {
        CHECK(on.breaker.state() == breaker_state::closed);
        on.call(line, 6ms);
        on.time.advance(6ms);
    }
    CHECK(on.breaker.state() == breaker_state::open);
}

TEST_CASE("async_execute: a wait further in that a deadline ended is not slow") {
    stand on;
    auto const line = on.line();
    REQUIRE(on.queue.try_take());
    for (int i = 0; i < 10; ++i) {
        on.call(line, 20ms);
        on.time.advance(20ms);
        CHECK(on.receipts.back().code == hawser::make_error_code(errc::timed_out));
    }
    CHECK(on.remote.starts == 0);
    CHECK(on.counted_nothing());
}

TEST_CASE("async_execute: slow successes open a breaker, and slow probes do not close it") {
    stand on;
    auto const line = on.line();
    CHECK(on.end(line, {}, 6ms) == breaker_state::closed);
    CHECK(on.end(line, {}, 6ms) == breaker_state::open);
    on.time.advance(5s);
    CHECK(on.end(line, {}, 6ms) == breaker_state::open);
    on.time.advance(10s);
    CHECK(on.end(line, {}, 5ms) == breaker_state::closed);
    CHECK(on.remote.starts == 4);
}

TEST_CASE("async_execute: no refusal of a policy further in is a vote") {
    stand on;
    auto const line = on.line();
    auto const code =
        GENERATE(errc::bulkhead_full, errc::rate_limited, errc::circuit_open, errc::overloaded);
    on.gate.answer = hawser::step::refuse(code);
    for (int i = 0; i < 1000; ++i) CHECK(on.call(line).code == hawser::make_error_code(code));
    CHECK(on.counted_nothing());
}

TEST_CASE("async_execute: a call without the time for a wait further in is no vote") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::wait(20ms);
    for (int i = 0; i < 10; ++i)
        CHECK(on.call(line, 10ms).code == hawser::make_error_code(errc::timed_out));
    CHECK(on.counted_nothing());
}

TEST_CASE("async_execute: after many successes a breaker opens within its window") {
    stand on;
    auto const line = on.line();
    for (int i = 0; i < 1000; ++i) (void)on.end(line, {});
    for (int i = 0; i < 4; ++i)
        CHECK(on.end(line, asio::error::connection_reset) == breaker_state::closed);
    CHECK(on.end(line, asio::error::connection_reset) == breaker_state::open);
}
