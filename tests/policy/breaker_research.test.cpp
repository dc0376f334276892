// SPDX-License-Identifier: BSL-1.0
//
// What goes wrong with circuit breakers in the field, each as a test of ours, through a pipeline.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/stage.hpp"
#include "support/test_bulkhead.hpp"
#include "support/unwound.hpp"

#include <functional>
#include <stdexcept>
#include <stop_token>
#include <vector>

using namespace std::chrono_literals;
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
using support::stage;

namespace {

/// Opens at the second failure of two calls, and probes with one.
constexpr circuit_breaker_options quick{
    .window = 10, .minimum_calls = 2, .open_for = 5s, .jitter = 0, .probes = 1};

struct mute {};  ///< A value that says nothing.

int fail() { throw std::runtime_error{"down"}; }
int good() { return 1; }

/// A breaker that is open, and whose wait is over.
struct due {
    stage scene{};
    circuit_breaker breaker;
    explicit due(circuit_breaker_options const& options = quick) : breaker{options} {
        auto const line = compose_in(scene.environment(), borrow(breaker));
        for (int i = 0; i < 2; ++i) (void)try_execute(line, fail);
        REQUIRE(breaker.state() == breaker_state::open);
        scene.time.advance(options.open_for);
    }
    [[nodiscard]] auto snapshot() const { return breaker.snapshot(scene.time.now()); }
    void expect_next_probe_admitted() {
        CHECK(breaker.state() == breaker_state::half_open);
        CHECK(snapshot().probes_out == 0);
        CHECK(hawser::execute(compose_in(scene.environment(), borrow(breaker)), good) == 1);
        CHECK(breaker.state() == breaker_state::closed);
    }
};

}  // namespace

template <>
struct hawser::outcome_traits<mute> {
    static verdict classify(mute const&) noexcept { return verdict::neutral; }
};

// Lost probes.

TEST_CASE("breaker research: a probe without a verdict gives its slot back") {
    due d;
    auto const line = compose_in(d.scene.environment(), borrow(d.breaker));
    std::stop_source caller;

    SECTION("an outcome that is ignored") {
        (void)try_execute(line, [] { return mute{}; });
    }
    SECTION("a cancel before the operation") {
        caller.request_stop();
        (void)try_execute(line, {.stop = caller.get_token()}, good);
    }
    SECTION("a cancel within the operation") {
        (void)try_execute(line, {.stop = caller.get_token()}, [&] {
            caller.request_stop();
            return fail();
        });
    }
    SECTION("a refusal from further in") {
        support::test_bulkhead full{1, 0};
        REQUIRE(full.try_take());
        (void)try_execute(compose_in(d.scene.environment(), borrow(d.breaker), borrow(full)), good);
        full.give_back();
    }
    SECTION("a deadline from further out") {
        (void)try_execute(line, {.deadline = d.scene.time.now() + 1ms}, [&] {
            d.scene.time.advance(2ms);
            return fail();
        });
    }
    SECTION("an unwinding") {
        CHECK(support::unwound([&] { (void)try_execute(line, support::unwind_here); }));
    }
    SECTION("a permit that is dropped, and one that was moved from") {
        auto permit = d.breaker.try_acquire(d.scene.time.now());
        REQUIRE(permit.is_probe());
        auto const moved = std::move(permit);
    }
    d.expect_next_probe_admitted();
}

TEST_CASE("breaker research: a probe that fails by whatever it throws gives its slot back") {
    due d;
    auto const line = compose_in(d.scene.environment(), borrow(d.breaker));
    SECTION("a std exception") { (void)try_execute(line, fail); }
    SECTION("anything else") {
        (void)try_execute(line, [] { throw 5; });
    }
    CHECK(d.breaker.state() == breaker_state::open);
    CHECK(d.snapshot().probes_out == 0);
    d.scene.time.advance(10s);  // The second opening waits twice as long.
    CHECK(hawser::execute(line, good) == 1);
}

TEST_CASE("breaker research: a probe that hangs loses its slot, and its late verdict is no vote") {
    due d;
    auto const line = compose_in(d.scene.environment(), borrow(d.breaker));
    (void)try_execute(line, [&]() -> int {
        CHECK(try_execute(line, good).code() == errc::probes_full);
        d.scene.time.advance(5s);  // The lease is as long as the breaker was open.
        CHECK(hawser::execute(line, good) == 1);
        CHECK(d.breaker.state() == breaker_state::closed);
        return fail();
    });
    CHECK(d.breaker.state() == breaker_state::closed);
    CHECK(d.snapshot().stale == 1);
}

