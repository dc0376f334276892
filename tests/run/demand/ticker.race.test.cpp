// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/demand/ticker.hpp>

#include <hawser/rate/token_bucket.hpp>
#include <hawser/run/demand/throttle.hpp>
#include <hawser/run/demand/window.hpp>

#include "run/demand/probe.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <chrono>
#include <vector>

using namespace std::chrono_literals;
namespace demand = hawser::demand;
using hawser::manual_clock_source;
using hawser::manual_time;
using support::diary;
using support::everything;
using support::hand_publisher;
using support::probe;

TEST_CASE("ticker: time passes on one thread and items come on another, and none is lost") {
    constexpr int count = 5'000;
    manual_time time;
    demand::ticker<manual_clock_source> ticker{manual_clock_source{time}};
    hawser::token_bucket bucket{{.rate = 1'000, .period = 1s, .burst = 1}};
    hand_publisher<int> hand;
    diary<std::vector<int>> told;
    (hand | demand::throttle(hawser::borrow(bucket), ticker, {.prefetch = 8}) |
     demand::window({.count = 5, .max_age = 3ms}, ticker))
        .subscribe(probe<std::vector<int>>{told});
    told.request(everything);
    std::atomic<bool> over{false};
    support::on_threads(2, [&](int thread) {
        if (thread == 0) {
            for (int i = 0; i < count; ++i) hand.bring(i);
            hand.complete();
            over = true;
        } else {
            while (!over || ticker.next() != hawser::no_deadline) {
                time.advance(1ms);
                ticker.poll();
            }
        }
    });
    CHECK(told.completed == 1);
    int next = 0;
    for (auto const& batch : told.items)
        for (int const i : batch) REQUIRE(i == next++);
    CHECK(next == count);
    CHECK(told.kept_the_rules());
}

TEST_CASE("ticker: a flow that is cancelled while its alarm rings is let go") {
    manual_time time;
    demand::ticker<manual_clock_source> ticker{manual_clock_source{time}};
    for (int round = 0; round < 2'000; ++round) {
        hand_publisher<int> hand;
        diary<std::vector<int>> told;
        (hand | demand::window({.count = 5, .max_age = 1ms}, ticker))
            .subscribe(probe<std::vector<int>>{told});
        told.request(2);
        hand.bring(1);
        auto handle = std::move(told.handle);
        support::on_threads(2, [&](int thread) {
            if (thread == 0) {
                time.advance(1ms);
                ticker.poll();
            } else {
                std::exchange(handle, {}).cancel();
            }
        });
        REQUIRE(told.is_let_go());
        REQUIRE(ticker.next() == hawser::no_deadline);
    }
}
