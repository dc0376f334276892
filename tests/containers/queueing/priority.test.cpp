// SPDX-License-Identifier: BSL-1.0
#include <hawser/containers/queueing/priority.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::time_point;
using hawser::queueing::fate;
using hawser::queueing::priority;
using support::bell_log;
using support::counting_waiter;

static constexpr time_point t0{1h};

namespace {

struct class_scene {
    explicit class_scene(duration ageing = 1s) : queue{{.ageing = ageing}} {}
    ~class_scene() { clear(); }
    void clear() {
        queue.for_each([&](hawser::waiter& node) { queue.remove(node); });
    }

    counting_waiter& push(int its_class, time_point now) {
        auto& node = make(its_class, now);
        queue.push(node, now);
        return node;
    }
    counting_waiter& make(int its_class, time_point now) {
        auto& node = nodes.emplace_back(static_cast<int>(nodes.size()));
        node.priority = static_cast<std::uint8_t>(its_class);
        node.since = now;
        return node;
    }
    counting_waiter& serve(time_point now = t0) {
        auto* const node = queue.first(now);
        REQUIRE(node != nullptr);
        REQUIRE(queue.take(*node, now) == fate::serve);
        return static_cast<counting_waiter&>(*node);
    }
    bell_log serve_all() {
        bell_log served;
        while (queue.size() > 0) served.push_back(serve().id);
        return served;
    }

    std::deque<counting_waiter> nodes;
    priority queue;
};

}  // namespace

TEST_CASE("priority: of those that came together, higher classes go before lower") {
    class_scene on;
    for (auto const its_class : {3, 0, 7, 5, 1, 6, 2, 4}) on.push(its_class, t0);
    CHECK(on.serve_all() == bell_log{2, 5, 3, 7, 0, 6, 4, 1});
}

TEST_CASE("priority: within a class the oldest goes first") {
    class_scene on;
    for (int i = 0; i != 6; ++i) on.push(i % 2, t0 + i * 1ms);
    CHECK(on.serve_all() == bell_log{1, 3, 5, 0, 2, 4});
}

TEST_CASE("priority: a class above the highest is the highest") {
    class_scene on;
    on.push(7, t0);
    on.push(255, t0);
    on.push(8, t0);
    CHECK(on.serve_all() == bell_log{0, 1, 2});
}

TEST_CASE("priority: a waiter is overtaken by a higher class for so long, and no longer") {
    auto const above = GENERATE(1, 3, 7);
    class_scene on{100ms};
    on.push(0, t0);
    on.push(above, t0 + above * 100ms - 1ns);
    CHECK(on.serve_all() == bell_log{1, 0});

    class_scene late{100ms};
    late.push(0, t0);
    late.push(above, t0 + above * 100ms + 1ns);
    CHECK(late.serve_all() == bell_log{0, 1});
}

TEST_CASE("priority: the lowest class does not starve under a flood of the highest") {
    class_scene on{10ms};
    auto& low = on.push(0, t0);
    auto now = t0;
    for (int i = 0; i != 10; ++i) on.push(7, now);  // A backlog, and one more for each served.
    while (low.queued && now < t0 + 1s) {
        now += 1ms;
        on.push(7, now);
        on.serve(now);
    }
    CHECK_FALSE(low.queued);
    CHECK(now <= t0 + 7 * 10ms + 11ms);
}

TEST_CASE("priority: without ageing classes mean nothing") {
    class_scene on{0ns};
    on.push(0, t0);
    on.push(7, t0 + 1ns);
    on.push(3, t0 + 2ns);
    CHECK(on.serve_all() == bell_log{0, 1, 2});
}

TEST_CASE("priority: gives up who would be last, and only for one that would be before it") {
    class_scene on;
    on.push(5, t0);
    on.push(2, t0);
    auto& last = on.push(2, t0 + 1ms);
    CHECK(on.queue.displaced_by(on.make(3, t0 + 2ms), t0) == &last);
    CHECK(on.queue.displaced_by(on.make(2, t0 + 2ms), t0) == nullptr);
    CHECK(on.queue.displaced_by(on.make(0, t0 + 2ms), t0) == nullptr);
    // Age counts here, too: by then they are before it.
    CHECK(on.queue.displaced_by(on.make(3, t0 + 3s), t0) == nullptr);
}

TEST_CASE("priority: a waiter leaves from anywhere in its class") {
    class_scene on;
    auto& head = on.push(4, t0);
    auto& middle = on.push(4, t0);
    on.push(4, t0);
    on.push(1, t0);
    on.queue.remove(middle);
    on.queue.remove(head);
    CHECK(on.queue.size() == 2);
    CHECK(on.serve_all() == bell_log{2, 3});
}

TEST_CASE("priority: agrees with a sort by age and class over random schedules") {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random{seed};
        class_scene on{5ms};
        std::vector<counting_waiter*> model;
        auto const place = [](counting_waiter const& node) {
            return node.since + (7 - node.priority) * duration{5ms};
        };
        auto now = t0;
        for (int step = 0; step != 200; ++step) {
            now += static_cast<int>(random() % 4) * 1ms;
            if (random() % 2 == 0 || model.empty()) {
                model.push_back(&on.push(static_cast<int>(random() % 8), now));
            } else if (random() % 3 == 0) {
                auto const index = static_cast<std::ptrdiff_t>(random() % model.size());
                on.queue.remove(*model[static_cast<std::size_t>(index)]);
                model.erase(model.begin() + index);
            } else {
                auto const next =
                    std::min_element(model.begin(), model.end(), [&](auto* a, auto* b) {
                        if (place(*a) != place(*b)) return place(*a) < place(*b);
                        return a->priority > b->priority;  // In a class the vector is in order.
                    });
                REQUIRE(on.queue.first(now) == *next);
                on.serve(now);
                model.erase(next);
            }
            REQUIRE(on.queue.size() == model.size());
        }
        on.clear();
        REQUIRE(on.queue.size() == 0);
    }
}

TEST_CASE("priority: says which option is out of range") {
    for (auto const ageing : {duration{-1}, duration{1h} + 1ns})
        CHECK_THROWS_WITH(priority{{.ageing = ageing}}, "priority: ageing is not in [0, 1 h]");
    CHECK_NOTHROW(priority{{.ageing = 1h}});
}
