// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: concurrency_limit, in the mode that the includer has chosen. There is one
// permit and one place to wait, so that either shows if it is not given back, and what each call
// taught is written down.
#ifndef HAWSER_TESTS_MATRIX_CONCURRENCY_LIMIT_ASIO_HPP
#define HAWSER_TESTS_MATRIX_CONCURRENCY_LIMIT_ASIO_HPP

#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>
#include <hawser/policy/concurrency_limit.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"
#include "support/matrix_asio.hpp"
#include "support/told_limit.hpp"

#include <cstdint>
#include <vector>

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;
using hawser::sample_outcome;

struct stand : mode_stand {
    std::vector<hawser::limit_sample> heard;
    std::uint32_t number = 1;
    hawser::concurrency_limit<told_limit, hawser::wait_up_to, hawser::places> limit{
        told_options{&heard, &number}, hawser::wait_up_to{100ms}, hawser::places{1}};

    auto line() {
        return hawser::compose_in(environment(), hawser::borrow(outer), hawser::borrow(limit),
                                  hawser::borrow(gate), hawser::attempt_timeout{100ms});
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
    /// Whether the queue was left without a permit, which the other call then gives back, and
    /// nothing was learned.
    bool left_the_queue() {
        auto const seen = permits();
        give_it_back();
        return seen.waiting == 0 && seen.held == 1 && remote->starts == 0 && heard.empty() &&
               has_all_back();
    }
    /// Whether one call was in, alone, and this is what it said of the load.
    bool taught(sample_outcome what) const {
        return heard.size() == 1 && heard[0].inflight_at_start == 1 && heard[0].outcome == what;
    }
};

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", success: teaches its time, without that of its wait") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.time.advance(20ms);
    on.give_it_back();
    CHECK(on.permits().on_the_way == 1);
    on.time.poll();
    CHECK(on.permits().held == 1);
    on.time.advance(5ms);
    on.succeed();
    CHECK(on.succeeded());
    CHECK(on.taught(sample_outcome::success));
    CHECK(is_measure(on.heard[0], 5ms, 20ms));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", failure: teaches nothing, and the permit comes back") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.fail();
    CHECK(on.failed());
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", refusal: a wait that is over leaves the queue") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.time.run();
    CHECK(on.was_refused(errc::overloaded));
    CHECK(on.elapsed() == 100ms);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", refusal: takes no permit when the queue is full") {
    stand on;
    auto const line = on.line();
    REQUIRE(on.limit.permits().try_acquire());
    counting_waiter other;
    REQUIRE(on.limit.permits().acquire(other, 1, on.start_time).result == hawser::acquired::queued);
    on.start(line);
    CHECK(on.was_refused(errc::overloaded));
    CHECK(on.elapsed() == 0ms);
    CHECK_FALSE(on.limit.permits().withdraw(other, on.start_time).bell_will_ring);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", refusal: one from further in teaches nothing") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::rate_limited);
    on.start(line);
    CHECK(on.was_refused(errc::rate_limited));
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", exception: teaches nothing, and the permit comes back") {
    stand on;
    auto const line = on.line();
    on.start_throwing(line);
    CHECK(on.threw());
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE ", caller cancel: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.cancel();
    on.time.run();
    CHECK(on.was_cancelled());
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
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
    CHECK(on.heard.empty());
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", caller cancel: one in the operation teaches nothing") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.cancel();
    on.time.run();
    CHECK(on.was_cancelled());
    CHECK(on.remote->starts == 1);
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE ", timeout: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.facts.deadline = on.start_time + 30ms;
    on.start_parked(line);
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.elapsed() == 30ms);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
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
    CHECK(on.remote->starts == 0);
    CHECK(on.heard.empty());
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", timeout: one further in is overload") {
    stand on;
    auto const line = on.line();
    on.start(line);
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.told("attempt_timeout fired") == 1);
    CHECK(on.taught(sample_outcome::dropped));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", timeout: a deadline from further out teaches nothing") {
    stand on;
    auto const line = on.line();
    on.facts.deadline = on.start_time + 50ms;
    on.start(line);
    on.time.run();
    CHECK(on.was_refused(errc::timed_out));
    CHECK(on.elapsed() == 50ms);
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", destroyed while waiting: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", destroyed while waiting: a grant on its way comes back") {
    stand on;
    auto const line = on.line();
    on.start_parked(line);
    on.give_it_back();  // Its bell has rung, and nobody has heard it yet.
    REQUIRE(on.permits().on_the_way == 1);
    on.destroy_context();
    CHECK(on.was_dropped());
    CHECK(on.remote->starts == 0);
    CHECK(on.heard.empty());
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, " HAWSER_MATRIX_MODE
          ", destroyed while suspended: nothing is learned, the permit is back") {
    stand on;
    auto const line = on.line();
    on.start(line);
    CHECK(on.permits().held == 1);
    on.destroy_operation();
    on.time.run();
    CHECK(on.was_dropped());
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.heard.empty());
    CHECK(on.has_all_back());
}

#endif  // HAWSER_TESTS_MATRIX_CONCURRENCY_LIMIT_ASIO_HPP
