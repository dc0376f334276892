// SPDX-License-Identifier: BSL-1.0
#include <hawser/retry/allowance.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <cstdint>

TEST_CASE("attempt_allowance: threads that take at once share exactly what there is") {
    hawser::attempt_allowance allowance{2'000'000};
    std::atomic<std::uint32_t> taken{0};
    support::on_threads(4, [&](int) {
        std::uint32_t mine = 0;
        while (allowance.try_take()) ++mine;
        taken += mine;
    });
    CHECK(taken == 2'000'000);
    CHECK(allowance.remaining() == 0);
}