// Stale results.

TEST_CASE("breaker research: results of an earlier age move nothing, in any order") {
    // Calls of the first closed age, still running while the breaker opens and half-opens; they end
    // from the innermost out, with every mix of fates.
    for (unsigned fates = 0; fates < 16; ++fates) {
        INFO("fates " << fates);
        stage scene;
        circuit_breaker breaker{quick};
        auto const line = compose_in(scene.environment(), borrow(breaker));
        std::function<void(unsigned)> nested = [&](unsigned depth) {
            (void)try_execute(line, [&]() -> int {
                if (depth < 4) {
                    nested(depth + 1);
                } else {
                    for (int i = 0; i < 2; ++i) (void)try_execute(line, fail);
                    REQUIRE(breaker.state() == breaker_state::open);
                    scene.time.advance(5s);
                    auto const probe = breaker.try_acquire(scene.time.now());
                    REQUIRE(probe.is_probe());
                    return fates & 1U << depth % 4 ? fail() : 1;
                }
                CHECK(breaker.state() == breaker_state::half_open);
                return fates & 1U << depth ? fail() : 1;
            });
        };
        nested(0);
        CHECK(breaker.state() == breaker_state::half_open);
        CHECK(breaker.snapshot(scene.time.now()).stale == 5);
        CHECK(breaker.snapshot(scene.time.now()).probes_out == 0);
    }
}

TEST_CASE("breaker research: a late end of an earlier age widens no probe pool") {
    stage scene;
    auto options = quick;
    options.probes = 3;
    options.probes_at_once = 2;
    circuit_breaker breaker{options};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    (void)try_execute(line, [&] {
        for (int i = 0; i < 2; ++i) (void)try_execute(line, fail);
        scene.time.advance(5s);
        return 1;
    });
    auto const first = breaker.try_acquire(scene.time.now()),
               second = breaker.try_acquire(scene.time.now()),
               third = breaker.try_acquire(scene.time.now());
    CHECK(first);
    CHECK(second);
    CHECK_FALSE(third);
}

TEST_CASE("breaker research: failures that come while it is open do not keep it open longer") {
    stage scene;
    circuit_breaker breaker{quick};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    (void)try_execute(line, [&]() -> int {
        for (int i = 0; i < 2; ++i) (void)try_execute(line, fail);
        scene.time.advance(4s);
        return fail();
    });
    CHECK(try_execute(line, good).why()->retry_after == 1s);
    scene.time.advance(1s);
    CHECK(hawser::execute(line, good) == 1);
}

// What is no failure of the dependency.

TEST_CASE("breaker research: a thousand refusals of an inner bulkhead keep the breaker closed") {
    stage scene;
    circuit_breaker breaker{quick};
    support::test_bulkhead full{1, 0};
    REQUIRE(full.try_take());
    auto const line = compose_in(scene.environment(), borrow(breaker), borrow(full));
    for (int i = 0; i < 1000; ++i) CHECK(try_execute(line, good).code() == errc::bulkhead_full);
    CHECK(breaker.state() == breaker_state::closed);
    CHECK(breaker.snapshot(scene.time.now()).calls == 0);
}

