// SPDX-License-Identifier: BSL-1.0
//
// The engine of a circuit breaker: given what time it is and how calls went, it decides which calls
// may go on.
//
// A breaker that is closed is asked and told millions of times for each time that it opens. So the
// whole state is one word, and a good call reads it twice and writes one line that no other thread
// touches. What is bad or rare takes a mutex.
//
//     try_acquire   closed:  load the word                           no lock, nothing written
//                   open:    load the word, compare two instants     no lock, own stripe written
//     report        success: load the word, compare with the ticket  no lock, own stripe written
//                   others:  mutex, window, rules, table
//
// The states and steps are drawn in `breaker/transitions.hpp`. No timer runs: an open breaker turns
// half-open when the first call after its wait asks. Source of the pattern: M. Nygard, "Release
// It!", 2007; of telling late votes apart by generation: sony/gobreaker.
#ifndef HAWSER_BREAKER_BREAKER_MACHINE_HPP
#define HAWSER_BREAKER_BREAKER_MACHINE_HPP

#include <hawser/base/random.hpp>
#include <hawser/base/time.hpp>
#include <hawser/breaker/breaker_gate.hpp>
#include <hawser/breaker/detector_set.hpp>
#include <hawser/breaker/options.hpp>
#include <hawser/breaker/transitions.hpp>
#include <hawser/breaker/trip_rules.hpp>
#include <hawser/breaker/vote.hpp>

#include <concepts>
#include <cstdint>
#include <mutex>
#include <utility>

namespace hawser::inline v0 {

/// Refuses calls to a dependency that fails too often, and finds out when it has recovered.
///
/// Starts closed, in generation 1, and opens when any of its rules says so. Reads no clock and
/// never waits: `now` is called at most once, outside the lock, and only where the time is needed.
///
/// Guarantees:
///  - A vote counts only in the generation that admitted the call. One that races with the step
///    itself may be counted by the next generation as a success, at most one for each thread.
///  - Never more probes out than `probes` and `probes_at_once` allow, leases that were lost aside.
///  - What fails while the breaker is open does not lengthen the wait.
///  - Windows are exact where reports do not overlap; a failure that is being counted may miss
///    successes reported at the same moment, no more than their number.
///  - Transitions are in the journal in the order in which they took place, each `from` the `to` of
///    the one before. Of those not fetched the last 16 are kept.
///
/// Thread safety: all members may be called concurrently; not from signal handlers, nor after fork.
/// Cost:          see the drawing; `needs_now` and `needs_duration` of a rule add clock reads.
///                About 3 KiB. Allocates in the constructor and in `reconfigure` only.
template <trip_rule... Rules>
class breaker_machine : public detail::breaker_gate<(Rules::needs_duration || ...)> {
    static_assert(sizeof...(Rules) > 0, "hawser: a breaker without a rule never opens");
    static constexpr bool needs_now = (Rules::needs_now || ...);
    static constexpr bool needs_duration = (Rules::needs_duration || ...);
    static constexpr bool has_default_rule =
        sizeof...(Rules) == 1 && (std::same_as<Rules, trip::failure_rate> && ...);
    using access = detail::ticket_access;
    using word_of = detail::breaker_word;
    using gate = detail::breaker_gate<needs_duration>;
    using gate::core_;

public:
    using snapshot_type = breaker_snapshot<sizeof...(Rules)>;

    /// `seed` is where the jitter of the open times comes from: a number for replays, else drawn.
    ///
    /// Throws `std::invalid_argument`, naming the field, if an option or a rule is out of range,
    /// and `std::bad_alloc`.
    breaker_machine(circuit_breaker_options const& options, std::uint64_t seed,
                    Rules const&... rules)
        : gate{(detail::check(options), options), seed}, detectors_{rules...} {
        core_.set_slow_after(detectors_.slow_after());
        watch(0, time_point::min());
    }
    explicit breaker_machine(circuit_breaker_options const& options, Rules const&... rules)
        : breaker_machine{options, shared_random{}(), rules...} {}

