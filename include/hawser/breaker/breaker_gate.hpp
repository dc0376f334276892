// SPDX-License-Identifier: BSL-1.0
//
// The admitting half of the breaker machine: who may go in, told from one word and one instant.
// What it takes to tell is in `breaker/breaker_core.hpp`, what becomes of votes in
// `breaker/breaker_machine.hpp`.
#ifndef HAWSER_BREAKER_BREAKER_GATE_HPP
#define HAWSER_BREAKER_BREAKER_GATE_HPP

#include <hawser/breaker/breaker_core.hpp>
#include <hawser/breaker/options.hpp>
#include <hawser/breaker/vote.hpp>

#include <cstdint>

namespace hawser::inline v0::detail {

/// Admission, for a machine whose rules need a call's duration or not. Contracts are the machine's.
template <bool NeedsDuration>
class breaker_gate {
    using access = ticket_access;
    using word_of = breaker_word;

public:
    /// Admits a call with a ticket, or refuses it. A ticket is to be reported or abandoned.
    template <instant_source Now>
    [[gnu::always_inline]] breaker_admission try_acquire(Now&& now) noexcept {
        breaker_admission admission;
        if (admit_unasked(admission.ticket, now)) [[likely]]
            return admission;
        return admit_uncounted(core_.word(), now);
    }

    /// The common case of `try_acquire` alone: false, and nothing has happened, unless calls are
    /// admitted unasked. Requires an empty ticket.
    template <instant_source Now>
    [[gnu::always_inline]] bool admit_unasked(breaker_ticket& into, Now&& now) noexcept {
        auto const word = core_.word();
        if (!word_of::counts(word)) [[unlikely]]
            return false;
        access::admit(into, word & ~word_of::watched);
        if constexpr (NeedsDuration) access::start(into, now());
        return true;
    }

    /// The refusals of `try_acquire` that need neither lock nor ticket, alone: no error, and
    /// nothing has happened, if it takes more to tell.
    template <instant_source Now>
    [[gnu::always_inline]] refusal refuse_unlocked(Now&& now) noexcept {
        auto const word = core_.word();
        if (word_of::state_of(word) < breaker_state::open ||
            word_of::state_of(word) > breaker_state::half_open)
            return {};
        return core_.refuse_unlocked(word, now());
    }

    /// The state as it was last decided: an open breaker stays `open` after its wait until a call
    /// asks. Out of date as soon as it is returned.
    [[nodiscard]] breaker_state state() const noexcept { return word_of::state_of(core_.word()); }

    /// Rises by one with each transition.
    [[nodiscard]] std::uint64_t generation() const noexcept {
        return word_of::generation_of(core_.word());
    }

    [[nodiscard]] char const* name() const noexcept { return core_.name(); }

    /// Whether there is a transition to fetch. One load, no lock.
    [[nodiscard]] bool transitions_pending() const noexcept { return core_.transitions_pending(); }

protected:
    breaker_gate(circuit_breaker_options const& options, std::uint64_t seed)
        : core_{options, seed} {}
    ~breaker_gate() = default;

    breaker_core core_;

private:
    template <class Now>
    [[gnu::noinline]] breaker_admission admit_uncounted(std::uint64_t word, Now now) noexcept {
        auto const state = word_of::state_of(word);
        if (state == breaker_state::isolated)
            return core_.refuse(errc::isolated, never, tally_kind::isolated);
        if (state == breaker_state::disabled)
            return {.ticket = access::make(word | word_of::watched), .why = {}};
        return core_.admit_at(word, now());
    }
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_BREAKER_BREAKER_GATE_HPP
