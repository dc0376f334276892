// SPDX-License-Identifier: BSL-1.0
//
// The part of a breaker machine that no rule is needed for: the state word and its transitions, the
// open wait, the probes, the journal.
//
//     line 0       word, open until, full until, watch from ...     read by all, written seldom
//     lines 1-17   the tally's stripes                              each written by one thread
//     line 18 ...  mutex and all that it guards                     written by the cold paths
#ifndef HAWSER_BREAKER_BREAKER_CORE_HPP
#define HAWSER_BREAKER_BREAKER_CORE_HPP

#include <hawser/base/error.hpp>
#include <hawser/base/padded.hpp>
#include <hawser/base/random.hpp>
#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>
#include <hawser/breaker/open_wait.hpp>
#include <hawser/breaker/options.hpp>
#include <hawser/breaker/probe_pool.hpp>
#include <hawser/breaker/tally.hpp>
#include <hawser/breaker/transitions.hpp>
#include <hawser/breaker/vote.hpp>
#include <hawser/containers/ring.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>

namespace hawser::inline v0::detail {

/// Transitions that a breaker remembers until somebody fetches them.
inline constexpr std::size_t breaker_journal_length = 16;

/// State shared by all `breaker_machine`s. "Requires the lock" means `mutex`.
///
/// Every writer of the word and of the instants beside it holds the mutex; readers of them do not.
class breaker_core {
public:
    breaker_core(circuit_breaker_options const& options, std::uint64_t seed)
        : name_{options.name}, options_{options}, seed_{seed}, pool_{options.probes} {}

    // Acquire, against the release in `step`: who sees a state sees the instants that belong to it.
    [[nodiscard]] std::uint64_t word() const noexcept {
        return word_.load(std::memory_order_acquire);
    }

    /// The word for a vote that only compares it, and orders nothing by it.
    [[nodiscard]] std::uint64_t relaxed_word() const noexcept {
        return word_.load(std::memory_order_relaxed);
    }

    /// From when good calls must come through the lock, and above what time they are slow. Relaxed:
    /// a call that meets the change of one is counted by the old value or the new.
    [[nodiscard]] time_point watch_from() const noexcept {
        return watch_from_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] duration slow_after() const noexcept {
        return slow_after_.load(std::memory_order_relaxed);
    }

    [[nodiscard]] char const* name() const noexcept { return name_; }
    [[nodiscard]] bool transitions_pending() const noexcept {
        // Relaxed: it is a hint; the lock in `pop` orders what is read.
        return pending_.load(std::memory_order_relaxed) != 0;
    }

    /// The refusal of an open or half-open breaker that needs no lock; no error if it does.
    [[gnu::always_inline]] refusal refuse_unlocked(std::uint64_t word, time_point now) noexcept {
        auto const state = breaker_word::state_of(word);
        if (state == breaker_state::open) {
            // Relaxed: the acquire of `word` brought at least the instant of that opening.
            auto const until = open_until_.load(std::memory_order_relaxed);
            if (now >= until) return {};
            tally.add(tally_kind::circuit_open);
            return {errc::circuit_open, time_ahead(now, until), name_};
        }
        // Relaxed: a slot that is freed meanwhile is found by the next caller.
        if (state != breaker_state::half_open || now >= full_until_.load(std::memory_order_relaxed))
            return {};
        tally.add(tally_kind::probes_full);
        return {errc::probes_full, duration::zero(), name_};
    }

    breaker_admission refuse(errc code, duration retry_after, tally_kind kind) noexcept {
        tally.add(kind);
        return {.ticket = {}, .why = {.code = code, .retry_after = retry_after, .policy = name_}};
    }

    /// Admission in the states open and half-open as `word` told. A refusal takes no lock.
    [[gnu::noinline]] breaker_admission admit_at(std::uint64_t word, time_point now) noexcept {
        if (auto const [code, retry_after, policy] = refuse_unlocked(word, now); code != errc{})
            return {.ticket = {}, .why = {code, retry_after, policy}};
        std::lock_guard const lock{mutex};
        return admit_locked(now);
    }

    /// Gives back what a ticket holds, without a vote.
    [[gnu::noinline]] void abandon_probe(breaker_ticket const& ticket) noexcept {
        std::lock_guard const lock{mutex};
        // A slot is given back by its serial: that of an earlier episode fits none of this one.
        pool_.release({ticket_access::slot(ticket), ticket_access::serial(ticket)});
        publish_full_until();
    }

