// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/thread_slot.hpp>
#include <hawser/trace/counter.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <cstdint>
#include <latch>
#include <thread>
#include <vector>

using namespace hawser;

TEST_CASE("event_counter: threads that count at once, with a part each, lose nothing") {
    constexpr int thread_count = 4;
    constexpr std::uint32_t rounds = 50'000;
    event_counter counter;
    std::atomic<bool> done{false};
    std::uint64_t shrank = 0;
    {
        std::jthread reader{[&] {
            for (std::uint64_t last = 0; !done.load();) {
                auto const now = counter.snapshot().attempts_started;
                if (now < last) ++shrank;
                last = now;
            }
        }};
        support::on_threads(thread_count, [&](int) {
            for (std::uint32_t round = 0; round < rounds; ++round) {
                counter.on(attempt_started{});
                counter.on(retry_gave_up{{}, give_up::budget});
            }
        });
        done = true;
    }

    auto const counts = counter.snapshot();
    CHECK(counts.attempts_started == std::uint64_t{thread_count} * rounds);
    CHECK(counts.retries_gave_up[give_up::budget] == std::uint64_t{thread_count} * rounds);
    CHECK(shrank == 0);
}

TEST_CASE("event_counter: two threads that share a part at the same time lose nothing") {
    constexpr int own_parts = 16;
    constexpr std::uint64_t rounds = 2'000'000;
    event_counter counter;
    {
        std::latch taken{own_parts}, done{2};
        std::atomic<int> running{0};
        std::vector<std::jthread> threads;
        for (int holder = 0; holder != own_parts; ++holder)
            threads.emplace_back([&] {
                static_cast<void>(thread_slot());
                taken.count_down();
                done.wait();
            });
        taken.wait();
        for (int i = 0; i != 2; ++i)
            threads.emplace_back([&] {
                for (++running; running < 2;) {}  // Spins: two that wake one by one do not meet.
                for (std::uint64_t round = 0; round != rounds; ++round)
                    counter.on(attempt_started{});
                done.count_down();
            });
    }  // Joins.
    CHECK(counter.snapshot().attempts_started == 2 * rounds);
}
