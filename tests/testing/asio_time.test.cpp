// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/policy/timeout.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"
#include "support/trace_of.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <optional>
#include <vector>

using namespace std::chrono_literals;
using hawser::testing::asio_time;
namespace asio = boost::asio;

struct noted_event final : hawser::timed_event {
    noted_event(asio_time& on, std::vector<hawser::duration>& in) : time{&on}, told{&in} {}
    void deadline_reached() noexcept override { told->push_back(time->now() - start); }
    void deadline_dropped() noexcept override { told->push_back(-1ns); }
    asio_time* time;
    std::vector<hawser::duration>* told;
    hawser::time_point start = time->now();
};
using times = std::vector<hawser::duration>;

struct stand {
    asio::io_context io;
    asio_time time{io};
    hawser::testing::manual_deadlines& deadlines =
        asio::use_service<hawser::testing::manual_deadlines>(io);
    times told;
    noted_event one{time, told}, two{time, told}, three{time, told};
    hawser::time_point const start = time.now();

    ~stand() {
        for (auto* const event : {&one, &two, &three}) deadlines.cancel(*event);
    }
};

TEST_CASE("asio_time: run tells every deadline in its time, and no real time passes") {
    stand on;
    auto const began = std::chrono::steady_clock::now();
    on.deadlines.schedule(on.two, on.start + 2h);
    on.deadlines.schedule(on.one, on.start + 1h);
    on.deadlines.schedule(on.three, on.start + 3h);
    on.time.run();
    CHECK(on.told == times{1h, 2h, 3h});
    CHECK(on.time.now() == on.start + 3h);
    CHECK(std::chrono::steady_clock::now() - began < 1h);
}

TEST_CASE("asio_time: advance tells what is due on the way, and ends where it was told to") {
    stand on;
    on.deadlines.schedule(on.one, on.start + 1s);
    on.deadlines.schedule(on.two, on.start + 2s);
    on.deadlines.schedule(on.three, on.start + 2s + 1ns);
    on.time.advance(2s);
    CHECK(on.told == times{1s, 2s});
    CHECK(on.time.now() == on.start + 2s);
    on.time.advance(1h);
    CHECK(on.told == times{1s, 2s, 2s + 1ns});
    CHECK(on.time.now() == on.start + 1h + 2s);
}

TEST_CASE("asio_time: poll runs what is ready and leaves the time alone") {
    stand on;
    bool ran = false;
    on.deadlines.schedule(on.one, on.start + 1ns);
    asio::post(on.io, [&] { ran = true; });
    on.time.poll();
    CHECK(ran);
    CHECK(on.told.empty());
    CHECK(on.time.now() == on.start);
}

TEST_CASE("asio_time: a deadline that never comes is not told, however far the time moves") {
    stand on;
    on.deadlines.schedule(on.one, hawser::no_deadline);
    on.time.run();
    on.time.advance(hawser::never);
    CHECK(on.told.empty());
    CHECK(on.deadlines.next() == hawser::no_deadline);
}

TEST_CASE("asio_time: handlers that a deadline makes ready run before the next deadline") {
    stand on;
    support::dependency remote{on.io.get_executor()};
    support::receipt got;
    auto const line = hawser::compose_in(on.time.environment(), hawser::attempt_timeout{1s});
    hawser::async_execute(line, on.io.get_executor(), support::request{&remote},
                          support::to_receipt{got, on.io.get_executor()});
    on.deadlines.schedule(on.two, on.start + 2s);
    on.time.advance(1s);
    CHECK(got.code == hawser::make_error_code(hawser::errc::timed_out));
    CHECK(on.told.empty());
}

TEST_CASE("asio_time: pipelines in its environment see its time, and their events their sink") {
    stand on;
    support::trace_of trace;
    auto const env = on.time.environment(trace);
    CHECK(env.now() == on.time.now());
    on.time.time().set(on.start + 5s);
    CHECK(env.now() == on.start + 5s);
    CHECK(on.time.environment().now() == on.start + 5s);

    support::dependency remote{on.io.get_executor()};
    support::receipt got;
    auto const line = hawser::compose_in(env, hawser::attempt_timeout{1s});
    hawser::async_execute(line, on.io.get_executor(), support::request{&remote},
                          support::to_receipt{got, on.io.get_executor()});
    remote.succeed(1);
    on.time.run();
    CHECK(trace.seen() ==
          support::trace_of::lines{"attempt 1", "attempt 1 ended: success", "call ended: success"});
}

TEST_CASE("asio_time: the end of its context drops what is pending") {
    times told;
    std::optional<asio::io_context> io{std::in_place};
    asio_time time{*io};
    noted_event one{time, told};
    asio::use_service<hawser::testing::manual_deadlines>(*io).schedule(one, time.now() + 1s);
    io.reset();
    CHECK(told == times{-1ns});
}
