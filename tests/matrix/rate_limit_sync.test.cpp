// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: rate_limit, in plain calls. The bucket is empty, so that each call reserves
// its turn and waits for it: a turn that is not given back, or given back twice, shows.
#include <hawser/hawser.hpp>
#include <hawser/policy/rate_limit.hpp>

#include "support/catch.hpp"
#include "support/matrix.hpp"

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

namespace {

struct stand : sync_stand {
    hawser::rate_limit<hawser::token_bucket, hawser::wait_up_to> limit{
        hawser::token_bucket_options{.rate = 10, .burst = 1}, hawser::wait_up_to{250ms}};

    stand() { REQUIRE(limit.limiter().try_acquire(scene.start)); }
    auto line() {
        return hawser::compose_in(scene.environment(), hawser::borrow(outer), hawser::borrow(limit),
                                  hawser::borrow(gate), hawser::attempt_timeout{100ms});
    }
    auto tokens(hawser::duration after_start) {
        return limit.limiter().available(scene.start + after_start);
    }
    /// Whether the bucket is as if the call had not asked.
    bool turn_is_back() { return tokens(100ms - 1ns) == 0 && tokens(100ms) == 1; }
    /// Whether the call has had its turn, and nothing else was taken.
    bool turn_is_spent() { return tokens(200ms - 1ns) == 0 && tokens(200ms) == 1; }
};

}  // namespace

TEST_CASE("matrix: rate_limit, sync, success: a call waits its turn, and spends it") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, answers).value().value == 7);
    CHECK(on.scene.elapsed() == 100ms);
    CHECK(on.turn_is_spent());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, sync, failure: its turn is spent") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, fails).value().failed);
    CHECK(on.turn_is_spent());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, sync, refusal: a turn too far off is refused, and not taken") {
    stand on;
    auto const line = on.line();
    for (int other = 0; other != 2; ++other)
        REQUIRE(on.limit.limiter().reserve(on.scene.start, 1, 1s));
    auto const out = on.call(line, answers);
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == hawser::refusal{errc::rate_limited, 300ms, "rate_limit"});
    CHECK(on.runs == 0);
    CHECK(on.scene.waits == 0);
    CHECK(on.tokens(300ms - 1ns) == 0);
    CHECK(on.tokens(300ms) == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, sync, refusal: one from further in spends the turn") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::bulkhead_full);
    CHECK(on.call(line, answers).code() == errc::bulkhead_full);
    CHECK(on.turn_is_spent());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, sync, exception: its turn is spent") {
    stand on;
    auto const line = on.line();
    CHECK_THROWS_WITH((void)on.call(line, throws).value(), "down");
    CHECK(on.turn_is_spent());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, sync, caller cancel: ends the wait, and the turn comes back") {
    stand on;
    auto const line = on.line();
    on.stop_in_wait();
    CHECK(on.call(line, answers).code() == errc::cancelled);
    CHECK(on.runs == 0);
    CHECK(on.scene.elapsed() == 0ms);
    CHECK(on.turn_is_back());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, sync, caller cancel: one in the operation comes after the turn") {
    stand on;
    auto const line = on.line();
    auto const out = on.call(line, [&] {
        on.caller.request_stop();
        return fails();
    });
    CHECK(out.value().failed);
    CHECK(on.turn_is_spent());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, sync, timeout: a turn past it is refused, and not taken") {
    stand on;
    auto const line = on.line();
    auto const out = on.call(line, answers, on.scene.start + 50ms);
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == hawser::refusal{errc::rate_limited, 100ms, "rate_limit"});
    CHECK(on.runs == 0);
    CHECK(on.scene.waits == 0);
    CHECK(on.turn_is_back());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, sync, timeout: a turn that comes with it is given back") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, answers, on.scene.start + 100ms).code() == errc::timed_out);
    CHECK(on.runs == 0);
    CHECK(on.scene.waits == 0);
    CHECK(on.turn_is_back());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, sync, timeout: one further in comes after the turn") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, on.fails_after(100ms)).value().failed);
    CHECK(on.told("attempt_timeout fired") == 1);
    CHECK(on.turn_is_spent());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, sync, destroyed while waiting: the turn comes back") {
    stand on;
    auto const line = on.line();
    CHECK(on.unwound_in_wait(line, answers));
    CHECK(on.runs == 0);
    CHECK(on.turn_is_back());
    CHECK(on.is_whole());
}

TEST_CASE("matrix: rate_limit, sync, forced unwinding: its turn is spent") {
    stand on;
    auto const line = on.line();
    CHECK(on.unwound_in_operation(line));
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.turn_is_spent());
    CHECK(on.is_whole());
}
