// SPDX-License-Identifier: BSL-1.0
//
// What goes into and comes out of a circuit breaker: tickets, votes, transitions, readings.
#ifndef HAWSER_BREAKER_VOTE_HPP
#define HAWSER_BREAKER_VOTE_HPP

#include <hawser/base/error.hpp>
#include <hawser/base/time.hpp>
#include <hawser/breaker/transitions.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace hawser::inline v0 {

/// What one call says about its dependency.
///
/// A dependency that answers "alive, but overloaded" (429, 503) gets no verdict of its own here; it
/// is the classifier's choice between the three. `failure` with `open_for` set to its Retry-After
/// keeps away for as long as it asks; `success` lets a half-open breaker close and leaves the
/// excess to a limiter; `neutral` asks again with the next probe.
struct vote {
    verdict health = verdict::success;

    /// Slow by the caller's own measure. Rules that count slow calls take it beside their
    /// threshold; others do not look.
    bool slow = false;

    /// For a failure that opens the breaker: the least time to stay away, at most `open_for_max`.
    /// Zero says nothing. It can lengthen the wait of the breaker, not shorten it.
    duration open_for = duration::zero();

    friend constexpr bool operator==(vote const&, vote const&) = default;
};

namespace detail {

/// Generation and state in one word, so that one load reads both and one compare tests both.
///
///      63                                    4   3     2       0
///     +---------------------------------------+---------+-------+
///     |              generation               | watched | state |
///     +---------------------------------------+---------+-------+
///
/// `watched` sends successes through the lock while a rule has to see each of them. In a ticket the
/// same bit says that no word will ever equal it.
struct breaker_word {
    static constexpr std::uint64_t state_mask = 7, watched = 8;

    static constexpr std::uint64_t make(std::uint64_t generation, breaker_state state) noexcept {
        return generation << 4 | static_cast<std::uint64_t>(state);
    }
    static constexpr breaker_state state_of(std::uint64_t word) noexcept {
        return static_cast<breaker_state>(word & state_mask);
    }
    static constexpr std::uint64_t generation_of(std::uint64_t word) noexcept { return word >> 4; }

    /// Whether calls of this state are admitted without asking, and their votes counted.
    static constexpr bool counts(std::uint64_t word) noexcept {
        constexpr auto counting = 1U << static_cast<unsigned>(breaker_state::closed) |
                                  1U << static_cast<unsigned>(breaker_state::metrics_only);
        return (counting >> (word & state_mask) & 1U) != 0;
    }
};

struct ticket_access;

}  // namespace detail

/// One call's right to cast one vote. Given out by a breaker, reported back to the same breaker.
///
/// It knows its generation: a vote that comes after the breaker has moved on is stale and changes
/// nothing. Reporting uses it up; a used, moved-from or default-made ticket is empty, and reporting
/// it does nothing. Dropping a probe's ticket without a report keeps its slot until the lease ends:
/// where that can happen, hold a `breaker_permit`.
class breaker_ticket {
public:
    breaker_ticket() = default;
    breaker_ticket(breaker_ticket&& other) noexcept
        : word_{std::exchange(other.word_, empty)},
          started_{other.started_},
          serial_{other.serial_},
          slot_{other.slot_} {}
    breaker_ticket& operator=(breaker_ticket&& other) noexcept {
        word_ = std::exchange(other.word_, empty);
        started_ = other.started_;
        serial_ = other.serial_;
        slot_ = other.slot_;
        return *this;
    }

    /// Whether the ticket can still be reported.
    [[nodiscard]] explicit operator bool() const noexcept { return word_ != empty; }

    /// Whether the call is a probe of a half-open breaker.
    [[nodiscard]] bool is_probe() const noexcept {
        return word_ != empty && detail::breaker_word::state_of(word_) == breaker_state::half_open;
    }

    /// The breaker's generation when it admitted the call; zero if the ticket is empty.
    [[nodiscard]] std::uint64_t generation() const noexcept {
        return detail::breaker_word::generation_of(word_);
    }

private:
    friend struct detail::ticket_access;

    // Generations begin at 1: no state has this word.
    static constexpr std::uint64_t empty = 0;

