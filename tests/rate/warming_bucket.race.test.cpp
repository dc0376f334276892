// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/warming_bucket.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using hawser::never;
using hawser::time_point;
using hawser::warming_bucket;

static constexpr time_point t0{1h};

TEST_CASE("warming_bucket: threads get the times that one thread would get, each once") {
    warming_bucket shared{{.rate = 1'000, .warm_up = 10s}}, alone{{.rate = 1'000, .warm_up = 10s}};
    std::latch start{4};
    std::mutex mutex;
    std::vector<hawser::duration> waits;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                std::vector<hawser::duration> mine;
                start.arrive_and_wait();
                for (int k = 0; k != 5'000; ++k) {
                    mine.push_back(shared.reserve(t0, 1, never).wait);
                    (void)shared.slowdown(t0);
                    auto refused = shared.reserve(t0, 1, 0ns);
                    (void)shared.cancel(refused);
                }
                std::lock_guard const lock{mutex};
                waits.insert(waits.end(), mine.begin(), mine.end());
            });
    }
    std::sort(waits.begin(), waits.end());
    REQUIRE(waits.size() == 20'000);
    for (auto const wait : waits) REQUIRE(wait == alone.reserve(t0, 1, never).wait);
}
