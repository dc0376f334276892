// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/demand/merge.hpp>

#include <hawser/run/demand/from_range.hpp>

#include "run/demand/probe.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

namespace demand = hawser::demand;
using support::diary;
using support::everything;
using support::hand_publisher;
using support::probe;
using support::rogue_publisher;

TEST_CASE("merge: takes one from each that has one, in turn") {
    diary<int> told;
    demand::merge(demand::from_range(std::vector<int>{10, 11, 12, 13}),
                  demand::from_range(std::vector<int>{20}),
                  demand::from_range(std::vector<int>{30, 31, 32}))
        .subscribe(probe<int>{told});
    told.request(everything);
    CHECK(told.items == std::vector<int>{10, 20, 30, 11, 31, 12, 32, 13});
    CHECK(told.completed == 1);
}

TEST_CASE("merge: takes as many publishers as there are when the program runs") {
    using publisher = decltype(demand::from_range(std::vector<int>{}));
    diary<int> none, some;
    demand::merge(std::vector<publisher>{}).subscribe(probe<int>{none});
    CHECK(none.completed == 1);

    std::vector<publisher> from;
    for (int i = 1; i <= 3; ++i)
        from.push_back(demand::from_range(std::vector<int>{10 * i, 10 * i + 1}));
    demand::merge({.prefetch = 1}, from).subscribe(probe<int>{some});
    some.request(everything);
    CHECK(some.items == std::vector<int>{10, 20, 30, 11, 21, 31});
    CHECK(some.completed == 1);
}

TEST_CASE("merge: one that has nothing keeps nobody waiting") {
    hand_publisher<int> silent, talks;
    diary<int> told;
    demand::merge(silent, talks).subscribe(probe<int>{told});
    told.request(3);
    talks.bring(1);
    talks.bring(2);
    CHECK(told.items == std::vector<int>{1, 2});
    silent.bring(3);
    CHECK(told.items.size() == 3);
    told.handle.cancel();
}

TEST_CASE("merge: holds no more of each than its prefetch") {
    hand_publisher<int> one, other;
    for (int i = 0; i < 100; ++i) one.bring(i), other.bring(i);
    diary<int> told;
    demand::merge({.prefetch = 8}, one, other).subscribe(probe<int>{told});
    CHECK(one.left() == 100);
    told.request(2);
    CHECK(told.items.size() == 2);
    CHECK(one.left() == 92);
    CHECK(other.left() == 92);
    told.request(10);  // Six of each are consumed: 75 % of eight.
    CHECK(one.left() == 86);
    CHECK(other.left() == 86);
    told.handle.cancel();
}

TEST_CASE("merge: a prefetch of one goes on") {
    diary<int> told;
    demand::merge({.prefetch = 1}, demand::from_range(std::vector<int>{1, 3, 5}),
                  demand::from_range(std::vector<int>{2, 4, 6}))
        .subscribe(probe<int>{told});
    for (int i = 0; i < 6; ++i) told.request(1);
    CHECK(told.items == std::vector<int>{1, 2, 3, 4, 5, 6});
    CHECK(told.completed == 1);
}

TEST_CASE("merge: completes when the last publisher has, and all is sent") {
    hand_publisher<int> one, other;
    diary<int> told;
    demand::merge(one, other).subscribe(probe<int>{told});
    told.request(1);
    one.bring(1);
    one.bring(2);
    one.complete();
    other.complete();
    CHECK(told.completed == 0);
    told.request(1);
    CHECK(told.items == std::vector<int>{1, 2});
    CHECK(told.completed == 1);
}

TEST_CASE("merge: an error of one ends it at once, and drops what waits") {
    hand_publisher<int> one, other;
    diary<int> told;
    demand::merge(one, other).subscribe(probe<int>{told});
    told.request(1);
    one.bring(1);
    one.bring(2);
    other.fail(std::make_exception_ptr(std::runtime_error{"broken"}));
    CHECK(told.items == std::vector<int>{1});
    CHECK(told.complaint() == "broken");
    CHECK(one.is_closed());
}

TEST_CASE("merge: what waits is destroyed when the flow is over, whoever holds its subscription") {
    rogue_publisher<std::shared_ptr<int>> rogue;
    diary<std::shared_ptr<int>> told;
    demand::merge(rogue).subscribe(probe<std::shared_ptr<int>>{told});
    told.request(1);
    auto const item = std::make_shared<int>(1);
    rogue.out->on_next(nullptr);
    rogue.out->on_next(item);
    CHECK(item.use_count() == 2);
    told.handle.cancel();
    CHECK(item.use_count() == 1);
}

TEST_CASE("merge: an error without a reason is an error") {
    rogue_publisher<int> rogue;
    diary<int> told;
    demand::merge(rogue).subscribe(probe<int>{told});
    rogue.out->on_error(nullptr);
    CHECK(told.failed == 1);
    CHECK(told.why != nullptr);
}

TEST_CASE("merge: options out of range are refused") {
    auto const from = demand::from_range(std::vector<int>{});
    CHECK_THROWS_WITH(demand::merge({.prefetch = 0}, from),
                      "merge: prefetch is not in [1, 1000000]");
    CHECK_THROWS_AS(demand::merge({.prefetch = 1'000'001}, from), std::invalid_argument);
}

TEST_CASE("merge: in any schedule, all items arrive, each publisher's in its order") {
    auto const seed = GENERATE(range(1U, 200U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    auto const prefetch = 1 + random() % 5;
    hand_publisher<int> hands[3];
    diary<int> told;
    demand::merge({.prefetch = static_cast<std::uint32_t>(prefetch)}, hands[0], hands[1], hands[2])
        .subscribe(probe<int>{told});
    int brought[3] = {};
    for (int step = 0; step < 300; ++step) {
        if (random() % 3 == 0) {
            told.request(1 + static_cast<std::int64_t>(random() % 3));
        } else {
            auto const i = random() % 3;
            hands[i].bring(static_cast<int>(i) * 1000 + brought[i]++);
        }
        REQUIRE(told.items.size() <= static_cast<std::size_t>(told.asked));
    }
    for (auto const& hand : hands) hand.complete();
    told.request(everything);
    REQUIRE(told.completed == 1);
    int seen[3] = {};
    for (int const item : told.items) {
        auto const i = item / 1000;
        REQUIRE(item % 1000 == seen[i]++);
    }
    CHECK(std::equal(seen, seen + 3, brought));
    CHECK(told.kept_the_rules());
}