    /// Does what the table says for `event`: false, and nothing is changed, if it has no row.
    ///
    /// Requires the lock.
    bool step(breaker_event event, time_point now, rule_reading const& why,
              duration hint = {}) noexcept {
        auto const old = relaxed_word();
        auto const* const row = find_breaker_row(breaker_word::state_of(old), event);
        if (row == nullptr) return false;
        auto const generation = breaker_word::generation_of(old) + 1;
        auto const open_for = enter(*row, generation, now, hint);
        dropped_ += journal_.push_back_evicting({.from = row->from,
                                                 .to = row->to,
                                                 .cause = row->cause,
                                                 .consecutive_opens = wait_.in_a_row(),
                                                 .generation = generation,
                                                 .at = now,
                                                 .open_for = open_for,
                                                 .why = why});
        pending_.store(clamped_size(), std::memory_order_relaxed);
        // Release: the instants are stored, and whoever reads this word will find them.
        word_.store(breaker_word::make(generation, row->to), std::memory_order_release);
        return true;
    }

    /// Counts the vote of a probe: whether it decided the episode. Requires the lock.
    bool cast(breaker_ticket const& ticket, bool success, duration hint, time_point now) noexcept {
        if (!pool_.release({ticket_access::slot(ticket), ticket_access::serial(ticket)})) {
            tally.add(tally_kind::stale);
            return false;
        }
        auto const verdict = pool_.cast(terms_, success);
        publish_full_until();
        if (verdict == episode_verdict::undecided) return false;
        bool const passed = verdict == episode_verdict::passed;
        return step(passed ? breaker_event::probes_passed : breaker_event::probes_failed, now,
                    {.rule = "probes",
                     .calls = pool_.votes(),
                     .hits = pool_.failed(),
                     .limit = 1 - options_.probe_success_rate},
                    hint);
    }

    /// Whether the breaker has moved on since it gave out `ticket`. Final only under the lock.
    [[nodiscard]] bool is_stale(breaker_ticket const& ticket) const noexcept {
        return breaker_word::generation_of(relaxed_word()) != ticket.generation();
    }

    /// Sends good calls from `from` on through the lock; all of them if it is `min`. Requires the
    /// lock, and a state that counts.
    void watch(time_point from) noexcept {
        watch_from_.store(from, std::memory_order_relaxed);
        auto const old = relaxed_word() & ~breaker_word::watched;
        auto const next = from == time_point::min() ? old | breaker_word::watched : old;
        // Release, as in `step`: this store, too, is one that an admission may read.
        if (next != relaxed_word()) word_.store(next, std::memory_order_release);
    }

    /// Opens; in `metrics_only` notes that it would have, but no more often than a breaker that was
    /// closed again by then could. False if nothing is changed. Requires the lock.
    bool trip(time_point now, rule_reading const& why, duration hint) noexcept {
        if (breaker_word::state_of(relaxed_word()) == breaker_state::metrics_only) {
            if (now < shadow_until_) return false;
            shadow_until_ = add_saturating(now, options_.open_for);
            ++would_have_tripped_;
        }
        return step(breaker_event::tripped, now, why, hint);
    }

    /// Takes new options, and `fresh` for its slots; keeps the name. Requires the lock.
    void adopt(circuit_breaker_options const& options, probe_pool& fresh,
               duration slow_after) noexcept {
        options_ = options;
        options_.name = name_;
        pool_.adopt(fresh);
        set_slow_after(slow_after);
        publish_full_until();
    }

    /// Requires the lock, or that nobody else knows the object yet.
    void set_slow_after(duration slow_after) noexcept {
        slow_after_.store(slow_after, std::memory_order_relaxed);
        terms_ = terms_of(options_, slow_after);
    }

    /// The oldest transition not fetched yet. Requires the lock.
    bool pop(breaker_transition& into) noexcept {
        if (journal_.empty()) return false;
        into = journal_.pop_front();
        pending_.store(clamped_size(), std::memory_order_relaxed);
        return true;
    }

    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }  // Requires the lock.

