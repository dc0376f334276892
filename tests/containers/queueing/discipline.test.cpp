// SPDX-License-Identifier: BSL-1.0
//
// What every discipline keeps, whatever its order is.
#include <hawser/containers/queueing/adaptive_lifo.hpp>
#include <hawser/containers/queueing/codel.hpp>
#include <hawser/containers/queueing/discipline.hpp>
#include <hawser/containers/queueing/fair_by_key.hpp>
#include <hawser/containers/queueing/fifo.hpp>
#include <hawser/containers/queueing/front_door.hpp>
#include <hawser/containers/queueing/priority.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <set>
#include <vector>

using namespace std::chrono_literals;
using support::counting_waiter;
namespace queueing = hawser::queueing;

static constexpr hawser::time_point t0{1h};

namespace {
struct orders_nothing {
    void push(hawser::waiter&, hawser::time_point) noexcept {}
};
}  // namespace

TEST_CASE("discipline: is told by its members") {
    STATIC_REQUIRE(queueing::discipline<queueing::fifo>);
    STATIC_REQUIRE(queueing::discipline<queueing::codel>);
    STATIC_REQUIRE_FALSE(queueing::discipline<orders_nothing>);
    STATIC_REQUIRE(queueing::displacing<queueing::adaptive_lifo>);
    STATIC_REQUIRE(queueing::displacing<queueing::priority>);
    STATIC_REQUIRE(queueing::displacing<queueing::fair_by_key>);
    STATIC_REQUIRE(queueing::displacing<queueing::front_door>);
    STATIC_REQUIRE_FALSE(queueing::displacing<queueing::fifo>);
    STATIC_REQUIRE_FALSE(queueing::displacing<queueing::codel>);
}

TEMPLATE_TEST_CASE("discipline: a waiter that came in goes out once, wherever it stands",
                   "[template]", queueing::fifo, queueing::adaptive_lifo, queueing::codel,
                   queueing::priority, queueing::fair_by_key, queueing::front_door) {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random{seed};
        TestType queue;
        std::deque<counting_waiter> nodes;
        std::vector<hawser::waiter*> waiting;
        auto now = t0;
        for (int step = 0; step != 200; ++step) {
            now += std::chrono::milliseconds{static_cast<int>(random() % 30)};
            auto const what = random() % 4;
            if (what < 2 || waiting.empty()) {
                auto& node = nodes.emplace_back();
                node.priority = static_cast<std::uint8_t>(random() % 8);
                node.flow = random() % 30;
                node.since = now;
                queue.push(node, now);
                waiting.push_back(&node);
            } else {
                auto* node = waiting[random() % waiting.size()];
                if (what == 2) {
                    queue.remove(*node);
                } else {
                    node = queue.first(now);
                    REQUIRE(node != nullptr);
                    REQUIRE(node->queued);
                    REQUIRE(queue.first(now) == node);  // Looking changes nothing.
                    (void)queue.take(*node, now);
                }
                REQUIRE_FALSE(node->queued);
                REQUIRE_FALSE(node->granted);
                auto const at = std::find(waiting.begin(), waiting.end(), node);
                REQUIRE(at != waiting.end());
                waiting.erase(at);
            }
            REQUIRE(queue.size() == waiting.size());
        }
        std::set<hawser::waiter*> seen;
        queue.for_each([&](hawser::waiter& node) {
            REQUIRE(seen.insert(&node).second);
            queue.remove(node);
        });
        REQUIRE(seen == std::set<hawser::waiter*>(waiting.begin(), waiting.end()));
        REQUIRE(queue.size() == 0);
        REQUIRE(queue.first(now) == nullptr);
    }
}
