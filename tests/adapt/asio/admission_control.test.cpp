// SPDX-License-Identifier: BSL-1.0
//
// A server's front door in asynchronous calls: who waits is suspended, in the order of its class;
// who would wait too long is told so at once.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>
#include <hawser/policy/admission_control.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <deque>

using namespace std::chrono_literals;
using namespace support;
using hawser::borrow;
using hawser::errc;

namespace {

struct front {
    asio::io_context io;
    hawser::testing::asio_time time{io};
    dependency remote{io.get_executor()};
    hawser::admission_control<hawser::admission_queue, hawser::wait_up_to> door{
        hawser::admission_options{.permits = 1, .places = 100}, hawser::wait_up_to{1s}};
    std::deque<receipt> got{};

    template <class Line>
    receipt& call(Line const& line, hawser::call_facts<> const& facts = {}) {
        auto& one = got.emplace_back();
        hawser::async_execute(line, io.get_executor(), facts, request{&remote},
                              to_receipt{one, io.get_executor()});
        time.poll();
        return one;
    }
    void serve_one() {
        time.advance(1ms);
        REQUIRE(remote.waiting() == 1);  // Never two at one time.
        remote.succeed(1);
        time.poll();
    }
    auto seen() { return door.permits().snapshot(time.now()); }
};

}  // namespace

TEST_CASE(
    "async_execute: an admission_control serves by class, and refuses at once who is too late") {
    front at;
    auto const line = hawser::compose_in(at.time.environment(), borrow(at.door));
    for (int i = 0; i != 40; ++i) at.call(line);
    for (int i = 0; i != 20; ++i) at.serve_one();  // It learns its pace, and twenty are left.

    auto const& late = at.call(line, {.deadline = at.time.now() + 10ms});
    CHECK(late.completed == 1);
    CHECK(late.code == hawser::make_error_code(errc::overloaded));
    auto const& high = at.call(line, {.deadline = at.time.now() + 10ms, .priority = 1});
    CHECK(high.completed == 0);
    at.serve_one();
    at.serve_one();
    CHECK(high.completed == 1);
    CHECK(high.code == error_code{});

    at.io.restart();
    CHECK(at.io.poll() == 0);  // Who waits is no work for the loop.
    while (at.remote.waiting() != 0) at.serve_one();
    at.time.run();
    for (auto const& one : at.got) CHECK(one.completed == 1);
    CHECK(at.seen().permits.free == 1);
    CHECK(at.seen().counts.too_late == 1);
}

TEST_CASE("async_execute: what an admission_control refuses is no vote, and costs no budget") {
    front at;
    hawser::retry_budget budget{{.ratio = 0, .floor = 5, .per = 1h}};
    hawser::circuit_breaker breaker{{.minimum_calls = 1}};
    auto const line = hawser::compose_in(at.time.environment(),
                                         hawser::retry{{.max_attempts = 3}, borrow(budget)},
                                         borrow(breaker), borrow(at.door));
    REQUIRE(at.door.permits().try_acquire());
    auto const before = budget.available(at.time.now());
    auto const began = at.time.now();

    auto const& one = at.call(line);
    at.time.run();

    CHECK(one.code == hawser::make_error_code(errc::bulkhead_full));
    CHECK(at.remote.starts == 0);
    CHECK(budget.available(at.time.now()) == before);
    CHECK(breaker.state() == hawser::breaker_state::closed);
    CHECK(at.time.now() - began > 3s);  // Three waits, and between them what it was told.
    CHECK(at.seen().permits.waiting == 0);
}
