// SPDX-License-Identifier: BSL-1.0
#include <hawser/retry/allowance.hpp>

#include "support/catch.hpp"

#include <latch>
#include <thread>
#include <vector>

TEST_CASE("attempt_allowance: threads that take at once share exactly what there is") {
    hawser::attempt_allowance allowance{2'000'000};
    std::atomic<std::uint32_t> taken{0};
    {
        std::latch start{4};  // No thread asks before all can.
        std::vector<std::jthread> threads(4);
        for (auto& thread : threads)
            thread = std::jthread{[&] {
                std::uint32_t mine = 0;
                for (start.arrive_and_wait(); allowance.try_take();) ++mine;
                taken += mine;
            }};
    }  // Joins.
    CHECK(taken == 2'000'000);
    CHECK(allowance.remaining() == 0);
}
