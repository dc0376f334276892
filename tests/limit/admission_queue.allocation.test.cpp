// SPDX-License-Identifier: BSL-1.0
//
// In a file of its own, because it counts what every `new` of the program does.
#include <hawser/limit/admission_queue.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/counting_waiter.hpp"

#include <array>
#include <cstdint>

using namespace std::chrono_literals;

TEST_CASE("admission_queue: allocates nothing once it is made") {
    hawser::admission_queue queue{{.permits = 2, .places = 8}};
    std::array<support::counting_waiter, 12> nodes;
    std::size_t rung = 0;
    hawser::time_point now{1h};
    support::allocation_probe const running;
    for (int round = 0; round != 200; ++round) {
        now += 1s;
        (void)queue.try_acquire(2);
        for (auto& node : nodes) {
            node.priority = static_cast<std::uint8_t>((node.priority + 3) % 8);
            (void)queue.acquire(node, 1, now += 1ms, 1h);
        }
        for (int turn = 0; turn != 2; ++turn) rung += queue.release(1, now += 60ms).ring_all();
        for (auto& node : nodes) {
            if (node.queued || node.granted) (void)queue.withdraw(node, now);
            node.rearm();
        }
        (void)queue.wait_of(3, 1, now);
        (void)queue.retry_after(3, now);
        (void)queue.snapshot(now);
    }
    auto const allocated = running.count();
    CHECK(allocated == 0);
    CHECK(rung > 200);
    CHECK(queue.snapshot(now).permits.free == 2);
}
