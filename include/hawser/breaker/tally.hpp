// SPDX-License-Identifier: BSL-1.0
//
// Several counts that many threads raise without meeting: one cache line a thread holds all of its
// own, so that a breaker pays for its stripes once and not once a count.
#ifndef HAWSER_BREAKER_TALLY_HPP
#define HAWSER_BREAKER_TALLY_HPP

#include <hawser/base/padded.hpp>
#include <hawser/base/thread_slot.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace hawser::inline v0::detail {

/// What a breaker counts outside its lock.
enum class tally_kind : std::uint8_t { good_calls, stale, circuit_open, probes_full, isolated };

/// Counts that only grow, as `striped_counter` holds one. All start at zero.
///
/// Guarantee:     as of `striped_counter`, for each kind by itself.
/// Thread safety: all members may be called concurrently.
/// Cost:          `add` a load and a store in a line of the thread's own; `total` reads all lines.
class breaker_tally {
public:
    /// Threads with a stripe of their own; what the ones beyond share costs a locked addition.
    static constexpr std::uint32_t own_stripes = 16;

    [[gnu::always_inline]] void add(tally_kind kind) noexcept {
        auto const own = thread_stripe<own_stripes>();
        if (own != 0) [[likely]] {
            // Relaxed, and no locked instruction: this thread is the stripe's only writer.
            auto& count = at(own, kind);
            count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        } else {
            at(0, kind).fetch_add(1, std::memory_order_relaxed);
        }
    }

    [[nodiscard]] std::uint64_t total(tally_kind kind) const noexcept {
        std::uint64_t sum = 0;
        // Relaxed: a count orders nothing. Under one lock, totals never fall from call to call:
        // each stripe only grows, and later reads of it see no older value.
        for (auto const& stripe : stripes_)
            sum += stripe.value[static_cast<std::size_t>(kind)].load(std::memory_order_relaxed);
        return sum;
    }

private:
    using counts = std::array<std::atomic<std::uint64_t>, 5>;
    static_assert(sizeof(counts) <= cache_line);

    std::atomic<std::uint64_t>& at(std::uint32_t stripe, tally_kind kind) noexcept {
        return stripes_[stripe].value[static_cast<std::size_t>(kind)];
    }

    std::array<padded<counts>, own_stripes + 1> stripes_{};
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_BREAKER_TALLY_HPP
