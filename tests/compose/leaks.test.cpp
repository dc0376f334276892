// SPDX-License-Identifier: BSL-1.0
//
// What a policy lends before a call waits comes back, however the wait ends.
#include <hawser/base/random.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"
#include "support/test_bulkhead.hpp"
#include "support/unwound.hpp"

#include <stop_token>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using hawser::errc;
using support::reserving_gate;
using support::stage;
using support::test_bulkhead;

namespace {

/// Answers with the code of a call that must not be let in.
template <class Line>
errc refusal_of(Line const& line, hawser::call_facts<> const& facts = {}) {
    bool ran = false;
    auto const out = hawser::try_execute(line, facts, [&] { ran = true; });
    CHECK_FALSE(ran);
    return out.code();
}

}  // namespace

// A reservation, and then a wait.

TEST_CASE("leaks: a reservation comes back when the caller stops during the wait") {
    stage scene;
    std::stop_source caller;
    scene.on_wait = [&] { caller.request_stop(); };
    reserving_gate gate{1, 50ms};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(gate));

    CHECK(refusal_of(line, {.stop = caller.get_token()}) == errc::cancelled);

    CHECK(gate.is_whole());
    CHECK(gate.counts().withdrawn == 1);
    CHECK(scene.elapsed() == 0ms);
    CHECK(scene.trace.seen() ==
          support::trace_of::lines{"gate waits for 50ms", "gate withdrawn: cancelled",
                                   "gate refused: cancelled", "call ended: neutral, cancelled"});
}

TEST_CASE("leaks: a reservation comes back when its wait would pass the deadline") {
    stage scene;
    reserving_gate gate{1, 50ms};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(gate));

    SECTION("by far") {
        CHECK(refusal_of(line, {.deadline = scene.start + 10ms}) == errc::timed_out);
    }
    SECTION("by nothing: a wait that ends at the deadline leaves no time for the call") {
        CHECK(refusal_of(line, {.deadline = scene.start + 50ms}) == errc::timed_out);
    }
    SECTION("because the deadline has passed already") {
        CHECK(refusal_of(line, {.deadline = scene.start - 1s}) == errc::timed_out);
    }

    CHECK(gate.is_whole());
    CHECK(gate.counts().withdrawn == 1);
    CHECK(scene.waits == 0);
}

TEST_CASE("leaks: a reservation comes back when the thread is unwound during the wait") {
    stage scene;
    scene.hold = true;
    reserving_gate gate{1, 50ms};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(gate));

    CHECK(support::unwound([&] { (void)hawser::try_execute(line, [] {}); },
                           [&] { scene.await_waits(1); }));

    CHECK(gate.is_whole());
    CHECK(gate.counts().withdrawn == 1);
}

TEST_CASE("leaks: a reservation that was let in comes back when the call has no time left") {
    stage scene;
    reserving_gate gate{1, 50ms};
    scene.on_wait = [&] { scene.time.advance(1s); };
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(gate));

    CHECK(refusal_of(line, {.deadline = scene.start + 100ms}) == errc::timed_out);

    CHECK(gate.is_whole());
    CHECK(gate.counts().after == 1);
    CHECK(gate.counts().withdrawn == 0);
}

// A place in a queue.

TEST_CASE("leaks: a place in a queue is left when the caller stops") {
    stage scene;
    std::stop_source caller;
    scene.on_wait = [&] { caller.request_stop(); };
    test_bulkhead bulkhead{1};
    REQUIRE(bulkhead.try_take());
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(bulkhead));

    CHECK(refusal_of(line, {.stop = caller.get_token()}) == errc::cancelled);

    CHECK(bulkhead.counts().waiting == 0);
    CHECK(bulkhead.counts().withdrawn == 1);
    bulkhead.give_back();
    CHECK(bulkhead.is_whole());
}

TEST_CASE("leaks: a place in a queue is left when the deadline comes") {
    stage scene;
    test_bulkhead bulkhead{1};
    REQUIRE(bulkhead.try_take());
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(bulkhead));

    CHECK(refusal_of(line, {.deadline = scene.start + 30ms}) == errc::timed_out);

    CHECK(scene.elapsed() == 30ms);
    CHECK(bulkhead.counts().waiting == 0);
    CHECK(bulkhead.counts().withdrawn == 1);
    bulkhead.give_back();
    CHECK(bulkhead.is_whole());
    CHECK(scene.trace.seen() == support::trace_of::lines{"bulkhead parked for never",
                                                         "bulkhead withdrawn: timed out",
                                                         "bulkhead refused: timed out",
                                                         "call ended: failure, timed out"});
}

