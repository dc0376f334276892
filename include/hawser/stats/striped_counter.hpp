// SPDX-License-Identifier: BSL-1.0
//
// A count that many threads raise without meeting, and that is summed only when somebody asks.
//
//     thread            all others   1     2     3   ...   16
//                          +------+-----+-----+-----+---+-----+
//     a cache line each    |   n  |  n1 |  n2 |  n3 |   | n16 |   total() = the sum
//                          +------+-----+-----+-----+---+-----+
//
// The thread that owns a stripe (see `base/thread_slot.hpp`) writes it with a plain load and store:
// nobody else does. Threads beyond the last stripe share one and pay for a locked addition.
#ifndef HAWSER_STATS_STRIPED_COUNTER_HPP
#define HAWSER_STATS_STRIPED_COUNTER_HPP

#include <hawser/base/padded.hpp>
#include <hawser/base/thread_slot.hpp>

#include <array>
#include <atomic>
#include <cstdint>

namespace hawser::inline v0 {

/// A counter that only grows. Starts at zero; wraps after 2^64.
///
/// Guarantee:     `total` counts every `add` that happened before it, and of those running beside
///                it each in full or not at all.
/// Thread safety: all members may be called concurrently; not from signal handlers.
/// Cost:          `add` about a nanosecond and one cache line of its own; `total` reads every line.
template <std::uint32_t OwnStripes = 16>
class striped_counter {
    static_assert(OwnStripes > 0 && OwnStripes <= thread_slot_limit);

public:
    striped_counter() = default;
    striped_counter(striped_counter const&) = delete;
    striped_counter& operator=(striped_counter const&) = delete;

    [[gnu::always_inline]] void add(std::uint64_t count = 1) noexcept {
        auto const own = thread_stripe<OwnStripes>();
        if (own != 0) [[likely]] {
            // Relaxed, and no locked instruction: this thread is the stripe's only writer.
            auto& stripe = stripes_[own].value;
            stripe.store(stripe.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
        } else {
            stripes_[0].value.fetch_add(count, std::memory_order_relaxed);
        }
    }

    [[nodiscard]] std::uint64_t total() const noexcept {
        std::uint64_t sum = 0;
        for (auto const& stripe : stripes_) sum += stripe.value.load(std::memory_order_relaxed);
        return sum;
    }

private:
    std::array<padded<std::atomic<std::uint64_t>>, OwnStripes + 1> stripes_{};
};

}  // namespace hawser::inline v0
#endif  // HAWSER_STATS_STRIPED_COUNTER_HPP
