// SPDX-License-Identifier: BSL-1.0
//
// attempt_timeout and total_timeout: everything further in ends by a deadline.
//
// In Asio the operation is cancelled when the deadline comes, and waited for. A plain function
// cannot be stopped: it is handed the deadline, no wait is begun that would end past it, and what
// comes too late is marked.
#ifndef HAWSER_POLICY_TIMEOUT_HPP
#define HAWSER_POLICY_TIMEOUT_HPP

#include <hawser/base/error.hpp>
#include <hawser/base/outcome.hpp>
#include <hawser/base/time.hpp>
#include <hawser/policy/concept.hpp>
#include <hawser/trace/event.hpp>

#include <cstdint>
#include <stdexcept>

namespace hawser::inline v0 {

/// What becomes of a success that comes after its deadline.
enum class late_result : std::uint8_t {
    keep,     ///< It is delivered, marked late: its effect has happened.
    discard,  ///< It is destroyed, and the call is refused as timed out.
};

namespace detail {

/// Both timeouts: they differ in their place in the order, and so in what they are called.
template <layer_role Role>
class timeout {
public:
    static constexpr layer_role role = Role;
    struct call_state {
        time_point began{};
    };

    /// `limit` is positive, `name` not null and as long-lived as the policy. Throws
    /// `std::invalid_argument` if they are not.
    constexpr explicit timeout(duration limit, late_result late = late_result::keep,
                               char const* name = standard_name)
        : limit_{limit}, late_{late}, name_{name} {
        if (limit <= duration::zero())
            throw std::invalid_argument{Role == layer_role::attempt_timeout
                                            ? "attempt_timeout: limit is not positive"
                                            : "total_timeout: limit is not positive"};
        if (name == nullptr)
            throw std::invalid_argument{Role == layer_role::attempt_timeout
                                            ? "attempt_timeout: name is null"
                                            : "total_timeout: name is null"};
    }

    [[nodiscard]] constexpr duration limit() const noexcept { return limit_; }
    [[nodiscard]] constexpr char const* name() const noexcept { return name_; }

    template <class Call>
    [[gnu::always_inline]] time_point scope_deadline(call_state& state, Call& call) const noexcept {
        state.began = call.now();
        return add_saturating(state.began, limit_);
    }

    template <class Call, class R>
    void scope_expired(call_state& state, Call& call, outcome<R>& out) const noexcept {
        auto const cancelled = out.code() == errc::timed_out;
        if (cancelled) {
            out.refuse({errc::timed_out, {}, name_});
        } else if (out.classify() == verdict::success) {
            if (late_ == late_result::discard)
                out.refuse({errc::timed_out, {}, name_});
            else
                out.origin().late = true;
        } else {
            call.mark_timed_out();
        }
        call.template emit<timeout_fired>(name_, [&](event_origin at) {
            return timeout_fired{at, limit_, time_between(state.began, at.at), cancelled};
        });
    }

private:
    static constexpr char const* standard_name =
        Role == layer_role::attempt_timeout ? "attempt_timeout" : "total_timeout";

    duration limit_;
    late_result late_;
    char const* name_;
};

}  // namespace detail

/// Limits each attempt: stands inside a retry.
///
/// A timeout inside a circuit breaker counts there as a failure. The default is no default: the
/// limit must be said. `attempt_timeout{250ms}`, or with what becomes of late results and a name.
///
/// Thread safety: const; shared freely. Cost: one clock read on the way in and, for plain calls,
/// one on the way out; in Asio a place in the shared deadline queue.
class attempt_timeout : public detail::timeout<layer_role::attempt_timeout> {
public:
    using timeout::timeout;
};

/// Limits all attempts of a call together, with the waits between them: stands outside a retry.
///
/// What it ends is neutral to the circuit breakers inside it. Where an attempt's limit is over too,
/// it alone reports. Otherwise as `attempt_timeout`.
class total_timeout : public detail::timeout<layer_role::total_timeout> {
public:
    using timeout::timeout;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_TIMEOUT_HPP
