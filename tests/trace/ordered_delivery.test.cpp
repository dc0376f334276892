// SPDX-License-Identifier: BSL-1.0
#include <hawser/trace/ordered_delivery.hpp>

#include "support/catch.hpp"

#include <deque>
#include <vector>

using hawser::ordered_delivery;

namespace {

/// Events 1, 2, 3, …, delivered in that order to a sink that may cause more.
struct post {
    ordered_delivery delivery{};
    std::deque<int> queue{};
    std::vector<int> delivered{};
    int depth = 0;
    int deepest = 0;

    template <class Sink>
    void cause(int event, Sink& sink) {
        queue.push_back(event);
        delivery.run([&] {
            deepest = std::max(deepest, ++depth);
            while (!queue.empty()) {
                auto const next = queue.front();
                queue.pop_front();
                delivered.push_back(next);
                sink(next);
            }
            --depth;
        });
    }
};

}  // namespace

TEST_CASE("ordered_delivery: who asks delivers, if nobody else does") {
    post p;
    auto sink = [](int) {};
    p.cause(1, sink);
    CHECK(p.delivered == std::vector{1});
    p.cause(2, sink);
    CHECK(p.delivered == std::vector{1, 2});
}

TEST_CASE("ordered_delivery: what a delivery causes is delivered after it, not within it") {
    post p;
    std::vector<int> finished;
    struct sink_type {
        post* to;
        std::vector<int>* done;
        void operator()(int event) const {
            if (event < 5) to->cause(event + 1, *this);
            done->push_back(event);  // Before the event that it caused.
        }
    } sink{&p, &finished};

    p.cause(1, sink);

    CHECK(p.delivered == std::vector{1, 2, 3, 4, 5});
    CHECK(finished == std::vector{1, 2, 3, 4, 5});
    CHECK(p.deepest == 1);
}

TEST_CASE("ordered_delivery: an ask from inside makes the one who delivers look again") {
    ordered_delivery delivery;
    int looks = 0;
    delivery.run([&] {
        if (++looks < 3) delivery.run([] { FAIL("delivers inside a delivery"); });
    });
    CHECK(looks == 3);
    delivery.run([&] { ++looks; });
    CHECK(looks == 4);
}
