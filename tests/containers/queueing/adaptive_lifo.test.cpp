// SPDX-License-Identifier: BSL-1.0
#include <hawser/containers/queueing/adaptive_lifo.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"

#include <deque>
#include <stdexcept>

using namespace std::chrono_literals;
using hawser::time_point;
using hawser::queueing::adaptive_lifo;
using hawser::queueing::fate;
using support::bell_log;
using support::counting_waiter;

static constexpr time_point t0{1h};

namespace {

struct lifo_scene {
    ~lifo_scene() {
        queue.for_each([&](hawser::waiter& node) { queue.remove(node); });
    }
    counting_waiter& push(time_point now) {
        auto& node = nodes.emplace_back(static_cast<int>(nodes.size()));
        node.since = now;
        queue.push(node, now);
        return node;
    }
    int serve(time_point now) {
        auto* const node = queue.first(now);
        REQUIRE(node != nullptr);
        REQUIRE(queue.take(*node, now) == fate::serve);
        return static_cast<counting_waiter*>(node)->id;
    }
    bell_log serve_all(time_point now) {
        bell_log served;
        while (queue.size() > 0) served.push_back(serve(now));
        return served;
    }

    std::deque<counting_waiter> nodes;
    adaptive_lifo queue{{.stands_after = 100ms}};
};

}  // namespace

TEST_CASE("adaptive_lifo: a queue that has not stood for long serves the oldest first") {
    lifo_scene on;
    for (int i = 0; i != 4; ++i) on.push(t0 + i * 1ms);
    CHECK_FALSE(on.queue.stands(t0 + 100ms));
    CHECK(on.serve_all(t0 + 100ms) == bell_log{0, 1, 2, 3});
}

TEST_CASE("adaptive_lifo: a queue that has stood for longer serves the newest first") {
    lifo_scene on;
    for (int i = 0; i != 4; ++i) on.push(t0 + i * 1ms);
    CHECK(on.queue.stands(t0 + 100ms + 1ns));
    CHECK(on.serve_all(t0 + 100ms + 1ns) == bell_log{3, 2, 1, 0});
}

TEST_CASE("adaptive_lifo: it is the queue that stands, not its oldest waiter that is old") {
    lifo_scene on;
    on.push(t0);
    for (int i = 1; i != 10; ++i) {  // Nobody waits for longer than 40 ms, yet it is never empty.
        on.push(t0 + i * 20ms);
        if (i < 5) CHECK(on.serve(t0 + i * 20ms) == i - 1);
    }
    CHECK(on.queue.stands(t0 + 180ms));
    CHECK(on.serve(t0 + 180ms) == 9);
}

TEST_CASE("adaptive_lifo: an empty queue forgets that it stood") {
    auto const by_serving = GENERATE(true, false);
    lifo_scene on;
    auto& first = on.push(t0);
    if (by_serving)
        on.serve(t0 + 1s);
    else
        on.queue.remove(first);
    CHECK_FALSE(on.queue.stands(t0 + 1s));
    on.push(t0 + 1s);
    on.push(t0 + 1s);
    CHECK(on.serve_all(t0 + 1100ms) == bell_log{1, 2});
}

TEST_CASE("adaptive_lifo: gives up the oldest for a newer one once it stands, and not before") {
    lifo_scene on;
    auto& oldest = on.push(t0);
    on.push(t0 + 1ms);
    counting_waiter comer;
    CHECK(on.queue.displaced_by(comer, t0 + 100ms) == nullptr);
    CHECK(on.queue.displaced_by(comer, t0 + 101ms) == &oldest);
}

TEST_CASE("adaptive_lifo: time that runs backwards makes nothing stand") {
    lifo_scene on;
    on.push(t0);
    on.push(t0 - 1h);
    CHECK_FALSE(on.queue.stands(t0 - 2h));
    CHECK(on.serve_all(time_point::min()) == bell_log{0, 1});
}

TEST_CASE("adaptive_lifo: says which option is out of range") {
    CHECK_THROWS_WITH(adaptive_lifo{{.stands_after = -1ns}},
                      "adaptive_lifo: stands_after is negative");
    CHECK_NOTHROW(adaptive_lifo{{.stands_after = 0ns}});
}
