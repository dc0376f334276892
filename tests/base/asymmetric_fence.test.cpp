// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/asymmetric_fence.hpp>
#include <hawser/base/padded.hpp>

#include "support/catch.hpp"

#include <sched.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

using namespace std::chrono_literals;
using hawser::asymmetric_fence;
using hawser::cache_line;

namespace {

struct rounds_of_two {
    static constexpr int rounds = 60'000;
    static constexpr int over = -1;

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

    static cpu_set_t allowed() {
        cpu_set_t set;
        CPU_ZERO(&set);
        sched_getaffinity(0, sizeof set, &set);
        return set;
    }
    /// Keeps this thread on the n-th processor that it may use, if there are so many: two that take
    /// turns on one of them see everything.
    static void stay_on(int n) {
        auto const may = allowed();
        for (int each = 0; each != CPU_SETSIZE; ++each) {
            if (!CPU_ISSET(each, &may) || n-- > 0) continue;
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(each, &one);
            sched_setaffinity(0, sizeof one, &one);
            return;
        }
    }

    static void await(std::atomic<int> const& what, int round) {
        for (int looks = 0;; ++looks) {
            auto const now = what.load(std::memory_order_acquire);
            if (now == round || now == over) return;
            if (looks > 1'000) std::this_thread::yield();
        }
    }

    /// How often neither saw what the other had stored. `heavy()` is the fence of who comes seldom.
    template <class Heavy>
    int both_blind(asymmetric_fence const& fence, Heavy heavy) {
        auto const everywhere = allowed();
        std::jthread const other{[&] {
            stay_on(1);
            for (int round = 1;; ++round) {
                await(go, round);
                if (go.load(std::memory_order_relaxed) == over) return;
                linger(round % 31);
                seldom.store(round, std::memory_order_relaxed);
                heavy();
                seen_often = often.load(std::memory_order_relaxed);
                for (auto& each : before) each.value.store(round, std::memory_order_relaxed);
                back.store(round, std::memory_order_release);
            }
        }};
        stay_on(0);
        int blind = 0;
        auto const end = std::chrono::steady_clock::now() + 10s;
        for (int round = 1; round <= rounds; ++round) {
            // On a machine with other work each round may take a turn of the scheduler's.
            if (round % 256 == 0 && std::chrono::steady_clock::now() > end) break;
            (void)seldom.load(std::memory_order_relaxed);  // To have it at hand.
            go.store(round, std::memory_order_release);
            linger(round * 7 % 509);
            for (auto& each : before) each.value.store(-round, std::memory_order_relaxed);
            often.store(round, std::memory_order_relaxed);
            fence.light();
            auto const seen_seldom = seldom.load(std::memory_order_relaxed);
            await(back, round);
            if (seen_seldom != round && seen_often != round) ++blind;
        }
        go.store(over, std::memory_order_release);
        sched_setaffinity(0, sizeof everywhere, &everywhere);
        return blind;
    }
};

}  // namespace

TEST_CASE("asymmetric_fence: one of two threads sees what the other has stored before") {
    asymmetric_fence const fence;
    CHECK(rounds_of_two{}.both_blind(fence, [&] { fence.heavy(); }) == 0);
}
