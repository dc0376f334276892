// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/demand/map.hpp>

#include "run/demand/probe.hpp"
#include "support/catch.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace demand = hawser::demand;
using support::diary;
using support::hand_publisher;
using support::probe;
using support::rogue_publisher;

TEST_CASE("map: sends what the function makes of each item, in order") {
    hand_publisher<int> hand;
    diary<std::string> told;
    (hand | demand::map([](int i) { return std::to_string(i); }) |
     demand::map([](std::string const& text) {
         return text + "!";
     })).subscribe(probe<std::string>{told});
    told.request(2);
    for (int i = 1; i < 4; ++i) hand.bring(i);
    CHECK(told.items == std::vector<std::string>{"1!", "2!"});
    hand.complete();
    told.request(1);
    CHECK(told.items.size() == 3);
    CHECK(told.completed == 1);
}

TEST_CASE("map: asks for as many as are asked for") {
    rogue_publisher<int> rogue;
    diary<int> told;
    (rogue | demand::map([](int i) { return i; })).subscribe(probe<int>{told});
    CHECK(rogue.asked->requests.empty());
    told.request(3);
    told.request(40);
    CHECK(rogue.asked->requests == std::vector<std::int64_t>{3, 40});
    told.handle.cancel();
    CHECK(rogue.asked->cancels == 1);
}

TEST_CASE("map: a function that throws ends the flow with its error, and cancels the source") {
    hand_publisher<int> hand;
    diary<int> told;
    (hand | demand::map([](int i) {
         if (i == 2) throw std::runtime_error{"not two"};
         return i;
     })).subscribe(probe<int>{told});
    told.request(9);
    for (int i = 1; i < 4; ++i) hand.bring(i);
    CHECK(told.items == std::vector<int>{1});
    CHECK(told.complaint() == "not two");
    CHECK(hand.is_closed());
    CHECK(told.kept_the_rules());
}

TEST_CASE("map: items move through it") {
    hand_publisher<std::unique_ptr<int>> hand;
    diary<std::unique_ptr<int>> told;
    (hand | demand::map([](std::unique_ptr<int> i) {
         ++*i;
         return i;
     })).subscribe(probe<std::unique_ptr<int>>{told});
    told.request(1);
    hand.bring(std::make_unique<int>(4));
    REQUIRE(told.items.size() == 1);
    CHECK(*told.items[0] == 5);
    told.handle.cancel();
}
