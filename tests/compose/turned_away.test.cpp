// SPDX-License-Identifier: BSL-1.0
//
// A queue may decide to refuse a call that waits in it: it has waited too long, there are more
// important ones. Such a call is told as one that is let in: its bell rings.
#include "support/catch.hpp"

#include <hawser/compose/execute.hpp>
#include <hawser/compose/pipeline.hpp>

#include "support/hand_driver.hpp"
#include "support/stage.hpp"
#include "support/test_bulkhead.hpp"

#include <atomic>
#include <chrono>
#include <thread>

namespace {

using namespace std::chrono_literals;
using hawser::errc;
using support::stage;
using support::test_bulkhead;

/// A call that waits behind somebody who never leaves, for five milliseconds at most.
struct queue_of_one {
    stage scene;
    test_bulkhead bulkhead{1, 1000, 5ms};
    hawser::waiter* turned_away = nullptr;
    bool const taken = bulkhead.try_take();

    auto line() { return hawser::compose_in(scene.environment(), hawser::borrow(bulkhead)); }
};

}  // namespace

TEST_CASE("turned_away: a waiting call is refused with what its queue says when it is woken") {
    queue_of_one on;
    auto const line = on.line();
    on.scene.on_wait = [&] { on.bulkhead.turn_away_silently()->wake(); };

    CHECK(hawser::try_execute(line, [] { return 1; }).code() == errc::overloaded);
    CHECK(support::drive_by_hand(on.scene, line, hawser::call_facts<>{}, [] { return 1; }).code() ==
          errc::overloaded);

    CHECK(on.bulkhead.balances());
    CHECK(on.bulkhead.counts().entered == 0);
}

TEST_CASE("turned_away: a thread refused before its bell has rung waits for the bell") {
    queue_of_one on;
    auto const line = on.line();
    std::atomic<hawser::waiter*> turned_away{nullptr};
    // The limit of the wait comes before the bell, so that the queue is asked in between.
    on.scene.on_wait = [&] { turned_away = on.bulkhead.turn_away_silently(); };
    std::atomic<bool> rung{false};
    std::jthread const ringer{[&] {
        while (on.scene.elapsed() < 5ms) std::this_thread::yield();
        rung = true;
        turned_away.load()->wake();
    }};

    CHECK(hawser::try_execute(line, [] { return 1; }).code() == errc::overloaded);

    CHECK(rung);
}

TEST_CASE("turned_away: a call refused before its bell has rung ends only after the bell") {
    queue_of_one on;
    auto const line = on.line();
    on.scene.on_wait = [&] { on.turned_away = on.bulkhead.turn_away_silently(); };
    int rung = 0;
    on.scene.on_bell = [&] {
        ++rung;
        on.turned_away->wake();
    };

    CHECK(support::drive_by_hand(on.scene, line, hawser::call_facts<>{}, [] { return 1; }).code() ==
          errc::overloaded);

    CHECK(rung == 1);
}
