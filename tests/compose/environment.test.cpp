// SPDX-License-Identifier: BSL-1.0
#include <hawser/compose/environment.hpp>
#include <hawser/hawser.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"
#include "support/trace_of.hpp"

using namespace std::chrono_literals;

TEST_CASE("environment: real, manual and staged time are environments") {
    STATIC_REQUIRE(hawser::call_environment<hawser::environment<>>);
    STATIC_REQUIRE(hawser::call_environment<hawser::environment<hawser::coarse_clock_source>>);
    STATIC_REQUIRE(hawser::call_environment<hawser::testing::manual_environment<>>);
    STATIC_REQUIRE(hawser::call_environment<support::stage::environment_type>);
    STATIC_REQUIRE_FALSE(hawser::call_environment<int>);
}

TEST_CASE("environment: real time costs a pipeline no byte") {
    STATIC_REQUIRE(std::is_empty_v<hawser::environment<>>);
}

TEST_CASE("environment: real time is the steady clock's") {
    auto const before = std::chrono::steady_clock::now();
    auto const read = hawser::environment<>{}.now();
    CHECK(read >= before);
    CHECK(read <= std::chrono::steady_clock::now());
}

TEST_CASE("environment: reads the clock that it is given") {
    hawser::manual_time time;
    hawser::environment const env{hawser::manual_clock_source{time}};
    CHECK(env.now() == time.now());
    time.advance(5s);
    CHECK(env.now() == time.now());
}

TEST_CASE("environment: a thread parks in real time until its time has come") {
    hawser::environment<> const env;
    hawser::parking_spot spot;
    auto const until = env.now() + 2ms;
    CHECK(env.park(spot, until, {}) == hawser::wake_reason::time);
    CHECK(env.now() >= until);
}

TEST_CASE("environment: events of calls go to the sink that observes, which may be shared") {
    support::trace_of trace;
    auto const first = hawser::compose_in(hawser::observed_by(trace), hawser::fallback{1});
    auto const second = hawser::compose_in(hawser::observed_by(trace));
    hawser::execute(first, [] { return 2; });
    hawser::execute(second, [] {});
    CHECK(trace.seen() ==
          support::trace_of::lines{"attempt 1", "attempt 1 ended: success", "call ended: success",
                                   "attempt 1", "attempt 1 ended: success", "call ended: success"});
}
