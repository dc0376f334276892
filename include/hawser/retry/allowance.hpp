// SPDX-License-Identifier: BSL-1.0
//
// How many attempts a call may still make, all its nested pipelines and hedges together.
//
//     outer retry (3 attempts) -> inner retry (4 attempts):  12 on the wire
//     the same with an allowance of 5 handed through both:    5 on the wire
#ifndef HAWSER_RETRY_ALLOWANCE_HPP
#define HAWSER_RETRY_ALLOWANCE_HPP

#include <atomic>
#include <cstdint>

namespace hawser::inline v0 {

/// A number of attempts, made by the caller and used up by everything that the call goes through.
///
/// Whoever is about to start an attempt, the first one too, takes one; it is never given back,
/// because what it bounds is the load on the other side. Must outlive the call.
///
/// Guarantee:     `try_take` succeeds as many times as there were attempts, whoever asks.
/// Thread safety: all members may be called concurrently. Lock-free.
class attempt_allowance {
public:
    /// Zero allows no attempt at all.
    explicit attempt_allowance(std::uint32_t attempts) noexcept : remaining_{attempts} {}

    attempt_allowance(attempt_allowance const&) = delete;
    attempt_allowance& operator=(attempt_allowance const&) = delete;

    /// Takes one attempt if there is one left.
    [[nodiscard]] bool try_take() noexcept {
        // Relaxed: the number is the whole state, and taking publishes nothing else.
        auto left = remaining_.load(std::memory_order_relaxed);
        while (left > 0)
            if (remaining_.compare_exchange_weak(left, left - 1, std::memory_order_relaxed))
                return true;
        return false;
    }

    /// Takes all that are left, and says how many: nobody is given one from then on.
    std::uint32_t take_all() noexcept { return remaining_.exchange(0, std::memory_order_relaxed); }

    /// How many are left. A snapshot: out of date once somebody else takes one.
    [[nodiscard]] std::uint32_t remaining() const noexcept {
        return remaining_.load(std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint32_t> remaining_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RETRY_ALLOWANCE_HPP