TEST_CASE("leaks: a place in a queue is left when the thread is unwound in it") {
    stage scene;
    test_bulkhead bulkhead{1};
    REQUIRE(bulkhead.try_take());
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(bulkhead));

    CHECK(support::unwound([&] { (void)hawser::try_execute(line, [] {}); },
                           [&] { scene.await_waits(1); }));

    CHECK(bulkhead.counts().withdrawn == 1);
    bulkhead.give_back();
    CHECK(bulkhead.is_whole());
}

// A grant that is already on its way.

TEST_CASE("leaks: a grant comes back when the caller stops before it is asked again") {
    stage scene;
    std::stop_source caller;
    test_bulkhead bulkhead{1};
    REQUIRE(bulkhead.try_take());
    hawser::waiter* granted = nullptr;
    scene.on_wait = [&] {  // Granted, the bell not yet rung; and the caller stops.
        granted = bulkhead.grant_silently();
        caller.request_stop();
    };
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(bulkhead));

    // The call waits for the bell, so somebody else has to ring it.
    std::jthread const granter{[&] {
        scene.await_waits(1);
        while (bulkhead.counts().withdrawn == 0) std::this_thread::yield();
        granted->wake();
    }};
    CHECK(refusal_of(line, {.stop = caller.get_token()}) == errc::cancelled);

    CHECK(bulkhead.is_whole());
    CHECK(bulkhead.counts().withdrawn == 1);
}

TEST_CASE("leaks: a grant comes back when the deadline comes before it is asked again") {
    stage scene;
    test_bulkhead bulkhead{1};
    REQUIRE(bulkhead.try_take());
    hawser::waiter* granted = nullptr;
    scene.on_wait = [&] { granted = bulkhead.grant_silently(); };
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(bulkhead));

    std::jthread const granter{[&] {
        scene.await_waits(1);
        while (bulkhead.counts().withdrawn == 0) std::this_thread::yield();
        granted->wake();
    }};
    CHECK(refusal_of(line, {.deadline = scene.start + 10ms}) == errc::timed_out);

    CHECK(bulkhead.is_whole());
}

TEST_CASE("leaks: a call that was woken, and then has no time left, gives its permit back") {
    stage scene;
    std::stop_source caller;
    test_bulkhead bulkhead{1};
    REQUIRE(bulkhead.try_take());
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(bulkhead));

    SECTION("the caller stops") {
        scene.on_wait = [&] {
            bulkhead.give_back();
            caller.request_stop();
        };
        CHECK(refusal_of(line, {.stop = caller.get_token()}) == errc::cancelled);
    }
    SECTION("the deadline passes") {
        scene.on_wait = [&] {
            bulkhead.give_back();
            scene.time.advance(1s);
        };
        CHECK(refusal_of(line, {.deadline = scene.start + 10ms}) == errc::timed_out);
    }

    CHECK(bulkhead.is_whole());
    CHECK(bulkhead.counts().withdrawn == 0);
    CHECK(bulkhead.counts().after == 1);
}

TEST_CASE("leaks: a grant goes on to the next in the queue when its call stops") {
    stage scene;
    std::stop_source caller;
    test_bulkhead bulkhead{1};
    REQUIRE(bulkhead.try_take());
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(bulkhead));
    hawser::waiter* granted = nullptr;
    std::jthread second;
    bool second_ran = false;
    scene.on_wait = [&] {
        if (scene.waits != 1) return;
        second = std::jthread{[&] { hawser::execute(line, [&] { second_ran = true; }); }};
        while (bulkhead.counts().waiting != 2) std::this_thread::yield();
        granted = bulkhead.grant_silently();
        caller.request_stop();
    };

    std::jthread granter{[&] {
        while (bulkhead.counts().withdrawn == 0) std::this_thread::yield();
        granted->wake();
    }};
    CHECK(refusal_of(line, {.stop = caller.get_token()}) == errc::cancelled);
    granter.join();
    second.join();

    CHECK(second_ran);
    CHECK(bulkhead.is_whole());
}

TEST_CASE("leaks: a grant comes back when the thread is unwound before it is asked again") {
    stage scene;
    test_bulkhead bulkhead{1};
    REQUIRE(bulkhead.try_take());
    hawser::waiter* granted = nullptr;
    scene.on_wait = [&] { granted = bulkhead.grant_silently(); };
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(bulkhead));

    // The bell is rung only once the unwinding has taken the grant back: until then the queue's
    // node, which lies on the unwound stack, must stay.
    std::jthread const granter{[&] {
        while (bulkhead.counts().withdrawn == 0) std::this_thread::yield();
        granted->wake();
    }};
    CHECK(support::unwound([&] { (void)hawser::try_execute(line, [] {}); },
                           [&] { scene.await_waits(1); }));

    CHECK(bulkhead.is_whole());
}

