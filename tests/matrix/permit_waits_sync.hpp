// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: calls that wait for a permit and go without one, in plain calls. bulkhead,
// admission_control and concurrency_limit share them: the cases name the policy
// HAWSER_MATRIX_POLICY and its limit `lender`, and whoever includes them chooses it by including
// support/matrix_<policy>.hpp before.
#ifndef HAWSER_TESTS_MATRIX_PERMIT_WAITS_SYNC_HPP
#define HAWSER_TESTS_MATRIX_PERMIT_WAITS_SYNC_HPP

#include "support/catch.hpp"
#include "support/matrix.hpp"

#include <thread>

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

struct stand : sync_stand, lender {
    auto line() { return line_in(scene.environment(), outer, gate); }
    auto permits() { return lender::permits(scene.time.now()); }
    /// Another call takes the permit, and gives it back, to the one that waits if one does.
    void take_the_permit() { REQUIRE(limit.permits().try_acquire()); }
    void give_it_back() { give_back_silently().ring_all(); }
    hawser::wake_list give_back_silently() { return limit.permits().release(1, scene.time.now()); }

    bool is_free() {
        auto const now = permits();
        return now.free == 1 && now.held == 0 && now.on_the_way == 0 && now.waiting == 0;
    }
    bool has_all_back() { return is_free() && is_whole(); }
    bool never_entered() const {
        return runs == 0 && gate.counts().entered == 0 && learned_nothing();
    }
    /// Whether the queue was left without a permit, which the other call then gives back.
    bool left_the_queue() {
        auto const seen = permits();
        give_it_back();
        return seen.waiting == 0 && seen.held == 1 && never_entered() && has_all_back();
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

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", sync, refusal: a wait that is over leaves the queue") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    auto const out = on.call(line, answers);
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == lender::in_vain);
    CHECK(on.scene.elapsed() == 100ms);
    CHECK(on.runs == 0);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", sync, caller cancel: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    on.stop_in_wait();
    CHECK(on.call(line, answers).code() == errc::cancelled);
    CHECK(on.runs == 0);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", sync, caller cancel: a grant on its way comes back") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    {
        auto const ringer = on.granted_in_wait([&] { on.caller.request_stop(); });
        CHECK(on.call(line, answers).code() == errc::cancelled);
    }
    CHECK(on.never_entered());
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", sync, timeout: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    CHECK(on.call(line, answers, on.scene.start + 30ms).code() == errc::timed_out);
    CHECK(on.scene.elapsed() == 30ms);
    CHECK(on.runs == 0);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", sync, timeout: a grant on its way comes back") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    {
        auto const ringer = on.granted_in_wait([] {});
        CHECK(on.call(line, answers, on.scene.start + 30ms).code() == errc::timed_out);
    }
    CHECK(on.never_entered());
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", sync, destroyed while waiting: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    CHECK(on.unwound_in_wait(line, answers));
    CHECK(on.runs == 0);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY
          ", sync, destroyed while waiting: a grant on its way comes back") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    {
        auto const ringer = on.granted_in_wait([] {});
        CHECK(on.unwound_in_wait(line, answers));
    }
    CHECK(on.never_entered());
    CHECK(on.has_all_back());
}

#endif  // HAWSER_TESTS_MATRIX_PERMIT_WAITS_SYNC_HPP
