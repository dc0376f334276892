// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: admission_control, in plain calls. There is one permit and one place to
// wait, so that either shows if it is not given back.
#include <hawser/hawser.hpp>
#include <hawser/policy/admission_control.hpp>

#include "support/catch.hpp"
#include "support/matrix.hpp"

#include <thread>

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

namespace {

struct stand : sync_stand {
    hawser::admission_control<hawser::admission_queue, hawser::wait_up_to> limit{
        hawser::admission_options{.permits = 1, .places = 1}, hawser::wait_up_to{100ms}};

    auto line() {
        return hawser::compose_in(scene.environment(), hawser::borrow(outer), hawser::borrow(limit),
                                  hawser::borrow(gate));
    }
    auto permits() { return limit.permits().snapshot(scene.time.now()).permits; }
    /// Another call takes the permit, and gives it back, to the one that waits if one does.
    void take_the_permit() { REQUIRE(limit.permits().try_acquire()); }
    void give_it_back() { give_back_silently().ring_all(); }
    hawser::wake_list give_back_silently() { return limit.permits().release(1, scene.time.now()); }

    bool is_free() {
        auto const now = permits();
        return now.free == 1 && now.held == 0 && now.on_the_way == 0 && now.waiting == 0;
    }
    bool has_all_back() { return is_free() && is_whole(); }
    /// Whether the queue was left without a permit, which the other call then gives back.
    bool left_the_queue() {
        auto const seen = permits();
        give_it_back();
        return seen.waiting == 0 && seen.held == 1 && gate.counts().entered == 0 && has_all_back();
    }
    /// Is granted the permit as the wait begins; the bell rings when the grant has been taken back.
    template <class Meanwhile>
    auto granted_in_wait(Meanwhile meanwhile) {
        scene.on_wait = [this, meanwhile] {
            bell_ = give_back_silently();
            meanwhile();
        };
        return std::jthread{[this] {
            scene.await_waits(1);
            while (!is_free()) std::this_thread::yield();
            bell_.ring_all();
        }};
    }

private:
    hawser::wake_list bell_;
};

}  // namespace

TEST_CASE(
    "matrix: admission_control, sync, success: a parked call is let in, and its permit comes "
    "back") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    on.scene.on_wait = [&] { on.give_it_back(); };
    CHECK(on.call(line, answers).value().value == 7);
    CHECK(on.scene.waits == 1);
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: admission_control, sync, failure: the permit comes back") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, fails).value().failed);
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: admission_control, sync, refusal: a wait that is over leaves the queue") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    auto const out = on.call(line, answers);
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == hawser::refusal{errc::bulkhead_full, 100ms, "admission_control"});
    CHECK(on.scene.elapsed() == 100ms);
    CHECK(on.runs == 0);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: admission_control, sync, refusal: takes no permit when the queue is full") {
    stand on;
    hawser::admission_control full{{.permits = 1, .places = 0}, hawser::wait_up_to{100ms}};
    REQUIRE(full.permits().try_acquire());
    auto const line =
        hawser::compose_in(on.scene.environment(), hawser::borrow(on.limit), hawser::borrow(full));
    CHECK(on.call(line, answers).code() == errc::bulkhead_full);
    CHECK(on.scene.waits == 0);
    CHECK(on.runs == 0);
    CHECK(full.permits().snapshot(on.scene.time.now()).permits.held == 1);
    CHECK(on.has_all_back());  // As further out, the refusal passes through.
}

TEST_CASE("matrix: admission_control, sync, exception: the permit comes back") {
    stand on;
    auto const line = on.line();
    CHECK_THROWS_WITH((void)on.call(line, throws).value(), "down");
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: admission_control, sync, caller cancel: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    on.stop_in_wait();
    CHECK(on.call(line, answers).code() == errc::cancelled);
    CHECK(on.runs == 0);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: admission_control, sync, caller cancel: a grant on its way comes back") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    {
        auto const ringer = on.granted_in_wait([&] { on.caller.request_stop(); });
        CHECK(on.call(line, answers).code() == errc::cancelled);
    }
    CHECK(on.runs == 0);
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: admission_control, sync, timeout: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    CHECK(on.call(line, answers, on.scene.start + 30ms).code() == errc::timed_out);
    CHECK(on.scene.elapsed() == 30ms);
    CHECK(on.runs == 0);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: admission_control, sync, timeout: a grant on its way comes back") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    {
        auto const ringer = on.granted_in_wait([] {});
        CHECK(on.call(line, answers, on.scene.start + 30ms).code() == errc::timed_out);
    }
    CHECK(on.runs == 0);
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: admission_control, sync, destroyed while waiting: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    CHECK(on.unwound_in_wait(line, answers));
    CHECK(on.runs == 0);
    CHECK(on.left_the_queue());
}

TEST_CASE(
    "matrix: admission_control, sync, destroyed while waiting: a grant on its way comes back") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    {
        auto const ringer = on.granted_in_wait([] {});
        CHECK(on.unwound_in_wait(line, answers));
    }
    CHECK(on.runs == 0);
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: admission_control, sync, forced unwinding: the permit comes back") {
    stand on;
    auto const line = on.line();
    CHECK(on.unwound_in_operation(line));
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.has_all_back());
}
