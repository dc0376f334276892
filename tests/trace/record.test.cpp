// SPDX-License-Identifier: BSL-1.0
#include <hawser/trace/record.hpp>

#include "support/catch.hpp"

#include <cstring>
#include <string>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

constexpr time_point t0{1h};

record kept(any_event const& event) { return {event, 0}; }
std::string text(any_event const& event) { return describe(kept(event)); }

event_origin by(char const* policy, std::uint32_t attempt) { return {t0, policy, attempt}; }

}  // namespace

TEST_CASE("record: a line says who, which attempt, what and why") {
    CHECK(text(attempt_started{by("pipeline", 1)}) == "pipeline attempt 1: attempt_started");
    CHECK(text(attempt_ended{by("pipeline", 1), verdict::failure, 3ms}) ==
          "pipeline attempt 1: attempt_ended failure after 3ms");
    CHECK(text(call_ended{by("pipeline", 2), verdict::success, {}, 1500ms, true}) ==
          "pipeline attempt 2: call_ended fallback after 1.5s");
    CHECK(text(call_ended{by("pipeline", 0), verdict::neutral, errc::isolated, 0ns}) ==
          "pipeline: call_ended rejected (isolated) after 0s");
    CHECK(text(retry_scheduled{by("retry", 2), 100ms, delay_source::backoff}) ==
          "retry attempt 2: retry_scheduled in 100ms (backoff)");
    CHECK(text(retry_gave_up{by("retry", 3), give_up::budget}) ==
          "retry attempt 3: retry_gave_up (budget)");
    CHECK(text(timeout_fired{by("t", 1), 250ms, 251ms, true}) ==
          "t attempt 1: timeout_fired after 251ms (limit 250ms, cancelled)");
    CHECK(text(timeout_fired{by("t", 1), 250ms, 251ms, false}) ==
          "t attempt 1: timeout_fired after 251ms (limit 250ms, late)");
    CHECK(text(fallback_invoked{by("f", 1), errc::circuit_open}) ==
          "f attempt 1: fallback_invoked for circuit_open");
    CHECK(text(fallback_invoked{by("f", 1)}) == "f attempt 1: fallback_invoked for failure");
    CHECK(text(fallback_ended{by("f", 1), verdict::success}) ==
          "f attempt 1: fallback_ended success");
    CHECK(text(predicate_threw{by("retry", 1)}) == "retry attempt 1: predicate_threw");
}

TEST_CASE("record: a refusal tells its reason, and when to ask again if that is known") {
    CHECK(text(call_refused{by("limit", 0), {errc::rate_limited, 20us, "limit"}}) ==
          "limit: call_refused (rate_limited, retry after 20us)");
    CHECK(text(call_refused{by("limit", 0), {errc::too_large, never, "limit"}}) ==
          "limit: call_refused (too_large, retry after never)");
    CHECK(text(call_refused{by("limit", 0), {errc::bulkhead_full, 0ns, "limit"}}) ==
          "limit: call_refused (bulkhead_full)");
}

TEST_CASE("record: a wait tells its length, and whether it waits for a time or to be woken") {
    CHECK(text(call_waiting{by("queue", 0), 5ms, false}) == "queue: call_waiting for 5ms");
    CHECK(text(call_waiting{by("queue", 0), never, true}) ==
          "queue: call_waiting parked for at most never");
    CHECK(text(wait_withdrawn{by("queue", 0), errc::cancelled}) ==
          "queue: wait_withdrawn (cancelled)");
}

TEST_CASE("record: a breaker's change tells the rule and the numbers that decided it") {
    breaker_changed opened{.origin = by("orders", 0),
                           .from = "closed",
                           .to = "open",
                           .cause = "tripped",
                           .rule = "failure_rate",
                           .calls = 20,
                           .hits = 10,
                           .limit = 0.5,
                           .open_for = 5s};
    CHECK(text(opened) ==
          "orders: breaker_changed closed -> open (tripped: failure_rate 10 of 20, limit 0.5) "
          "for 5s");

    breaker_changed isolated{
        .origin = by("orders", 0), .from = "closed", .to = "isolated", .cause = "command"};
    CHECK(text(isolated) == "orders: breaker_changed closed -> isolated (command)");
    CHECK(text(events_dropped{by("orders", 0), 7}) == "orders: events_dropped 7");
}

