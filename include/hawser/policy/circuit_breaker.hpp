// SPDX-License-Identifier: BSL-1.0
//
// circuit_breaker: stops calling a dependency that keeps failing, and probes for its recovery.
//
// The machine that decides is `breaker/breaker_machine.hpp`; this is that machine in a pipeline,
// with a classifier that turns outcomes into votes and a sink that hears of its changes.
#ifndef HAWSER_POLICY_CIRCUIT_BREAKER_HPP
#define HAWSER_POLICY_CIRCUIT_BREAKER_HPP

#include <hawser/base/clock.hpp>
#include <hawser/base/outcome.hpp>
#include <hawser/base/parts.hpp>
#include <hawser/breaker/breaker_machine.hpp>
#include <hawser/breaker/breaker_permit.hpp>
#include <hawser/policy/concept.hpp>
#include <hawser/policy/detail/breaker_parts.hpp>
#include <hawser/policy/detail/told_parts.hpp>
#include <hawser/trace/event.hpp>
#include <hawser/trace/ordered_delivery.hpp>
#include <hawser/trace/sink.hpp>

#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// A circuit breaker. Parts, in any order: rules (`trip::…`, several at once; without one, the rule
/// of the options), `votes_by(classifier)`, `told_to(sink)`.
///
/// Starts closed. Refuses with `circuit_open`, `probes_full` or `isolated`, each with its
/// `retry_after`. By default a value votes as its `outcome_traits` say, an exception and a timeout
/// inside the breaker are failures, and everything that is our own doing or the caller's is
/// neutral: refusals from further in, a cancel, a deadline from further out.
///
/// Guarantee:     as the machine's: late results of an earlier generation change nothing, a probe
///                that ends without a verdict gives its slot back, one that never ends loses it.
/// Thread safety: all members may be called concurrently, also from the sink and the classifier,
///                which run under no lock. Changes are told in order, by one thread at a time.
/// Cost:          closed, a load and a store on a cache line of the calling thread's own. With the
///                default rule no clock is read.
template <class... Parts>
class basic_circuit_breaker {
    static_assert(detail::breaker_kinds::know_all<Parts...>,
                  "hawser: a part of a circuit breaker is a trip rule, votes_by(classifier) or "
                  "told_to(sink)");
    static_assert(
        detail::kinds<detail::breaker_classifier, detail::told_part>::template none_twice<Parts...>,
        "hawser: a circuit breaker has at most one votes_by and one told_to");
    using machine_type = detail::breaker_machine_for<Parts...>;
    using classifier_type = detail::part_t<detail::breaker_classifier, Parts...>;
    using teller_type = detail::part_t<detail::told_part, Parts...>;
    using sink_type = typename teller_type::sink_type;
    static constexpr bool tells =
        listens_to<sink_type, breaker_changed> || listens_to<sink_type, events_dropped>;

public:
    using stateful = void;
    using call_state = detail::breaker_call<detail::times_calls<machine_type>>;
    using permit = breaker_permit<basic_circuit_breaker>;
    static constexpr layer_role role = layer_role::breaker;

    /// Throws `std::invalid_argument`, naming the field, if an option or a rule is out of range.
    explicit basic_circuit_breaker(circuit_breaker_options const& options = {},
                                   Parts const&... parts)
        : machine_{detail::make_breaker_machine<machine_type>(options, parts...)},
          classifier_{detail::copy_part<detail::breaker_classifier>(parts...)},
          teller_{detail::copy_part<detail::told_part>(parts...)} {}

    basic_circuit_breaker(basic_circuit_breaker const&) = delete;
    basic_circuit_breaker& operator=(basic_circuit_breaker const&) = delete;

    [[nodiscard]] char const* name() const noexcept { return machine_.name(); }
    [[nodiscard]] breaker_state state() const noexcept { return machine_.state(); }
    [[nodiscard]] std::uint64_t generation() const noexcept { return machine_.generation(); }
    [[nodiscard]] auto snapshot(time_point now = steady_now()) const noexcept {
        return machine_.snapshot(now);
    }

    /// Refuses every call until another command. Commands may be given in every state; they say
    /// whether anything changed. `now` is the steady clock's unless the pipelines' time is manual.
    bool isolate(time_point now = steady_now()) noexcept {
        return told(machine_.isolate(now), now);
    }
    /// Admits every call and counts none.
    bool disable(time_point now = steady_now()) noexcept {
        return told(machine_.disable(now), now);
    }
    /// Admits and counts every call, and only tells when it would have opened.
    bool observe(time_point now = steady_now()) noexcept {
        return told(machine_.observe(now), now);
    }
    /// Closes, with empty windows.
    bool reset(time_point now = steady_now()) noexcept { return told(machine_.reset(now), now); }

    /// Takes new options while running: state, generation, permits and counts stay.
    template <class... Rules>
    void reconfigure(circuit_breaker_options const& options, time_point now,
                     Rules const&... rules) {
        machine_.reconfigure(options, now, rules...);
    }

