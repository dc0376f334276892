// SPDX-License-Identifier: BSL-1.0
//
// What speaks against a dependency and what does not, through a pipeline: with rules for slow
// calls, with classifiers, and with other policies further in.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"
#include "support/test_bulkhead.hpp"

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <stop_token>

using namespace std::chrono_literals;
using hawser::basic_circuit_breaker;
using hawser::borrow;
using hawser::breaker_state;
using hawser::circuit_breaker;
using hawser::circuit_breaker_options;
using hawser::compose_in;
using hawser::errc;
using hawser::try_execute;
using hawser::verdict;
using hawser::vote;
using hawser::votes_by;
using support::stage;
namespace trip = hawser::trip;

namespace {

struct reply {
    int status = 200;
};

/// Opens at the second failure of two calls, and probes with one.
constexpr circuit_breaker_options quick{
    .window = 10, .minimum_calls = 2, .open_for = 5s, .jitter = 0, .probes = 1};
constexpr trip::slow_rate slow{.slower_than = 5ms, .minimum_calls = 2};
constexpr auto everything_fails = [](auto const&) noexcept { return verdict::failure; };

int fail() { throw std::runtime_error{"down"}; }
int good() { return 1; }

/// An operation that takes `length` and fails.
auto fails_after(stage& scene, hawser::duration length) {
    return [&scene, length]() -> int {
        scene.time.advance(length);
        return fail();
    };
}
auto succeeds_after(stage& scene, hawser::duration length) {
    return [&scene, length] {
        scene.time.advance(length);
        return 1;
    };
}

}  // namespace

