// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: a policy that parks calls, in the mode that the includer has chosen.
#ifndef HAWSER_TESTS_MATRIX_PARKING_ASIO_HPP
#define HAWSER_TESTS_MATRIX_PARKING_ASIO_HPP

#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix_asio.hpp"

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

struct stand : mode_stand {
    auto line() {
        return hawser::compose_in(environment(), hawser::borrow(outer), hawser::borrow(gate));
    }
    /// Whether the only permit came back through `after`.
    bool came_out() const {
        return is_whole() && outer.counts().after == 1 && outer.counts().abandoned == 0;
    }
    /// Another call holds the permit, and this one waits for it.
    template <class Line>
    void start_parked(Line const& line) {
        REQUIRE(outer.try_take());
        start(line);
        REQUIRE(outer.counts().waiting == 1);
    }
    /// Whether the queue was left without a permit, which the other call then gives back.
    bool left_the_queue() {
        auto const seen = outer.counts();
        outer.give_back();
        return seen.waiting == 0 && seen.withdrawn == 1 && seen.entered == 0 &&
               remote->starts == 0 && is_whole();
    }
};

TEST_CASE("matrix: parking policy, " HAWSER_MATRIX_MODE
          ", success: a parked call is let in, and comes out") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.outer.give_back();
    on.time.poll();
    on.succeed();
    CHECK(on.succeeded());
    CHECK(on.came_out());
}

TEST_CASE("matrix: parking policy, " HAWSER_MATRIX_MODE ", failure: the permit comes back, once") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.fail();
    CHECK(on.failed());
    CHECK(on.came_out());
}

TEST_CASE("matrix: parking policy, " HAWSER_MATRIX_MODE
          ", refusal: takes no permit when the queue is full") {
    stand on;
    test_bulkhead full{1, 0};
    REQUIRE(full.try_take());
    auto const line =
        hawser::compose_in(on.environment(), hawser::borrow(on.outer), hawser::borrow(full));
    on.start(line);
    CHECK(on.was_refused(errc::bulkhead_full));
    CHECK(on.remote->starts == 0);
    CHECK(on.came_out());  // As further out, the refusal passes through.
    full.give_back();
    CHECK(full.is_whole());
}

TEST_CASE("matrix: parking policy, " HAWSER_MATRIX_MODE
          ", exception: the permit comes back, once") {
    stand on;
    auto const line = on.line();
    on.start_throwing(line);
    CHECK(on.threw());
    CHECK(on.came_out());
}

TEST_CASE("matrix: parking policy, " HAWSER_MATRIX_MODE ", caller cancel: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.cancel();
    on.time.run();
    CHECK(on.was_cancelled());
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: parking policy, " HAWSER_MATRIX_MODE ", timeout: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.facts.deadline = on.time.now() + 30ms;
    on.start_parked(line);
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.elapsed() == 30ms);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: parking policy, " HAWSER_MATRIX_MODE
          ", destroyed while waiting: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: parking policy, " HAWSER_MATRIX_MODE
          ", destroyed while suspended: the permit comes back") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.destroy_operation();
    on.time.run();
    CHECK(on.was_dropped());
    CHECK(on.outer.counts().abandoned == 1);
    CHECK(on.outer.counts().after == 0);
    CHECK(on.is_whole());
}

#endif  // HAWSER_TESTS_MATRIX_PARKING_ASIO_HPP
