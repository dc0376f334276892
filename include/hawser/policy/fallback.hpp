// SPDX-License-Identifier: BSL-1.0
//
// fallback: another answer where there is none.
#ifndef HAWSER_POLICY_FALLBACK_HPP
#define HAWSER_POLICY_FALLBACK_HPP

#include <hawser/base/error.hpp>
#include <hawser/base/outcome.hpp>
#include <hawser/policy/concept.hpp>
#include <hawser/trace/event.hpp>

#include <stdexcept>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

struct fallback_options {
    /// What events and the outcome's `origin().source` call it. Not null; as long-lived as the
    /// policy.
    char const* name = "fallback";
};

/// Which outcomes a fallback stands in for: failures, and every refusal but the caller's own
/// cancel.
struct handle_failures {
    template <class R>
    [[nodiscard]] bool operator()(outcome<R> const& out) const noexcept {
        if (auto const* why = out.why()) return why->code != errc::cancelled;
        return out.classify() == verdict::failure;
    }
};

/// Answers in the operation's place when it fails or is refused.
///
/// The alternative is a value, `f()`, or `f(call_error const&)`, which is told what went wrong; in
/// Asio it may also be an asynchronous operation with the same completion, `f(call, error, token)`
/// or a coroutine `f(call, error)`. It may throw: the outcome is then its own error. Either way the
/// first error is kept in `outcome::earlier`, and an answer is marked degraded, with this policy's
/// name as its source. Fallbacks chain: the outer one stands in where the inner one failed too.
///
/// Does not handle a call that is being stopped from outside, nor what a predicate threw.
///
/// Thread safety: const; the alternative may be called concurrently. Cost: nothing on success.
template <class Alternative, class Handles = handle_failures>
class fallback {
public:
    static constexpr layer_role role = layer_role::fallback;

    /// Throws `std::invalid_argument` if the name is null.
    constexpr explicit fallback(Alternative instead, Handles handles = {},
                                fallback_options const& options = {})
        : alternative_(std::move(instead)), handles_(std::move(handles)), name_{options.name} {
        if (name_ == nullptr) throw std::invalid_argument{"fallback: name is null"};
    }
    constexpr fallback(Alternative instead, fallback_options const& options)
        : fallback{std::move(instead), Handles{}, options} {}

    [[nodiscard]] constexpr char const* name() const noexcept { return name_; }
    [[nodiscard]] constexpr Alternative const& alternative() const noexcept { return alternative_; }

    template <class Call, class R>
    [[gnu::always_inline]] detour after(detail::unit&, Call& call, outcome<R>& out) const noexcept {
        if constexpr (std::is_same_v<Handles, handle_failures>)
            if (out.classify() == verdict::success) [[likely]]
                return {};
        return consider(call, out);
    }

    template <class Call, class R>
    void alternative_ended(detail::unit&, Call& call, outcome<R>& out) const noexcept {
        if (out.classify() == verdict::success) {
            out.origin().degraded = true;
            out.origin().source = name_;
        }
        call.template emit<fallback_ended>(name_, [&](event_origin at) {
            return fallback_ended{at, out.classify()};
        });
    }

private:
    template <class Call, class R>
    [[gnu::noinline]] detour consider(Call& call, outcome<R>& out) const noexcept {
        if (call.cause() != stop_cause::none || call.predicate_threw()) return {};
        auto const handled = call.ask(name_, out, false,
                                      [&]() noexcept(noexcept(bool(handles_(std::as_const(out))))) {
                                          return static_cast<bool>(handles_(std::as_const(out)));
                                      });
        if (!handled) return {};
        call.template emit<fallback_invoked>(name_, [&](event_origin at) {
            return fallback_invoked{at, out.code()};
        });
        return {.taken = true};
    }

    [[no_unique_address]] Alternative alternative_;
    [[no_unique_address]] Handles handles_;
    char const* name_;
};

template <class Alternative>
fallback(Alternative) -> fallback<Alternative>;
template <class Alternative>
fallback(Alternative, fallback_options) -> fallback<Alternative>;
template <class Alternative, class Handles>
fallback(Alternative, Handles) -> fallback<Alternative, Handles>;
template <class Alternative, class Handles>
fallback(Alternative, Handles, fallback_options) -> fallback<Alternative, Handles>;

}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_FALLBACK_HPP