TEST_CASE("circuit_breaker: a probe whose failure the classifier ignores gives its slot back") {
    stage scene;
    basic_circuit_breaker breaker{
        quick, votes_by{[&](auto const& out) {
            // What came with the first failures is no longer counted.
            return scene.elapsed() == 5s && !out.has_value() ? verdict::neutral : out.classify();
        }}};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    for (int i = 0; i < 2; ++i) (void)try_execute(line, fail);
    scene.time.advance(5s);
    for (int i = 0; i < 3; ++i) (void)try_execute(line, fail);
    CHECK(breaker.state() == breaker_state::half_open);
    CHECK(breaker.snapshot(scene.time.now()).probes_out == 0);
    CHECK(hawser::execute(line, good) == 1);
    CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("circuit_breaker: what fails because it is stopped is neutral, whoever stops it") {
    using hawser::stop_cause;
    struct stopped_call {  // As a driver shows it to the breaker.
        stop_cause why;
        static hawser::time_point now() noexcept { return hawser::time_point{1h}; }
        [[nodiscard]] stop_cause cause() const noexcept { return why; }
        static bool predicate_threw() noexcept { return false; }
        static std::uint32_t attempt() noexcept { return 1; }
    };
    for (auto const why : {stop_cause::timeout, stop_cause::caller, stop_cause::hedge_loser,
                           stop_cause::shutdown, stop_cause::none}) {
        circuit_breaker breaker{quick};
        circuit_breaker::call_state state;
        stopped_call call{why};
        hawser::outcome<int> out;
        out.fail(std::make_exception_ptr(1));
        REQUIRE(breaker.before(state, call).code == errc{});
        breaker.after(state, call, out);
        CHECK(breaker.snapshot(call.now()).calls == (why == stop_cause::none ? 1 : 0));
    }
}

TEST_CASE("votes_by: what fails because its caller has stopped it is no vote") {
    stage scene;
    basic_circuit_breaker breaker{quick, votes_by{everything_fails}};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    for (int i = 0; i < 1000; ++i) {
        std::stop_source caller;
        (void)try_execute(line, {.stop = caller.get_token()}, [&] {
            caller.request_stop();
            return fail();
        });
    }
    CHECK(breaker.state() == breaker_state::closed);
    CHECK(breaker.snapshot(scene.time.now()).calls == 0);
}

TEST_CASE("votes_by: what fails because of a deadline from further out is no vote") {
    stage scene;
    basic_circuit_breaker breaker{quick, votes_by{everything_fails}};
    auto const line = compose_in(scene.environment(), hawser::total_timeout{10ms}, borrow(breaker));
    for (int i = 0; i < 10; ++i) (void)try_execute(line, fails_after(scene, 20ms));
    CHECK(breaker.state() == breaker_state::closed);
    CHECK(breaker.snapshot(scene.time.now()).calls == 0);
}

TEST_CASE("votes_by: a success is a success, though a deadline from further out has passed") {
    stage scene;
    basic_circuit_breaker breaker{quick,
                                  votes_by{[](auto const&) noexcept { return verdict::success; }}};
    auto const line = compose_in(scene.environment(), hawser::total_timeout{10ms}, borrow(breaker));
    for (int i = 0; i < 3; ++i) (void)try_execute(line, fails_after(scene, 20ms));
    CHECK(breaker.snapshot(scene.time.now()).calls == 3);
    CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("circuit_breaker: a short call that a deadline from further out ended is not slow") {
    stage scene;
    basic_circuit_breaker breaker{circuit_breaker_options{.jitter = 0}, slow};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    for (int i = 0; i < 1000; ++i)
        (void)try_execute(line, {.deadline = scene.time.now() + 2ms}, fails_after(scene, 5ms));
    CHECK(breaker.state() == breaker_state::closed);
    CHECK(breaker.snapshot(scene.time.now()).calls == 0);
}

TEST_CASE("circuit_breaker: a wait further in that a deadline ended is not slow") {
    stage scene;
    basic_circuit_breaker breaker{circuit_breaker_options{.jitter = 0}, slow};
    support::test_bulkhead full{1};
    auto const line = compose_in(
        scene.environment(),
        hawser::retry{
            {}, hawser::backoff::constant{1ms}, hawser::jitter::none{}, hawser::no_budget{}},
        borrow(breaker), borrow(full));
    SECTION("before the first attempt") {
        REQUIRE(full.try_take());
        for (int i = 0; i < 10; ++i)
            CHECK(try_execute(line, {.deadline = scene.time.now() + 20ms}, good).code() ==
                  errc::timed_out);
        CHECK(breaker.snapshot(scene.time.now()).calls == 0);
    }
    SECTION("before a later one") {
        scene.on_wait = [&] {
            if (scene.waits == 1) REQUIRE(full.try_take());  // In the backoff.
        };
        CHECK(try_execute(line, {.deadline = scene.time.now() + 20ms}, fail).code() ==
              errc::timed_out);
        CHECK(breaker.snapshot(scene.time.now()).calls == 1);
    }
    CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("circuit_breaker: a failure may be slow as well, and both rules count it") {
    stage scene;
    basic_circuit_breaker breaker{circuit_breaker_options{.jitter = 0},
                                  trip::failure_rate{.minimum_calls = 10}, slow};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    (void)try_execute(line, fails_after(scene, 6ms));
    auto const seen = breaker.snapshot(scene.time.now());
    CHECK(seen.calls == 1);
    CHECK(seen.rules[0].hits == 1);
    CHECK(seen.rules[1].hits == 1);
}

TEST_CASE("circuit_breaker: a probe that succeeds slowly does not close") {
    stage scene;
    basic_circuit_breaker breaker{quick, slow};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    for (int i = 0; i < 2; ++i) (void)hawser::execute(line, succeeds_after(scene, 6ms));
    REQUIRE(breaker.state() == breaker_state::open);
    scene.time.advance(5s);
    CHECK(hawser::execute(line, succeeds_after(scene, 6ms)) == 1);
    CHECK(breaker.state() == breaker_state::open);
    scene.time.advance(10s);
    CHECK(hawser::execute(line, succeeds_after(scene, 5ms)) == 1);
    CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("circuit_breaker: no refusal of a policy further in is a vote") {
    stage scene;
    circuit_breaker outer{quick}, inner{quick};
    support::reserving_gate dry{0, 50ms};
    auto const limited = compose_in(scene.environment(), borrow(outer), borrow(dry));
    auto const line = compose_in(scene.environment(), borrow(outer), borrow(inner));
    auto const alone = compose_in(scene.environment(), borrow(inner));
    auto const refused_by = [&](auto const& through, errc code) {
        for (int i = 0; i < 1000; ++i) CHECK(try_execute(through, good).code() == code);
        CHECK(outer.state() == breaker_state::closed);
        CHECK(outer.snapshot(scene.time.now()).calls == 0);
    };
    SECTION("a limiter") { refused_by(limited, errc::rate_limited); }
    SECTION("an open breaker") {
        for (int i = 0; i < 2; ++i) (void)try_execute(alone, fail);
        refused_by(line, errc::circuit_open);
    }
    SECTION("a half-open one whose probes are out") {
        for (int i = 0; i < 2; ++i) (void)try_execute(alone, fail);
        scene.time.advance(5s);
        auto const probe = inner.try_acquire(scene.time.now());
        REQUIRE(probe.is_probe());
        refused_by(line, errc::probes_full);
    }
    SECTION("one that is isolated") {
        inner.isolate(scene.start);
        refused_by(line, errc::isolated);
    }
}

TEST_CASE("circuit_breaker: a retry further in that runs out of budget votes once, by its last") {
    stage scene;
    hawser::retry_budget broke{{.ratio = 0.0, .floor = 1, .capacity = 1}};
    circuit_breaker breaker{{.window = 100, .minimum_calls = 100}};
    auto const line = compose_in(scene.environment(), borrow(breaker),
                                 hawser::retry{{}, hawser::backoff::none{}, borrow(broke)});
    int runs = 0;
    for (int i = 0; i < 4; ++i)
        (void)try_execute(line, [&] {
            ++runs;
            return fail();
        });
    CHECK(runs == 5);  // One retry was paid for.
    auto const seen = breaker.snapshot(scene.time.now());
    CHECK(seen.calls == 4);
    CHECK(seen.rules[0].hits == 4);
}

TEST_CASE("votes_by: what is alive but overloaded is a success, a failure or neither, as it says") {
    stage scene;
    auto const overloaded = GENERATE(verdict::success, verdict::neutral, verdict::failure);
    basic_circuit_breaker breaker{quick, votes_by{[&](auto const& out) {
                                      if (!out.has_value()) return vote{.health = out.classify()};
                                      if (out.value().status != 429) return vote{};
                                      return vote{.health = overloaded, .open_for = 30s};
                                  }}};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    for (int i = 0; i < 2; ++i) (void)try_execute(line, []() -> reply { throw 1; });
    scene.time.advance(5s);

    CHECK(hawser::execute(line, [] { return reply{429}; }).status == 429);

    auto const after = breaker.snapshot(scene.time.now());
    CHECK(after.probes_out == 0);
    if (overloaded == verdict::success) CHECK(after.state == breaker_state::closed);
    if (overloaded == verdict::neutral) CHECK(after.state == breaker_state::half_open);
    if (overloaded == verdict::failure) CHECK(after.retry_after == 30s);
}

TEST_CASE("circuit_breaker: after ten thousand successes it opens within its window") {
    stage scene;
    circuit_breaker breaker{{.failure_rate = 0.5, .window = 100}};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    for (int i = 0; i < 10'000; ++i) (void)hawser::execute(line, good);
    for (int i = 0; i < 49; ++i) (void)try_execute(line, fail);
    CHECK(breaker.state() == breaker_state::closed);
    (void)try_execute(line, fail);
    CHECK(breaker.state() == breaker_state::open);
}

TEST_CASE("circuit_breaker: opens at its minimum of calls, and not before, whatever the share") {
    stage scene;
    circuit_breaker breaker{{.failure_rate = 0.5, .window = 100, .minimum_calls = 20}};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    for (int i = 0; i < 10; ++i) (void)try_execute(line, fail);
    for (int i = 0; i < 9; ++i) (void)hawser::execute(line, good);
    CHECK(breaker.state() == breaker_state::closed);
    (void)hawser::execute(line, good);  // 10 of 20: equality, completed by a success.
    CHECK(breaker.state() == breaker_state::open);
}
