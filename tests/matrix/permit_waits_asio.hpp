// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: calls that wait for a permit and go without one. bulkhead, admission_control
// and concurrency_limit share them: the cases name the policy HAWSER_MATRIX_POLICY and its limit
// `lender`, and whoever includes them chooses it by including support/matrix_<policy>.hpp before,
// and the mode likewise.
#ifndef HAWSER_TESTS_MATRIX_PERMIT_WAITS_ASIO_HPP
#define HAWSER_TESTS_MATRIX_PERMIT_WAITS_ASIO_HPP

#include "support/catch.hpp"
#include "support/matrix_asio.hpp"

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

struct stand : mode_stand, lender {
    auto line() { return line_in(environment(), outer, gate); }
    auto permits() { return lender::permits(time.now()); }
    /// Another call holds the permit, and this one waits for it.
    template <class Line>
    void start_parked(Line const& line) {
        REQUIRE(limit.permits().try_acquire());
        start(line);
        REQUIRE(permits().waiting == 1);
    }
    /// The other call gives the permit back, to the one that waits if one does.
    void give_it_back() { give_back_silently().ring_all(); }
    hawser::wake_list give_back_silently() { return limit.permits().release(1, time.now()); }

    bool is_free() {
        auto const now = permits();
        return now.free == 1 && now.held == 0 && now.on_the_way == 0 && now.waiting == 0;
    }
    bool has_all_back() { return is_free() && is_whole(); }
    bool never_entered() const { return remote->starts == 0 && learned_nothing(); }
    /// Whether the queue was left without a permit, which the other call then gives back.
    bool left_the_queue() {
        auto const seen = permits();
        give_it_back();
        return seen.waiting == 0 && seen.held == 1 && never_entered() && has_all_back();
    }
};

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", " HAWSER_MATRIX_MODE
          ", refusal: a wait that is over leaves the queue") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.time.run();
    CHECK(on.was_refused(lender::in_vain.code));
    CHECK(on.elapsed() == 100ms);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", " HAWSER_MATRIX_MODE
          ", caller cancel: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.cancel();
    on.time.run();
    CHECK(on.was_cancelled());
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", " HAWSER_MATRIX_MODE
          ", caller cancel: a grant on its way comes back") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    auto bell = on.give_back_silently();
    on.cancel();
    on.time.poll();
    CHECK(on.is_free());
    CHECK(on.got.completed == 0);  // The bell still refers to the call.
    bell.ring_all();
    on.time.run();
    CHECK(on.was_cancelled());
    CHECK(on.never_entered());
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", " HAWSER_MATRIX_MODE ", timeout: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.facts.deadline = on.start_time + 30ms;
    on.start_parked(line);
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.elapsed() == 30ms);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", " HAWSER_MATRIX_MODE
          ", timeout: a grant on its way comes back") {
    stand on;
    auto const line = on.line();
    on.facts.deadline = on.start_time + 30ms;
    on.start_parked(line);
    auto bell = on.give_back_silently();
    on.time.advance(30ms);
    CHECK(on.is_free());
    CHECK(on.got.completed == 0);  // The bell still refers to the call.
    bell.ring_all();
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.never_entered());
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", " HAWSER_MATRIX_MODE
          ", destroyed while waiting: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: " HAWSER_MATRIX_POLICY ", " HAWSER_MATRIX_MODE
          ", destroyed while waiting: a grant on its way comes back") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.give_it_back();  // Its bell has rung, and nobody has heard it yet.
    REQUIRE(on.permits().on_the_way == 1);
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.never_entered());
    CHECK(on.has_all_back());
}

#endif  // HAWSER_TESTS_MATRIX_PERMIT_WAITS_ASIO_HPP