TEST_CASE("record: a limit's change tells both numbers, and who made it") {
    CHECK(text(limit_changed{.origin = by("orders", 0),
                             .from = 20,
                             .to = 18,
                             .in_use = 19,
                             .cause = limit_cause::learned}) ==
          "orders: limit_changed 20 -> 18 (learned, 19 in use)");
}

TEST_CASE("record: an overload tells what waits, and who was turned away for what") {
    overload_changed const event{.origin = by("front", 0),
                                 .began = true,
                                 .waiting = 12,
                                 .at_most = 40,
                                 .p99_wait = 8ms,
                                 .shed = 1,
                                 .displaced = 2,
                                 .full = 3,
                                 .too_late = 4};
    CHECK(text(event) ==
          "front: overload_changed began (12 wait, 40 at most, p99 8ms; shed 1, "
          "displaced 2, full 3, too late 4)");
    CHECK(text(overload_changed{.origin = by("front", 0)}) ==
          "front: overload_changed over (0 wait, 0 at most, p99 0s; shed 0, displaced 0, full 0, "
          "too late 0)");
}

TEST_CASE("record: a channel's events tell which end, what for, and how deep it is") {
    auto const from = by("jobs", 0);
    CHECK(text(channel_waited{from, true, errc{}, 5ms, 3}) ==
          "jobs: channel_waited to send for 5ms (depth 3)");
    CHECK(text(channel_waited{from, false, errc::closed, 5ms, 0}) ==
          "jobs: channel_waited to receive for 5ms (closed, depth 0)");
    CHECK(text(channel_refused{from, true, errc::too_large}) ==
          "jobs: channel_refused to send (too_large)");
    CHECK(text(channel_refused{from, false, errc::overloaded}) ==
          "jobs: channel_refused to receive (overloaded)");
    CHECK(text(channel_dropped{from, drop_cause::oldest, 7}) == "jobs: channel_dropped 7 (oldest)");
    CHECK(text(channel_level_changed{from, true, 10, 400, 12, 450}) ==
          "jobs: channel_level_changed high (depth 10, at most 12; weight 400, at most 450)");
    CHECK(text(channel_level_changed{from, false, 1, 4, 12, 450}) ==
          "jobs: channel_level_changed low (depth 1, at most 12; weight 4, at most 450)");
    CHECK(text(channel_closed{from, 2}) == "jobs: channel_closed (2 left)");
}

TEST_CASE("record: its time is in milliseconds since the zero that is given") {
    auto const event = kept(predicate_threw{{t0 + 12'300'999ns, "retry", 2}});

    CHECK(describe(event, t0) == "12.300ms retry attempt 2: predicate_threw");
    CHECK(describe(event, t0 + 12'300'999ns) == "0.000ms retry attempt 2: predicate_threw");
    CHECK(describe(event, t0 + 13ms) == "-0.699ms retry attempt 2: predicate_threw");
}

TEST_CASE("record: a length is cut off in its largest unit, never rounded up, at any extreme") {
    auto const wait = [](duration length) {
        return text(call_waiting{by("q", 0), length, false})
            .substr(std::strlen("q: call_waiting for "));
    };
    CHECK(wait(0ns) == "0s");
    CHECK(wait(999ns) == "999ns");
    CHECK(wait(1us) == "1us");
    CHECK(wait(99'999'999ns) == "99.999ms");
    CHECK(wait(1'050ms) == "1.05s");
    CHECK(wait(24h) == "86400s");
    CHECK(wait(-1'500us) == "-1.5ms");
    CHECK(wait(duration::max() - 1ns) == "9223372036.854s");
    CHECK(wait(duration::min()) == "-9223372036.854s");
}

TEST_CASE("record: holds the event itself, and finds it by its type") {
    auto const event = kept(retry_gave_up{by("retry", 3), give_up::deadline});

    REQUIRE(event.as<retry_gave_up>() != nullptr);
    CHECK(event.as<retry_gave_up>()->reason == give_up::deadline);
    CHECK(event.as<retry_scheduled>() == nullptr);
    CHECK(event.origin().attempt == 3);
    CHECK(std::string{event.name().exported} == "hawser.retry.exhausted");
}