TEST_CASE("leaks: a thread that is cancelled waits for a bell that is certain to ring") {
    stage scene;
    test_bulkhead bulkhead{1, 1000, 5ms};
    REQUIRE(bulkhead.try_take());
    hawser::waiter* granted = nullptr;
    // Granted, and the limit of the wait comes before the bell: the call is let in, and its node
    // has to stay until the bell has rung. There the thread is cancelled.
    scene.on_wait = [&] { granted = bulkhead.grant_silently(); };
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(bulkhead));

    support::doomed_thread caller{
        [&] { (void)hawser::try_execute(line, [] { pthread_testcancel(); }); }};
    while (bulkhead.counts().entered == 0) std::this_thread::yield();
    caller.cancel();
    granted->wake();

    CHECK(caller.join());
    CHECK(bulkhead.is_whole());
    CHECK(bulkhead.counts().abandoned == 1);
}

TEST_CASE("leaks: a permit comes back when the operation is unwound") {
    stage scene;
    test_bulkhead bulkhead{1};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(bulkhead));

    CHECK(support::unwound([&] { (void)hawser::try_execute(line, support::unwind_here); }));

    CHECK(bulkhead.is_whole());
    CHECK(bulkhead.counts().abandoned == 1);
    CHECK(bulkhead.counts().after == 0);
}

TEST_CASE("leaks: a permit comes back when a layer further in is unwound in its wait") {
    stage scene;
    test_bulkhead bulkhead{1};
    reserving_gate gate{1, 5ms};
    scene.hold = true;
    auto const line =
        hawser::compose_in(scene.environment(), hawser::borrow(bulkhead), hawser::borrow(gate));

    CHECK(support::unwound([&] { (void)hawser::try_execute(line, [] {}); },
                           [&] { scene.await_waits(1); }));

    CHECK(bulkhead.is_whole());
    CHECK(bulkhead.counts().abandoned == 1);
    CHECK(gate.is_whole());
    CHECK(gate.counts().withdrawn == 1);
}

// Everything at once.

namespace {

struct scenario {
    std::uint64_t seed;
    std::uint64_t drawn = 0;
    bool one_in(std::uint64_t n) { return hawser::random_at(seed, drawn++) % n == 0; }
};

/// Puts a call with a random fate through `line`; whether the thread is to be unwound is up to
/// `throwing`.
template <class Line>
void random_call(Line const& line, stage& scene, test_bulkhead& bulkhead, scenario& fate) {
    std::stop_source caller;
    if (fate.one_in(8)) caller.request_stop();
    bool const full = fate.one_in(3) && bulkhead.try_take();
    hawser::waiter* granted = nullptr;
    bool given = !full;
    scene.on_wait = [&] {
        if (fate.one_in(5)) caller.request_stop();
        if (fate.one_in(5)) scene.time.advance(20ms);
        if (!given && fate.one_in(2)) {
            given = true;
            granted = bulkhead.grant_silently();
            if (granted != nullptr) granted->wake();
        }
    };
    hawser::call_facts<> const facts{.deadline = scene.time.now() + (fate.one_in(2) ? 5ms : 40ms),
                                     .stop = caller.get_token()};
    (void)hawser::try_execute(line, facts, [&] {
        CHECK(bulkhead.balances());
        if (fate.one_in(4)) scene.time.advance(30ms);
        if (fate.one_in(3)) throw 1;
    });
    if (!given) bulkhead.give_back();
}

}  // namespace

TEST_CASE("leaks: free and held permits add up to the capacity after any mix of fates") {
    auto const seed = GENERATE(1U, 2U, 3U, 4U);
    INFO("seed " << seed);
    scenario fate{seed};
    stage scene;
    test_bulkhead bulkhead{1, 1000, 15ms};
    reserving_gate gate{1, 3ms};
    auto const line = hawser::compose_in(
        scene.environment(),
        hawser::retry{{.max_attempts = 3}, hawser::no_budget{}, hawser::seeded_random{seed}},
        hawser::borrow(gate), hawser::borrow(bulkhead), hawser::attempt_timeout{10ms});

    for (int i = 0; i < 3000; ++i) {
        random_call(line, scene, bulkhead, fate);
        REQUIRE(bulkhead.is_whole());
        REQUIRE(gate.is_whole());
    }

    CHECK(bulkhead.counts().withdrawn > 0);
    CHECK(bulkhead.counts().after > 0);
    CHECK(gate.counts().withdrawn > 0);
}
