// SPDX-License-Identifier: BSL-1.0
//
// The breaker in a pipeline: who votes, who is told, and what a refusal says. The machine behind it
// is tested in tests/breaker.
#include <hawser/hawser.hpp>
#include <hawser/policy/circuit_breaker.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/stage.hpp"

#include <optional>
#include <stdexcept>
#include <stop_token>

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using hawser::basic_circuit_breaker;
using hawser::borrow;
using hawser::breaker_state;
using hawser::circuit_breaker;
using hawser::circuit_breaker_options;
using hawser::compose_in;
using hawser::errc;
using hawser::told_by_reference;
using hawser::try_execute;
using hawser::verdict;
using lines = support::trace_of::lines;
using support::stage;

namespace {

struct reply {
    int status = 200;
    hawser::duration retry_after{};
};

/// Opens at the second failure of two calls.
constexpr circuit_breaker_options quick{
    .window = 10, .minimum_calls = 2, .open_for = 5s, .jitter = 0, .probes = 1};

int fail() { throw std::runtime_error{"down"}; }
int good() { return 1; }

template <class Line>
void fail_through(Line const& line, int times = 2) {
    for (int i = 0; i < times; ++i) (void)try_execute(line, fail);
}

}  // namespace

template <>
struct hawser::outcome_traits<reply> {
    static verdict classify(reply const& r) noexcept {
        return r.status < 500 ? verdict::success : verdict::failure;
    }
};

TEST_CASE("circuit_breaker: starts closed and lets everything through") {
    stage scene;
    circuit_breaker breaker;
    auto const line = compose_in(scene.environment(), borrow(breaker));
    CHECK(breaker.state() == breaker_state::closed);
    CHECK(hawser::execute(line, good) == 1);
    CHECK(breaker.snapshot(scene.start).calls == 1);
}

TEST_CASE("circuit_breaker: opens by failures, refuses, probes, and closes") {
    stage scene;
    basic_circuit_breaker breaker{quick, told_by_reference(scene.trace)};
    auto const line = compose_in(scene.environment(), borrow(breaker));

    fail_through(line);
    CHECK(breaker.state() == breaker_state::open);
    auto const refused = try_execute(line, good);
    REQUIRE(refused.why() != nullptr);
    CHECK(*refused.why() == hawser::refusal{errc::circuit_open, 5s, "circuit_breaker"});
    CHECK(refused.origin().attempts == 0);

    scene.time.advance(5s);
    CHECK(hawser::execute(line, good) == 1);
    CHECK(breaker.state() == breaker_state::closed);

    CHECK(scene.trace.seen() ==
          lines{"attempt 1", "attempt 1 ended: failure", "call ended: failure",  //
                "attempt 1", "attempt 1 ended: failure", "circuit_breaker closed -> open: tripped",
                "call ended: failure", "circuit_breaker refused: circuit open",
                "call ended: neutral, circuit open",
                "circuit_breaker open -> half_open: wait_elapsed",  //
                "attempt 1", "attempt 1 ended: success",
                "circuit_breaker half_open -> closed: probes_passed", "call ended: success"});
}

TEST_CASE("circuit_breaker: what it refuses says when to come again") {
    stage scene;
    circuit_breaker breaker{quick};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    fail_through(line);
    scene.time.advance(2s);
    CHECK(try_execute(line, good).why()->retry_after == 3s);

    scene.time.advance(3s);
    hawser::execute(line, [&] {
        CHECK(breaker.state() == breaker_state::half_open);
        auto const second = try_execute(line, good);
        CHECK(second.code() == errc::probes_full);
        CHECK(second.why()->retry_after == 0s);
    });

    breaker.isolate(scene.time.now());
    CHECK(*try_execute(line, good).why() ==
          hawser::refusal{errc::isolated, hawser::never, "circuit_breaker"});
}

// Who votes.

TEST_CASE("circuit_breaker: values vote as their traits say, exceptions against") {
    stage scene;
    circuit_breaker breaker{{.window = 10, .minimum_calls = 3}};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    (void)try_execute(line, [] { return reply{503}; });
    (void)try_execute(line, [] { return reply{404}; });
    (void)try_execute(line, []() -> reply { throw 1; });
    auto const seen = breaker.snapshot(scene.time.now());
    CHECK(seen.calls == 3);
    CHECK(breaker.state() == breaker_state::open);
}

