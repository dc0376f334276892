// SPDX-License-Identifier: BSL-1.0
#include <hawser/hawser.hpp>
#include <hawser/testing/fault_script.hpp>
#include <hawser/testing/manual_environment.hpp>
#include <hawser/testing/trace_expectation.hpp>

#include "support/catch.hpp"

#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

using namespace hawser;
using namespace std::chrono_literals;
using testing::trace_difference;

namespace {

constexpr time_point t0{1h};

std::vector<record> trace() {
    return {{attempt_started{{t0, "pipeline", 1}}, 0},
            {retry_scheduled{{t0 + 3ms, "retry", 1}, 100ms}, 1},
            {attempt_started{{t0 + 103ms, "pipeline", 2}}, 2},
            {call_ended{{t0 + 110ms, "pipeline", 2}, verdict::success, {}, 110ms}, 3}};
}

}  // namespace

TEST_CASE("trace_difference: is empty for the trace that was expected") {
    CHECK(trace_difference(trace(), {"pipeline attempt 1: attempt_started",
                                     "retry attempt 1: retry_scheduled in 100ms (backoff)",
                                     "pipeline attempt 2: attempt_started",
                                     "pipeline attempt 2: call_ended success after 110ms"}) == "");
    CHECK(trace_difference(std::vector<record>{}, {}) == "");
}

TEST_CASE("trace_difference: tells the first event that differs, what was expected, and the rest") {
    auto const text = trace_difference(trace(), {"pipeline attempt 1: attempt_started",
                                                 "retry attempt 1: retry_gave_up (budget)", "..."});
    CHECK(text ==
          "event 2 is not as expected\n"
          "  expected: retry attempt 1: retry_gave_up (budget)\n"
          "  seen:     @3.000ms retry attempt 1: retry_scheduled in 100ms (backoff)\n"
          "the whole trace:\n"
          "  @0.000ms pipeline attempt 1: attempt_started\n"
          "  @3.000ms retry attempt 1: retry_scheduled in 100ms (backoff)\n"
          "  @103.000ms pipeline attempt 2: attempt_started\n"
          "  @110.000ms pipeline attempt 2: call_ended success after 110ms");
}

TEST_CASE("trace_difference: a trace too long or too short differs where the other ends") {
    auto const longer = trace_difference(trace(), {"*", "*", "*"});
    CHECK(longer.starts_with("event 4 is not as expected\n  expected: the end\n"));
    auto const shorter = trace_difference(trace(), {"*", "*", "*", "*", "x: attempt_started"});
    CHECK(
        shorter.starts_with("event 5 is not as expected\n  expected: x: attempt_started\n"
                            "  seen:     the end\n"));
    CHECK(trace_difference(trace(), {}).starts_with("event 1 "));
}

TEST_CASE("trace_difference: a star stands for any run of characters, none included") {
    auto const same = [](char const* pattern) {
        return trace_difference({{retry_scheduled{{t0, "retry", 2}, 100ms}, 0}}, {pattern}) == "";
    };
    CHECK(same("retry*"));
    CHECK(same("*(backoff)"));
    CHECK(same("*tempt 2: *"));  // The first of the two t is a false start.
    CHECK(same("*retry_scheduled*"));
    CHECK(same("**retry attempt*: *_scheduled in 100ms (*)"));
    CHECK(same("retry attempt 2: retry_scheduled in 100ms (backoff)*"));
    CHECK_FALSE(same("retry"));
    CHECK_FALSE(same("*gave_up*"));
    CHECK_FALSE(same("retry*(backoff"));
    CHECK_FALSE(same(""));
}

TEST_CASE("trace_difference: three dots stand for any number of events, none included") {
    CHECK(trace_difference(trace(), {"..."}) == "");
    CHECK(trace_difference(trace(), {"...", "*call_ended*"}) == "");
    CHECK(trace_difference(trace(), {"*attempt 1: attempt_started", "..."}) == "");
    CHECK(trace_difference(trace(), {"...", "*attempt_started", "*call_ended*", "..."}) == "");
    CHECK(trace_difference(std::vector<record>{}, {"...", "..."}) == "");

    auto const text = trace_difference(trace(), {"...", "*attempt_started", "*breaker_changed*"});
    CHECK(text.find("expected: *breaker_changed*") != text.npos);
    auto const order = trace_difference(trace(), {"...", "*call_ended*", "...", "*retry_sch*"});
    CHECK(order.find("expected: *retry_sch*") != order.npos);
}

TEST_CASE("trace_difference: a line with a time holds the event to it") {
    CHECK(trace_difference(trace(), {"@0.000ms *", "@3.000ms retry*", "*", "@110.000ms *"}) == "");
    CHECK(trace_difference(trace(), {"@0.000ms *", "@4.000ms retry*", "..."}) != "");
    CHECK(trace_difference(trace(), {"@5.000ms *", "..."}, t0 - 5ms) == "");
}

TEST_CASE("trace_difference: reads a recorder, and does not trust one that dropped events") {
    recorder whole{4}, short_one{3};
    for (auto const& event : trace())
        std::visit(
            [&](auto const& what) {
                whole.on(what);
                short_one.on(what);
            },
            event.what);

    CHECK(trace_difference(whole, {"*", "*", "*", "*"}) == "");
    CHECK(trace_difference(short_one, {"..."}) == "the recorder dropped 1 events");
}

TEST_CASE("trace_difference: a call through a pipeline tells its whole story") {
    manual_time time;
    recorder seen;
    auto const line =
        compose_in(testing::manual_and_observed(time, seen), fallback{-1},
                   retry{{.max_attempts = 2}, backoff::constant{100ms}, jitter::none{}},
                   attempt_timeout{50ms});
    testing::script<int> script{time, testing::hangs(),
                                testing::throws(std::runtime_error{"down"}).after(5ms)};

    CHECK(execute(line, script) == -1);

    CHECK(trace_difference(
              seen, {"@0.000ms pipeline attempt 1: attempt_started",
                     "@50.000ms pipeline attempt 1: attempt_ended failure after 50ms",
                     "attempt_timeout attempt 1: timeout_fired after 50ms (limit 50ms"
                     ", cancelled)",
                     "retry attempt 1: retry_scheduled in 100ms (backoff)",
                     "@150.000ms pipeline attempt 2: attempt_started",
                     "pipeline attempt 2: attempt_ended failure after 5ms",
                     "retry attempt 2: retry_gave_up (max_attempts)",
                     "fallback attempt 2: fallback_invoked for failure",
                     "fallback attempt 2: fallback_ended success",
                     "@155.000ms pipeline attempt 2: call_ended fallback after 155ms"}) == "");
}
