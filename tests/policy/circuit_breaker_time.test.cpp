// SPDX-License-Identifier: BSL-1.0
//
// A breaker as time goes by, and clocks that jump; commands and new options in the middle of
// everything.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"

#include <stdexcept>

using namespace std::chrono_literals;
using hawser::basic_circuit_breaker;
using hawser::borrow;
using hawser::breaker_state;
using hawser::circuit_breaker;
using hawser::circuit_breaker_options;
using hawser::compose_in;
using hawser::errc;
using hawser::try_execute;
using support::stage;
namespace trip = hawser::trip;

namespace {

/// Opens at the second failure of two calls, for 5, 10, 20 s in a row.
constexpr circuit_breaker_options quick{
    .window = 10, .minimum_calls = 2, .open_for = 5s, .jitter = 0, .probes = 3};

int fail() { throw std::runtime_error{"down"}; }
int good() { return 1; }

/// A breaker and how to call it.
template <class... Rules>
struct stand {
    stage scene{};
    basic_circuit_breaker<Rules...> breaker;
    explicit stand(circuit_breaker_options const& options = quick, Rules const&... rules)
        : breaker{options, rules...} {}

    auto line() { return compose_in(scene.environment(), borrow(breaker)); }
    auto permit() { return breaker.try_acquire(scene.time.now()); }
    auto snapshot() { return breaker.snapshot(scene.time.now()); }
    auto end(int times, int (*how)(), hawser::duration after = {}) {
        for (; times > 0; --times)
            (void)try_execute(line(), [&] {
                scene.time.advance(after);
                return how();
            });
        return breaker.state();
    }
    /// Opens, and waits until a probe may go.
    void await_probes() {
        REQUIRE(end(2, fail) == breaker_state::open);
        scene.time.advance(snapshot().retry_after);
    }
};

}  // namespace

TEST_CASE("circuit_breaker: window, slowness, open wait and lease go by the pipeline's time") {
    trip::failure_rate_over_time const lately{.window = 10s, .minimum_calls = 2};
    trip::slow_rate const slow{.slower_than = 1s, .rate = 1, .window = 3, .minimum_calls = 3};
    stand on{circuit_breaker_options{.open_for = 5s, .jitter = 0, .probes = 1}, lately, slow};
    auto const line = on.line();

    CHECK(on.end(1, fail) == breaker_state::closed);
    on.scene.time.advance(10s);  // Forgotten.
    CHECK(on.end(1, fail) == breaker_state::closed);
    on.scene.time.advance(8s);  // Not yet.
    CHECK(on.end(1, fail) == breaker_state::open);

    on.breaker.reset(on.scene.time.now());
    CHECK(on.end(3, good, 1s) == breaker_state::closed);
    CHECK(on.end(3, good, 1s + 1ns) == breaker_state::open);

    on.scene.time.advance(5s - 1ns);
    CHECK(try_execute(line, good).why()->retry_after == 1ns);
    on.scene.time.advance(1ns);
    (void)try_execute(line, [&] {  // A probe that hangs.
        on.scene.time.advance(5s - 1ns);
        CHECK(try_execute(line, good).code() == errc::probes_full);
        on.scene.time.advance(1ns);
        CHECK(hawser::execute(line, good) == 1);
    });
    CHECK(on.breaker.state() == breaker_state::closed);
}

TEST_CASE("circuit_breaker: a clock that jumps by an hour neither wedges nor opens it") {
    auto const jump = GENERATE(hawser::duration{1h}, hawser::duration{-1h});
    trip::failure_rate_over_time const lately{.window = 10s, .minimum_calls = 3};
    trip::slow_rate const slow{.slower_than = 2h, .minimum_calls = 1};
    stand on{circuit_breaker_options{.open_for = 5s, .jitter = 0, .probes = 1, .probe_lease = 5s},
             lately, slow};
    auto const line = on.line();
    SECTION("closed") {
        CHECK(on.end(1, fail) == breaker_state::closed);
        on.scene.time.advance(jump);
        CHECK(on.end(100, good) == breaker_state::closed);
        CHECK(on.end(100, fail) == breaker_state::open);
    }
    SECTION("closed, within a call") { CHECK(on.end(1, good, jump) == breaker_state::closed); }
    SECTION("half-open, with a probe out") {
        REQUIRE(on.end(3, fail) == breaker_state::open);
        on.scene.time.advance(5s);
        CHECK(on.end(1, good, jump) == breaker_state::closed);
    }
    SECTION("half-open, with a probe lost") {
        REQUIRE(on.end(3, fail) == breaker_state::open);
        on.scene.time.advance(5s);
        CHECK(hawser::execute(line, [&] {
                  on.scene.time.advance(jump);
                  on.scene.time.advance(hawser::duration{1h} - jump);
                  CHECK(hawser::execute(line, good) == 1);
                  return 1;
              }) == 1);
        CHECK(on.breaker.state() == breaker_state::closed);
    }
}

