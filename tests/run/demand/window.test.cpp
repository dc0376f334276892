// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/demand/window.hpp>

#include <hawser/run/demand/from_range.hpp>

#include "run/demand/probe.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <random>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;
namespace demand = hawser::demand;
using hawser::manual_clock_source;
using hawser::manual_time;
using support::everything;
using support::hand_publisher;
using batch = std::vector<int>;
using diary = support::diary<batch>;
using probe = support::probe<batch>;

namespace {

/// A window of three items or 10 ms, its publisher and its subscriber.
struct scene {
    scene() {
        (hand | demand::window({.count = 3, .max_age = 10ms}, ticker)).subscribe(probe{told});
    }
    ~scene() { told.handle.cancel(); }
    void pass(hawser::duration step) {
        time.advance(step);
        ticker.poll();
    }

    manual_time time;
    demand::ticker<manual_clock_source> ticker{manual_clock_source{time}};
    hand_publisher<int> hand;
    diary told;
};

}  // namespace

TEST_CASE("window: sends batches of so many, and what is left at the end") {
    diary told;
    (demand::from_range(batch{1, 2, 3, 4, 5}) | demand::window(2)).subscribe(probe{told});
    told.request(1);
    CHECK(told.items == std::vector<batch>{{1, 2}});
    told.request(9);
    CHECK(told.items == std::vector<batch>{{1, 2}, {3, 4}, {5}});
    CHECK(told.completed == 1);
}

TEST_CASE("window: no batch is empty") {
    diary none, whole;
    (demand::from_range(batch{}) | demand::window(2)).subscribe(probe{none});
    (demand::from_range(batch{1, 2}) | demand::window(2)).subscribe(probe{whole});
    none.request(1);
    whole.request(9);
    CHECK(none.items.empty());
    CHECK(none.completed == 1);
    CHECK(whole.items == std::vector<batch>{{1, 2}});
    CHECK(whole.completed == 1);
}

TEST_CASE("window: an item alone waits for the others, however long, if no age is said") {
    hand_publisher<int> hand;
    diary told;
    (hand | demand::window(2)).subscribe(probe{told});
    told.request(1);
    hand.bring(1);
    CHECK(told.items.empty());
    hand.bring(2);
    CHECK(told.items.size() == 1);
    told.handle.cancel();
}

TEST_CASE("window: holds at most two batches") {
    hand_publisher<int> hand;
    for (int i = 0; i < 100; ++i) hand.bring(i);
    diary told;
    (hand | demand::window(10)).subscribe(probe{told});
    CHECK(hand.left() == 100);
    for (std::size_t sent = 1; sent <= 5; ++sent) {
        told.request(1);
        CHECK(told.items.size() == sent);
        CHECK(100 - hand.left() <= 10 * sent + 10);
    }
    told.handle.cancel();
}

TEST_CASE("window: a batch whose first item is too old goes as it is, at the next poll") {
    scene on;
    on.told.request(9);
    on.hand.bring(1);
    on.pass(6ms);
    on.hand.bring(2);
    on.pass(3ms);
    CHECK(on.told.items.empty());
    CHECK(on.ticker.next() == on.time.now() + 1ms);
    on.time.advance(1ms);
    CHECK(on.told.items.empty());
    on.ticker.poll();
    CHECK(on.told.items == std::vector<batch>{{1, 2}});
}

TEST_CASE("window: the age of a batch counts from its own first item") {
    scene on;
    on.told.request(9);
    for (int i = 1; i <= 3; ++i) on.hand.bring(i);
    CHECK(on.told.items.size() == 1);
    CHECK(on.ticker.next() == hawser::no_deadline);
    on.pass(8ms);
    on.hand.bring(4);
    on.pass(9ms);
    CHECK(on.told.items.size() == 1);
    on.pass(1ms);
    CHECK(on.told.items == std::vector<batch>{{1, 2, 3}, {4}});
}

TEST_CASE("window: an item that comes to a batch that is too old takes it along, unpolled") {
    scene on;
    on.told.request(9);
    on.hand.bring(1);
    on.time.advance(11ms);
    on.hand.bring(2);
    CHECK(on.told.items == std::vector<batch>{{1, 2}});
}

TEST_CASE("window: time alone sends nothing that nobody asked for") {
    scene on;
    on.told.request(1);
    on.hand.bring(1);
    on.pass(10ms);
    CHECK(on.told.items.size() == 1);
    on.hand.bring(2);
    on.pass(1h);
    CHECK(on.told.items.size() == 1);
    on.told.request(1);
    CHECK(on.told.items.size() == 1);
    on.pass(10ms);
    CHECK(on.told.items == std::vector<batch>{{1}, {2}});
}

TEST_CASE("window: a flow that is over sets no alarm, and needs its ticker no more") {
    hand_publisher<int> hand;
    diary told;
    manual_time time;
    {
        demand::ticker<manual_clock_source> ticker{manual_clock_source{time}};
        (hand | demand::window({.count = 3, .max_age = 10ms}, ticker)).subscribe(probe{told});
        told.request(1);
        hand.bring(1);
        CHECK(ticker.next() != hawser::no_deadline);
        told.handle.cancel();
        CHECK(ticker.next() == hawser::no_deadline);
    }
    hand.bring(2);
    told.handle.request(1);
    told.handle.cancel();
    CHECK(told.items.empty());
}

TEST_CASE("window: an error drops the batch under way") {
    scene on;
    on.told.request(9);
    on.hand.bring(1);
    on.hand.fail(std::make_exception_ptr(std::runtime_error{"broken"}));
    CHECK(on.told.items.empty());
    CHECK(on.told.complaint() == "broken");
    CHECK(on.ticker.next() == hawser::no_deadline);
}

TEST_CASE("window: options out of range are refused") {
    CHECK_THROWS_WITH(demand::window(0), "window: count is not in [1, 1000000]");
    CHECK_THROWS_WITH(demand::window({.max_age = 0ns}), "window: max_age is not positive");
    CHECK_THROWS_WITH(demand::window({.max_age = 1s}), "window: max_age takes a ticker");
    CHECK_THROWS_AS(demand::window(1'000'001), std::invalid_argument);
}

TEST_CASE("window: in any schedule, all items arrive in order, in batches of the size") {
    auto const seed = GENERATE(range(1U, 100U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    scene on;
    int brought = 0;
    for (int step = 0; step < 300; ++step) {
        switch (random() % 4) {
            case 0: on.told.request(1 + static_cast<std::int64_t>(random() % 2)); break;
            case 1: on.pass(static_cast<int>(random() % 6) * 1ms); break;
            default: on.hand.bring(brought++);
        }
    }
    on.hand.complete();
    on.told.request(everything);
    REQUIRE(on.told.completed == 1);
    int next = 0;
    for (auto const& items : on.told.items) {
        REQUIRE((!items.empty() && items.size() <= 3));
        for (int const item : items) REQUIRE(item == next++);
    }
    CHECK(next == brought);
    CHECK(on.told.kept_the_rules());
}
