// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/random.hpp>
#include <hawser/containers/deadline_heap.hpp>

#include "support/catch.hpp"

#include <map>
#include <memory>
#include <vector>

using namespace std::chrono_literals;
using hawser::deadline_heap;
using hawser::time_point;

namespace {

struct node : hawser::deadline_node {};

constexpr time_point at(int ms) { return time_point{std::chrono::milliseconds{ms}}; }

/// Takes everything out, earliest first.
std::vector<time_point> drain(deadline_heap& heap) {
    std::vector<time_point> order;
    while (auto* const first = heap.first()) {
        order.push_back(first->deadline());
        heap.remove(*first);
    }
    return order;
}

}  // namespace

TEST_CASE("deadline_heap: starts empty") {
    deadline_heap heap;
    CHECK(heap.empty());
    CHECK(heap.first() == nullptr);
}

TEST_CASE("deadline_heap: the first is one with the earliest deadline") {
    deadline_heap heap;
    node late, early, middle;
    heap.add(late, at(30));
    CHECK(heap.first() == &late);
    heap.add(early, at(10));
    CHECK(heap.first() == &early);
    heap.add(middle, at(20));
    CHECK(heap.first() == &early);
    CHECK(drain(heap) == std::vector{at(10), at(20), at(30)});
    CHECK(heap.empty());
}

TEST_CASE("deadline_heap: of equal deadlines the one that was there first stays first") {
    deadline_heap heap;
    node first, second;
    heap.add(first, at(10));
    heap.add(second, at(10));
    CHECK(heap.first() == &first);
    (void)drain(heap);
}

TEST_CASE("deadline_heap: a node knows whether it is in, and may come back") {
    deadline_heap heap;
    node one;
    CHECK_FALSE(one.is_linked());
    heap.add(one, at(10));
    CHECK(one.is_linked());
    heap.remove(one);
    CHECK_FALSE(one.is_linked());
    heap.add(one, at(5));
    CHECK(one.deadline() == at(5));
    heap.remove(one);
}

TEST_CASE("deadline_heap: holds the earliest and the latest instant there is") {
    deadline_heap heap;
    node first, never, zero;
    heap.add(never, hawser::no_deadline);
    heap.add(first, time_point::min());
    heap.add(zero, time_point{});
    CHECK(drain(heap) == std::vector{time_point::min(), time_point{}, hawser::no_deadline});
}

TEST_CASE("deadline_heap: does as a sorted list does, whatever is put in and taken out") {
    auto const seed = GENERATE(1U, 2U, 3U);
    auto const span = GENERATE(5U, 1000U);  // With few instants there are many ties.
    INFO("seed " << seed << ", instants " << span);
    hawser::seeded_random draw{seed};
    constexpr std::size_t size = 300;
    std::vector<std::unique_ptr<node>> nodes;
    for (std::size_t i = 0; i < size; ++i) nodes.push_back(std::make_unique<node>());
    std::multimap<time_point, node*> model;
    deadline_heap heap;

    for (int step = 0; step < 20'000; ++step) {
        auto& chosen = *nodes[draw() % size];
        if (chosen.is_linked()) {
            auto const [from, to] = model.equal_range(chosen.deadline());
            auto place = from;
            while (place->second != &chosen && place != to) ++place;
            model.erase(place);
            heap.remove(chosen);
        } else {
            auto const when = at(static_cast<int>(draw() % span));
            model.emplace(when, &chosen);
            heap.add(chosen, when);
        }
        REQUIRE(heap.empty() == model.empty());
        if (!model.empty()) REQUIRE(heap.first()->deadline() == model.begin()->first);
        if (draw() % 2000 == 0) {
            std::vector<time_point> sorted;
            for (auto const& [when, which] : model) sorted.push_back(when);
            REQUIRE(drain(heap) == sorted);
            model.clear();
        }
    }
    (void)drain(heap);
}

TEST_CASE("deadline_heap: takes many in and out without deep recursion") {
    deadline_heap heap;
    std::vector<node> nodes(200'000);
    for (std::size_t i = 0; i < nodes.size(); ++i) heap.add(nodes[i], at(static_cast<int>(i)));
    for (auto& each : nodes) heap.remove(each);
    CHECK(heap.empty());
    for (auto& each : nodes) heap.add(each, at(1));
    CHECK(drain(heap).size() == nodes.size());
}