TEST_CASE("breaker research: a thousand waits that would not fit keep the breaker closed") {
    stage scene;
    circuit_breaker breaker{quick};
    support::reserving_gate gate{1, 50ms};
    auto const line = compose_in(scene.environment(), borrow(breaker), borrow(gate));
    for (int i = 0; i < 1000; ++i)
        CHECK(try_execute(line, {.deadline = scene.start + 10ms}, good).code() == errc::timed_out);
    CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("breaker research: a thousand waits that the caller's deadline ended keep it closed") {
    stage scene;
    circuit_breaker breaker{quick};
    support::test_bulkhead full{1};
    REQUIRE(full.try_take());
    auto const line = compose_in(scene.environment(), borrow(breaker), borrow(full));
    for (int i = 0; i < 1000; ++i)
        CHECK(try_execute(line, {.deadline = scene.time.now() + 1ms}, good).code() ==
              errc::timed_out);
    CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE(
    "breaker research: a thousand cancelled calls keep the breaker closed, and leak nothing") {
    stage scene;
    circuit_breaker breaker{quick};
    support::test_bulkhead bulkhead{1};
    auto const line = compose_in(scene.environment(), borrow(breaker), borrow(bulkhead));
    for (int i = 0; i < 1000; ++i) {
        std::stop_source caller;
        (void)try_execute(line, {.stop = caller.get_token()}, [&] {
            caller.request_stop();
            return fail();
        });
    }
    CHECK(breaker.state() == breaker_state::closed);
    CHECK(breaker.snapshot(scene.time.now()).calls == 0);
    CHECK(bulkhead.is_whole());
}

TEST_CASE("breaker research: a nested breaker that is open does not open the outer one") {
    stage scene;
    circuit_breaker outer{quick}, inner{quick};
    inner.isolate(scene.start);
    auto const nested = compose_in(scene.environment(), borrow(inner));
    auto const line = compose_in(scene.environment(), borrow(outer));
    for (int i = 0; i < 1000; ++i)
        (void)try_execute(line, [&] { return hawser::execute(nested, good); });
    CHECK(outer.state() == breaker_state::closed);
}

TEST_CASE("breaker research: a limiter that refuses the probe does not keep the breaker open") {
    due d;
    support::test_bulkhead full{1, 0};
    REQUIRE(full.try_take());
    auto const line = compose_in(d.scene.environment(), borrow(d.breaker), borrow(full));
    for (int i = 0; i < 10; ++i) CHECK(try_execute(line, good).code() == errc::bulkhead_full);
    full.give_back();
    CHECK(hawser::execute(line, good) == 1);
    CHECK(d.breaker.state() == breaker_state::closed);
}

TEST_CASE(
    "breaker research: alive but overloaded may close the breaker, if the classifier says so") {
    stage scene;
    basic_circuit_breaker breaker{quick, hawser::votes_by{[](auto const& out) {
                                      if (out.code() == errc::overloaded) return verdict::success;
                                      return out.classify();
                                  }}};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    for (int i = 0; i < 2; ++i) (void)try_execute(line, fail);
    scene.time.advance(5s);
    (void)try_execute(line, []() -> int { throw hawser::refused{{.code = errc::overloaded}}; });
    CHECK(breaker.state() == breaker_state::closed);
}

// Order of layers.

TEST_CASE("breaker research: inside a retry it counts attempts, outside it counts calls") {
    stage scene;
    auto const again = [] {
        return hawser::retry{{.max_attempts = 4}, hawser::backoff::none{}, hawser::no_budget{}};
    };
    circuit_breaker inside{{.window = 100, .minimum_calls = 50}},
        outside{{.window = 100, .minimum_calls = 50}};
    auto const attempts = compose_in(scene.environment(), again(), borrow(inside));
    auto const calls = compose_in(scene.environment(), borrow(outside), again());
    for (int i = 0; i < 5; ++i) {
        (void)try_execute(attempts, fail);
        (void)try_execute(calls, fail);
    }
    CHECK(inside.snapshot(scene.time.now()).calls == 20);
    CHECK(outside.snapshot(scene.time.now()).calls == 5);
}

TEST_CASE("breaker research: one that opens inside a retry is waited for exactly, or not at all") {
    stage scene;
    circuit_breaker breaker{quick};
    auto const again = [](hawser::duration most) {
        return hawser::retry{{.max_attempts = 4, .refusal_wait_max = most},
                             hawser::backoff::constant{1s},
                             hawser::jitter::none{},
                             hawser::no_budget{}};
    };
    SECTION("waited for") {
        auto const line = compose_in(scene.environment(), again(10s), borrow(breaker));
        int calls = 0;
        CHECK(hawser::execute(line, [&] { return ++calls > 2 ? calls : fail(); }) == 3);
        CHECK(scene.elapsed() == 1s + 5s);  // The open time counts from the second failure.
    }
    SECTION("passed on, because it asks for too long") {
        auto const line = compose_in(scene.environment(), again(3s), borrow(breaker));
        auto const out = try_execute(line, fail);
        CHECK(out.code() == errc::circuit_open);
        CHECK(out.origin().attempts == 2);
        CHECK(scene.elapsed() == 2s);
    }
    SECTION("passed on, because there is no time") {
        auto const line = compose_in(scene.environment(), again(10s), borrow(breaker));
        auto const out = try_execute(line, {.deadline = scene.start + 4s}, fail);
        CHECK(out.code() == errc::circuit_open);
        CHECK(scene.elapsed() == 2s);
    }
}

// Clocks.

TEST_CASE("breaker research: a clock that jumps neither wedges nor opens it") {
    due d;
    auto const line = compose_in(d.scene.environment(), borrow(d.breaker));
    SECTION("back") {
        d.scene.time.advance(-30min);
        auto const out = try_execute(line, good);
        REQUIRE(out.why() != nullptr);
        CHECK(out.why()->retry_after > 0s);
        d.scene.time.advance(30min);
    }
    SECTION("ahead") { d.scene.time.advance(24h * 365); }
    CHECK(hawser::execute(line, good) == 1);
    CHECK(d.breaker.state() == breaker_state::closed);
}

TEST_CASE("breaker research: breakers that opened together do not probe together") {
    stage scene;
    auto options = quick;
    options.jitter = 0.1;
    hawser::duration least = hawser::never, most{};
    for (int i = 0; i < 1000; ++i) {
        circuit_breaker breaker{options};
        auto const line = compose_in(scene.environment(), borrow(breaker));
        for (int n = 0; n < 2; ++n) (void)try_execute(line, fail);
        auto const wait = try_execute(line, good).why()->retry_after;
        least = std::min(least, wait);
        most = std::max(most, wait);
    }
    CHECK(least >= 5s);
    CHECK(most <= 5500ms);
    CHECK(most - least > 450ms);
}

// Callbacks.

namespace {

/// A sink that does everything to its breaker that can be done.
struct meddler {
    stage* scene = nullptr;
    std::function<void()> act{};
    int told = 0;
    void on(hawser::breaker_changed const&) {
        if (++told < 5) act();
    }
};

}  // namespace

TEST_CASE("breaker research: a sink may call back into every member of the breaker") {
    stage scene;
    meddler sink{&scene};
    basic_circuit_breaker breaker{quick, told_by_reference(sink)};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    auto const now = scene.start;
    sink.act = [&] {
        (void)breaker.state();
        (void)breaker.generation();
        (void)breaker.snapshot(now);
        (void)breaker.name();
        breaker.isolate(now);
        breaker.disable(now);
        breaker.observe(now);
        breaker.reset(now);
        breaker.reconfigure(quick, now);
        auto permit = breaker.try_acquire(now);
        permit.report({.health = verdict::failure}, [now]() noexcept { return now; });
        (void)try_execute(line, fail);
    };
    for (int i = 0; i < 2; ++i) (void)try_execute(line, fail);
    CHECK(sink.told >= 5);
    breaker.reset(now);
    CHECK(hawser::execute(line, good) == 1);
}

TEST_CASE("breaker research: a classifier may call back into every member of the breaker") {
    stage scene;
    std::function<void()> act = [] {};
    basic_circuit_breaker breaker{quick, hawser::votes_by{[&](auto const& out) {
                                      act();
                                      return out.classify();
                                  }}};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    act = [&] {
        (void)breaker.snapshot(scene.start);
        breaker.isolate(scene.start);
        breaker.reset(scene.start);
        breaker.reconfigure(quick, scene.start);
        auto const permit = breaker.try_acquire(scene.start);
    };
    for (int i = 0; i < 5; ++i) (void)try_execute(line, fail);
    // Each vote was cast in an age that the classifier had ended.
    CHECK(breaker.state() == breaker_state::closed);
    CHECK(breaker.snapshot(scene.start).stale == 5);
}

TEST_CASE("breaker research: a sink that throws changes nothing, and is counted") {
    struct thrower {
        static void on(hawser::breaker_changed const&) { throw std::runtime_error{"full"}; }
    } sink;
    stage scene;
    basic_circuit_breaker breaker{quick, told_by_reference(sink)};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    auto const before = hawser::sink_failures();
    for (int i = 0; i < 2; ++i) CHECK_THROWS_AS(hawser::execute(line, fail), std::runtime_error);
    CHECK(try_execute(line, good).code() == errc::circuit_open);
    CHECK(hawser::sink_failures() == before + 1);
}

TEST_CASE("breaker research: it may be destroyed while it is open") {
    stage scene;
    auto breaker = std::make_unique<circuit_breaker>(quick);
    {
        auto const line = compose_in(scene.environment(), borrow(*breaker));
        for (int i = 0; i < 2; ++i) (void)try_execute(line, fail);
    }
    breaker.reset();
    SUCCEED("there is no timer that would still fire");
}
