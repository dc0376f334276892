// SPDX-License-Identifier: BSL-1.0
//
// Limits in asynchronous calls: what they refuse is nobody's fault, and who waits takes no turn of
// the loop.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>
#include <hawser/testing/asio_time.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"
#include "support/told_limit.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <stop_token>
#include <vector>

using namespace std::chrono_literals;
using namespace support;
using hawser::borrow;
using hawser::errc;

namespace {

/// A hundred calls through a retry with a budget, a breaker and a limit that lets none in.
struct refused_calls {
    asio::io_context io;
    hawser::testing::asio_time time{io};
    dependency remote{io.get_executor()};
    hawser::retry_budget budget{{.ratio = 0, .floor = 5, .per = 1h}};
    hawser::circuit_breaker breaker{{.minimum_calls = 1}};

    template <class Limit>
    void go_through(Limit& limit, errc code) {
        auto const line = hawser::compose_in(time.environment(),
                                             hawser::retry{{.max_attempts = 3},
                                                           hawser::backoff::constant{1ms},
                                                           hawser::jitter::none{},
                                                           borrow(budget)},
                                             borrow(breaker), borrow(limit));
        auto const before = budget.available(time.now());
        for (int call = 0; call != 100; ++call) {
            receipt got;
            hawser::async_execute(line, io.get_executor(), {.deadline = time.now() + 10ms},
                                  request{&remote}, to_receipt{got, io.get_executor()});
            time.run();
            REQUIRE(got.completed == 1);
            CHECK(got.code == hawser::make_error_code(code));
        }
        CHECK(remote.starts == 0);
        CHECK(budget.available(time.now()) == before);
        CHECK(breaker.state() == hawser::breaker_state::closed);
    }
};

}  // namespace

TEST_CASE("async_execute: what a rate_limit refuses is no vote further out, and costs no budget") {
    refused_calls calls;
    hawser::rate_limit limit{{.rate = 1, .period = 1h, .burst = 1}, hawser::wait_up_to{2h}};
    REQUIRE(limit.limiter().try_acquire(calls.time.now()));
    auto const began = calls.time.now();
    calls.go_through(limit, errc::rate_limited);
    CHECK(limit.limiter().available(began + 1h) == 1);
}

TEST_CASE("async_execute: what a bulkhead refuses is no vote further out, and costs no budget") {
    refused_calls calls;
    hawser::bulkhead limit{{.permits = 1}, hawser::wait_up_to{2ms}};
    REQUIRE(limit.permits().try_acquire());
    calls.go_through(limit, errc::bulkhead_full);
    CHECK(limit.permits().snapshot().waiting == 0);
}

TEST_CASE("async_execute: what a concurrency_limit refuses is no vote, and teaches nothing") {
    refused_calls calls;
    std::vector<hawser::limit_sample> heard;
    std::uint32_t one = 1;
    hawser::concurrency_limit limit{told_options{&heard, &one}, hawser::wait_up_to{2ms}};
    REQUIRE(limit.permits().try_acquire());
    calls.go_through(limit, errc::overloaded);
    CHECK(limit.permits().snapshot().waiting == 0);
    CHECK(heard.empty());
}

TEST_CASE("async_execute: what a throttle refuses is no vote further out, and costs no budget") {
    refused_calls calls;
    hawser::basic_adaptive_throttle<hawser::testing::fixed_random> chances{
        {.window = 1h, .requests_min = 1, .let_through_every = 1h}, {.bits = 0}};
    for (int call = 0; call != 3; ++call)
        chances.on_result(calls.time.now(), hawser::sample_outcome::dropped);
    REQUIRE(chances.admit(calls.time.now()));
    hawser::throttle limit{borrow(chances)};
    calls.go_through(limit, errc::overloaded);
}

TEST_CASE("async_execute: calls that wait for permits or their turn are no work for the loop") {
    asio::io_context io;
    hawser::testing::asio_time time{io};
    dependency remote{io.get_executor()};
    hawser::bulkhead parted{{.permits = 1, .places = 100}, hawser::wait_up_to{1h}};
    hawser::rate_limit rated{{.rate = 10, .burst = 1}, hawser::wait_up_to{1h}};
    auto const line = hawser::compose_in(time.environment(), borrow(rated), borrow(parted));
    std::deque<receipt> got(101);
    for (auto& one : got)
        hawser::async_execute(line, io.get_executor(), request{&remote},
                              to_receipt{one, io.get_executor()});
    time.poll();
    REQUIRE(remote.starts == 1);

    time.advance(5s);  // Fifty turns have come; those calls wait for the permit.
    CHECK(parted.permits().snapshot().waiting == 50);
    for (int look = 0; look != 100; ++look) {
        io.restart();
        CHECK(io.poll() == 0);
        (void)parted.permits().try_acquire();
        (void)rated.limiter().try_acquire(time.now());
    }

    for (auto done = 0U; done != got.size(); ++done) {
        if (remote.waiting() == 0) time.advance(100ms);
        REQUIRE(remote.waiting() == 1);  // Never two at one time.
        remote.succeed(1);
        time.poll();
    }
    time.run();
    for (auto const& one : got) CHECK(one.completed == 1);
    CHECK(parted.permits().snapshot().free == 1);
}

TEST_CASE("async_execute: a call that was stopped before it began takes no token") {
    asio::io_context io;
    hawser::testing::asio_time time{io};
    dependency remote{io.get_executor()};
    hawser::rate_limit limit{{.rate = 1, .burst = 2}, hawser::wait_up_to{1s}};
    auto const line = hawser::compose_in(time.environment(), borrow(limit));
    std::stop_source caller;
    caller.request_stop();
    receipt stopped, late;
    hawser::async_execute(line, io.get_executor(), {.stop = caller.get_token()}, request{&remote},
                          to_receipt{stopped, io.get_executor()});
    hawser::async_execute(line, io.get_executor(), {.deadline = time.now()}, request{&remote},
                          to_receipt{late, io.get_executor()});
    time.run();
    CHECK(stopped.code == asio::error::operation_aborted);
    CHECK(late.code == hawser::make_error_code(errc::timed_out));
    CHECK(remote.starts == 0);
    CHECK(limit.limiter().available(time.now()) == 2);
}
