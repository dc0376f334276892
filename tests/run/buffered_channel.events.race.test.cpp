// SPDX-License-Identifier: BSL-1.0
//
// What a channel with a buffer tells while many threads drop in it.
#include <hawser/run/buffered_channel.hpp>
#include <hawser/trace/counter.hpp>
#include <hawser/trace/tee.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

/// Hears of levels and drops, which are told by one thread at a time and in turn.
struct witness {
    std::atomic<int> inside{0};
    bool high = false;
    bool in_turn = true;
    bool alone = true;

    void on(hawser::channel_level_changed const& event) noexcept {
        alone = inside.fetch_add(1) == 0 && alone;
        in_turn = event.high != high && in_turn;
        high = event.high;
        inside.fetch_sub(1);
    }
    void on(hawser::channel_dropped const& event) noexcept {
        alone = inside.fetch_add(1) == 0 && alone;
        in_turn = event.count != 0 && in_turn;
        inside.fetch_sub(1);
    }
};

}  // namespace

TEST_CASE("buffered_channel events: under threads drops add up, and levels come in turn") {
    constexpr int senders = 3, each = 4'000;
    hawser::event_counter counts;
    witness saw;
    hawser::tee both{counts, saw};
    auto const env = hawser::observed_by(both);
    hawser::buffered_channel<int, hawser::overflow::drop_oldest, hawser::unit_weight,
                             hawser::no_watch, std::remove_const_t<decltype(env)>>
        jobs{{.capacity = 8, .high_watermark = 6, .low_watermark = 2}, {}, {}, {}, env};
    std::uint64_t received = 0;
    {
        std::jthread const receiver{[&] {
            while (jobs.receive()) ++received;
        }};
        {
            std::vector<std::jthread> threads;
            for (int n = 0; n != senders; ++n)
                threads.emplace_back([&] {
                    for (int i = 0; i != each; ++i) (void)jobs.send(i);
                });
        }
        jobs.close();
    }
    auto const told = counts.snapshot();
    auto const seen = jobs.snapshot();
    CHECK(saw.alone);
    CHECK(saw.in_turn);
    CHECK(saw.high == seen.is_high);
    CHECK(seen.popped == received);
    CHECK(seen.pushed == senders * each);
    CHECK(told.values_dropped.total() == seen.dropped.total());
    CHECK(told.values_dropped[hawser::drop_cause::oldest] == seen.dropped.total());
    CHECK(told.channels_closed == 1);
    CHECK(received + told.values_dropped.total() == senders * each);
}
