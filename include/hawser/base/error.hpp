// SPDX-License-Identifier: BSL-1.0
//
// What can go wrong with a call that is not the operation's own doing: the reasons for which a
// policy refuses it, and what a refusal tells the caller.
#ifndef HAWSER_BASE_ERROR_HPP
#define HAWSER_BASE_ERROR_HPP

#include <hawser/base/time.hpp>

#include <cstdint>
#include <exception>

namespace hawser::inline v0 {

/// Why a call ended without the operation's own outcome. Zero is no error, as everywhere.
enum class errc : std::uint8_t {
    circuit_open = 1,  ///< A circuit breaker is open: the dependency failed too often of late.
    probes_full,       ///< A half-open breaker has all its probes out already.
    isolated,          ///< An operator has isolated the breaker; time alone will not close it.
    rate_limited,      ///< A rate limit has no token left.
    bulkhead_full,     ///< A bulkhead has neither a permit nor a place in its queue left.
    overloaded,        ///< Load is shed: an adaptive limit, a throttle or an admission queue.
    timed_out,         ///< A timeout, or the caller's deadline, was reached.
    cancelled,         ///< The caller asked to stop.
    not_permitted,     ///< The call breaks a rule that asking again does not change.
    closed,            ///< The thing called is shut, or is shutting down.
    too_large,         ///< The request is larger than the limit could ever admit.
    conflict,          ///< Somebody else changed what the call relied on.
};

/// The reason in words, in lower case and without a full stop. Static.
[[nodiscard]] constexpr char const* to_string(errc code) noexcept {
    switch (code) {
        case errc::circuit_open: return "circuit open";
        case errc::probes_full: return "all probes are out";
        case errc::isolated: return "isolated by an operator";
        case errc::rate_limited: return "rate limited";
        case errc::bulkhead_full: return "bulkhead full";
        case errc::overloaded: return "overloaded";
        case errc::timed_out: return "timed out";
        case errc::cancelled: return "cancelled";
        case errc::not_permitted: return "not permitted";
        case errc::closed: return "closed";
        case errc::too_large: return "too large";
        case errc::conflict: return "conflict";
    }
    return code == errc{} ? "no error" : "unknown error";
}

/// A policy's answer that the call does not go on, and what the caller needs next.
///
/// Trivially copyable, 24 bytes: it stays this value until it leaves the pipeline, where it becomes
/// whatever the caller's result type carries.
struct refusal {
    errc code{};

    /// How long to wait before asking again may help: zero if nothing is known against asking at
    /// once, `never` if no wait helps.
    duration retry_after{};

    /// The name of the policy that refused. Static, or as long-lived as the policy.
    char const* policy = "";

    friend constexpr bool operator==(refusal const&, refusal const&) = default;
};

/// A refusal as an exception: how it reaches callers whose result type cannot carry one.
///
/// An operation may throw it too: `refused` passes through a pipeline as the refusal it holds, so
/// that nested pipelines speak one language.
class [[gnu::visibility("default")]] refused final : public std::exception {
public:
    explicit refused(refusal const& why) noexcept : why_{why} {}

    [[nodiscard]] refusal const& why() const noexcept { return why_; }
    [[nodiscard]] errc code() const noexcept { return why_.code; }
    [[nodiscard]] char const* what() const noexcept override { return to_string(why_.code); }

private:
    refusal why_;
};

/// What an outcome says about the health of the dependency that was called.
///
/// `neutral` is no vote: refusals of our own policies, a caller's cancel, a late result of another
/// age. It neither helps nor harms; what it borrowed is given back.
enum class verdict : std::uint8_t { success, failure, neutral };

/// The verdict that a refusal stands for when it reaches a policy from further in.
///
/// A timeout inside says that the dependency did not answer; every other refusal is our own doing.
/// So is a wait that was not begun because it would have passed the deadline: that refusal says how
/// long the wait is.
[[nodiscard]] constexpr verdict verdict_of(refusal const& why) noexcept {
    return why.code == errc::timed_out && why.retry_after == duration::zero() ? verdict::failure
                                                                              : verdict::neutral;
}

}  // namespace hawser::inline v0
#endif  // HAWSER_BASE_ERROR_HPP
