// SPDX-License-Identifier: BSL-1.0
//
// A breaker's ticket that cannot get lost: what callers hold who admit and report in two steps.
#ifndef HAWSER_BREAKER_BREAKER_PERMIT_HPP
#define HAWSER_BREAKER_BREAKER_PERMIT_HPP

#include <hawser/breaker/vote.hpp>

#include <cstdint>
#include <utility>

namespace hawser::inline v0 {

/// One call's right to cast one vote, which gives back what it holds when it is destroyed.
///
/// Destruction without a report is neutral: no vote, and a probe's slot is free again. So a call
/// that leaves by an exception, a cancel or an early return cannot leave a half-open breaker stuck.
/// Empty by default, when moved from, and after its report.
///
/// Thread safety: none of its own; the machine, which must outlive it, is safe.
template <class Machine>
class [[nodiscard]] breaker_permit {
public:
    breaker_permit() = default;
    breaker_permit(Machine& from, breaker_ticket ticket) noexcept
        : machine_{&from}, ticket_{std::move(ticket)} {}

    breaker_permit(breaker_permit&&) noexcept = default;
    breaker_permit& operator=(breaker_permit&& other) noexcept {
        if (this == &other) return *this;
        abandon();
        machine_ = other.machine_;
        ticket_ = std::move(other.ticket_);
        return *this;
    }
    ~breaker_permit() { abandon(); }

    /// Whether there is still a vote to cast: false after a refusal.
    [[nodiscard]] explicit operator bool() const noexcept { return bool{ticket_}; }

    [[nodiscard]] bool is_probe() const noexcept { return ticket_.is_probe(); }
    [[nodiscard]] std::uint64_t generation() const noexcept { return ticket_.generation(); }

    /// Casts the vote. Empty afterwards; reporting an empty permit does nothing.
    template <instant_source Now>
    void report(vote const& cast, Now&& now) noexcept {
        if (ticket_) machine_->report(ticket_, cast, now);
    }

    /// Gives back what the permit holds, without a vote.
    void abandon() noexcept {
        if (ticket_) machine_->abandon(ticket_);
    }

private:
    Machine* machine_ = nullptr;
    breaker_ticket ticket_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_BREAKER_BREAKER_PERMIT_HPP