    /// For work that is not a call through a pipeline: a permit, empty if the breaker refuses. It
    /// is to be reported; destroyed without a report, it returns without a vote.
    [[nodiscard]] permit try_acquire(time_point now = steady_now()) noexcept {
        auto admission = machine_.try_acquire([now]() noexcept { return now; });
        if constexpr (tells) deliver([now]() noexcept { return now; });
        if (!admission) return {};
        return permit{*this, std::move(admission.ticket)};
    }
    /// What a permit reports through.
    template <instant_source Now>
    void report(breaker_ticket& ticket, vote const& cast, Now&& now) noexcept {
        machine_.report(ticket, cast, now);
        if constexpr (tells) deliver(now);
    }
    void abandon(breaker_ticket& ticket) noexcept { machine_.abandon(ticket); }

    // The hooks.

    template <class Call>
    [[gnu::always_inline]] gate before(call_state& ticket, Call& call) noexcept {
        ticket.begin(call.attempt());
        if (machine_.admit_unasked(ticket, [&call]() noexcept { return call.now(); })) [[likely]]
            return {};
        return ask(ticket, call);
    }

    template <class Call, class R>
    [[gnu::always_inline]] void after(call_state& ticket, Call& call, outcome<R>& out) noexcept {
        auto const now = [&call]() noexcept { return call.now(); };
        if constexpr (classifier_type::is_default) {
            if (out.classify() == verdict::success) [[likely]] {
                machine_.report(ticket, vote{}, now);
            } else {
                report_other(ticket, call, out);
            }
        } else {
            report_other(ticket, call, out);
        }
        if constexpr (tells)
            if (machine_.transitions_pending()) [[unlikely]]
                deliver(now);
    }

    template <class Call>
    void abandon(call_state& ticket, Call&) noexcept {
        machine_.abandon(ticket);
    }

private:
    static time_point steady_now() noexcept { return steady_clock_source{}.now(); }

    bool told(bool changed, [[maybe_unused]] time_point now) noexcept {
        if constexpr (tells) deliver([now]() noexcept { return now; });
        return changed;
    }

    template <class Call>
    [[gnu::noinline]] gate ask(call_state& ticket, Call& call) noexcept {
        auto const now = [&call]() noexcept { return call.now(); };
        if (auto const why = machine_.refuse_unlocked(now); why.code != errc{}) [[likely]]
            return {why.code, why.retry_after};
        return ask_locked(ticket, call);
    }

    template <class Call>
    [[gnu::noinline]] gate ask_locked(breaker_ticket& ticket, Call& call) noexcept {
        auto const now = [&call]() noexcept { return call.now(); };
        auto admission = machine_.try_acquire(now);
        if constexpr (tells)
            if (machine_.transitions_pending()) deliver(now);
        ticket = std::move(admission.ticket);
        return {admission.why.code, admission.why.retry_after};
    }

    template <class Call, class R>
    [[gnu::noinline]] void report_other(call_state& ticket, Call& call, outcome<R>& out) noexcept {
        auto const now = [&call]() noexcept { return call.now(); };
        auto cast = classifier_(name(), call, out);
        auto const health = classifier_type::is_default ? out.classify() : cast.health;
        // A failure that came because the call is being stopped from outside is not the
        // dependency's, unless it had run longer by then than a call may take.
        if (health == verdict::failure && call.cause() == stop_cause::timeout &&
            !call.predicate_threw() && ticket.has_run(call.attempt()))
            cast = machine_.is_slow(ticket, now) ? vote{verdict::failure, true} : neutral_vote;
        else if (health == verdict::failure && call.cause() != stop_cause::none)
            cast = neutral_vote;
        machine_.report(ticket, cast, now);
    }

    /// Tells the sink what has changed, in order, outside every lock.
    template <class Now>
    [[gnu::cold, gnu::noinline]] void deliver(Now now) noexcept {
        delivery_.run([this, &now] {
            for (breaker_transition step; machine_.pop_transition(step);) tell(step);
            auto const dropped = machine_.dropped_transitions();
            if (auto const news = dropped - std::exchange(dropped_told_, dropped); news != 0)
                emit<events_dropped>(teller_.sink, [&] {
                    return events_dropped{{now(), name(), 0}, news};
                });
        });
    }

    void tell(breaker_transition const& step) noexcept {
        emit<breaker_changed>(teller_.sink, [&] {
            return breaker_changed{.origin = {step.at, name(), 0},
                                   .from = to_string(step.from),
                                   .to = to_string(step.to),
                                   .cause = to_string(step.cause),
                                   .rule = step.why.rule,
                                   .generation = step.generation,
                                   .calls = step.why.calls,
                                   .hits = step.why.hits,
                                   .limit = step.why.limit,
                                   .consecutive_opens = step.consecutive_opens,
                                   .open_for = step.open_for};
        });
    }

    static constexpr vote neutral_vote{.health = verdict::neutral};

    machine_type machine_;
    [[no_unique_address]] classifier_type classifier_;
    [[no_unique_address]] teller_type teller_;
    ordered_delivery delivery_;
    std::uint64_t dropped_told_ = 0;  ///< Belongs to whoever delivers.
};

/// The breaker that is right where nothing speaks against it: by the failure rate of recent calls.
using circuit_breaker = basic_circuit_breaker<>;

template <class... Parts>
basic_circuit_breaker(circuit_breaker_options, Parts...) -> basic_circuit_breaker<Parts...>;

}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_CIRCUIT_BREAKER_HPP
