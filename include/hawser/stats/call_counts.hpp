// SPDX-License-Identifier: BSL-1.0
//
// What a window remembers of one call, and the sums it keeps of many.
#ifndef HAWSER_STATS_CALL_COUNTS_HPP
#define HAWSER_STATS_CALL_COUNTS_HPP

#include <cstdint>

namespace hawser::inline v0 {

/// How one call went. Both may be true: a call can fail slowly.
struct call_mark {
    bool failure = false;
    bool slow = false;

    friend constexpr bool operator==(call_mark const&, call_mark const&) = default;
};

/// How many calls there were, and how many of them failed, and how many were slow.
struct call_counts {
    std::uint64_t calls = 0;
    std::uint64_t failures = 0;
    std::uint64_t slow = 0;

    constexpr call_counts& operator+=(call_mark mark) noexcept {
        ++calls;
        failures += mark.failure;
        slow += mark.slow;
        return *this;
    }

    constexpr call_counts& operator+=(call_counts const& other) noexcept {
        calls += other.calls;
        failures += other.failures;
        slow += other.slow;
        return *this;
    }

    /// Requires that `other` counts calls which are among these.
    constexpr call_counts& operator-=(call_counts const& other) noexcept {
        calls -= other.calls;
        failures -= other.failures;
        slow -= other.slow;
        return *this;
    }

    /// The share of calls that failed, in [0, 1]; zero if there was no call.
    ///
    /// Rounded once, by the division: 3 failures of 30 calls compare equal to the literal 0.1, so
    /// `>=` against a threshold means what it says.
    [[nodiscard]] constexpr double failure_rate() const noexcept { return share(failures); }

    /// The share of calls that were slow, in [0, 1], in the same way.
    [[nodiscard]] constexpr double slow_rate() const noexcept { return share(slow); }

    friend constexpr bool operator==(call_counts const&, call_counts const&) = default;

private:
    [[nodiscard]] constexpr double share(std::uint64_t part) const noexcept {
        return calls == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(calls);
    }
};

}  // namespace hawser::inline v0
#endif  // HAWSER_STATS_CALL_COUNTS_HPP
