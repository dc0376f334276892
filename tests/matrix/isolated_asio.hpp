// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: isolated, in the mode that the includer has chosen. The pool has one thread
// and one place to wait, so that either shows if it is not given back; the operation stays on the
// thread until it is let go.
#ifndef HAWSER_TESTS_MATRIX_ISOLATED_ASIO_HPP
#define HAWSER_TESTS_MATRIX_ISOLATED_ASIO_HPP

#include <hawser/adapt/asio/isolated.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix_isolated_asio.hpp"

#include <thread>

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

using stand = isolated_stand<mode_stand>;

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE
          ", success: a call that waits for a thread is run, once") {
    stand on;
    auto const line = on.line();
    on.occupy();
    on.start(line);
    CHECK(on.pool.snapshot().waiting == 1);
    on.held.let_go(2);
    on.await_end();
    CHECK(on.succeeded());
    CHECK(on.results.where.load() == std::this_thread::get_id());
    CHECK(on.runs == 1);
    CHECK(on.is_clear());
}

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE
          ", failure: comes to its caller, and the thread is free") {
    stand on;
    auto const line = on.line();
    on.held.let_go();
    on.start(line, ending::fails);
    on.await_end();
    CHECK(on.failed());
    CHECK(on.runs == 1);
    CHECK(on.is_clear());
}

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE
          ", refusal: runs nothing when the queue is full") {
    stand on;
    auto const line = on.line();
    on.occupy();
    on.queue();
    on.start(line);
    CHECK(on.was_refused(errc::bulkhead_full));
    CHECK(on.pool.snapshot().waiting == 1);
    CHECK(on.is_clear());
    CHECK(on.runs == 0);
}

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE ", refusal: a closed pool runs nothing") {
    stand on;
    auto const line = on.line();
    on.pool.close();
    on.start(line);
    CHECK(on.was_refused(errc::closed));
    CHECK(on.runs == 0);
    CHECK(on.is_clear());
}

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE
          ", refusal: a pool that is closed meanwhile ends the wait") {
    stand on;
    auto const line = on.line();
    on.occupy();
    on.start(line);
    on.pool.close();
    on.time.poll();
    CHECK(on.was_refused(errc::closed));
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE
          ", refusal: one from further in comes out, and the thread is free") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::rate_limited);
    on.start(line);
    on.await_end();
    CHECK(on.was_refused(errc::rate_limited));
    CHECK(on.runs == 0);
    CHECK(on.is_clear());
}

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE
          ", exception: comes to its caller, and the thread is free") {
    stand on;
    auto const line = on.line();
    on.held.let_go();
    on.start(line, ending::throws);
    on.await_end();
    CHECK(on.threw());
    CHECK(on.runs == 1);
    CHECK(on.is_clear());
}

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE
          ", caller cancel: leaves the queue, and is never run") {
    stand on;
    auto const line = on.line();
    on.occupy();
    on.start(line);
    on.cancel();
    on.time.poll();
    CHECK(on.was_cancelled());
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE
          ", caller cancel: leaves the operation behind, and tells it") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.held.await_started(1);
    on.cancel();
    on.time.poll();
    CHECK(on.was_cancelled());
    CHECK(on.was_left_behind());
}

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE
          ", caller cancel: a result that has arrived is kept") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.let_go_and_await_result();
    on.cancel();
    on.time.poll();
    CHECK(on.succeeded());
    CHECK(on.runs == 1);
    CHECK(on.is_clear());
}

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE ", timeout: leaves the queue, and is never run") {
    stand on;
    auto const line = on.line();
    on.occupy();
    on.end_on(30ms);
    on.start(line);
    on.time.advance(30ms);
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE
          ", timeout: leaves the operation behind, and tells it") {
    stand on;
    auto const line = on.line();
    on.end_on(30ms);
    on.start(line);
    on.held.await_started(1);
    on.time.advance(30ms);
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.was_left_behind());
}

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE ", timeout: a result that has arrived is kept") {
    stand on;
    auto const line = on.line();
    on.end_on(30ms);
    on.start(line);
    on.let_go_and_await_result();
    on.time.advance(30ms);
    CHECK(on.succeeded());
    CHECK(on.runs == 1);
    CHECK(on.is_clear());
}

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE
          ", destroyed while waiting: leaves the queue, and is never run") {
    stand on;
    auto const line = on.line();
    on.occupy();
    on.start(line);
    CHECK(on.pool.snapshot().waiting == 1);
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE
          ", destroyed while suspended: leaves the operation behind, and tells it") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.held.await_started(1);
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.was_left_behind());
}

TEST_CASE("matrix: isolated, " HAWSER_MATRIX_MODE
          ", destroyed while suspended: a result that has arrived goes with it") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.let_go_and_await_result();
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.results.destroyed == 1);
    CHECK(on.runs == 1);
    CHECK(on.is_clear());
}

#endif  // HAWSER_TESTS_MATRIX_ISOLATED_ASIO_HPP
