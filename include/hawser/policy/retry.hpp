// SPDX-License-Identifier: BSL-1.0
//
// retry: tries again what failed, later and less often each time, as long as there is time and
// budget for it.
//
//     retry{{.max_attempts = 4}}
//     retry{{.max_attempts = 4}, backoff::linear{}, jitter::equal{}, borrow(budget)}
//     retry{{}, retry_if{threw<std::system_error>}, no_budget{}}
#ifndef HAWSER_POLICY_RETRY_HPP
#define HAWSER_POLICY_RETRY_HPP

#include <hawser/base/outcome.hpp>
#include <hawser/base/time.hpp>
#include <hawser/policy/concept.hpp>
#include <hawser/policy/detail/retry_parts.hpp>
#include <hawser/retry/allowance.hpp>
#include <hawser/trace/event.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

struct retry_options {
    /// How often the operation is tried, the first time included. At least 1, which is no retry.
    std::uint32_t max_attempts = 3;

    /// From the first attempt on, the time in which the last one must begin. Positive; `never` is
    /// no limit. A deadline of the call, or of a timeout outside, holds beside it.
    duration total_duration = never;

    /// A refusal from further in that says when to ask again is waited for if it says at most this,
    /// and passed on at once otherwise. Not negative; zero passes on every one.
    duration refusal_wait_max = std::chrono::seconds{10};

    /// What events and refusals call this policy. As long-lived as it is.
    char const* name = "retry";
};

/// `options`, or throws `std::invalid_argument` that names the field; in a constant expression, the
/// throw is a compile error.
[[nodiscard]] constexpr retry_options checked(retry_options const& options) {
    if (options.max_attempts == 0)
        throw std::invalid_argument{"retry: max_attempts is zero: the first attempt counts"};
    if (options.total_duration <= duration::zero())
        throw std::invalid_argument{"retry: total_duration is not positive"};
    if (options.refusal_wait_max < duration::zero())
        throw std::invalid_argument{"retry: refusal_wait_max is negative"};
    if (options.name == nullptr) throw std::invalid_argument{"retry: name is null"};
    return options;
}

/// Tries again. Parts, in any order: a `backoff::…` (default exponential from 100 ms, doubling, at
/// most 10 s), a `jitter::…` (default full), a `retry_budget` (default one of its own: 20 % extra
/// load and 10 a second; or `borrow(budget)`, a `shared_ptr`, `no_budget{}`), `retry_if`,
/// `abort_if`, `delay_from`, a source of random numbers.
///
/// Retried by default: failures, a timeout further in included. A refusal from further in is no
/// attempt on the wire: it is asked again exactly when it says, costs no budget, but counts towards
/// `max_attempts`, so that a breaker that never closes is not asked for ever. Never retried: what
/// the caller cancelled, what is being stopped from outside, what a predicate threw.
///
/// A wait that would not end before the deadline is not begun. The outcome of the last attempt is
/// what the call ends with; there is no error of its own for spent attempts. An outcome that is not
/// passed on is destroyed before the wait. An attempt that marks itself `not_sent` is repeated once
/// at once, uncounted and without budget.
///
/// Guarantee:     in the steady state, attempts per call <= 1 + ratio of the budget.
/// Thread safety: may be called concurrently. With a budget of its own it moves until its first
///                call, and does not copy.
/// Cost:          on success, one store on a cache line of the calling thread's own.
template <class... Parts>
class retry : public detail::retry_mark<Parts...> {
    static_assert(detail::retry_kinds::know_all<Parts...>,
                  "hawser: a part of a retry is a backoff, a jitter, a budget, retry_if, abort_if, "
                  "delay_from or a random source");
    static_assert(detail::retry_kinds::none_twice<Parts...>,
                  "hawser: a retry has one part of each kind");
    template <class Kind>
    using part = detail::part_t<Kind, Parts...>;
    static constexpr bool default_predicate =
        std::is_same_v<part<detail::retry_if_part>, detail::retry_if_part::standard>;
    static constexpr bool may_abort =
        !std::is_same_v<part<detail::abort_if_part>, detail::abort_if_part::standard>;
    static constexpr bool takes_hints =
        !std::is_same_v<part<detail::delay_from_part>, detail::delay_from_part::standard>;

public:
    static constexpr layer_role role = layer_role::retry;

    using call_state = detail::retry_state;

