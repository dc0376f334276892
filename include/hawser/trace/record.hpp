// SPDX-License-Identifier: BSL-1.0
//
// record: any event, kept as a value of one fixed size, and as a line of text.
//
//     12.300ms retry attempt 2: retry_scheduled in 100ms (backoff)
//     12.300ms orders: breaker_changed closed -> open (failure_rate: 10 of 20, limit 0.5) for 5s
#ifndef HAWSER_TRACE_RECORD_HPP
#define HAWSER_TRACE_RECORD_HPP

#include <hawser/base/time.hpp>
#include <hawser/trace/detail/text.hpp>
#include <hawser/trace/event.hpp>
#include <hawser/trace/names.hpp>

#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>

namespace hawser::inline v0 {

/// Every event of `trace/event.hpp`.
using any_event =
    std::variant<attempt_started, attempt_ended, call_ended, call_refused, call_waiting,
                 wait_withdrawn, retry_scheduled, retry_gave_up, timeout_fired, fallback_invoked,
                 fallback_ended, predicate_threw, breaker_changed, limit_changed, overload_changed,
                 channel_waited, channel_refused, channel_dropped, channel_level_changed,
                 channel_closed, events_dropped>;

namespace detail {

template <class Event, class Any>
inline constexpr bool is_one_of = false;
template <class Event, class... Events>
inline constexpr bool is_one_of<Event, std::variant<Events...>> = (std::is_same_v<Event, Events> ||
                                                                   ...);

}  // namespace detail

/// An event that a `record` can hold.
template <class Event>
concept known_event = detail::is_one_of<Event, any_event>;

/// An event, kept.
struct record {
    any_event what{};
    std::uint64_t number = 0;  ///< How many came before it: a gap says how many were dropped.

    /// The event, if it is one of this type; else nullptr.
    template <known_event Event>
    [[nodiscard]] Event const* as() const noexcept {
        return std::get_if<Event>(&what);
    }

    [[nodiscard]] event_origin const& origin() const noexcept {
        return std::visit([](auto const& event) -> event_origin const& { return event.origin; },
                          what);
    }
    [[nodiscard]] event_name name() const noexcept {
        return std::visit([]<class Event>(Event const&) { return name_of<Event>; }, what);
    }
};
static_assert(std::is_trivially_copyable_v<record>);

namespace detail {

// What is told of each event beyond who, when and its name. An event without more has none.

template <class Event>
void tell(std::string&, Event const&) {}

inline void tell(std::string& line, attempt_ended const& event) {
    add_text(line, " ", label_of(event.result), " after ", event.took);
}
inline void tell(std::string& line, call_ended const& event) {
    add_text(line, " ", label_of(result_of(event)));
    if (event.code != errc{}) add_text(line, " (", label_of(event.code), ")");
    add_text(line, " after ", event.took);
}
inline void tell(std::string& line, call_refused const& event) {
    add_text(line, " (", label_of(event.why.code));
    if (event.why.retry_after != duration::zero())
        add_text(line, ", retry after ", event.why.retry_after);
    add_text(line, ")");
}
inline void tell(std::string& line, call_waiting const& event) {
    add_text(line, event.parked ? " parked for at most " : " for ", event.wait);
}
inline void tell(std::string& line, wait_withdrawn const& event) {
    add_text(line, " (", label_of(event.code), ")");
}
inline void tell(std::string& line, retry_scheduled const& event) {
    add_text(line, " in ", event.delay, " (", label_of(event.source), ")");
}
inline void tell(std::string& line, retry_gave_up const& event) {
    add_text(line, " (", label_of(event.reason), ")");
}
inline void tell(std::string& line, timeout_fired const& event) {
    add_text(line, " after ", event.elapsed, " (limit ", event.limit,
             event.cancelled ? ", cancelled)" : ", late)");
}
inline void tell(std::string& line, fallback_invoked const& event) {
    add_text(line, " for ", event.cause != errc{} ? label_of(event.cause) : "failure");
}
inline void tell(std::string& line, fallback_ended const& event) {
    add_text(line, " ", label_of(event.result));
}
inline void tell(std::string& line, breaker_changed const& event) {
    add_text(line, " ", event.from, " -> ", event.to, " (", event.cause);
    if (*event.rule != '\0')
        add_text(line, ": ", event.rule, " ", event.hits, " of ", event.calls, ", limit ",
                 event.limit);
    add_text(line, ")");
    if (event.open_for > duration::zero()) add_text(line, " for ", event.open_for);
}
inline void tell(std::string& line, limit_changed const& event) {
    add_text(line, " ", event.from, " -> ", event.to, " (", label_of(event.cause), ", ",
             event.in_use, " in use)");
}
inline void tell(std::string& line, overload_changed const& event) {
    add_text(line, event.began ? " began (" : " over (", event.waiting, " wait, ", event.at_most,
             " at most, p99 ", event.p99_wait, "; shed ", event.shed, ", displaced ",
             event.displaced, ", full ", event.full, ", too late ", event.too_late, ")");
}
inline void tell(std::string& line, channel_waited const& event) {
    add_text(line, event.sending ? " to send" : " to receive", " for ", event.waited, " (");
    if (event.code != errc{}) add_text(line, label_of(event.code), ", ");
    add_text(line, "depth ", event.depth, ")");
}
inline void tell(std::string& line, channel_refused const& event) {
    add_text(line, event.sending ? " to send (" : " to receive (", label_of(event.code), ")");
}
inline void tell(std::string& line, channel_dropped const& event) {
    add_text(line, " ", event.count, " (", label_of(event.cause), ")");
}
inline void tell(std::string& line, channel_level_changed const& event) {
    add_text(line, event.high ? " high" : " low", " (depth ", event.depth, ", at most ",
             event.highest_depth, "; weight ", event.weight, ", at most ", event.highest_weight,
             ")");
}
inline void tell(std::string& line, channel_closed const& event) {
    add_text(line, " (", event.left, " left)");
}
inline void tell(std::string& line, events_dropped const& event) {
    add_text(line, " ", event.count);
}

}  // namespace detail

/// The event without its time: "retry attempt 2: retry_scheduled in 100ms (backoff)". An event that
/// belongs to no call has no attempt.
[[nodiscard]] inline std::string describe(record const& kept) {
    std::string line;
    auto const& origin = kept.origin();
    detail::add_text(line, origin.policy);
    if (origin.attempt != 0) detail::add_text(line, " attempt ", origin.attempt);
    detail::add_text(line, ": ", kept.name().type);
    std::visit([&](auto const& event) { detail::tell(line, event); }, kept.what);
    return line;
}

/// The event with its time in milliseconds since `zero`, to the microsecond, in front.
[[nodiscard]] inline std::string describe(record const& kept, time_point zero) {
    std::string line;
    detail::add_milliseconds(line, time_between(zero, kept.origin().at));
    return line + " " + describe(kept);
}

}  // namespace hawser::inline v0
#endif  // HAWSER_TRACE_RECORD_HPP