    /// With the rule that the options describe.
    explicit breaker_machine(circuit_breaker_options const& options,
                             std::uint64_t seed = shared_random{}()) requires(has_default_rule)
        : breaker_machine{options, seed, detail::default_rule(options)} {}

    breaker_machine(breaker_machine const&) = delete;
    breaker_machine& operator=(breaker_machine const&) = delete;

    /// Casts the vote of the call that `ticket` was given for, and uses the ticket up. An empty
    /// ticket, and one of an earlier generation, changes no state.
    template <instant_source Now>
    [[gnu::always_inline]] void report(breaker_ticket& ticket, vote const& cast,
                                       Now&& now) noexcept {
        bool const good = cast.health == verdict::success && !(needs_duration && cast.slow);
        // One compare: the same generation, a state that counts, no rule that has to look, and a
        // ticket that is no probe's and not used up.
        if (good && core_.relaxed_word() == access::word(ticket)) [[likely]] {
            if constexpr (needs_now || needs_duration) {
                auto const at = now();
                if (is_of_interest(ticket, at)) return report_at(ticket, cast, at);
            }
            core_.tally.add(detail::tally_kind::good_calls);
            access::use_up(ticket);
            return;
        }
        report_uncommon(ticket, cast, now);
    }

    /// Uses `ticket` up without a vote: a probe's slot is free again at once.
    void abandon(breaker_ticket& ticket) noexcept {
        if (ticket.is_probe()) core_.abandon_probe(ticket);
        access::use_up(ticket);
    }

    /// Whether the call took longer than a rule allows. Reads no clock unless a rule does.
    template <instant_source Now>
    [[nodiscard]] bool is_slow(breaker_ticket const& ticket, Now&& now) const noexcept {
        return needs_duration &&
               took(ticket, needs_duration ? now() : time_point{}) > core_.slow_after();
    }

    /// Refuses every call until another command. Commands may be given in every state; they answer
    /// whether anything changed, and calls under way lose their votes if so.
    bool isolate(time_point now) noexcept { return command(breaker_event::isolate, now); }

    /// Admits every call and counts none.
    bool disable(time_point now) noexcept { return command(breaker_event::disable, now); }

    /// Admits and counts every call, refuses none, and notes in the journal when it would have
    /// opened: at most once in `open_for`.
    bool observe(time_point now) noexcept { return command(breaker_event::observe, now); }

    /// Closes, with empty windows and no openings in a row: also a breaker that is closed.
    bool reset(time_point now) noexcept { return command(breaker_event::reset, now); }

    /// Takes new numbers while running. State, generation, tickets and the open wait stay; count
    /// windows keep what the old and the new length both know, time windows if the width of their
    /// buckets stays. The new limits are applied with the next vote.
    ///
    /// Throws as the constructor does; then nothing has changed.
    void reconfigure(circuit_breaker_options const& options, time_point now,
                     Rules const&... rules) {
        detail::check(options);
        detail::detector_set<Rules...> fresh{rules...};
        detail::probe_pool pool{options.probes};
        // Declared after what it allocated, so that the old storage is freed after the unlock.
        std::lock_guard const lock{core_.mutex};
        auto const position = calls();
        detectors_.adopt(fresh, position);
        core_.adopt(options, pool, detectors_.slow_after());
        watch(position, now);
    }
    void reconfigure(circuit_breaker_options const& options,
                     time_point now) requires(has_default_rule) {
        reconfigure(options, now, detail::default_rule(options));
    }

    /// State, windows and counts at `now`. Takes the lock.
    [[nodiscard]] snapshot_type snapshot(time_point now) const noexcept {
        snapshot_type result;
        std::lock_guard const lock{core_.mutex};
        core_.read_into(result, now);
        result.calls = calls();
        result.rules = detectors_.readings(result.calls, now);
        return result;
    }

