// SPDX-License-Identifier: BSL-1.0
#include <hawser/hawser.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/test_bulkhead.hpp"
#include "support/trace_of.hpp"

#include <stop_token>
#include <thread>

using namespace std::chrono_literals;
using hawser::manual_time;
using hawser::wake_reason;
using hawser::testing::manual_environment;

TEST_CASE("manual_environment: tells the time of its clock") {
    manual_time time;
    manual_environment const env{time};
    CHECK(env.now() == time.now());
    CHECK(&env.time() == &time);
}

TEST_CASE("manual_environment: a thread that waits for a time moves the time there") {
    manual_time time;
    manual_environment const env{time};
    auto const start = time.now();
    hawser::parking_spot spot;

    CHECK(env.park(spot, start + 5s, {}) == wake_reason::time);
    CHECK(time.now() == start + 5s);
    CHECK(env.park(spot, start, {}) == wake_reason::time);
    CHECK(time.now() == start + 5s);  // The past does not come back.
}

TEST_CASE("manual_environment: a wake or a stop that has come leaves the time alone") {
    manual_time time;
    manual_environment const env{time};
    auto const start = time.now();
    hawser::parking_spot spot;
    std::stop_source stop;
    stop.request_stop();
    CHECK(env.park(spot, start + 5s, stop.get_token()) == wake_reason::stopped);
    spot.wake();
    CHECK(env.park(spot, start + 5s, stop.get_token()) == wake_reason::woken);
    CHECK(time.now() == start);
}

TEST_CASE("manual_environment: a backoff of hours takes no time") {
    manual_time time;
    auto const start = time.now();
    auto const line = hawser::compose_in(
        manual_environment{time},
        hawser::retry{{.max_attempts = 3}, hawser::backoff::constant{10h}, hawser::jitter::none{}});
    (void)hawser::try_execute(line, [] { throw 1; });
    CHECK(time.now() - start == 20h);
}

TEST_CASE("manual_environment: a thread that waits for a grant blocks until it is given") {
    manual_time time;
    support::test_bulkhead bulkhead{1};
    REQUIRE(bulkhead.try_take());
    auto const line = hawser::compose_in(manual_environment{time}, hawser::borrow(bulkhead));
    std::jthread const giver{[&] {
        while (bulkhead.counts().waiting == 0) std::this_thread::yield();
        bulkhead.give_back();
    }};
    CHECK(hawser::execute(line, [] { return 1; }) == 1);
    CHECK(time.now() == manual_time{}.now());
}

TEST_CASE("manual_environment: events go to the sink, at manual times") {
    manual_time time;
    struct times {
        std::vector<hawser::time_point> at;
        void on(hawser::call_ended const& e) { at.push_back(e.origin.at); }
    } sink;
    auto const line = hawser::compose_in(hawser::testing::manual_and_observed(time, sink));
    hawser::execute(line, [&] { time.advance(3s); });
    CHECK(sink.at == std::vector{time.now()});
}

TEST_CASE("fixed_random: always draws the same") {
    STATIC_REQUIRE(hawser::random_source<hawser::testing::fixed_random const>);
    hawser::testing::fixed_random const longest, shortest{0};
    CHECK(longest() == ~std::uint64_t{0});
    CHECK(shortest() == 0);
    CHECK(longest() == longest());
}
