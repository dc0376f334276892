// SPDX-License-Identifier: BSL-1.0
//
// What a breaker tells its sink, and when: in order, one at a time, outside every lock, and in the
// time of its pipelines.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using hawser::basic_circuit_breaker;
using hawser::borrow;
using hawser::breaker_state;
using hawser::circuit_breaker;
using hawser::circuit_breaker_options;
using hawser::compose_in;
using hawser::told_by_reference;
using hawser::try_execute;
using support::stage;

namespace {

/// Opens at the second failure of two calls, and probes with one.
constexpr circuit_breaker_options quick{
    .window = 10, .minimum_calls = 2, .open_for = 5s, .jitter = 0, .probes = 1};

int fail() { throw std::runtime_error{"down"}; }
int good() { return 1; }

/// A sink that keeps everything, and may do something each time.
struct keeping {
    std::vector<hawser::breaker_changed> steps{};
    std::optional<hawser::events_dropped> dropped{};
    std::function<void()> act{};
    int depth = 0, deepest = 0;

    void on(hawser::breaker_changed const& e) {
        deepest = std::max(deepest, ++depth);
        steps.push_back(e);
        if (act) act();
        --depth;
    }
    void on(hawser::events_dropped const& e) { dropped = e; }

    [[nodiscard]] bool is_chain() const {
        for (std::size_t i = 1; i < steps.size(); ++i)
            if (steps[i].from != std::string{steps[i - 1].to} ||
                steps[i].generation != steps[i - 1].generation + 1)
                return false;
        return true;
    }
};

}  // namespace

TEST_CASE("circuit_breaker: every step is told in the time of the pipeline that took it") {
    stage scene;
    keeping sink;
    basic_circuit_breaker breaker{quick, told_by_reference(sink)};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    for (int i = 0; i < 2; ++i) (void)try_execute(line, fail);
    scene.time.advance(5s);
    CHECK(hawser::execute(line, [&] {
              scene.time.advance(1s);
              return 1;
          }) == 1);
    REQUIRE(sink.steps.size() == 3);
    CHECK(sink.steps[0].origin.at == scene.start);
    CHECK(sink.steps[1].origin.at == scene.start + 5s);
    CHECK(sink.steps[2].origin.at == scene.start + 6s);
    CHECK(sink.is_chain());
}

TEST_CASE("circuit_breaker: steps that nobody took in time are counted, in the pipeline's time") {
    stage scene;
    keeping sink;
    basic_circuit_breaker breaker{{.name = "quotes"}, told_by_reference(sink)};
    sink.act = [&] {
        if (sink.steps.size() == 1)
            for (int i = 0; i < 20; ++i) breaker.reset(scene.start + 1h);  // Room is for 16.
    };
    breaker.reset(scene.start + 1h);
    REQUIRE(sink.dropped);
    CHECK(sink.dropped->count == 4);
    CHECK(sink.dropped->origin.at == scene.start + 1h);
    CHECK(sink.dropped->origin.policy == std::string{"quotes"});
    CHECK(sink.steps.size() == 17);
}

TEST_CASE("circuit_breaker: what a sink causes is told after it, not within it") {
    stage scene;
    keeping sink;
    basic_circuit_breaker breaker{quick, told_by_reference(sink)};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    int left = 100'000;
    sink.act = [&] {
        if (left-- > 0) breaker.reset(scene.start);
    };
    for (int i = 0; i < 2; ++i) (void)try_execute(line, fail);
    CHECK(sink.steps.size() == 100'001);
    CHECK(sink.deepest == 1);
    CHECK(sink.is_chain());
    CHECK_FALSE(sink.dropped);
}

TEST_CASE("circuit_breaker: calls in flight that all fail open it once, and are told once") {
    stage scene;
    keeping sink;
    basic_circuit_breaker breaker{quick, told_by_reference(sink)};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    std::function<void(int)> nested = [&](int depth) {
        (void)try_execute(line, [&] {
            if (depth < 20) nested(depth + 1);
            return fail();
        });
    };
    nested(1);
    REQUIRE(sink.steps.size() == 1);
    CHECK(sink.steps[0].to == std::string{"open"});
    CHECK(sink.steps[0].hits == 2);
    CHECK(breaker.snapshot(scene.start).stale == 18);
}

TEST_CASE("circuit_breaker: a sink that throws keeps no call from its result") {
    struct thrower {
        static void on(hawser::breaker_changed const&) { throw std::runtime_error{"full"}; }
    } sink;
    stage scene;
    basic_circuit_breaker breaker{quick, told_by_reference(sink)};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    auto const before = hawser::sink_failures();
    for (int i = 0; i < 2; ++i) (void)try_execute(line, fail);
    scene.time.advance(5s);
    CHECK(hawser::execute(line, good) == 1);
    CHECK(breaker.state() == breaker_state::closed);
    CHECK(hawser::sink_failures() == before + 3);
}

TEST_CASE("circuit_breaker: operations and waits may call back into every member") {
    stage scene;
    circuit_breaker breaker{quick};
    auto const line = compose_in(scene.environment(), borrow(breaker),
                                 hawser::retry{{.max_attempts = 2}, hawser::no_budget{}});
    int meddled = 0;
    auto const meddle = [&] {
        ++meddled;
        auto const now = scene.time.now();
        (void)breaker.state();
        (void)breaker.generation();
        (void)breaker.snapshot(now);
        breaker.isolate(now);
        breaker.disable(now);
        breaker.observe(now);
        breaker.reset(now);
        breaker.reconfigure(quick, now);
        auto permit = breaker.try_acquire(now);
        permit.report({}, [now]() noexcept { return now; });
        (void)breaker.try_acquire(now);
        CHECK(hawser::execute(compose_in(scene.environment(), borrow(breaker)), good) == 1);
    };
    scene.on_wait = meddle;
    (void)try_execute(line, [&] {
        meddle();
        return fail();
    });
    CHECK(meddled == 3);
    CHECK(breaker.state() == breaker_state::closed);
    CHECK(breaker.snapshot(scene.time.now()).stale == 1);
}

TEST_CASE("circuit_breaker: a sink goes on hearing after new options, under the old name") {
    stage scene;
    keeping sink;
    basic_circuit_breaker breaker{{.minimum_calls = 20, .name = "quotes"}, told_by_reference(sink)};
    auto const line = compose_in(scene.environment(), borrow(breaker));
    (void)try_execute(line, fail);
    breaker.reconfigure({.minimum_calls = 2, .open_for = 7s, .jitter = 0, .name = "other"},
                        scene.start);
    (void)try_execute(line, fail);
    REQUIRE(sink.steps.size() == 1);
    CHECK(sink.steps[0].origin.policy == std::string{"quotes"});
    CHECK(sink.steps[0].calls == 2);
    CHECK(sink.steps[0].open_for == 7s);
    CHECK(try_execute(line, good).why()->policy == std::string{"quotes"});
}
