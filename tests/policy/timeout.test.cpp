// SPDX-License-Identifier: BSL-1.0
//
// What a timeout can and cannot do to a plain function.
#include <hawser/hawser.hpp>
#include <hawser/policy/timeout.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/stage.hpp"
#include "support/test_bulkhead.hpp"

#include <stdexcept>
#include <stop_token>

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using hawser::attempt_timeout;
using hawser::borrow;
using hawser::compose_in;
using hawser::errc;
using hawser::late_result;
using hawser::total_timeout;
using hawser::try_execute;
using hawser::verdict;
using hawser::order::attempt_timeout_outside_retry;
using hawser::order::total_timeout_inside_retry;
using lines = support::trace_of::lines;
using support::stage;

namespace {

/// Takes so long, and then returns or throws.
struct slow {
    stage& scene;
    hawser::duration takes;
    bool fails = false;
    int operator()() const {
        scene.time.advance(takes);
        if (fails) throw std::runtime_error{"late"};
        return 5;
    }
};

}  // namespace

TEST_CASE("timeout: the operation is handed the deadline") {
    stage scene;
    auto const line = compose_in(scene.environment(), attempt_timeout{10ms});
    hawser::execute(line, [&](auto& call) {
        CHECK(call.deadline() == scene.start + 10ms);
        CHECK(call.remaining() == 10ms);
    });
    CHECK(line.policy<0>().limit() == 10ms);
}

TEST_CASE("timeout: what ends in time passes unmarked and unremarked") {
    stage scene;
    auto const line = compose_in(scene.environment(), attempt_timeout{10ms});
    auto const out = try_execute(line, slow{scene, 10ms - 1ns});
    CHECK(out.value() == 5);
    CHECK_FALSE(out.origin().late);
    CHECK(scene.trace.seen() ==
          lines{"attempt 1", "attempt 1 ended: success", "call ended: success"});
}

TEST_CASE("timeout: a success that comes too late is kept, and marked") {
    stage scene;
    auto const line = compose_in(scene.environment(), attempt_timeout{10ms});
    auto const out = try_execute(line, slow{scene, 12ms});
    CHECK(out.value() == 5);
    CHECK(out.origin().late);
    CHECK(scene.trace.seen() == lines{"attempt 1", "attempt 1 ended: success",
                                      "attempt_timeout fired: 10ms after 12ms",
                                      "call ended: success"});
}

TEST_CASE("timeout: a success at the deadline is late: by then everything has to have ended") {
    stage scene;
    auto const line = compose_in(scene.environment(), attempt_timeout{10ms});
    CHECK(try_execute(line, slow{scene, 10ms}).origin().late);
}

TEST_CASE("timeout: a late success is discarded where that is asked for") {
    stage scene;
    auto const line =
        compose_in(scene.environment(), attempt_timeout{10ms, late_result::discard, "limit"});
    auto const out = try_execute(line, slow{scene, 12ms});
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == hawser::refusal{errc::timed_out, {}, "limit"});
    CHECK_FALSE(out.origin().late);
    CHECK(try_execute(line, slow{scene, 9ms}).value() == 5);
}

TEST_CASE("timeout: a discarded success is retried, and falls back, as any timeout") {
    stage scene;
    auto const line =
        compose_in(scene.environment(), hawser::fallback{9},
                   hawser::retry{{.max_attempts = 2}, hawser::backoff::none{}, hawser::no_budget{}},
                   attempt_timeout{10ms, late_result::discard});
    auto const out = try_execute(line, slow{scene, 12ms});
    CHECK(out.value() == 9);
    CHECK(out.origin().attempts == 2);
    CHECK(out.earlier().front().why.code == errc::timed_out);
}

TEST_CASE("timeout: a failure that comes too late stays the operation's own") {
    stage scene;
    auto const line = compose_in(scene.environment(), attempt_timeout{10ms});
    auto const out = try_execute(line, slow{scene, 12ms, true});
    CHECK_THROWS_WITH((void)out.value(), "late");
    CHECK(scene.trace.count("attempt_timeout fired: 10ms after 12ms") == 1);
}

