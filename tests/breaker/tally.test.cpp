// SPDX-License-Identifier: BSL-1.0
#include <hawser/breaker/tally.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

using hawser::detail::breaker_tally;
using hawser::detail::tally_kind;

TEST_CASE("breaker_tally: counts each kind by itself") {
    breaker_tally tally;
    tally.add(tally_kind::isolated);
    tally.add(tally_kind::isolated);
    tally.add(tally_kind::good_calls);
    CHECK(tally.total(tally_kind::isolated) == 2);
    CHECK(tally.total(tally_kind::good_calls) == 1);
    CHECK(tally.total(tally_kind::stale) == 0);
}

TEST_CASE("breaker_tally: loses nothing of more threads than it has stripes") {
    breaker_tally tally;
    constexpr int adds = 5'000'000;
    std::latch taken{breaker_tally::own_stripes}, done{2};
    std::atomic<int> running{0};
    std::vector<std::jthread> threads;
    for (std::uint32_t i = 0; i < breaker_tally::own_stripes; ++i)
        threads.emplace_back([&] {  // Holds a stripe, so that the last two share one.
            tally.add(tally_kind::good_calls);
            taken.count_down();
            done.wait();
        });
    taken.wait();
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&] {
            for (++running; running < 2;) {}  // Spins: two that wake one by one would not meet.
            for (int k = 0; k < adds; ++k) tally.add(tally_kind::good_calls);
            done.count_down();
        });
    threads.clear();  // Joins.
    CHECK(tally.total(tally_kind::good_calls) == breaker_tally::own_stripes + 2 * adds);
}