    /// Throws `std::invalid_argument`, naming the field, if an option or a part is out of range.
    constexpr explicit retry(retry_options const& options = {}, Parts... parts)
        : options_{hawser::checked(options)},
          backoff_(detail::take_part<detail::backoff_part>(parts...)),
          jitter_(detail::take_part<detail::jitter_part>(parts...)),
          random_(detail::take_part<detail::random_part>(parts...)),
          retry_if_(detail::take_part<detail::retry_if_part>(parts...)),
          abort_if_(detail::take_part<detail::abort_if_part>(parts...)),
          delay_from_(detail::take_part<detail::delay_from_part>(parts...)),
          budget_(detail::take_part<detail::budget_part>(parts...)) {
        backoff_.validate();
        jitter_.validate();
    }

    [[nodiscard]] constexpr char const* name() const noexcept { return options_.name; }
    [[nodiscard]] constexpr std::uint32_t max_attempts() const noexcept {
        return options_.max_attempts;
    }

    template <class Call>
    [[gnu::always_inline]] gate before(call_state& state, Call& call) const noexcept {
        if (options_.total_duration != never && !std::exchange(state.has_begun, true)) [[unlikely]]
            state.began = call.now();
        return {};
    }

    template <class Call, class R>
    [[gnu::always_inline]] next after(call_state& state, Call& call,
                                      outcome<R>& out) const noexcept {
        if constexpr (default_predicate && !may_abort)
            if (state.failures == 0 && out.classify() == verdict::success) [[likely]]
                return earn(), next::done();
        return decide(state, call, out);
    }

    template <class Call>
    void withdraw(call_state& state, Call&) const noexcept {
        bool const held = std::exchange(state.reserved, false);
        if (auto* const budget = detail::budget_of(budget_); held && budget) budget->give_back();
    }

    template <class Call>
    void abandon(call_state& state, Call& call) const noexcept {
        if (call.attempt() == state.reserved_after) withdraw(state, call);
    }

private:
    template <class Call, class R>
    [[gnu::noinline]] next decide(call_state& state, Call& call, outcome<R>& out) const noexcept {
        // What was reserved is spent if the attempt has begun; a layer inside may have refused it.
        if (call.attempt() != state.reserved_after) state.reserved = false;
        ++state.rounds;
        bool const wanted = wants(call, out);
        auto const answer = wanted ? plan_round(state, call, out) : next::done();
        if (answer.action == next::kind::done) withdraw(state, call);
        if (!wanted && state.failures == 0 && out.classify() == verdict::success) earn();
        return answer;
    }

    /// A call has succeeded at its first attempt.
    [[gnu::always_inline]] void earn() const noexcept {
        if (auto* const budget = detail::budget_of(budget_)) budget->deposit();
    }

    template <class Call, class R>
    next plan_round(call_state& state, Call& call, outcome<R>& out) const noexcept {
        if (call.cause() != stop_cause::none) return stop(call, give_up::stopped);
        if (aborts(call, out)) return stop(call, give_up::aborted);
        auto* const shared = call.allowance();
        bool const spent = shared != nullptr && shared->remaining() == 0;
        bool const in_time = total_left(state, call) > duration::zero();
        if (call.was_not_sent() && !spent && in_time && !std::exchange(state.repeated_unsent, true))
            return --state.rounds, go(call, {duration::zero(), delay_source::transparent});
        if (state.rounds >= options_.max_attempts) return stop(call, give_up::max_attempts);
        auto const planned = plan_next(state, call, out);
        if (call.predicate_threw()) return stop(call, give_up::aborted);
        if (planned.delay == never) return stop(call, detail::reason_of_never(planned.source));
        if (!call.fits(planned.delay)) return stop(call, give_up::deadline);
        if (planned.delay >= total_left(state, call)) return stop(call, give_up::total_duration);
        if (spent) return stop(call, give_up::allowance);  // Each start takes one, if it can.
        if (!reserve(state, call, planned.source)) return stop(call, give_up::budget);
        return go(call, planned);
    }

    /// Whether the outcome is one to try again after, were there time and budget.
    template <class Call, class R>
    bool wants(Call& call, outcome<R>& out) const noexcept {
        if (call.predicate_threw() || out.code() == errc::cancelled) return false;
        auto const* why = out.why();
        if (why != nullptr && why->code == errc::timed_out) why = nullptr;  // A failed attempt.
        if (why != nullptr && (why->retry_after > options_.refusal_wait_max ||
                               options_.refusal_wait_max == duration::zero()))
            return false;
        if constexpr (!default_predicate)
            return call.cause() != stop_cause::none ? out.classify() == verdict::failure
                                                    : ask(call, out, retry_if_.ask);
        else if (why != nullptr)
            return detail::passes_with_time(why->code);
        else
            return out.classify() == verdict::failure;
    }