    /// Fills in all but the rules and the calls. Requires the lock.
    template <std::size_t RuleCount>
    void read_into(breaker_snapshot<RuleCount>& snapshot, time_point now) const noexcept {
        snapshot.state = breaker_word::state_of(relaxed_word());
        snapshot.generation = breaker_word::generation_of(relaxed_word());
        snapshot.consecutive_opens = wait_.in_a_row();
        if (snapshot.state == breaker_state::half_open) snapshot.probes_out = pool_.out();
        if (snapshot.state == breaker_state::isolated) snapshot.retry_after = never;
        if (snapshot.state == breaker_state::open)
            snapshot.retry_after = std::max(
                duration::zero(), time_between(now, open_until_.load(std::memory_order_relaxed)));
        snapshot.stale = tally.total(tally_kind::stale);
        snapshot.refused_open = tally.total(tally_kind::circuit_open);
        snapshot.refused_probes_full = tally.total(tally_kind::probes_full);
        snapshot.refused_isolated = tally.total(tally_kind::isolated);
        snapshot.would_have_tripped = would_have_tripped_;
    }

private:
    /// The state may have changed since the caller looked: it is asked again. Requires the lock.
    breaker_admission admit_locked(time_point now) noexcept {
        auto const word = relaxed_word();
        switch (breaker_word::state_of(word)) {
            case breaker_state::closed:
            case breaker_state::metrics_only:
                return {.ticket = ticket_access::make(word & ~breaker_word::watched, now),
                        .why = {}};
            case breaker_state::disabled:
                return {.ticket = ticket_access::make(word | breaker_word::watched), .why = {}};
            case breaker_state::isolated:
                return refuse(errc::isolated, never, tally_kind::isolated);
            case breaker_state::open: {
                auto const until = open_until_.load(std::memory_order_relaxed);
                if (now < until) return {.ticket = {}, .why = refuse_unlocked(word, now)};
                step(breaker_event::wait_elapsed, now, {});
                break;
            }
            case breaker_state::half_open: break;
        }
        auto const probe = pool_.acquire(terms_, now);
        publish_full_until();
        if (!probe) return refuse(errc::probes_full, duration::zero(), tally_kind::probes_full);
        return {.ticket = ticket_access::make(relaxed_word() | breaker_word::watched, now,
                                              probe->slot, probe->serial),
                .why = {}};
    }

    /// What entering a state sets up, before anyone can see it. Returns the wait of an opening.
    duration enter(breaker_row const& row, std::uint64_t generation, time_point now,
                   duration hint) noexcept {
        if (row.event == breaker_event::reset) wait_.reset();
        if (row.event == breaker_event::observe) shadow_until_ = time_point::min();
        if (row.to == breaker_state::closed) wait_.closed(now);
        if (row.to == breaker_state::half_open) {
            pool_.begin();
            publish_full_until();
        }
        if (row.to != breaker_state::open) return {};
        auto const open_for = wait_.next(options_, now, hint, random_at(seed_, generation));
        open_until_.store(add_saturating(now, open_for), std::memory_order_relaxed);
        return open_for;
    }

    void publish_full_until() noexcept {
        full_until_.store(pool_.full_until(terms_), std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint32_t clamped_size() const noexcept {
        return static_cast<std::uint32_t>(journal_.size());
    }

    // What every call reads. Generations begin at 1, so that no state has the word 0.
    alignas(cache_line) std::atomic<std::uint64_t> word_{
        breaker_word::make(1, breaker_state::closed)};
    std::atomic<time_point> open_until_{time_point::min()};
    std::atomic<time_point> full_until_{time_point::min()};
    std::atomic<time_point> watch_from_{time_point::max()};
    std::atomic<duration> slow_after_{never};
    std::atomic<std::uint32_t> pending_{0};
    char const* const name_;

public:
    breaker_tally tally;  // Aligned by its own type: no stripe shares a line with its neighbours.

    alignas(cache_line) mutable std::mutex mutex;

private:
    circuit_breaker_options options_;
    std::uint64_t const seed_;
    probe_pool pool_;
    probe_terms terms_ = terms_of(options_, never);
    open_wait wait_;
    time_point shadow_until_ = time_point::min();
    std::uint64_t would_have_tripped_ = 0;
    std::uint64_t dropped_ = 0;
    ring<breaker_transition, breaker_journal_length> journal_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_BREAKER_BREAKER_CORE_HPP
