// SPDX-License-Identifier: BSL-1.0
//
// The events themselves carry no logic. Which come when is asked of each policy and driver; here,
// that they are small values, and that each knows its origin.
#include <hawser/trace/event.hpp>

#include "support/catch.hpp"

#include <tuple>
#include <type_traits>

using namespace hawser;

using all_events =
    std::tuple<attempt_started, attempt_ended, call_ended, call_refused, call_waiting,
               wait_withdrawn, retry_scheduled, retry_gave_up, timeout_fired, fallback_invoked,
               fallback_ended, predicate_threw, breaker_changed, limit_changed, overload_changed,
               channel_waited, channel_refused, channel_dropped, channel_level_changed,
               channel_closed, events_dropped>;

TEMPLATE_LIST_TEST_CASE("event: is a small value that says when, who and at which attempt", "",
                        all_events) {
    STATIC_REQUIRE(std::is_trivially_copyable_v<TestType>);
    STATIC_REQUIRE(sizeof(TestType) <= 128);
    TestType const event{};
    CHECK(event.origin.at == time_point{});
    CHECK(event.origin.attempt == 0);
    CHECK(event.origin.policy != nullptr);
}