    /// Fetches the oldest transition into `next`, or answers false if there is none.
    bool pop_transition(breaker_transition& next) noexcept {
        std::lock_guard const lock{core_.mutex};
        return core_.pop(next);
    }

    /// Transitions that nobody fetched in time: the oldest made room for the newest.
    [[nodiscard]] std::uint64_t dropped_transitions() const noexcept {
        std::lock_guard const lock{core_.mutex};
        return core_.dropped();
    }

private:
    [[nodiscard]] bool is_of_interest(breaker_ticket const& ticket, time_point at) const noexcept {
        return (needs_duration && took(ticket, at) > core_.slow_after()) ||
               (needs_now && at >= core_.watch_from());
    }

    static duration took(breaker_ticket const& ticket, time_point at) noexcept {
        return needs_duration ? time_between(access::started(ticket), at) : duration::zero();
    }

    /// Sorts out what needs neither lock nor clock.
    template <class Now>
    [[gnu::cold, gnu::noinline]] void report_uncommon(breaker_ticket& ticket, vote cast,
                                                      Now now) noexcept {
        bool const uncounted = word_of::state_of(access::word(ticket)) == breaker_state::disabled;
        if (!ticket || cast.health == verdict::neutral || uncounted) return abandon(ticket);
        if (!core_.is_stale(ticket)) return report_at(ticket, cast, now());
        core_.tally.add(detail::tally_kind::stale);
        access::use_up(ticket);
    }

    [[gnu::cold, gnu::noinline]] void report_at(breaker_ticket& ticket, vote cast,
                                                time_point at) noexcept {
        auto const used = std::move(ticket);
        bool const failure = cast.health == verdict::failure;
        breaker_sample sample{
            .failure = failure, .slow = cast.slow, .took = took(used, at), .now = at};
        std::lock_guard const lock{core_.mutex};
        if (core_.is_stale(used)) {
            core_.tally.add(detail::tally_kind::stale);
        } else if (!used.is_probe()) {
            count(sample, cast.open_for);
        } else {
            // A breaker with an eye on slowness does not close on slow probes: it would flap.
            bool const slow = needs_duration && (cast.slow || sample.took > core_.slow_after());
            if (core_.cast(used, !failure && !slow, cast.open_for, at)) forget(at);
        }
    }

    /// Calls counted so far. Requires the lock.
    [[nodiscard]] std::uint64_t calls() const noexcept {
        return core_.tally.total(detail::tally_kind::good_calls) + locked_calls_;
    }

    /// Shows one call to every rule. Requires the lock.
    void count(breaker_sample& sample, duration hint) noexcept {
        ++locked_calls_;
        sample.position = calls();
        rule_reading why;
        if (detectors_.record(sample, why) && core_.trip(sample.now, why, hint))
            forget(sample.now);
        else
            watch(sample.position, sample.now);
    }

    bool command(breaker_event event, time_point now) noexcept {
        std::lock_guard const lock{core_.mutex};
        auto const why = detectors_.readings(calls(), now).front();
        if (!core_.step(event, now, why)) return false;
        forget(now);
        return true;
    }

    /// Begins every rule anew. Requires the lock.
    void forget(time_point now) noexcept {
        auto const position = calls();
        detectors_.clear(position, now);
        watch(position, now);
    }

    /// Sets from when on good calls have to come here. Requires the lock.
    void watch(std::uint64_t position, time_point now) noexcept {
        // Never in a state that does not count: the mark in its word would let tickets pass that
        // carry the mark so that they never do.
        if (!word_of::counts(core_.relaxed_word())) return;
        core_.watch(detectors_.watch_from(position, now));
    }

    detail::detector_set<Rules...> detectors_;  ///< Guarded by the core's mutex, as is the next.
    std::uint64_t locked_calls_ = 0;            ///< Counted calls that came through the lock.
};

}  // namespace hawser::inline v0
#endif  // HAWSER_BREAKER_BREAKER_MACHINE_HPP