TEST_CASE("circuit_breaker: the longest times there are mean never, and overflow nothing") {
    auto const longest = hawser::never;
    trip::failure_rate_over_time const lately{.window = longest, .minimum_calls = 2};
    trip::slow_rate const slow{.slower_than = longest, .minimum_calls = 1};
    stand on{circuit_breaker_options{.open_for = longest,
                                     .open_for_max = longest,
                                     .jitter = 1,
                                     .forget_after = longest,
                                     .probe_lease = longest},
             lately, slow};
    CHECK(on.end(10, good, 24h) == breaker_state::closed);
    CHECK(on.end(10, fail, 24h) == breaker_state::open);
    CHECK(on.snapshot().retry_after == longest);
    on.scene.time.advance(24h * 365 * 100);
    CHECK(try_execute(on.line(), good).code() == errc::circuit_open);

    // A lease without end.
    on.breaker.reconfigure({.jitter = 0, .probes = 1, .probe_lease = longest}, on.scene.time.now(),
                           lately, slow);
    on.breaker.reset(on.scene.time.now());
    REQUIRE(on.end(2, fail) == breaker_state::open);
    on.scene.time.advance(5s);
    auto const hung = on.permit();
    on.scene.time.advance(24h * 365 * 50);
    CHECK(try_execute(on.line(), good).code() == errc::probes_full);
}

TEST_CASE("circuit_breaker: in every state a command does what it says, given again as well") {
    using state = breaker_state;
    using command = bool (circuit_breaker::*)(hawser::time_point);
    auto const from = GENERATE(state::closed, state::open, state::half_open, state::isolated,
                               state::disabled, state::metrics_only);
    stand on;
    auto const line = on.line();
    if (from == state::open) on.end(2, fail);
    if (from == state::half_open) on.await_probes();
    auto const held = on.permit();
    if (from == state::isolated) on.breaker.isolate(on.scene.start);
    if (from == state::disabled) on.breaker.disable(on.scene.start);
    if (from == state::metrics_only) on.breaker.observe(on.scene.start);
    REQUIRE(on.breaker.state() == from);

    auto const [does, to] = GENERATE(table<command, state>({
        {&circuit_breaker::isolate, state::isolated},
        {&circuit_breaker::disable, state::disabled},
        {&circuit_breaker::observe, state::metrics_only},
        {&circuit_breaker::reset, state::closed},
    }));
    bool const changes = from != to || to == state::closed;
    auto const before = on.breaker.generation();
    CHECK((on.breaker.*does)(on.scene.time.now()) == changes);
    CHECK((on.breaker.*does)(on.scene.time.now()) == (to == state::closed));
    CHECK(on.breaker.state() == to);
    CHECK(on.breaker.generation() == before + changes + (to == state::closed));

    auto const out = try_execute(line, good);
    CHECK(out.code() == (to == state::isolated ? errc::isolated : errc{}));
    on.end(2, fail);
    CHECK(on.breaker.state() == (to == state::closed ? state::open : to));
}

TEST_CASE("circuit_breaker: openings in a row wait longer, and healthy time takes them off") {
    stand on{{.window = 2, .minimum_calls = 2, .open_for = 5s, .jitter = 0, .probes = 1}};
    on.end(2, fail);
    for (auto const wait : {5s, 10s, 20s, 40s, 60s, 60s}) {
        CHECK(on.snapshot().retry_after == wait);
        on.scene.time.advance(wait);
        on.end(1, fail);
    }
    on.scene.time.advance(60s);
    on.end(1, good);
    REQUIRE(on.breaker.state() == breaker_state::closed);
    on.scene.time.advance(2min);  // Twice `open_for_max`, from the fifth opening: three are left.
    on.end(2, fail);
    CHECK(on.snapshot().retry_after == 40s);
}

TEST_CASE("circuit_breaker: calls and probes under way keep their votes through new options") {
    stand on;
    auto const line = on.line();
    auto options = quick;
    options.probes = 2;
    SECTION("a call") {
        (void)try_execute(line, [&] {
            (void)try_execute(line, fail);
            on.breaker.reconfigure(options, on.scene.time.now());
            return fail();
        });
        CHECK(on.breaker.state() == breaker_state::open);
    }
    SECTION("a probe, which has its slot still") {
        on.await_probes();
        CHECK(hawser::execute(line, [&] {
                  on.breaker.reconfigure(options, on.scene.time.now());
                  CHECK(on.snapshot().probes_out == 1);
                  return 1;
              }) == 1);
        CHECK(on.breaker.state() == breaker_state::half_open);
        on.end(1, good);
        CHECK(on.breaker.state() == breaker_state::closed);
    }
    CHECK(on.snapshot().stale == 0);
}
