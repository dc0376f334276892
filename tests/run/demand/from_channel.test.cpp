// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/demand/from_channel.hpp>

#include <hawser/run/buffered_channel.hpp>
#include <hawser/run/channel.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "run/demand/probe.hpp"
#include "support/catch.hpp"
#include "support/told_lines.hpp"

#include <cstddef>
#include <type_traits>
#include <vector>

namespace demand = hawser::demand;
using hawser::channel;
using support::diary;
using support::probe;
using ints = std::vector<int>;

TEST_CASE("from_channel: takes what was asked for and leaves the rest") {
    channel<int> numbers{{.capacity = 8}};
    for (int n = 1; n <= 5; ++n) REQUIRE(numbers.try_send(n));
    diary<int> told;
    demand::from_channel(numbers).subscribe(probe<int>{told});
    CHECK(numbers.size() == 5);
    told.request(2);
    CHECK(told.items == ints{1, 2});
    CHECK(numbers.size() == 3);
    told.handle.cancel();
    CHECK(told.is_let_go());
    CHECK(*numbers.try_receive() == 3);
}

TEST_CASE("from_channel: is carried on by who sends, and makes room by itself") {
    channel<int> numbers{{.capacity = 1}};
    diary<int> told;
    demand::from_channel(numbers).subscribe(probe<int>{told});
    told.request(3);
    for (int n = 1; n <= 4; ++n) CHECK(numbers.try_send(n));
    CHECK(told.items == ints{1, 2, 3});
    CHECK(numbers.size() == 1);
    told.request(1);
    CHECK(told.items == ints{1, 2, 3, 4});
    told.handle.cancel();
}

TEST_CASE("from_channel: completes when the channel is closed and empty, asked or not") {
    channel<int> numbers{{.capacity = 4}};
    diary<int> told;
    demand::from_channel(numbers).subscribe(probe<int>{told});
    numbers.close();
    CHECK(told.completed == 1);
    CHECK(told.kept_the_rules());

    channel<int> more{{.capacity = 4}};
    REQUIRE(more.try_send(1));
    diary<int> asks;
    demand::from_channel(more).subscribe(probe<int>{asks});
    more.close();
    CHECK(asks.completed == 0);
    asks.request(1);
    CHECK(asks.items == ints{1});
    CHECK(asks.completed == 1);
    CHECK(asks.is_let_go());
}

TEST_CASE("from_channel: without capacity a value passes when one is asked for") {
    channel<int> numbers{{.capacity = 0}};
    diary<int> told;
    demand::from_channel(numbers).subscribe(probe<int>{told});
    CHECK_FALSE(numbers.try_send(1));
    told.request(1);
    CHECK(numbers.try_send(2));
    CHECK_FALSE(numbers.try_send(3));
    CHECK(told.items == ints{2});
    numbers.close();
    told.request(1);
    CHECK(told.completed == 1);
    CHECK(told.kept_the_rules());
}

TEST_CASE("from_channel: a cancelled flow passes what it was told of on to who waits") {
    channel<int> numbers{{.capacity = 4}};
    diary<int> first, second;
    demand::from_channel(numbers).subscribe(probe<int>{first});
    demand::from_channel(numbers).subscribe(probe<int>{second});
    first.request(1);
    second.request(1);
    first.handle.cancel();
    CHECK(numbers.try_send(1));
    CHECK(second.items == ints{1});
    second.handle.cancel();
    CHECK(numbers.core().waiting_now().receivers == 0);
}

TEST_CASE("from_channel: ends with a refusal where as many wait as may") {
    channel<int> numbers{{.capacity = 1, .waiters = 0}};
    diary<int> told;
    demand::from_channel(numbers).subscribe(probe<int>{told});
    CHECK(told.failed == 1);
    CHECK(told.complaint() == "overloaded");
}

TEST_CASE("from_channel: the channel tells that a flow may not wait at it") {
    hawser::manual_time time;
    support::told_lines heard;
    auto const env = hawser::testing::manual_and_observed(time, heard);
    channel<int, std::remove_const_t<decltype(env)>> numbers{
        {.capacity = 1, .waiters = 0}, env, hawser::named{"numbers"}};
    diary<int> told;
    demand::from_channel(numbers).subscribe(probe<int>{told});
    CHECK(told.complaint() == "overloaded");
    CHECK(heard.take() ==
          support::told_lines::lines{"numbers: channel_refused to receive (overloaded)"});
}

TEST_CASE("from_channel: a buffered channel is a source as well") {
    hawser::buffered_channel<int, hawser::overflow::drop_oldest> numbers{{.capacity = 2}};
    diary<int> told;
    demand::from_channel(numbers).subscribe(probe<int>{told});
    for (int n = 1; n <= 4; ++n) CHECK(numbers.try_send(n));
    told.request(9);
    CHECK(told.items == ints{3, 4});
    numbers.close();
    CHECK(told.completed == 1);
}
