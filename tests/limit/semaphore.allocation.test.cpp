// SPDX-License-Identifier: BSL-1.0
//
// In a file of its own, because it counts what every `new` of the program does.
#include <hawser/limit/semaphore.hpp>

#include <hawser/containers/queueing/adaptive_lifo.hpp>
#include <hawser/containers/queueing/codel.hpp>
#include <hawser/containers/queueing/fair_by_key.hpp>
#include <hawser/containers/queueing/front_door.hpp>
#include <hawser/containers/queueing/priority.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/counting_waiter.hpp"

#include <array>

using namespace std::chrono_literals;
namespace queueing = hawser::queueing;

TEMPLATE_TEST_CASE("semaphore: allocates nothing once it is made", "[template]", queueing::fifo,
                   queueing::adaptive_lifo, queueing::codel, queueing::priority,
                   queueing::fair_by_key, queueing::front_door) {
    hawser::basic_semaphore<TestType> permits{{.permits = 2, .places = 8}};
    std::array<support::counting_waiter, 12> nodes;
    std::size_t rung = 0;
    support::allocation_probe const running;
    for (int round = 0; round != 200; ++round) {
        hawser::time_point now{1h + round * 1s};
        (void)permits.try_acquire(2);
        for (auto& node : nodes) {
            node.flow = node.flow * 7 + 1;
            node.priority = static_cast<std::uint8_t>((node.priority + 3) % 8);
            (void)permits.acquire(node, 1, now += 1ms);
        }
        rung += permits.release(2, now + 200ms).ring_all();
        (void)permits.resize(1, now);
        (void)permits.resize(2, now);
        for (auto& node : nodes) {
            if (node.queued || node.granted) (void)permits.withdraw(node, now);
            node.rearm();
        }
    }
    auto const allocated = running.count();
    CHECK(allocated == 0);
    CHECK(rung > 200);
    CHECK(permits.snapshot().free == 2);
}