TEST_CASE("circuit_breaker: a timeout further in is a failure, one further out is neutral") {
    stage scene;
    circuit_breaker inner{quick}, outer{quick};
    auto const inside = compose_in(scene.environment(), hawser::total_timeout{10ms}, borrow(inner));
    auto const outside =
        compose_in(scene.environment(), borrow(outer), hawser::attempt_timeout{10ms});
    auto const late = [&]() -> int {
        scene.time.advance(20ms);
        return fail();
    };
    for (int i = 0; i < 1000; ++i) (void)try_execute(inside, late);
    CHECK(inner.state() == breaker_state::closed);
    CHECK(inner.snapshot(scene.time.now()).calls == 0);
    for (int i = 0; i < 2; ++i) (void)try_execute(outside, late);
    CHECK(outer.state() == breaker_state::open);
}

TEST_CASE("circuit_breaker: a deadline from further out that a slow call missed is its fault") {
    stage scene;
    basic_circuit_breaker breaker{circuit_breaker_options{.jitter = 0},
                                  hawser::trip::slow_rate{.slower_than = 5ms, .minimum_calls = 2}};
    auto const line = compose_in(scene.environment(), hawser::total_timeout{10ms}, borrow(breaker));
    for (int i = 0; i < 2; ++i)
        (void)try_execute(line, [&] {
            scene.time.advance(20ms);
            throw 1;
        });
    CHECK(breaker.state() == breaker_state::open);
}

TEST_CASE("circuit_breaker: a slow rate counts successes that were slow") {
    stage scene;
    basic_circuit_breaker breaker{circuit_breaker_options{.jitter = 0},
                                  hawser::trip::slow_rate{.slower_than = 5ms, .minimum_calls = 2}};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    for (int i = 0; i < 2; ++i) hawser::execute(line, [&] { scene.time.advance(6ms); });
    CHECK(breaker.state() == breaker_state::open);
}

TEST_CASE("circuit_breaker: several rules watch together") {
    stage scene;
    basic_circuit_breaker breaker{circuit_breaker_options{.jitter = 0},
                                  hawser::trip::consecutive_failures{3},
                                  hawser::trip::slow_rate{.slower_than = 5ms, .minimum_calls = 4}};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    fail_through(line, 3);
    CHECK(breaker.state() == breaker_state::open);
    breaker.reset(scene.time.now());
    for (int i = 0; i < 4; ++i) hawser::execute(line, [&] { scene.time.advance(6ms); });
    CHECK(breaker.state() == breaker_state::open);
}

TEST_CASE("votes_by: decides what an outcome is worth, refusals from further in included") {
    stage scene;
    support::hook_log log;
    support::scripted_layer inner{
        "inner", log, {.before = {hawser::step::refuse(errc::overloaded)}}};
    basic_circuit_breaker breaker{quick, hawser::votes_by{[](auto const& out) {
                                      return out.code() == errc::overloaded ? verdict::failure
                                                                            : verdict::success;
                                  }}};
    auto const line = compose_in(scene.environment(), borrow(breaker), borrow(inner));
    for (int i = 0; i < 2; ++i) (void)try_execute(line, good);
    CHECK(breaker.state() == breaker_state::open);
}

TEST_CASE("votes_by: a vote may name the time to stay away, within the breaker's own limits") {
    stage scene;
    auto const hinted = [](auto const& out) {
        if (!out.has_value()) return hawser::vote{.health = verdict::failure};
        return hawser::vote{
            .health = out.value().status < 500 ? verdict::success : verdict::failure,
            .open_for = out.value().retry_after};
    };
    basic_circuit_breaker breaker{quick, hawser::votes_by{hinted}};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    for (int i = 0; i < 2; ++i) (void)try_execute(line, [] { return reply{429 + 100, 20s}; });
    CHECK(try_execute(line, [] { return reply{}; }).why()->retry_after == 20s);
}

TEST_CASE("votes_by: what it throws is the call's outcome, and no vote") {
    stage scene;
    basic_circuit_breaker breaker{
        quick, hawser::votes_by{[](auto const&) -> verdict { throw std::logic_error{"vote"}; }}};
    auto const line = compose_in(scene.environment(), hawser::fallback{9}, borrow(breaker));
    for (int i = 0; i < 10; ++i) CHECK_THROWS_AS(hawser::execute(line, good), std::logic_error);
    CHECK(breaker.state() == breaker_state::closed);
    CHECK(breaker.snapshot(scene.time.now()).calls == 0);
}

