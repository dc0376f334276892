// SPDX-License-Identifier: BSL-1.0
#include <hawser/trace/counter.hpp>
#include <hawser/trace/record.hpp>
#include <hawser/trace/sink.hpp>

#include "support/catch.hpp"

#include <variant>

using namespace hawser;

namespace {

template <class... Events>
constexpr bool wants_all(std::variant<Events...> const*) {
    return (listens_to<event_counter, Events> && ...);
}

/// Every count together: what has been counted once must show once.
std::uint64_t all_of(event_counts const& c) {
    return c.attempts_started + c.attempts_ended.total() + c.calls_ended.total() +
           c.calls_refused.total() + c.waits + c.parks + c.waits_withdrawn.total() +
           c.retries_scheduled.total() + c.retries_gave_up.total() + c.timeouts_cancelled +
           c.timeouts_late + c.fallbacks_invoked.total() + c.fallbacks_ended.total() +
           c.predicates_threw + c.breakers_changed + c.limits_changed.total() +
           c.overloads_changed + c.sends_waited.total() + c.receives_waited.total() +
           c.channels_refused.total() + c.values_dropped.total() + c.levels_changed +
           c.channels_closed + c.events_dropped;
}

template <class Event>
event_counts counted(Event const& event, int times = 1) {
    event_counter counter;
    for (int i = 0; i < times; ++i) counter.on(event);
    return counter.snapshot();
}

}  // namespace

TEST_CASE("event_counter: wants every event there is") {
    STATIC_REQUIRE(wants_all(static_cast<any_event const*>(nullptr)));
    CHECK(all_of(event_counter{}.snapshot()) == 0);
}

TEST_CASE("event_counter: counts each event once, under its own reason") {
    CHECK(counted(attempt_started{}, 3).attempts_started == 3);
    CHECK(counted(attempt_ended{{}, verdict::neutral, {}}).attempts_ended[verdict::neutral] == 1);
    CHECK(counted(call_ended{{}, verdict::success, {}, {}, true})
              .calls_ended[call_result::fallback] == 1);
    CHECK(counted(call_refused{{}, {errc::conflict, {}, ""}}).calls_refused[errc::conflict] == 1);
    CHECK(counted(call_waiting{{}, {}, false}).waits == 1);
    CHECK(counted(call_waiting{{}, {}, true}).parks == 1);
    CHECK(counted(wait_withdrawn{{}, errc::timed_out}).waits_withdrawn[errc::timed_out] == 1);
    CHECK(counted(retry_scheduled{{}, {}, delay_source::transparent})
              .retries_scheduled[delay_source::transparent] == 1);
    CHECK(counted(retry_gave_up{{}, give_up::stopped}).retries_gave_up[give_up::stopped] == 1);
    CHECK(counted(timeout_fired{{}, {}, {}, true}).timeouts_cancelled == 1);
    CHECK(counted(timeout_fired{{}, {}, {}, false}).timeouts_late == 1);
    CHECK(counted(fallback_invoked{{}, errc{}}).fallbacks_invoked[errc{}] == 1);
    CHECK(counted(fallback_ended{{}, verdict::failure}).fallbacks_ended[verdict::failure] == 1);
    CHECK(counted(predicate_threw{}).predicates_threw == 1);
    CHECK(counted(breaker_changed{}).breakers_changed == 1);
    CHECK(counted(limit_changed{.origin = {}, .cause = limit_cause::learned})
              .limits_changed[limit_cause::learned] == 1);
    CHECK(counted(overload_changed{}).overloads_changed == 1);
    CHECK(counted(channel_waited{{}, true, errc::closed, {}, 0}).sends_waited[errc::closed] == 1);
    CHECK(counted(channel_waited{}).receives_waited[errc{}] == 1);
    CHECK(counted(channel_refused{{}, true, errc::too_large}).channels_refused[errc::too_large] ==
          1);
    CHECK(counted(channel_dropped{{}, drop_cause::expired, 5}, 2)
              .values_dropped[drop_cause::expired] == 10);
    CHECK(counted(channel_level_changed{}).levels_changed == 1);
    CHECK(counted(channel_closed{}).channels_closed == 1);
    CHECK(counted(events_dropped{{}, 7}).events_dropped == 7);
}

TEST_CASE("event_counter: counts nothing beside what it is given") {
    CHECK(all_of(counted(attempt_started{})) == 1);
    CHECK(all_of(counted(attempt_ended{})) == 1);
    CHECK(all_of(counted(call_ended{})) == 1);
    CHECK(all_of(counted(call_refused{})) == 1);
    CHECK(all_of(counted(call_waiting{})) == 1);
    CHECK(all_of(counted(wait_withdrawn{})) == 1);
    CHECK(all_of(counted(retry_scheduled{})) == 1);
    CHECK(all_of(counted(retry_gave_up{})) == 1);
    CHECK(all_of(counted(timeout_fired{})) == 1);
    CHECK(all_of(counted(fallback_invoked{})) == 1);
    CHECK(all_of(counted(fallback_ended{})) == 1);
    CHECK(all_of(counted(predicate_threw{})) == 1);
    CHECK(all_of(counted(breaker_changed{})) == 1);
    CHECK(all_of(counted(limit_changed{})) == 1);
    CHECK(all_of(counted(overload_changed{})) == 1);
    CHECK(all_of(counted(channel_waited{})) == 1);
    CHECK(all_of(counted(channel_refused{})) == 1);
    CHECK(all_of(counted(channel_dropped{{}, drop_cause::all, 1})) == 1);
    CHECK(all_of(counted(channel_level_changed{})) == 1);
    CHECK(all_of(counted(channel_closed{})) == 1);
    CHECK(all_of(counted(events_dropped{{}, 1})) == 1);
}

TEST_CASE("counts_by: has a place for every value of its set, and the first for what has none") {
    CHECK(counts_by<verdict>::size == 3);
    CHECK(counts_by<errc>::size == 13);  // No error, and twelve reasons.
    CHECK(counts_by<delay_source>::size == 4);
    CHECK(counts_by<give_up>::size == 8);
    CHECK(counts_by<call_result>::size == 7);
    CHECK(counts_by<limit_cause>::size == 2);
    CHECK(counts_by<drop_cause>::size == 6);

    auto const counts = counted(call_refused{{}, {static_cast<errc>(250), {}, ""}}).calls_refused;
    CHECK(counts[errc{}] == 1);
    CHECK(counts.total() == 1);
}
