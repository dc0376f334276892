// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: bulkhead, in the mode that the includer has chosen. There is one permit and
// one place to wait, so that either shows if it is not given back.
#ifndef HAWSER_TESTS_MATRIX_BULKHEAD_ASIO_HPP
#define HAWSER_TESTS_MATRIX_BULKHEAD_ASIO_HPP

#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>
#include <hawser/policy/bulkhead.hpp>

#include "support/catch.hpp"
#include "support/matrix_asio.hpp"

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

struct stand : mode_stand {
    hawser::bulkhead<hawser::semaphore, hawser::wait_up_to> limit{
        hawser::semaphore_options{.permits = 1, .places = 1}, hawser::wait_up_to{100ms}};

    auto line() {
        return hawser::compose_in(environment(), hawser::borrow(outer), hawser::borrow(limit),
                                  hawser::borrow(gate));
    }
    auto permits() { return limit.permits().snapshot(); }
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
    /// Whether the queue was left without a permit, which the other call then gives back.
    bool left_the_queue() {
        auto const seen = permits();
        give_it_back();
        return seen.waiting == 0 && seen.held == 1 && remote->starts == 0 && has_all_back();
    }
};

TEST_CASE("matrix: bulkhead, " HAWSER_MATRIX_MODE
          ", success: a parked call is let in, and its permit comes back") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.give_it_back();
    CHECK(on.permits().on_the_way == 1);
    on.time.poll();
    CHECK(on.permits().held == 1);
    on.succeed();
    CHECK(on.succeeded());
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: bulkhead, " HAWSER_MATRIX_MODE ", failure: the permit comes back") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.fail();
    CHECK(on.failed());
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: bulkhead, " HAWSER_MATRIX_MODE
          ", refusal: a wait that is over leaves the queue") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.time.run();
    CHECK(on.was_refused(errc::bulkhead_full));
    CHECK(on.elapsed() == 100ms);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: bulkhead, " HAWSER_MATRIX_MODE
          ", refusal: takes no permit when the queue is full") {
    stand on;
    hawser::bulkhead full{{.permits = 1, .places = 0}, hawser::wait_up_to{100ms}};
    REQUIRE(full.permits().try_acquire());
    auto const line =
        hawser::compose_in(on.environment(), hawser::borrow(on.limit), hawser::borrow(full));
    on.start(line);
    CHECK(on.was_refused(errc::bulkhead_full));
    CHECK(on.elapsed() == 0ms);
    CHECK(on.remote->starts == 0);
    CHECK(full.permits().snapshot().held == 1);
    CHECK(on.has_all_back());  // As further out, the refusal passes through.
}

TEST_CASE("matrix: bulkhead, " HAWSER_MATRIX_MODE ", exception: the permit comes back") {
    stand on;
    auto const line = on.line();
    on.start_throwing(line);
    CHECK(on.threw());
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: bulkhead, " HAWSER_MATRIX_MODE ", caller cancel: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.cancel();
    on.time.run();
    CHECK(on.was_cancelled());
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: bulkhead, " HAWSER_MATRIX_MODE
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
    CHECK(on.remote->starts == 0);
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: bulkhead, " HAWSER_MATRIX_MODE ", timeout: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.facts.deadline = on.start_time + 30ms;
    on.start_parked(line);
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.elapsed() == 30ms);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: bulkhead, " HAWSER_MATRIX_MODE ", timeout: a grant on its way comes back") {
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
    CHECK(on.remote->starts == 0);
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: bulkhead, " HAWSER_MATRIX_MODE ", destroyed while waiting: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: bulkhead, " HAWSER_MATRIX_MODE
          ", destroyed while waiting: a grant on its way comes back") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.give_it_back();  // Its bell has rung, and nobody has heard it yet.
    REQUIRE(on.permits().on_the_way == 1);
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.remote->starts == 0);
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: bulkhead, " HAWSER_MATRIX_MODE
          ", destroyed while suspended: the permit comes back") {
    stand on;
    auto const line = on.line();
    on.start(line);
    CHECK(on.permits().held == 1);
    on.destroy_operation();
    on.time.run();
    CHECK(on.was_dropped());
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.has_all_back());
}

#endif  // HAWSER_TESTS_MATRIX_BULKHEAD_ASIO_HPP
