// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/demand/ticker.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

using namespace std::chrono_literals;
namespace demand = hawser::demand;
using hawser::manual_clock_source;
using hawser::manual_time;
using hawser::no_deadline;

namespace {

/// What an alarm wakes: counts, and may set its alarm again.
struct sleeper final : demand::wakeable {
    explicit sleeper(demand::detail::alarm_board& board) : alarm{std::in_place, board} {}
    static std::shared_ptr<sleeper> on(demand::detail::alarm_board& board) {
        auto made = std::make_shared<sleeper>(board);
        made->alarm->wakes(made);
        return made;
    }
    void request(std::int64_t) noexcept override {}
    void cancel() noexcept override {}
    void wake() noexcept override {
        ++woken;
        if (again) alarm->set(*again);
    }
    std::optional<demand::detail::alarm> alarm;
    std::optional<hawser::time_point> again;
    int woken = 0;
};

struct scene {
    manual_time time;
    demand::ticker<manual_clock_source> ticker{manual_clock_source{time}};
    hawser::time_point start = time.now();
};

}  // namespace

TEST_CASE("ticker: wakes at the first poll after the time, and once") {
    scene on;
    auto const stage = sleeper::on(on.ticker);
    stage->alarm->set(on.start + 10ms);
    on.time.advance(9ms);
    CHECK(on.ticker.poll() == 0);
    on.time.advance(1ms);
    CHECK(stage->woken == 0);
    CHECK(on.ticker.poll() == 1);
    CHECK(stage->woken == 1);
    on.time.advance(1h);
    CHECK(on.ticker.poll() == 0);
}

TEST_CASE("ticker: says when the next alarm is due") {
    scene on;
    auto const one = sleeper::on(on.ticker), other = sleeper::on(on.ticker);
    CHECK(on.ticker.next() == no_deadline);
    one->alarm->set(on.start + 10ms);
    other->alarm->set(on.start + 5ms);
    CHECK(on.ticker.next() == on.start + 5ms);
    other->alarm->clear();
    CHECK(on.ticker.next() == on.start + 10ms);
    one->alarm->set(on.start + 20ms);
    CHECK(on.ticker.next() == on.start + 20ms);
}

TEST_CASE("ticker: one poll wakes all that are due") {
    scene on;
    std::vector<std::shared_ptr<sleeper>> stages;
    for (int i = 0; i < 10; ++i) {
        stages.push_back(sleeper::on(on.ticker));
        stages.back()->alarm->set(on.start + i * 1ms);
    }
    on.time.advance(6ms);
    CHECK(on.ticker.poll() == 7);
    CHECK(on.ticker.next() == on.start + 7ms);
}

TEST_CASE("ticker: an alarm that is set while it rings waits for the next poll that it is due at") {
    scene on;
    auto const stage = sleeper::on(on.ticker);
    stage->alarm->set(on.start);
    stage->again = on.start + 1ms;
    CHECK(on.ticker.poll() == 1);
    CHECK(on.ticker.poll() == 0);
    on.time.advance(1ms);
    stage->again.reset();
    CHECK(on.ticker.poll() == 1);
}

TEST_CASE("ticker: an alarm for a time that is past rings at a later poll, and this one ends") {
    scene on;
    auto const stage = sleeper::on(on.ticker);
    stage->alarm->set(on.start);
    stage->again = on.start - 1ms;
    CHECK(on.ticker.poll() == 1);
    CHECK(on.ticker.next() == on.start + 1ns);
    on.time.set(on.start - 1h);
    CHECK(on.ticker.poll() == 0);
    on.time.set(on.start + 1ns);
    CHECK(on.ticker.poll() == 1);
    stage->alarm->clear();
}

TEST_CASE("ticker: what is gone is not woken, and keeps nobody else from it") {
    scene on;
    auto gone = sleeper::on(on.ticker);
    auto const stays = sleeper::on(on.ticker);
    // As one that is being destroyed on another thread, and is on the board until it gets there.
    auto const going = std::make_shared<sleeper>(on.ticker);
    gone->alarm->set(on.start);
    going->alarm->set(on.start + 1ms - 1ns);
    stays->alarm->set(on.start + 1ms);
    gone.reset();
    CHECK(on.ticker.next() == on.start + 1ms - 1ns);
    on.time.advance(1ms);
    CHECK(on.ticker.poll() == 1);
    CHECK(stays->woken == 1);
    CHECK(going->woken == 0);
}

TEST_CASE("ticker: rings its bell when the next alarm has become an earlier one") {
    manual_time time;
    int rung = 0;
    demand::ticker ticker{manual_clock_source{time}, [&]() noexcept { ++rung; }};
    auto const one = sleeper::on(ticker), other = sleeper::on(ticker);
    one->alarm->set(time.now() + 10ms);
    CHECK(rung == 1);
    other->alarm->set(time.now() + 20ms);
    CHECK(rung == 1);
    other->alarm->set(time.now() + 5ms);
    CHECK(rung == 2);
    other->alarm->set(time.now() + 5ms);
    CHECK(rung == 2);
    other->alarm->set(time.now() + 15ms);
    CHECK(rung == 2);
}

TEST_CASE("ticker: reads the steady clock if no other is given") {
    demand::ticker ticker;
    auto const before = hawser::steady_clock_source{}.now();
    CHECK(ticker.now() >= before);
    CHECK(ticker.poll() == 0);
}
