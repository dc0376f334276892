// SPDX-License-Identifier: BSL-1.0
//
// What happens to a call and to the policies it passes, as small typed events.
//
// An event says when, who, what was decided, and the numbers that decided it. Strings in it are
// static, or as long-lived as the policy that emits it; a sink that keeps events longer copies
// them. Events of a call go to the pipeline's sink, those of a shared policy's state to its own.
#ifndef HAWSER_TRACE_EVENT_HPP
#define HAWSER_TRACE_EVENT_HPP

#include <hawser/base/error.hpp>
#include <hawser/base/time.hpp>

#include <cstdint>

namespace hawser::inline v0 {

/// What every event of a call begins with.
struct event_origin {
    time_point at{};
    char const* policy = "";    ///< Who emits it; for the pipeline itself, "pipeline".
    std::uint32_t attempt = 0;  ///< How often the operation has been started so far.
};

/// The operation is about to be started. `origin.attempt` counts this start.
struct attempt_started {
    event_origin origin;
};

/// The operation has ended; `took` is its own time.
struct attempt_ended {
    event_origin origin;
    verdict result = verdict::success;
    duration took{};
};

/// The whole call has ended; `took` is from the first look at the pipeline to the last.
struct call_ended {
    event_origin origin;
    verdict result = verdict::success;
    errc code{};  ///< Set if the caller gets a refusal.
    duration took{};
    bool degraded = false;
};

/// A policy refused the call.
struct call_refused {
    event_origin origin;
    refusal why;
};

/// A policy makes the call wait: for `wait`, or, parked, at most so long.
struct call_waiting {
    event_origin origin;
    duration wait{};
    bool parked = false;
};

/// A wait ended before its time: the caller stopped, or a deadline came.
struct wait_withdrawn {
    event_origin origin;
    errc code{};
};

/// Where the length of a backoff comes from.
enum class delay_source : std::uint8_t {
    backoff,      ///< The policy's own schedule.
    retry_after,  ///< The dependency named a time.
    refusal,      ///< One of our policies refused and said when to ask again.
    transparent,  ///< The request was not sent: it goes again at once, and is not counted.
};

/// Another attempt follows after `delay`.
struct retry_scheduled {
    event_origin origin;
    duration delay{};
    delay_source source = delay_source::backoff;
};

/// Why a retry gives up.
enum class give_up : std::uint8_t {
    max_attempts,    ///< The attempts are spent.
    deadline,        ///< The wait would not fit what is left of the time.
    total_duration,  ///< The policy's own limit of time is spent.
    endless_wait,    ///< The backoff, or a refusal, says `never`.
    budget,          ///< The budget has no token left.
    allowance,       ///< The attempts that nested pipelines share are spent.
    aborted,         ///< The abort predicate, or the dependency, said stop.
    stopped,         ///< The call was stopped from outside.
};

/// A failure that a retry would have handled is passed on.
struct retry_gave_up {
    event_origin origin;
    give_up reason = give_up::max_attempts;
};

/// A deadline passed while the operation ran.
struct timeout_fired {
    event_origin origin;
    duration limit{};
    duration elapsed{};
    bool cancelled = false;  ///< The operation is being cancelled; else it was merely found late.
};

/// A fallback answers in place of the operation.
struct fallback_invoked {
    event_origin origin;
    errc cause{};  ///< Set if it stands in for a refusal.
};

/// What the fallback came to.
struct fallback_ended {
    event_origin origin;
    verdict result = verdict::success;
};

/// User code that a policy asked (a predicate, a classifier, a generator) threw. The exception is
/// the call's outcome.
struct predicate_threw {
    event_origin origin;
};

/// A circuit breaker changed its state. Names of states and causes are those of the breaker.
struct breaker_changed {
    event_origin origin;  ///< `attempt` is zero: the state is not one call's.
    char const* from = "";
    char const* to = "";
    char const* cause = "";
    char const* rule = "";         ///< Which rule decided, with what it saw:
    std::uint64_t generation = 0;  ///< Of the new state; grows by one with every change.
    std::uint32_t calls = 0;
    std::uint32_t hits = 0;
    double limit = 0;
    std::uint32_t consecutive_opens = 0;
    duration open_for{};  ///< How long it stays open; zero unless it opened.
};

/// Why a limit changed.
enum class limit_cause : std::uint8_t {
    learned,  ///< An algorithm found another one.
    command,  ///< Somebody set it.
};

/// A limit on calls at one time has another number.
struct limit_changed {
    event_origin origin;  ///< `attempt` is zero: the limit is not one call's.
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::uint32_t in_use = 0;  ///< Permits that were out: over `to`, the excess drains first.
    limit_cause cause = limit_cause::command;
};

/// A queue has come to stand, and turns calls away; or it has not for a while. The numbers are
/// those since the queue was made, but for `waiting` and the wait, which are of late.
struct overload_changed {
    event_origin origin;          ///< `attempt` is zero: the queue is not one call's.
    bool began = false;           ///< Else it is over.
    std::uint32_t waiting = 0;    ///< Calls, now,
    std::uint32_t at_most = 0;    ///< and at any one time.
    duration p99_wait{};          ///< Of those let in after a wait.
    std::uint64_t shed = 0;       ///< Turned away as the queue stood.
    std::uint64_t displaced = 0;  ///< Turned away out of a full queue, for one of more worth.
    std::uint64_t full = 0;       ///< Refused for want of a place.
    std::uint64_t too_late = 0;   ///< Refused for a wait that would have been too long.
};

/// An end of a channel has waited, and does so no more: a value has passed, or the wait is over.
struct channel_waited {
    event_origin origin;      ///< `attempt` is zero; who emits it is the channel.
    bool sending = false;     ///< For room; else for a value.
    errc code{};              ///< Set if nothing has passed.
    duration waited{};        ///< From when it was queued first.
    std::uint64_t depth = 0;  ///< Values in the channel, now.
};

/// A channel let somebody neither pass nor wait.
struct channel_refused {
    event_origin origin;   ///< `attempt` is zero.
    bool sending = false;  ///< Else a receiver.
    errc code{};
};

/// Why an item that a buffer took never came out of it.
enum class drop_cause : std::uint8_t {
    newest,    ///< It found no room, and went itself.
    oldest,    ///< A newer one needed its room.
    replaced,  ///< A newer one took its place: only the latest is kept.
    merged,    ///< It went into the one before it; nothing was lost.
    all,       ///< One found no room, and the whole buffer was emptied for it.
    expired,   ///< It was too old when its turn came, or when its room was needed.
};

/// Values have been dropped since this was last told, for one cause.
struct channel_dropped {
    event_origin origin;  ///< `attempt` is zero.
    drop_cause cause = drop_cause::newest;
    std::uint64_t count = 0;
};

/// A channel has come to its high watermark; or, after that, to its low one.
struct channel_level_changed {
    event_origin origin;              ///< `attempt` is zero.
    bool high = false;                ///< Else low.
    std::uint64_t depth = 0;          ///< Values in it, now,
    std::uint64_t weight = 0;         ///< and what they weigh together.
    std::uint64_t highest_depth = 0;  ///< The most there ever were.
    std::uint64_t highest_weight = 0;
};

/// A channel lets nothing more in.
struct channel_closed {
    event_origin origin;     ///< `attempt` is zero.
    std::uint64_t left = 0;  ///< Values in it, still to be received, or found too old.
};

/// Changes of state that were not delivered because their queue was full.
struct events_dropped {
    event_origin origin;
    std::uint64_t count = 0;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_TRACE_EVENT_HPP
