// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/demand/throttle.hpp>

#include <hawser/rate/shaper.hpp>
#include <hawser/rate/token_bucket.hpp>
#include <hawser/run/demand/from_range.hpp>
#include <hawser/run/demand/map.hpp>

#include "run/demand/probe.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <numeric>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;
namespace demand = hawser::demand;
using hawser::borrow;
using hawser::manual_clock_source;
using hawser::manual_time;
using hawser::token_bucket;
using support::diary;
using support::everything;
using support::hand_publisher;
using support::probe;

namespace {

std::vector<int> numbers(int count) {
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 1);
    return all;
}

struct scene {
    /// Polls at each time that the ticker names, until it names none. How many polls that took.
    int run() {
        int polls = 0;
        for (; ticker.next() != hawser::no_deadline; ++polls) {
            time.set(ticker.next());
            REQUIRE(ticker.poll() == 1);
        }
        return polls;
    }

    manual_time time;
    demand::ticker<manual_clock_source> ticker{manual_clock_source{time}};
    hawser::time_point start = time.now();
    token_bucket bucket{{.rate = 10, .period = 1s, .burst = 3}};
    diary<int> told;
};

}  // namespace

TEST_CASE("throttle: sends a burst, and then each item at its time") {
    scene on;
    std::vector<hawser::duration> times;
    on.told.on_next = [&](int) { times.push_back(on.time.now() - on.start); };
    (demand::from_range(numbers(6)) | demand::throttle(borrow(on.bucket), on.ticker))
        .subscribe(probe<int>{on.told});
    on.told.request(everything);
    CHECK(on.told.items.size() == 3);
    CHECK(on.run() == 3);
    CHECK(times == std::vector<hawser::duration>{0ms, 0ms, 0ms, 100ms, 200ms, 300ms});
    CHECK(on.told.items == numbers(6));
    CHECK(on.told.completed == 1);
}

TEST_CASE("throttle: between polls nothing is sent, and a late poll sends what is due by then") {
    scene on;
    (demand::from_range(numbers(9)) | demand::throttle(borrow(on.bucket), on.ticker))
        .subscribe(probe<int>{on.told});
    on.told.request(everything);
    on.time.advance(250ms);
    CHECK(on.told.items.size() == 3);
    on.ticker.poll();
    CHECK(on.told.items.size() == 5);
    on.told.handle.cancel();
}

TEST_CASE("throttle: a token is taken for an item that is there and asked for, and for no other") {
    scene on;
    hand_publisher<int> hand;
    (hand | demand::throttle(borrow(on.bucket), on.ticker)).subscribe(probe<int>{on.told});
    on.told.request(1);
    CHECK(on.bucket.available(on.time.now()) == 3);
    hand.bring(1);
    CHECK(on.bucket.available(on.time.now()) == 2);
    hand.bring(2);
    CHECK(on.bucket.available(on.time.now()) == 2);
    on.told.request(1);
    CHECK(on.bucket.available(on.time.now()) == 1);
    on.told.handle.cancel();
}

TEST_CASE("throttle: asking again and again makes no item come earlier") {
    scene on;
    (demand::from_range(numbers(9)) | demand::throttle(borrow(on.bucket), on.ticker))
        .subscribe(probe<int>{on.told});
    for (int i = 0; i < 20; ++i) on.told.request(1);
    CHECK(on.told.items.size() == 3);
    CHECK(on.ticker.next() == on.start + 100ms);
    on.told.handle.cancel();
}

TEST_CASE("throttle: holds no more than its prefetch, and the item that is too early") {
    scene on;
    hand_publisher<int> hand;
    for (int i = 0; i < 100; ++i) hand.bring(i);
    (hand | demand::throttle(borrow(on.bucket), on.ticker, {.prefetch = 4}))
        .subscribe(probe<int>{on.told});
    CHECK(hand.left() == 100);
    on.told.request(everything);
    CHECK(on.told.items.size() == 3);
    CHECK(hand.left() >= 100 - 3 - 1 - 4);
    on.told.handle.cancel();
}

TEST_CASE("throttle: two flows share one limiter") {
    scene on;
    diary<int> other;
    auto const paced =
        demand::from_range(numbers(5)) | demand::throttle(borrow(on.bucket), on.ticker);
    paced.subscribe(probe<int>{on.told});
    paced.subscribe(probe<int>{other});
    on.told.request(everything);
    other.request(everything);
    for (int i = 0; i < 100 && on.ticker.next() != hawser::no_deadline; ++i) {
        on.time.set(on.ticker.next());
        on.ticker.poll();
    }
    CHECK(on.told.completed + other.completed == 2);
    CHECK(on.time.now() == on.start + 700ms);  // Ten items, three of them at once.
}

TEST_CASE("throttle: any limiter that answers at once will do") {
    scene on;
    hawser::shaper shaper{{.rate = 4, .period = 1s}};
    (demand::from_range(numbers(4)) | demand::throttle(borrow(shaper), on.ticker))
        .subscribe(probe<int>{on.told});
    on.told.request(everything);
    CHECK(on.told.items.size() == 1);
    CHECK(on.run() == 3);
    CHECK(on.time.now() == on.start + 750ms);
}

TEST_CASE("throttle: a limiter that never grants ends the flow") {
    struct never_limiter {
        hawser::admission try_acquire(hawser::time_point) { return {false, hawser::never}; }
    } limiter;
    scene on;
    (demand::from_range(numbers(4)) | demand::throttle(borrow(limiter), on.ticker))
        .subscribe(probe<int>{on.told});
    on.told.request(1);
    REQUIRE(on.told.failed == 1);
    CHECK_THROWS_AS(std::rethrow_exception(on.told.why), hawser::refused);
}

TEST_CASE("throttle: a flow that is over sets no alarm, and needs its ticker no more") {
    diary<int> told;
    token_bucket bucket{{.rate = 1, .period = 1s, .burst = 1}};
    {
        demand::ticker ticker;
        (demand::from_range(numbers(4)) | demand::throttle(borrow(bucket), ticker))
            .subscribe(probe<int>{told});
        told.request(2);
        CHECK(ticker.next() != hawser::no_deadline);
        told.handle.cancel();
        CHECK(ticker.next() == hawser::no_deadline);
    }
    told.handle.cancel();
}

TEST_CASE("throttle: the end comes with the last item, not before") {
    scene on;
    (demand::from_range(numbers(4)) | demand::throttle(borrow(on.bucket), on.ticker))
        .subscribe(probe<int>{on.told});
    on.told.request(everything);
    CHECK(on.told.items.size() == 3);
    CHECK(on.told.completed == 0);
    on.run();
    CHECK(on.told.items.size() == 4);
    CHECK(on.told.completed == 1);
}

TEST_CASE("throttle: options out of range are refused") {
    scene on;
    CHECK_THROWS_WITH(demand::throttle(borrow(on.bucket), on.ticker, {.prefetch = 0}),
                      "throttle: prefetch is not in [1, 1000000]");
}
