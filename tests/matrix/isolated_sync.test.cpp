// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: isolated, in plain calls. The pool has one thread and one place to wait, so
// that either shows if it is not given back; the operation stays on the thread until it is let go.
#include <hawser/adapt/asio/isolated.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix_isolated.hpp"

#include <pthread.h>

#include <functional>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

namespace {

struct stand : sync_stand, pool_scene {
    using pool_scene::runs;

    auto line() {
        return hawser::compose_in(scene.environment(), hawser::borrow(outer),
                                  hawser::isolated{hawser::borrow(pool)}, hawser::borrow(gate));
    }
    auto call(auto const& line, ending how = ending::answers,
              hawser::time_point deadline = hawser::no_deadline) {
        hawser::call_facts<> const facts{.deadline = deadline, .stop = caller.get_token()};
        return hawser::try_execute(line, facts, op(how));
    }
    /// Runs `then` when the caller has put its call into the pool and begins to wait.
    void when_waiting(std::function<void()> then) { scene.on_wait = std::move(then); }
    /// Whether the caller's thread was unwound out of its wait, once `then` had returned.
    bool unwound_in_wait(auto const& line, auto then) {
        return unwound([&] { (void)call(line); },
                       [&] {
                           scene.await_waits(1);
                           then();
                       });
    }

    bool is_clear() { return pool_scene::is_clear() && is_whole(); }
    bool left_the_queue() { return pool_scene::left_the_queue() && is_whole(); }
    bool was_left_behind() { return pool_scene::was_left_behind() && is_whole(); }
};

}  // namespace

TEST_CASE("matrix: isolated, sync, success: a call that waits for a thread is run, once") {
    stand on;
    auto const line = on.line();
    on.occupy();
    on.when_waiting([&] {
        CHECK(on.pool.snapshot().waiting == 1);
        on.held.let_go(2);
    });
    {
        auto const out = on.call(line);
        CHECK(out.value().value == 7);
        CHECK(on.results.destroyed == 0);
    }
    CHECK(on.results.destroyed == 1);
    CHECK(on.results.where.load() == std::this_thread::get_id());
    CHECK(on.runs == 1);
    CHECK(on.is_clear());
}

TEST_CASE("matrix: isolated, sync, failure: comes to its caller, and the thread is free") {
    stand on;
    auto const line = on.line();
    on.held.let_go();
    CHECK(on.call(line, ending::fails).value().failed);
    CHECK(on.runs == 1);
    CHECK(on.is_clear());
}

TEST_CASE("matrix: isolated, sync, refusal: runs nothing when the queue is full") {
    stand on;
    auto const line = on.line();
    on.occupy();
    on.queue();
    auto const out = on.call(line);
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == hawser::refusal{errc::bulkhead_full, 0ms, "search"});
    CHECK(on.scene.waits == 0);
    CHECK(on.pool.snapshot().waiting == 1);
    CHECK(on.is_clear());
    CHECK(on.runs == 0);
}

TEST_CASE("matrix: isolated, sync, refusal: a closed pool runs nothing") {
    stand on;
    auto const line = on.line();
    on.pool.close();
    auto const out = on.call(line);
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == hawser::refusal{errc::closed, hawser::never, "search"});
    CHECK(on.scene.waits == 0);
    CHECK(on.runs == 0);
    CHECK(on.is_clear());
}

TEST_CASE("matrix: isolated, sync, refusal: a pool that is closed meanwhile ends the wait") {
    stand on;
    auto const line = on.line();
    on.occupy();
    on.when_waiting([&] { on.pool.close(); });
    CHECK(on.call(line).code() == errc::closed);
    CHECK(on.left_the_queue());
}

TEST_CASE(
    "matrix: isolated, sync, refusal: one from further in comes out, and the thread is free") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::rate_limited, 3s);
    auto const out = on.call(line);
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == hawser::refusal{errc::rate_limited, 3s, "gate"});
    CHECK(on.runs == 0);
    CHECK(on.is_clear());
}

TEST_CASE("matrix: isolated, sync, exception: comes to its caller, and the thread is free") {
    stand on;
    auto const line = on.line();
    on.held.let_go();
    CHECK_THROWS_WITH((void)on.call(line, ending::throws).value(), "down");
    CHECK(on.runs == 1);
    CHECK(on.is_clear());
}

TEST_CASE("matrix: isolated, sync, caller cancel: leaves the queue, and is never run") {
    stand on;
    auto const line = on.line();
    on.occupy();
    on.stop_in_wait();
    CHECK(on.call(line).code() == errc::cancelled);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: isolated, sync, caller cancel: leaves the operation behind, and tells it") {
    stand on;
    auto const line = on.line();
    on.when_waiting([&] {
        on.held.await_started(1);
        on.caller.request_stop();
    });
    CHECK(on.call(line).code() == errc::cancelled);
    CHECK(on.was_left_behind());
}

TEST_CASE("matrix: isolated, sync, caller cancel: a result that has arrived is kept") {
    stand on;
    auto const line = on.line();
    on.when_waiting([&] {
        on.let_go_and_await_result();
        on.caller.request_stop();
    });
    CHECK(on.call(line).value().value == 7);
    CHECK(on.runs == 1);
    CHECK(on.is_clear());
}

TEST_CASE("matrix: isolated, sync, timeout: leaves the queue, and is never run") {
    stand on;
    auto const line = on.line();
    on.occupy();
    CHECK(on.call(line, ending::answers, on.scene.start + 30ms).code() == errc::timed_out);
    CHECK(on.scene.elapsed() == 30ms);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: isolated, sync, timeout: leaves the operation behind, and tells it") {
    stand on;
    auto const line = on.line();
    on.when_waiting([&] { on.held.await_started(1); });
    CHECK(on.call(line, ending::answers, on.scene.start + 30ms).code() == errc::timed_out);
    CHECK(on.scene.elapsed() == 30ms);
    CHECK(on.was_left_behind());
}

TEST_CASE("matrix: isolated, sync, timeout: a result that has arrived is kept") {
    stand on;
    auto const line = on.line();
    on.when_waiting([&] {
        on.let_go_and_await_result();
        on.scene.time.advance(30ms);
    });
    auto const deadline = on.scene.start + 30ms;
    CHECK(on.call(line, ending::answers, deadline).value().value == 7);
    CHECK(on.runs == 1);
    CHECK(on.is_clear());
}

TEST_CASE("matrix: isolated, sync, destroyed while waiting: leaves the queue, and is never run") {
    stand on;
    auto const line = on.line();
    on.occupy();
    CHECK(on.unwound_in_wait(line, [] {}));
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: isolated, sync, forced unwinding: leaves the operation behind, and tells it") {
    stand on;
    auto const line = on.line();
    CHECK(on.unwound_in_wait(line, [&] { on.held.await_started(1); }));
    CHECK(on.was_left_behind());
}

TEST_CASE("matrix: isolated, sync, forced unwinding: a thread that exits leaves it behind, too") {
    stand on;
    auto const line = on.line();
    on.when_waiting([&] {
        on.held.await_started(1);
        pthread_exit(PTHREAD_CANCELED);
    });
    CHECK(unwound([&] { (void)on.call(line); }));
    CHECK(on.was_left_behind());
}

TEST_CASE("matrix: isolated, sync, forced unwinding: a result that has arrived goes with it") {
    stand on;
    auto const line = on.line();
    on.when_waiting([&] {
        on.let_go_and_await_result();
        unwind_here();
    });
    CHECK(unwound([&] { (void)on.call(line); }));
    CHECK(on.runs == 1);
    CHECK(on.results.made == 1);
    CHECK(on.is_clear());
}
