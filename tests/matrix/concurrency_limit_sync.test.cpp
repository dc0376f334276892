// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: concurrency_limit, in plain calls. The limit and the refusal stand in
// support/matrix_concurrency_limit.hpp, and the cases of a call that waits in vain, which it shares
// with bulkhead and admission_control, in permit_waits_sync.hpp. Those here are about the full
// queue and what a call teaches.
#include "support/matrix_concurrency_limit.hpp"

#include "matrix/permit_waits_sync.hpp"
#include "support/counting_waiter.hpp"

using hawser::sample_outcome;

TEST_CASE("matrix: concurrency_limit, sync, success: teaches its time, without that of its wait") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    on.scene.on_wait = [&] {
        on.scene.time.advance(20ms);
        on.give_it_back();
    };
    auto const works = [&] { return on.scene.time.advance(5ms), answers(); };
    CHECK(on.call(line, works).value().value == 7);
    CHECK(on.taught(sample_outcome::success));
    CHECK(is_measure(on.heard[0], 5ms, 20ms));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, sync, failure: teaches nothing, and the permit comes back") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, fails).value().failed);
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, sync, refusal: takes no permit when the queue is full") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    counting_waiter other;
    REQUIRE(on.limit.permits().acquire(other, 1, on.scene.start).result ==
            hawser::acquired::queued);
    CHECK(on.call(line, answers).code() == errc::overloaded);
    CHECK(on.scene.waits == 0);
    CHECK(on.runs == 0);
    CHECK_FALSE(on.limit.permits().withdraw(other, on.scene.start).bell_will_ring);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: concurrency_limit, sync, refusal: one from further in teaches nothing") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::rate_limited);
    CHECK(on.call(line, answers).code() == errc::rate_limited);
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE(
    "matrix: concurrency_limit, sync, exception: teaches nothing, and the permit comes back") {
    stand on;
    auto const line = on.line();
    CHECK_THROWS_WITH((void)on.call(line, throws).value(), "down");
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, sync, caller cancel: one in the operation teaches nothing") {
    stand on;
    auto const line = on.line();
    auto const out = on.call(line, [&] {
        on.caller.request_stop();
        return on.fails_after(100ms)();
    });
    CHECK(out.value().failed);
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, sync, timeout: one further in is overload") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, on.fails_after(100ms)).value().failed);
    CHECK(on.told("attempt_timeout fired") == 1);
    CHECK(on.taught(sample_outcome::dropped));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, sync, timeout: a deadline from further out teaches nothing") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, on.fails_after(50ms), on.scene.start + 50ms).value().failed);
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE(
    "matrix: concurrency_limit, sync, forced unwinding: nothing is learned, the permit is back") {
    stand on;
    auto const line = on.line();
    CHECK(on.unwound_in_operation(line));
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.heard.empty());
    CHECK(on.has_all_back());
}