TEST_CASE("votes_by: what it throws is no vote even when a deadline has passed") {
    stage scene;
    basic_circuit_breaker breaker{
        circuit_breaker_options{.jitter = 0},
        hawser::trip::slow_rate{.slower_than = 5ms, .minimum_calls = 1},
        hawser::votes_by{[](auto const&) -> verdict { throw std::logic_error{"vote"}; }}};
    auto const line = compose_in(scene.environment(), hawser::total_timeout{10ms}, borrow(breaker));
    CHECK_THROWS_AS(hawser::execute(line,
                                    [&]() -> int {
                                        scene.time.advance(20ms);
                                        return fail();
                                    }),
                    std::logic_error);
    CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("circuit_breaker: a probe of a classifier that throws gives its slot back") {
    stage scene;
    bool throws = false;
    basic_circuit_breaker breaker{quick, hawser::votes_by{[&](auto const& out) {
                                      if (throws) throw std::logic_error{"vote"};
                                      return out.classify();
                                  }}};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    fail_through(line);
    scene.time.advance(5s);
    throws = true;
    CHECK_THROWS_AS(hawser::execute(line, good), std::logic_error);
    CHECK(breaker.snapshot(scene.time.now()).probes_out == 0);
    throws = false;
    CHECK(hawser::execute(line, good) == 1);
    CHECK(breaker.state() == breaker_state::closed);
}

// Commands.

TEST_CASE("circuit_breaker: commands say whether they changed anything, and are told") {
    stage scene;
    basic_circuit_breaker breaker{quick, told_by_reference(scene.trace)};
    auto const now = scene.start;
    CHECK(breaker.isolate(now));
    CHECK_FALSE(breaker.isolate(now));
    CHECK(breaker.disable(now));
    CHECK(breaker.observe(now));
    CHECK(breaker.reset(now));
    CHECK(breaker.generation() == 5);
    CHECK(scene.trace.seen() == lines{"circuit_breaker closed -> isolated: isolate_command",
                                      "circuit_breaker isolated -> disabled: disable_command",
                                      "circuit_breaker disabled -> metrics_only: observe_command",
                                      "circuit_breaker metrics_only -> closed: reset_command"});
}

TEST_CASE("circuit_breaker: disabled, it admits every call and counts none") {
    stage scene;
    circuit_breaker breaker{quick};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    breaker.disable(scene.start);
    fail_through(line, 100);
    CHECK(breaker.state() == breaker_state::disabled);
    CHECK(breaker.snapshot(scene.start).calls == 0);
}

TEST_CASE("circuit_breaker: observing, it admits every call and tells when it would have opened") {
    stage scene;
    basic_circuit_breaker breaker{quick, told_by_reference(scene.trace)};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    breaker.observe(scene.start);
    fail_through(line, 10);
    CHECK(try_execute(line, good).has_value());
    CHECK(breaker.snapshot(scene.start).would_have_tripped == 1);
    CHECK(scene.trace.count("circuit_breaker metrics_only -> metrics_only: would_have_tripped") ==
          1);
}

TEST_CASE("circuit_breaker: new options apply while it runs, and what it knew stays") {
    stage scene;
    circuit_breaker breaker{{.minimum_calls = 20, .jitter = 0}};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    fail_through(line, 5);
    auto options = quick;
    options.minimum_calls = 6;
    breaker.reconfigure(options, scene.time.now());
    CHECK(breaker.state() == breaker_state::closed);
    fail_through(line, 1);
    CHECK(breaker.state() == breaker_state::open);
    options.probes = 0;
    CHECK_THROWS_WITH(breaker.reconfigure(options, scene.time.now()), Contains("probes"));
    CHECK(breaker.state() == breaker_state::open);
}

// In two steps, without a pipeline.

TEST_CASE("circuit_breaker: work that is no call takes a permit and reports") {
    circuit_breaker breaker{quick};
    hawser::time_point const t0{1h};
    auto const at = [](hawser::time_point t) { return [t]() noexcept { return t; }; };
    for (int i = 0; i < 2; ++i) {
        auto permit = breaker.try_acquire(t0);
        REQUIRE(permit);
        permit.report({.health = verdict::failure}, at(t0));
    }
    CHECK_FALSE(breaker.try_acquire(t0));
    CHECK(breaker.state() == breaker_state::open);

    { auto const dropped = breaker.try_acquire(t0 + 5s); }
    CHECK(breaker.snapshot(t0 + 5s).probes_out == 0);
    auto probe = breaker.try_acquire(t0 + 5s);
    CHECK(probe.is_probe());
    probe.report({}, at(t0 + 5s));
    CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("circuit_breaker: permits and pipelines meet in one state, and both tell the sink") {
    stage scene;
    basic_circuit_breaker breaker{quick, told_by_reference(scene.trace)};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    fail_through(line, 1);
    auto permit = breaker.try_acquire(scene.start);
    permit.report({.health = verdict::failure}, [&]() noexcept { return scene.start; });
    CHECK(scene.trace.count("circuit_breaker closed -> open: tripped") == 1);
    CHECK(try_execute(line, good).code() == errc::circuit_open);
}

TEST_CASE("circuit_breaker: the sink may be a part by value") {
    struct counting {
        int* changes;
        void on(hawser::breaker_changed const&) const noexcept { ++*changes; }
    };
    int changes = 0;
    basic_circuit_breaker breaker{quick, hawser::told_to{counting{&changes}}};
    breaker.isolate(hawser::time_point{});
    CHECK(changes == 1);
}

TEST_CASE("circuit_breaker: a change tells the numbers that decided it") {
    struct keeping {
        std::optional<hawser::breaker_changed> last{};
        void on(hawser::breaker_changed const& e) { last = e; }
    } sink;
    stage scene;
    basic_circuit_breaker breaker{quick, told_by_reference(sink)};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    hawser::execute(line, good);
    scene.time.advance(1s);
    fail_through(line, 1);
    REQUIRE(sink.last);
    CHECK(sink.last->origin.at == scene.start + 1s);
    CHECK(sink.last->origin.attempt == 0);
    CHECK(sink.last->rule == std::string{"failure_rate"});
    CHECK(sink.last->calls == 2);
    CHECK(sink.last->hits == 1);
    CHECK(sink.last->limit == 0.5);
    CHECK(sink.last->generation == 2);
    CHECK(sink.last->consecutive_opens == 1);
    CHECK(sink.last->open_for == 5s);
}

// Options.

TEST_CASE("circuit_breaker: an option out of range is named when the breaker is made") {
    auto const refused = [](auto change) {
        circuit_breaker_options options;
        change(options);
        try {
            circuit_breaker const breaker{options};
        } catch (std::invalid_argument const& e) {
            return std::string{e.what()};
        }
        return std::string{"accepted"};
    };
    using o = circuit_breaker_options;
    double const nan = std::numeric_limits<double>::quiet_NaN();
    CHECK_THAT(refused([](o& x) { x.failure_rate = 0; }), Contains("failure_rate"));
    CHECK_THAT(refused([](o& x) { x.failure_rate = 1.1; }), Contains("failure_rate"));
    CHECK_THAT(refused([&](o& x) { x.failure_rate = nan; }), Contains("failure_rate"));
    CHECK_THAT(refused([](o& x) { x.window = 0; }), Contains("window"));
    CHECK_THAT(refused([](o& x) { x.window = 65'537; }), Contains("window"));
    CHECK_THAT(refused([](o& x) { x.minimum_calls = 0; }), Contains("minimum_calls"));
    CHECK_THAT(refused([](o& x) { x.minimum_calls = 101; }), Contains("minimum_calls"));
    CHECK_THAT(refused([](o& x) { x.open_for = 0s; }), Contains("open_for"));
    CHECK_THAT(refused([](o& x) { x.open_for = 61s; }), Contains("open_for_max"));
    CHECK_THAT(refused([](o& x) { x.open_for_factor = 0.9; }), Contains("open_for_factor"));
    CHECK_THAT(refused([&](o& x) { x.open_for_factor = nan; }), Contains("open_for_factor"));
    CHECK_THAT(refused([](o& x) { x.jitter = -0.1; }), Contains("jitter"));
    CHECK_THAT(refused([](o& x) { x.jitter = 1.1; }), Contains("jitter"));
    CHECK_THAT(refused([](o& x) { x.forget_after = -1ns; }), Contains("forget_after"));
    CHECK_THAT(refused([](o& x) { x.probes = 0; }), Contains("probes"));
    CHECK_THAT(refused([](o& x) { x.probes = 65; }), Contains("probes"));
    CHECK_THAT(refused([](o& x) { x.probes_at_once = 4; }), Contains("probes_at_once"));
    CHECK_THAT(refused([](o& x) { x.probe_success_rate = 0; }), Contains("probe_success_rate"));
    CHECK_THAT(refused([](o& x) { x.probe_lease = -1ns; }), Contains("probe_lease"));
    CHECK_THAT(refused([](o& x) { x.name = nullptr; }), Contains("name"));
    CHECK(refused([](o&) {}) == "accepted");
}

TEST_CASE("circuit_breaker: a rule out of range is named when the breaker is made") {
    circuit_breaker_options const any;
    CHECK_THROWS_WITH((basic_circuit_breaker{any, hawser::trip::consecutive_failures{0}}),
                      Contains("consecutive_failures: count"));
    CHECK_THROWS_WITH((basic_circuit_breaker{any, hawser::trip::slow_rate{.slower_than = 0s}}),
                      Contains("slow_rate: slower_than"));
    CHECK_THROWS_WITH((basic_circuit_breaker{any, hawser::trip::failure_rate_over_time{.rate = 2}}),
                      Contains("failure_rate_over_time: rate"));
}
