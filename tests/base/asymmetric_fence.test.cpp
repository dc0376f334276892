// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/asymmetric_fence.hpp>
#include <hawser/base/padded.hpp>

#include "support/catch.hpp"

#include <array>
#include <atomic>
#include <thread>

using hawser::asymmetric_fence;
using hawser::cache_line;

namespace {

struct rounds_of_two {
    static constexpr int rounds = 60'000;

    alignas(cache_line) std::atomic<int> often{0};
    alignas(cache_line) std::atomic<int> seldom{0};
    alignas(cache_line) std::atomic<int> go{0};
    alignas(cache_line) std::atomic<int> back{0};
    /// What stands before a store in the processor's queue, and keeps it there for a while.
    struct alignas(cache_line) line {
        std::atomic<int> value{0};
    };
    std::array<line, 12> before;
    int seen_often = 0;  ///< By who comes seldom, in the last round.

    /// A moment that is not the same in each round, so that the two meet in all ways.
    static void linger(int turns) {
        for (; turns > 0; --turns) std::atomic_signal_fence(std::memory_order_seq_cst);
    }

    /// How often neither saw what the other had stored. `heavy()` is the fence of who comes seldom.
    template <class Heavy>
    int both_blind(asymmetric_fence const& fence, Heavy heavy) {
        std::jthread const other{[&] {
            for (int round = 1; round <= rounds; ++round) {
                while (go.load(std::memory_order_acquire) != round) {}
                linger(round % 31);
                seldom.store(round, std::memory_order_relaxed);
                heavy();
                seen_often = often.load(std::memory_order_relaxed);
                for (auto& each : before) each.value.store(round, std::memory_order_relaxed);
                back.store(round, std::memory_order_release);
            }
        }};
        int blind = 0;
        for (int round = 1; round <= rounds; ++round) {
            (void)seldom.load(std::memory_order_relaxed);  // To have it at hand.
            go.store(round, std::memory_order_release);
            linger(round * 7 % 509);
            for (auto& each : before) each.value.store(-round, std::memory_order_relaxed);
            often.store(round, std::memory_order_relaxed);
            fence.light();
            auto const seen_seldom = seldom.load(std::memory_order_relaxed);
            for (int looks = 0; back.load(std::memory_order_acquire) != round; ++looks)
                if (looks > 1'000) std::this_thread::yield();
            if (seen_seldom != round && seen_often != round) ++blind;
        }
        return blind;
    }
};

}  // namespace

TEST_CASE("asymmetric_fence: one of two threads sees what the other has stored before") {
    asymmetric_fence const fence;
    CHECK(rounds_of_two{}.both_blind(fence, [&] { fence.heavy(); }) == 0);
}
