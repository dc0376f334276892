// SPDX-License-Identifier: BSL-1.0
//
// Many threads cause events; each is delivered once, in order, by one thread at a time.
#include <hawser/trace/ordered_delivery.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <deque>
#include <mutex>
#include <vector>

TEST_CASE("ordered_delivery: nothing is left lying, nothing overtakes, nobody delivers beside") {
    constexpr int threads = 4, events = 5000;
    hawser::ordered_delivery delivery;
    std::mutex mutex;
    std::deque<int> queue;
    int caused = 0;
    std::vector<int> delivered;  // Without a lock: it belongs to whoever delivers.
    std::atomic<int> delivering{0};
    bool alone = true;

    support::on_threads(threads, [&](int) {
        for (int i = 0; i < events; ++i) {
            {
                std::lock_guard const lock{mutex};
                queue.push_back(caused++);
            }
            delivery.run([&]() noexcept {
                if (++delivering != 1) alone = false;
                for (;;) {
                    std::unique_lock lock{mutex};
                    if (queue.empty()) break;
                    auto const next = queue.front();
                    queue.pop_front();
                    lock.unlock();
                    delivered.push_back(next);
                }
                --delivering;
            });
        }
    });

    CHECK(alone);
    REQUIRE(delivered.size() == threads * events);
    for (int i = 0; i < threads * events; ++i)
        if (delivered[static_cast<std::size_t>(i)] != i) FAIL("overtaken at " << i);
}