    std::uint64_t word_ = empty;
    time_point started_{};
    std::uint32_t serial_ = 0;
    std::uint32_t slot_ = 0;
};

namespace detail {

/// How the machine reads and writes tickets; nobody else does.
struct ticket_access {
    static void admit(breaker_ticket& ticket, std::uint64_t word) noexcept { ticket.word_ = word; }
    static void start(breaker_ticket& ticket, time_point at) noexcept { ticket.started_ = at; }
    static std::uint64_t word(breaker_ticket const& ticket) noexcept { return ticket.word_; }
    static void use_up(breaker_ticket& ticket) noexcept { ticket.word_ = breaker_ticket::empty; }
    static time_point started(breaker_ticket const& ticket) noexcept { return ticket.started_; }
    static std::uint32_t slot(breaker_ticket const& ticket) noexcept { return ticket.slot_; }
    static std::uint32_t serial(breaker_ticket const& ticket) noexcept { return ticket.serial_; }

    static breaker_ticket make(std::uint64_t word, time_point started = {}, std::uint32_t slot = 0,
                               std::uint32_t serial = 0) noexcept {
        breaker_ticket ticket;
        ticket.word_ = word;
        ticket.started_ = started;
        ticket.slot_ = slot;
        ticket.serial_ = serial;
        return ticket;
    }
};

}  // namespace detail

/// Something that tells the time when asked: called at most once, and never under a lock.
template <class Now>
concept instant_source = requires(Now& now) {
    { now() }
    noexcept->std::same_as<time_point>;
};

/// The answer to a request for admission: a ticket, or a refusal and why.
struct [[nodiscard]] breaker_admission {
    breaker_ticket ticket;

    /// Its code is zero if the call is admitted. `circuit_open` carries the exact time that is
    /// left; `probes_full` zero, for a probe may end at any moment; `isolated` carries `never`.
    refusal why;

    [[nodiscard]] explicit operator bool() const noexcept { return why.code == errc{}; }
};

/// What one rule sees in its window.
struct rule_reading {
    /// The rule's name; "probes" for the votes of a half-open episode. Static.
    char const* rule = "";
    std::uint32_t calls = 0;
    std::uint32_t hits = 0;  ///< Those that the rule counts against the dependency.
    double limit = 0;        ///< The share of hits, or for a rule that counts, the number.

    /// Hits per call; zero without calls.
    [[nodiscard]] constexpr double rate() const noexcept {
        return calls == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(calls);
    }
    friend constexpr bool operator==(rule_reading const&, rule_reading const&) = default;
};

/// One step of a breaker, with the numbers that led to it.
struct breaker_transition {
    breaker_state from{};
    breaker_state to{};
    breaker_cause cause{};
    std::uint32_t consecutive_opens = 0;  ///< After the step.
    std::uint64_t generation = 0;         ///< The one that the step began: rises by 1 a step.
    time_point at{};                      ///< As told by the caller that caused the step.
    duration open_for{};                  ///< How long the breaker opened for; zero if it did not.
    rule_reading why{};                   ///< What decided; for a command, the first rule's window.
};

/// A breaker's state and numbers at one instant.
template <std::size_t RuleCount>
struct breaker_snapshot {
    breaker_state state{};
    std::uint64_t generation = 0;
    std::uint32_t consecutive_opens = 0;
    std::uint32_t probes_out = 0;
    duration retry_after{};  ///< Open: what is left of the wait. Isolated: `never`. Else zero.

    /// What each rule sees of this generation, in the order of the rules.
    std::array<rule_reading, RuleCount> rules{};

    std::uint64_t calls = 0;         ///< Votes counted since construction, in all states.
    std::uint64_t stale = 0;         ///< Votes dropped because the breaker had moved on.
    std::uint64_t refused_open = 0;  ///< Refusals, by reason.
    std::uint64_t refused_probes_full = 0;
    std::uint64_t refused_isolated = 0;
    std::uint64_t would_have_tripped = 0;  ///< Openings that `metrics_only` did not do.
};

}  // namespace hawser::inline v0
#endif  // HAWSER_BREAKER_VOTE_HPP
