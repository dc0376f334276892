// SPDX-License-Identifier: BSL-1.0
//
// What the caller knows of one call and the policies may use: the call's own facts.
#ifndef HAWSER_COMPOSE_FACTS_HPP
#define HAWSER_COMPOSE_FACTS_HPP

#include <hawser/base/time.hpp>
#include <hawser/retry/allowance.hpp>

#include <array>
#include <cstdint>
#include <stop_token>

namespace hawser::inline v0 {

/// The key of a call that has none.
struct no_key {};

/// An identity that stays the same over all attempts of a call, for servers that refuse to do the
/// same thing twice. All zero means none.
using idempotency_key = std::array<std::uint64_t, 2>;

/// The position of a call in a distributed trace, as W3C Trace Context has it.
struct trace_parent {
    std::array<std::uint8_t, 16> trace_id{};
    std::array<std::uint8_t, 8> span_id{};
    std::uint8_t flags = 0;
};

/// What the caller says of one call. Name what you know: `{.deadline = soon, .operation =
/// "quote"}`.
///
/// A synchronous call reads it in place; an asynchronous one keeps a copy. What it points to must
/// outlive the call. With g++ 12, name the object before a `co_await` expression that uses it: that
/// compiler destroys non-trivial temporaries there twice.
template <class Key = no_key>
struct call_facts {
    using key_type = Key;

    /// When the call must have ended. No wait is begun that would end later.
    time_point deadline = no_deadline;

    /// Asks the call to stop, from any thread. An asynchronous call can also be cancelled through
    /// its handler's cancellation slot.
    std::stop_token stop{};

    /// What keyed policies (per user, per endpoint) tell calls apart by.
    [[no_unique_address]] Key key{};

    /// Which calls go first where some must wait or be shed: higher before lower.
    std::int32_t priority = 0;

    /// A low-cardinality name for the telemetry, static.
    char const* operation = "";

    idempotency_key idempotency{};
    trace_parent parent{};

    /// The attempts that this call and the pipelines nested in it may still make; null is no limit.
    attempt_allowance* allowance = nullptr;

    /// The first attempt has been taken out of the allowance already, by the call that this one is
    /// nested in. `context::nested` says so.
    bool has_attempt = false;
};

/// The facts type of a call that was given none.
struct no_facts {
    using key_type = no_key;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_COMPOSE_FACTS_HPP