TEST_CASE("timeout: no wait is begun that would end past the deadline") {
    stage scene;
    support::reserving_gate gate{1, 20ms};
    auto const line = compose_in(scene.environment(), attempt_timeout{20ms}, borrow(gate));
    auto const out = try_execute(line, slow{scene, 0ms});
    CHECK(*out.why() == hawser::refusal{errc::timed_out, 20ms, "gate"});
    CHECK(scene.elapsed() == 0ms);
    CHECK(scene.trace.count("attempt_timeout fired: 20ms after 0ms") == 0);  // It has not passed.
}

TEST_CASE("timeout: a wait without a limit ends at the deadline, and the timeout says so") {
    stage scene;
    support::test_bulkhead bulkhead{1};
    REQUIRE(bulkhead.try_take());
    auto const line = compose_in(scene.environment(), attempt_timeout{20ms}, borrow(bulkhead));
    auto const out = try_execute(line, slow{scene, 0ms});
    CHECK(*out.why() == hawser::refusal{errc::timed_out, {}, "attempt_timeout"});
    CHECK(scene.elapsed() == 20ms);
    CHECK(scene.trace.count("attempt_timeout fired: 20ms after 20ms cancelled") == 1);
}

TEST_CASE("timeout: an attempt is not begun past the deadline") {
    stage scene;
    support::hook_log log;
    support::scripted_layer dawdles{"dawdles", log, {.before = {hawser::step::wait(5ms), {}}}};
    scene.on_wait = [&] { scene.time.advance(1h); };
    auto const line = compose_in(scene.environment(), attempt_timeout{10ms}, borrow(dawdles));
    auto const out = try_execute(line, slow{scene, 0ms});
    CHECK(out.code() == errc::timed_out);
    CHECK(out.why()->policy == std::string{"attempt_timeout"});
    CHECK(out.origin().attempts == 0);
}

TEST_CASE("timeout: each attempt has a limit of its own, all of them the total one") {
    stage scene;
    auto const line = compose_in(scene.environment(), total_timeout{50ms},
                                 hawser::retry{{.max_attempts = 9},
                                               hawser::backoff::constant{1ms},
                                               hawser::jitter::none{},
                                               hawser::no_budget{}},
                                 attempt_timeout{20ms});
    std::vector<hawser::duration> left;
    auto const out = try_execute(line, [&](auto& call) {
        left.push_back(call.remaining());
        scene.time.advance(20ms);
        throw 1;
    });
    CHECK(left == std::vector<hawser::duration>{20ms, 20ms, 8ms});
    CHECK(out.origin().attempts == 3);
    // Of the third attempt both limits are over: the total one alone reports.
    CHECK(scene.trace.count("attempt_timeout fired: 20ms after 20ms") == 2);
    CHECK(scene.trace.count("total_timeout fired: 50ms after 62ms") == 1);
    CHECK(scene.trace.count("retry gave up: stopped") == 1);
}

TEST_CASE("timeout: of nested timeouts the one whose time is over reports, and it alone") {
    stage scene;
    auto const line = compose_in(scene.environment(), total_timeout{50ms}, attempt_timeout{20ms});
    (void)try_execute(line, slow{scene, 30ms, true});
    CHECK(scene.trace.count("attempt_timeout fired: 20ms after 30ms") == 1);
    CHECK(scene.trace.count("total_timeout fired: 50ms after 30ms") == 0);

    auto const out =
        try_execute(line, {.deadline = scene.time.now() + 5ms}, slow{scene, 8ms, true});
    CHECK(scene.trace.count("attempt_timeout fired: 20ms after 8ms") == 0);
    CHECK(out.exception() != nullptr);
}

