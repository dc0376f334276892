// SPDX-License-Identifier: BSL-1.0
#include <hawser/hawser.hpp>
#include <hawser/policy/bulkhead.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

TEST_CASE("bulkhead: threads that wait, give up and are resized lose and make no permit") {
    hawser::bulkhead limit{{.permits = 2, .places = 8}, hawser::wait_up_to{200us}};
    auto const line = hawser::compose(hawser::borrow(limit));
    std::atomic<int> inside{0}, most{0}, ran{0};
    auto const work = [&](unsigned seed) {
        for (int call = 0; call != 2'000; ++call) {
            std::stop_source caller;
            if ((seed + static_cast<unsigned>(call)) % 7 == 0) caller.request_stop();
            (void)hawser::try_execute(line, {.stop = caller.get_token()}, [&] {
                auto const now = inside.fetch_add(1) + 1;
                for (auto seen = most.load();
                     now > seen && !most.compare_exchange_weak(seen, now);) {}
                if (call % 3 == 0) std::this_thread::yield();
                inside.fetch_sub(1);
                ++ran;
            });
        }
    };
    {
        std::vector<std::jthread> threads;
        for (unsigned seed = 0; seed != 4; ++seed) threads.emplace_back(work, seed);
        threads.emplace_back([&] {
            for (int turn = 0; turn != 500; ++turn) limit.resize(turn % 2 == 0 ? 1 : 3);
        });
    }
    auto const end = limit.permits().snapshot();
    CHECK(most <= 3);
    CHECK(ran > 0);
    CHECK(end.held == 0);
    CHECK(end.on_the_way == 0);
    CHECK(end.waiting == 0);
    CHECK(end.free == end.capacity);
}
