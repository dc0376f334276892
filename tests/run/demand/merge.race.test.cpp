// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/demand/merge.hpp>

#include <hawser/run/demand/map.hpp>
#include <hawser/run/demand/window.hpp>

#include "run/demand/probe.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <numeric>
#include <vector>

namespace demand = hawser::demand;
using support::diary;
using support::everything;
using support::hand_publisher;
using support::probe;

TEST_CASE("rule 1.3: publishers and requests on several threads, and signals do not overlap") {
    constexpr int count = 5'000;
    hand_publisher<int> hands[3];
    diary<int> told;
    std::uint64_t sum = 0;  // Guarded by the rule alone.
    told.on_next = [&](int i) { sum += static_cast<std::uint64_t>(i); };
    demand::merge({.prefetch = 4}, hands[0], hands[1], hands[2]).subscribe(probe<int>{told});
    support::on_threads(4, [&](int thread) {
        for (int i = 0; i < count; ++i) {
            if (thread == 3)
                told.request(3);
            else
                hands[thread].bring(thread * count + i);
        }
        if (thread != 3) hands[thread].complete();
    });
    CHECK(told.items.size() == 3 * count);
    CHECK(sum == std::uint64_t{3 * count} * (3 * count - 1) / 2);
    int seen[3] = {};
    for (int const item : told.items) REQUIRE(item % count == seen[item / count]++);
    CHECK(told.completed == 1);
    CHECK(told.kept_the_rules());
    CHECK(told.is_let_go());
}

TEST_CASE("rule 2.11: what was done before an item was brought is seen by who receives it") {
    constexpr int count = 10'000;
    hand_publisher<int> hands[2];
    std::vector<int> written(2 * count);
    diary<std::vector<int>> told;
    std::atomic<int> wrong{0};
    told.on_next = [&](std::vector<int> const& batch) {
        for (int const i : batch)
            if (written[static_cast<std::size_t>(i)] != i + 1) ++wrong;
    };
    (demand::merge({.prefetch = 16}, hands[0], hands[1]) | demand::map([](int i) { return i; }) |
     demand::window(7))
        .subscribe(probe<std::vector<int>>{told});
    told.request(everything);
    support::on_threads(2, [&](int thread) {
        for (int i = thread * count; i < (thread + 1) * count; ++i) {
            written[static_cast<std::size_t>(i)] = i + 1;
            hands[thread].bring(i);
        }
        hands[thread].complete();
    });
    CHECK(wrong == 0);
    CHECK(told.completed == 1);
    CHECK(told.kept_the_rules());
}

TEST_CASE("rule 3.5: a cancel from any thread, at any time, ends it once and lets go") {
    for (int round = 0; round < 1'000; ++round) {
        hand_publisher<int> hands[2];
        diary<int> told;
        demand::merge({.prefetch = 2}, hands[0], hands[1]).subscribe(probe<int>{told});
        told.request(round % 20);
        auto const handle = told.handle;
        support::on_threads(3, [&](int thread) {
            if (thread == 2) {
                for (int i = 0; i < round % 7; ++i) handle.request(1);
                handle.cancel();
                handle.cancel();
                return;
            }
            for (int i = 0; i < 10; ++i) hands[thread].bring(i);
            hands[thread].complete();
        });
        REQUIRE(told.is_let_go());
        REQUIRE(hands[0].is_closed());
        REQUIRE(hands[1].is_closed());
        REQUIRE(told.overlaps + told.late + told.early == 0);
    }
}
