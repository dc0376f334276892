// SPDX-License-Identifier: BSL-1.0
//
// What events and their closed sets of reasons are called, in logs, metrics and traces alike.
//
// The exported names follow OpenTelemetry's rules: lower case, dots between namespaces, one
// namespace of our own. A name, once released, is part of the interface: dashboards hold it.
#ifndef HAWSER_TRACE_NAMES_HPP
#define HAWSER_TRACE_NAMES_HPP

#include <hawser/base/error.hpp>
#include <hawser/trace/event.hpp>

#include <cstdint>

namespace hawser::inline v0 {

/// The two names of an event. Static.
struct event_name {
    char const* type = "";      ///< As in the code: "retry_scheduled".
    char const* exported = "";  ///< As telemetry says it: "hawser.retry.scheduled".
};

/// The names of an event of type `Event`. Specialise it for an event of your own.
template <class Event>
inline constexpr event_name name_of = {};

template <>
inline constexpr event_name name_of<attempt_started>{"attempt_started", "hawser.attempt.start"};
template <>
inline constexpr event_name name_of<attempt_ended>{"attempt_ended", "hawser.attempt.end"};
template <>
inline constexpr event_name name_of<call_ended>{"call_ended", "hawser.call.end"};
template <>
inline constexpr event_name name_of<call_refused>{"call_refused", "hawser.call.rejected"};
template <>
inline constexpr event_name name_of<call_waiting>{"call_waiting", "hawser.call.waiting"};
template <>
inline constexpr event_name name_of<wait_withdrawn>{"wait_withdrawn", "hawser.call.wait_withdrawn"};
template <>
inline constexpr event_name name_of<retry_scheduled>{"retry_scheduled", "hawser.retry.scheduled"};
template <>
inline constexpr event_name name_of<retry_gave_up>{"retry_gave_up", "hawser.retry.exhausted"};
template <>
inline constexpr event_name name_of<timeout_fired>{"timeout_fired", "hawser.timeout.fired"};
template <>
inline constexpr event_name name_of<fallback_invoked>{"fallback_invoked",
                                                      "hawser.fallback.invoked"};
template <>
inline constexpr event_name name_of<fallback_ended>{"fallback_ended", "hawser.fallback.end"};
template <>
inline constexpr event_name name_of<predicate_threw>{"predicate_threw", "hawser.predicate.error"};
template <>
inline constexpr event_name name_of<breaker_changed>{"breaker_changed",
                                                     "hawser.circuit_breaker.state_change"};
template <>
inline constexpr event_name name_of<limit_changed>{"limit_changed", "hawser.limit.change"};
template <>
inline constexpr event_name name_of<overload_changed>{"overload_changed", "hawser.overload.change"};
template <>
inline constexpr event_name name_of<channel_waited>{"channel_waited", "hawser.channel.wait"};
template <>
inline constexpr event_name name_of<channel_refused>{"channel_refused", "hawser.channel.rejected"};
template <>
inline constexpr event_name name_of<channel_dropped>{"channel_dropped", "hawser.channel.dropped"};
template <>
inline constexpr event_name name_of<channel_level_changed>{"channel_level_changed",
                                                           "hawser.channel.level_change"};
template <>
inline constexpr event_name name_of<channel_closed>{"channel_closed", "hawser.channel.closed"};
template <>
inline constexpr event_name name_of<events_dropped>{"events_dropped", "hawser.telemetry.dropped"};

/// A value of a closed set as telemetry says it: the identifier itself. Static.
[[nodiscard]] constexpr char const* label_of(errc code) noexcept {
    switch (code) {
        case errc::circuit_open: return "circuit_open";
        case errc::probes_full: return "probes_full";
        case errc::isolated: return "isolated";
        case errc::rate_limited: return "rate_limited";
        case errc::bulkhead_full: return "bulkhead_full";
        case errc::overloaded: return "overloaded";
        case errc::timed_out: return "timed_out";
        case errc::cancelled: return "cancelled";
        case errc::not_permitted: return "not_permitted";
        case errc::closed: return "closed";
        case errc::too_large: return "too_large";
        case errc::conflict: return "conflict";
    }
    return code == errc{} ? "none" : "_OTHER";  // OpenTelemetry's word for what has no name.
}

[[nodiscard]] constexpr char const* label_of(verdict result) noexcept {
    switch (result) {
        case verdict::success: return "success";
        case verdict::failure: return "failure";
        case verdict::neutral: return "neutral";
    }
    return "_OTHER";
}

[[nodiscard]] constexpr char const* label_of(delay_source source) noexcept {
    switch (source) {
        case delay_source::backoff: return "backoff";
        case delay_source::retry_after: return "retry_after";
        case delay_source::refusal: return "refusal";
        case delay_source::transparent: return "transparent";
    }
    return "_OTHER";
}

[[nodiscard]] constexpr char const* label_of(give_up reason) noexcept {
    switch (reason) {
        case give_up::max_attempts: return "max_attempts";
        case give_up::deadline: return "deadline";
        case give_up::total_duration: return "total_duration";
        case give_up::endless_wait: return "endless_wait";
        case give_up::budget: return "budget";
        case give_up::allowance: return "allowance";
        case give_up::aborted: return "aborted";
        case give_up::stopped: return "stopped";
    }
    return "_OTHER";
}

[[nodiscard]] constexpr char const* label_of(limit_cause cause) noexcept {
    switch (cause) {
        case limit_cause::learned: return "learned";
        case limit_cause::command: return "command";
    }
    return "_OTHER";
}

[[nodiscard]] constexpr char const* label_of(drop_cause cause) noexcept {
    switch (cause) {
        case drop_cause::newest: return "newest";
        case drop_cause::oldest: return "oldest";
        case drop_cause::replaced: return "replaced";
        case drop_cause::merged: return "merged";
        case drop_cause::all: return "all";
        case drop_cause::expired: return "expired";
    }
    return "_OTHER";
}

/// How a call ended, from its caller's side: a fallback's answer is none of the dependency's.
enum class call_result : std::uint8_t {
    success,
    failure,
    neutral,    ///< A value or exception that says nothing of the dependency's health.
    rejected,   ///< Refused by a policy.
    timeout,    ///< A timeout, or the caller's deadline.
    cancelled,  ///< By the caller.
    fallback,   ///< Success, by another answer.
};

[[nodiscard]] constexpr call_result result_of(call_ended const& event) noexcept {
    if (event.code == errc::timed_out) return call_result::timeout;
    if (event.code == errc::cancelled) return call_result::cancelled;
    if (event.code != errc{}) return call_result::rejected;
    if (event.result == verdict::failure) return call_result::failure;
    if (event.degraded) return call_result::fallback;
    return event.result == verdict::success ? call_result::success : call_result::neutral;
}

[[nodiscard]] constexpr char const* label_of(call_result result) noexcept {
    switch (result) {
        case call_result::success: return "success";
        case call_result::failure: return "failure";
        case call_result::neutral: return "neutral";
        case call_result::rejected: return "rejected";
        case call_result::timeout: return "timeout";
        case call_result::cancelled: return "cancelled";
        case call_result::fallback: return "fallback";
    }
    return "_OTHER";
}

}  // namespace hawser::inline v0
#endif  // HAWSER_TRACE_NAMES_HPP