    template <class Call, class R>
    bool aborts([[maybe_unused]] Call& call, [[maybe_unused]] outcome<R>& out) const noexcept {
        if constexpr (may_abort)
            if (ask(call, out, abort_if_.ask)) return true;
        return call.predicate_threw();
    }

    template <class Call, class R, class Predicate>
    bool ask(Call& call, outcome<R>& out, Predicate const& predicate) const noexcept {
        return call.ask(name(), out, false,
                        [&]() noexcept(noexcept(bool(predicate(std::as_const(out))))) {
                            return static_cast<bool>(predicate(std::as_const(out)));
                        });
    }

    /// How long to wait, and who says so; `never` if there is no use in waiting.
    template <class Call, class R>
    detail::retry_plan plan_next(call_state& state, Call& call, outcome<R>& out) const noexcept {
        if (auto const* why = out.why(); why != nullptr && why->code != errc::timed_out) {
            if (why->retry_after > duration::zero())
                return {why->retry_after, delay_source::refusal};
            return {spread(backoff_(state.rounds, duration::zero(), random_())),
                    delay_source::refusal};
        }
        ++state.failures;
        if constexpr (takes_hints) {
            using hint_type = std::optional<duration>;
            auto const hint =
                call.ask(name(), out, hint_type{}, [&]() noexcept(noexcept(delay_from_.ask(out))) {
                    return hint_type{delay_from_.ask(std::as_const(out))};
                });
            if (hint == never) return {never, delay_source::retry_after};
            if (hint) {
                auto const left = std::min(call.remaining(), total_left(state, call));
                auto const least = std::clamp(*hint, duration::zero(), delay_from_.obey.cap);
                return {delay_from_.obey(*hint, left, random_()).value_or(least),
                        delay_source::retry_after};  // What does not fit is found not to.
            }
        }
        state.last_delay = backoff_(state.failures, state.last_delay, random_());
        return {spread(state.last_delay), delay_source::backoff};
    }

    /// What the backoff answered, spread within its cap, unless it is random already.
    duration spread(duration delay) const noexcept {
        delay = std::max(delay, duration::zero());
        if (part<detail::backoff_part>::jittered || delay == never) return delay;
        delay = jitter_(delay, random_());
        if constexpr (detail::capped<part<detail::backoff_part>>)
            delay = std::min<duration>(delay, backoff_.cap);
        return delay;
    }

    template <class Call>
    duration total_left(call_state const& state, Call& call) const noexcept {
        if (options_.total_duration == never) return never;
        return time_between(call.now(), add_saturating(state.began, options_.total_duration));
    }

    /// Takes a token for an attempt on the wire, before the wait; a refused ask needs none.
    template <class Call>
    bool reserve(call_state& state, Call& call, delay_source source) const noexcept {
        auto* const budget = detail::budget_of(budget_);
        if (budget == nullptr || state.reserved || source == delay_source::refusal) return true;
        auto token = budget->reserve(call.now());
        state.reserved_after = call.attempt();
        state.reserved = static_cast<bool>(token);
        token.spend();  // From here on it is this call's, until `withdraw` or the next attempt.
        return state.reserved;
    }

    template <class Call>
    next go(Call& call, detail::retry_plan const& planned) const noexcept {
        call.template emit<retry_scheduled>(name(), [&](event_origin at) {
            return retry_scheduled{at, planned.delay, planned.source};
        });
        return next::again(planned.delay);
    }

    template <class Call>
    next stop(Call& call, give_up reason) const noexcept {
        call.template emit<retry_gave_up>(name(), [&](event_origin at) {
            return retry_gave_up{at, reason};
        });
        return next::done();
    }

    retry_options options_;
    [[no_unique_address]] part<detail::backoff_part> backoff_;
    [[no_unique_address]] part<detail::jitter_part> jitter_;
    [[no_unique_address]] part<detail::random_part> random_;
    [[no_unique_address]] part<detail::retry_if_part> retry_if_;
    [[no_unique_address]] part<detail::abort_if_part> abort_if_;
    [[no_unique_address]] part<detail::delay_from_part> delay_from_;
    [[no_unique_address]] mutable part<detail::budget_part> budget_;
};

template <class... Parts>
retry(retry_options, Parts...) -> retry<Parts...>;

}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_RETRY_HPP
