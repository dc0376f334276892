// SPDX-License-Identifier: BSL-1.0
#include <hawser/containers/waiter_list.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"

#include <array>
#include <list>
#include <memory>
#include <random>
#include <type_traits>

using hawser::waiter_list;
using hawser::wake_chain;
using hawser::wake_list;
using support::bell_log;
using support::counting_waiter;

namespace {

/// A waiter whose bell ends the call, and with it the node.
struct vanishing_waiter final : hawser::waiter {
    explicit vanishing_waiter(int& its_count) noexcept : waiter{&ring}, count{&its_count} {}
    static void ring(waiter& node) noexcept {
        auto const self = std::unique_ptr<vanishing_waiter>{static_cast<vanishing_waiter*>(&node)};
        ++*self->count;
    }
    int* count;
};

bell_log ids_of(waiter_list& list) {
    bell_log ids;
    list.for_each(
        [&](hawser::waiter& node) { ids.push_back(static_cast<counting_waiter&>(node).id); });
    return ids;
}

}  // namespace

TEST_CASE("waiter_list: keeps the order in which waiters came") {
    waiter_list list;
    std::array<counting_waiter, 3> nodes{counting_waiter{1}, counting_waiter{2},
                                         counting_waiter{3}};
    CHECK(list.empty());
    for (auto& node : nodes) list.push_back(node);
    CHECK(list.size() == 3);
    CHECK(list.front() == &nodes[0]);
    CHECK(list.back() == &nodes[2]);
    CHECK(ids_of(list) == bell_log{1, 2, 3});
    for (auto& node : nodes) list.remove(node);
}

TEST_CASE("waiter_list: a waiter says whether it is queued") {
    waiter_list list;
    counting_waiter node;
    list.push_back(node);
    CHECK(node.queued);
    list.remove(node);
    CHECK_FALSE(node.queued);
    CHECK(node.next == nullptr);
    CHECK(node.previous == nullptr);
}

TEST_CASE("waiter_list: agrees with a list of the standard library, whatever is taken out") {
    auto const seed = GENERATE(range(1U, 50U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    std::array<counting_waiter, 12> nodes;
    for (int id = 0; id != 12; ++id) nodes[static_cast<std::size_t>(id)].id = id;
    waiter_list list;
    std::list<int> model;
    for (int step = 0; step != 400; ++step) {
        auto& node = nodes[random() % nodes.size()];
        if (node.queued) {
            list.remove(node);
            model.remove(node.id);
        } else {
            list.push_back(node);
            model.push_back(node.id);
        }
        REQUIRE(list.size() == model.size());
        REQUIRE(ids_of(list) == bell_log(model.begin(), model.end()));
        REQUIRE(list.front() ==
                (model.empty() ? nullptr : &nodes[static_cast<std::size_t>(model.front())]));
        REQUIRE(list.back() ==
                (model.empty() ? nullptr : &nodes[static_cast<std::size_t>(model.back())]));
    }
    list.for_each([&](hawser::waiter& node) { list.remove(node); });
    CHECK(list.empty());
    CHECK(list.size() == 0);
}

TEST_CASE("wake_list: rings every bell once, in the order of the grants") {
    bell_log rung;
    counting_waiter first{1, &rung}, second{2, &rung}, third{3, &rung};
    wake_chain chain;
    for (auto* node : {&second, &first, &third}) chain.add(*node);
    wake_list bells{chain.first};
    CHECK(rung.empty());
    CHECK(bells.ring_all() == 3);
    CHECK(rung == bell_log{2, 1, 3});
    CHECK(bells.empty());
    CHECK(bells.ring_all() == 0);
}

TEST_CASE("wake_list: marks who is granted, and who is turned away") {
    counting_waiter served, refused;
    wake_chain chain;
    chain.add(served);
    chain.add(refused, true);
    CHECK(served.granted);
    CHECK_FALSE(served.turned_away);
    CHECK(refused.granted);
    CHECK(refused.turned_away);
    wake_list{chain.first}.ring_all();
}

TEST_CASE("wake_list: does not look at a call that its bell has ended") {
    int rung = 0;
    wake_chain chain;
    for (int i = 0; i != 5; ++i) chain.add(*new vanishing_waiter{rung});
    wake_list bells{chain.first};
    CHECK(bells.ring_all() == 5);
    CHECK(rung == 5);
}

TEST_CASE("wake_list: a forgotten one rings when it is destroyed") {
    counting_waiter node;
    wake_chain chain;
    chain.add(node);
    { wake_list const forgotten{chain.first}; }
    CHECK(node.rung == 1);
}

TEST_CASE("wake_list: moves, and rings each bell once all the same") {
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<wake_list>);
    counting_waiter first, second;
    wake_chain one, two;
    one.add(first);
    two.add(second);
    {
        wake_list bells{one.first};
        wake_list moved{std::move(bells)};
        CHECK(bells.empty());
        CHECK_FALSE(moved.empty());
        moved = wake_list{two.first};  // What it held is rung, not lost.
        CHECK(first.rung == 1);
        CHECK(second.rung == 0);
    }
    CHECK(first.rung == 1);
    CHECK(second.rung == 1);
}
