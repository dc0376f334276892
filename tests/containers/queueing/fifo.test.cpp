// SPDX-License-Identifier: BSL-1.0
#include <hawser/containers/queueing/fifo.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"

#include <array>

using namespace std::chrono_literals;
using hawser::queueing::fate;
using hawser::queueing::fifo;
using support::counting_waiter;

static constexpr hawser::time_point t0{1h};

TEST_CASE("fifo: serves in the order in which they came, however long they have waited") {
    fifo queue;
    std::array<counting_waiter, 3> nodes;
    CHECK(queue.first(t0) == nullptr);
    for (auto& node : nodes) queue.push(node, t0);
    for (auto& node : nodes) {
        REQUIRE(queue.first(t0 + 24h) == &node);
        CHECK(queue.take(node, t0 + 24h) == fate::serve);
        CHECK_FALSE(node.queued);
    }
    CHECK(queue.size() == 0);
}

TEST_CASE("fifo: when the head leaves, the one behind it is next") {
    fifo queue;
    std::array<counting_waiter, 3> nodes;
    for (auto& node : nodes) queue.push(node, t0);
    queue.remove(nodes[0]);
    CHECK(queue.first(t0) == &nodes[1]);
    queue.remove(nodes[2]);
    CHECK(queue.first(t0) == &nodes[1]);
    queue.remove(nodes[1]);
    CHECK(queue.first(t0) == nullptr);
}