TEST_CASE("timeout: a call that ends past two deadlines is refused in the name of the outer one") {
    stage scene;
    support::test_bulkhead bulkhead{1};
    REQUIRE(bulkhead.try_take());
    scene.on_wait = [&] { scene.time.advance(1h); };
    auto const line = compose_in(scene.environment(), total_timeout{50ms}, attempt_timeout{20ms},
                                 borrow(bulkhead));
    auto const out = try_execute(line, slow{scene, 0ms});
    CHECK(*out.why() == hawser::refusal{errc::timed_out, {}, "total_timeout"});
}

TEST_CASE("timeout: an inner timeout is a failure to what is outside it, an outer one is neutral") {
    stage scene;
    support::watching_layer outside, between, inside;
    auto const line = compose_in(scene.environment(), borrow(outside), total_timeout{50ms},
                                 borrow(between), attempt_timeout{20ms}, borrow(inside));

    (void)try_execute(line, slow{scene, 30ms, true});
    (void)try_execute(line, slow{scene, 60ms, true});

    CHECK(outside.health == std::vector{verdict::failure, verdict::failure});
    CHECK(between.health == std::vector{verdict::failure, verdict::neutral});
    CHECK(inside.health == std::vector{verdict::neutral, verdict::neutral});
}

TEST_CASE("timeout: the caller's cancel is not taken for a timeout") {
    stage scene;
    std::stop_source caller;
    auto const line = compose_in(scene.environment(), attempt_timeout{10ms});
    auto const out = try_execute(line, {.stop = caller.get_token()}, [&]() -> int {
        caller.request_stop();
        throw hawser::refused{{.code = errc::cancelled, .policy = "operation"}};
    });
    CHECK(*out.why() == hawser::refusal{errc::cancelled, {}, "operation"});
    CHECK(scene.trace.seen() ==
          lines{"attempt 1", "attempt 1 ended: neutral", "call ended: neutral, cancelled"});
}

TEST_CASE("timeout: a longer limit inside does not outlast the caller's deadline") {
    stage scene;
    auto const line = compose_in(scene.environment(), attempt_timeout{1h});
    hawser::execute(line, {.deadline = scene.start + 5ms},
                    [&](auto& call) { CHECK(call.deadline() == scene.start + 5ms); });
}

TEST_CASE("timeout: the longest limit there is does not overflow") {
    stage scene;
    auto const line = compose_in(scene.environment(), attempt_timeout{hawser::duration::max()});
    CHECK(try_execute(line, slow{scene, 1h}).value() == 5);
    CHECK(scene.trace.count("call ended: success") == 1);
}

TEST_CASE("timeout: a limit that is not positive is refused when it is made, and so is no name") {
    CHECK_THROWS_WITH(attempt_timeout{0s}, Contains("attempt_timeout: limit"));
    CHECK_THROWS_WITH(attempt_timeout{-1ns}, Contains("attempt_timeout: limit"));
    CHECK_THROWS_WITH(total_timeout{0s}, Contains("total_timeout: limit"));
    CHECK_THROWS_WITH((attempt_timeout{1s, late_result::keep, nullptr}),
                      Contains("attempt_timeout: name"));
    CHECK_THROWS_WITH((total_timeout{1s, late_result::keep, nullptr}),
                      Contains("total_timeout: name"));
    CHECK_THROWS_AS(total_timeout{0s}, std::invalid_argument);
}

TEST_CASE("timeout: knows its role, its name and its limit, at compile time too") {
    static constexpr attempt_timeout attempt{5ms, late_result::discard, "quick"};
    STATIC_REQUIRE(attempt.limit() == 5ms);
    CHECK(attempt.name() == std::string{"quick"});
    CHECK(attempt_timeout{1s}.name() == std::string{"attempt_timeout"});
    CHECK(total_timeout{1s}.name() == std::string{"total_timeout"});
    STATIC_REQUIRE(attempt_timeout::role == hawser::layer_role::attempt_timeout);
    STATIC_REQUIRE(total_timeout::role == hawser::layer_role::total_timeout);
}
