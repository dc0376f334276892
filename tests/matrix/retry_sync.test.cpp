// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: retry, in plain calls.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix.hpp"

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

namespace {

struct stand : sync_stand {
    hawser::retry_budget budget{{.ratio = 0, .floor = 3, .per = 1h}};
    auto line() {
        return hawser::compose_in(scene.environment(), hawser::borrow(outer),
                                  hawser::retry{{.max_attempts = 2},
                                                hawser::backoff::constant{10ms},
                                                hawser::jitter::none{},
                                                hawser::borrow(budget)},
                                  hawser::borrow(gate), hawser::attempt_timeout{100ms});
    }
    auto tokens() { return budget.available(scene.time.now()); }
};

}  // namespace

TEST_CASE("matrix: retry, sync, success: the first is the last, and costs no token") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, answers).value().value == 7);
    CHECK(on.runs == 1);
    CHECK(on.scene.waits == 0);
    CHECK(on.tokens() == 3);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: retry, sync, failure: is tried again for a token, and the last one stands") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, fails).value().failed);
    CHECK(on.runs == 2);
    CHECK(on.scene.elapsed() == 10ms);
    CHECK(on.tokens() == 2);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: retry, sync, refusal: is asked again when it says, and costs no token") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::rate_limited, 20ms);
    CHECK(on.call(line, answers).code() == errc::rate_limited);
    CHECK(on.runs == 0);
    CHECK(on.scene.elapsed() == 20ms);
    CHECK(on.tokens() == 3);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: retry, sync, exception: is tried again for a token") {
    stand on;
    auto const line = on.line();
    auto const out = on.call(line, [&] { return on.runs == 1 ? throws() : answers(); });
    CHECK(out.value().value == 7);
    CHECK(out.origin().attempts == 2);
    CHECK(on.tokens() == 2);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: retry, sync, caller cancel: ends the backoff, and its token comes back") {
    stand on;
    auto const line = on.line();
    on.stop_in_wait();
    CHECK(on.call(line, fails).code() == errc::cancelled);
    CHECK(on.runs == 1);
    CHECK(on.scene.elapsed() == 0ms);
    CHECK(on.tokens() == 3);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: retry, sync, timeout: an attempt that fails past its time is tried again") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, on.fails_after(100ms)).value().failed);
    CHECK(on.runs == 2);
    CHECK(on.told("attempt_timeout fired") == 2);
    CHECK(on.tokens() == 2);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: retry, sync, destroyed while waiting: the token of the backoff comes back") {
    stand on;
    auto const line = on.line();
    CHECK(on.unwound_in_wait(line, fails));
    CHECK(on.runs == 1);
    CHECK(on.tokens() == 3);
    CHECK(on.outer.counts().abandoned == 1);
    CHECK(on.is_whole());
}

TEST_CASE("matrix: retry, sync, forced unwinding: nothing is tried again") {
    stand on;
    auto const line = on.line();
    CHECK(on.unwound_in_operation(line));
    CHECK(on.runs == 1);
    CHECK(on.tokens() == 3);
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.is_whole());
}
