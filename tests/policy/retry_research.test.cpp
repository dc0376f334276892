// SPDX-License-Identifier: BSL-1.0
//
// What goes wrong with retries in the field, each as a test of ours, through a pipeline.
#include <hawser/base/random.hpp>
#include <hawser/hawser.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/stage.hpp"
#include "support/test_bulkhead.hpp"

#include <stdexcept>
#include <stop_token>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::compose_in;
using hawser::errc;
using hawser::no_budget;
using hawser::retry;
using hawser::try_execute;
using hawser::verdict;
using hawser::testing::fixed_random;
using support::stage;
namespace backoff = hawser::backoff;
namespace jitter = hawser::jitter;

namespace {

int fail() { throw std::runtime_error{"down"}; }

struct leaky {
    static inline int alive = 0;
    static inline int made = 0;
    leaky() { ++alive, ++made; }
    leaky(leaky const&) = delete;
    leaky(leaky&&) noexcept { ++alive; }
    leaky& operator=(leaky&&) = delete;
    ~leaky() { --alive; }
};

}  // namespace

template <>
struct hawser::outcome_traits<leaky> {
    static verdict classify(leaky const&) noexcept { return verdict::failure; }
};

TEST_CASE("retry research: attempts on the wire are as many as were said, for one, two and n") {
    for (std::uint32_t attempts = 1; attempts <= 20; ++attempts) {
        stage scene;
        auto const line = compose_in(
            scene.environment(), retry{{.max_attempts = attempts}, backoff::none{}, no_budget{}});
        std::uint32_t wire = 0;
        (void)try_execute(line, [&] {
            ++wire;
            throw 1;
        });
        CHECK(wire == attempts);
        CHECK(line.max_attempts() == attempts);
        CHECK(scene.trace.count("retry again in 0ms by backoff") == attempts - 1);
    }
}

TEST_CASE("retry research: no backoff overflows into a storm, whatever its numbers") {
    hawser::duration const year = 24h * 365;
    auto const last_wait = [](auto backoff, auto spread) {
        stage scene;
        auto const line =
            compose_in(scene.environment(),
                       retry{{.max_attempts = 150}, backoff, spread, no_budget{}, fixed_random{}});
        hawser::duration last{};
        auto before = scene.time.now();
        auto const out = try_execute(line, [&] {
            last = scene.time.now() - std::exchange(before, scene.time.now());
            throw 1;
        });
        CHECK(out.origin().attempts == 150);
        return last;
    };
    CHECK(last_wait(backoff::exponential{.base = 1ns, .factor = 1e300, .cap = year},
                    jitter::none{}) == year);
    CHECK(last_wait(backoff::exponential{.base = year, .cap = year}, jitter::full{}) == year);
    CHECK(last_wait(backoff::linear{.base = 1ns, .step = year, .cap = year}, jitter::equal{}) ==
          year);
    CHECK(last_wait(backoff::fibonacci{.base = 1ns, .cap = year}, jitter::none{}) == year);
    CHECK(last_wait(backoff::decorrelated{.base = 1h, .cap = year}, jitter::none{}) == year);
    CHECK(last_wait(backoff::constant{year}, jitter::proportional{0}) == year);
}

TEST_CASE("retry research: a wait without end is not begun") {
    stage scene;
    auto const line = compose_in(
        scene.environment(),
        retry{{.max_attempts = 5}, backoff::constant{hawser::never}, jitter::none{}, no_budget{}});
    CHECK(try_execute(line, fail).origin().attempts == 1);
    CHECK(scene.waits == 0);
}

TEST_CASE("retry research: no retry outlives its deadline, whatever the backoff") {
    auto const seed = GENERATE(1U, 2U, 3U);
    INFO("seed " << seed);
    auto const check = [seed](auto backoff, auto spread) {
        for (int i = 0; i < 200; ++i) {
            stage scene;
            auto const limit = std::chrono::milliseconds{
                1 + hawser::random_at(seed, static_cast<unsigned>(i)) % 9000};
            auto const line = compose_in(
                scene.environment(), retry{{.max_attempts = 1000},
                                           backoff,
                                           spread,
                                           no_budget{},
                                           hawser::seeded_random{seed + static_cast<unsigned>(i)}});
            auto const out = try_execute(line, {.deadline = scene.start + limit}, fail);
            REQUIRE(scene.elapsed() < limit);
            REQUIRE(out.exception() != nullptr);
        }
    };
    check(backoff::exponential{}, jitter::full{});
    check(backoff::exponential{.base = 1ms, .factor = 3}, jitter::equal{});
    check(backoff::linear{}, jitter::proportional{});
    check(backoff::decorrelated{}, jitter::none{});
    check(backoff::fibonacci{.base = 5ms}, jitter::none{});
}

TEST_CASE("retry research: a cancelled call is not retried, however it fails") {
    stage scene;
    auto const line =
        compose_in(scene.environment(), retry{{.max_attempts = 9}, backoff::none{}, no_budget{}});
    std::stop_source caller;
    int wire = 0;
    auto const out = try_execute(line, {.stop = caller.get_token()}, [&] {
        if (++wire == 3) caller.request_stop();
        return fail();
    });
    CHECK(wire == 3);
    CHECK(out.origin().attempts == 3);
}

TEST_CASE("retry research: nested retries multiply, and an outer total timeout ends them all") {
    stage scene;
    auto const again = [] {
        return retry{{.max_attempts = 4}, backoff::constant{10ms}, jitter::none{}, no_budget{}};
    };
    auto const inner = compose_in(scene.environment(), again());
    auto const outer = compose_in(scene.environment(), again());
    int wire = 0;
    auto const operation = [&]() -> int {
        ++wire;
        return fail();
    };
    (void)try_execute(outer,
                      [&](auto& call) { return hawser::execute(inner, call.nested(), operation); });
    CHECK(wire == 16);

    auto const limited = compose_in(scene.environment(), hawser::total_timeout{35ms}, again());
    wire = 0;
    (void)try_execute(limited,
                      [&](auto& call) { return hawser::execute(inner, call.nested(), operation); });
    CHECK(wire == 4);  // At 0, 10, 20 and 30 ms.
}

TEST_CASE("retry research: a storm is bounded by the budget: one and a ratio of attempts a call") {
    stage scene;
    hawser::retry_budget budget{{.ratio = 0.2, .floor = 10, .per = 1s, .capacity = 100}};
    auto const line = compose_in(
        scene.environment(),
        retry{{.max_attempts = 5}, backoff::constant{1ns}, jitter::none{}, borrow(budget)});
    // Half of the calls succeed at once and earn; the other half fails for good. 1000 calls/s.
    std::uint64_t wire = 0;
    int constexpr calls = 20'000;
    for (int i = 0; i < calls; ++i) {
        scene.trace.take();
        (void)try_execute(line, [&] {
            ++wire;
            if (i % 2 == 0) throw 1;
        });
        scene.time.advance(1ms);
    }
    auto const retries = static_cast<double>(wire) - calls;
    auto const allowed = 100 + 0.2 * calls / 2 + 10.0 * calls / 1000;
    CHECK(retries <= allowed);
    CHECK(retries >= 0.9 * allowed - 100);  // And what is allowed is used.
}

TEST_CASE("retry research: with everything failing, the floor is all the extra load") {
    stage scene;
    auto const line = compose_in(
        scene.environment(), retry{{.max_attempts = 5}, backoff::constant{1ns}, jitter::none{}});
    std::uint64_t wire = 0;
    for (int i = 0; i < 10'000; ++i) {
        scene.trace.take();
        (void)try_execute(line, [&] {
            ++wire;
            throw 1;
        });
        scene.time.advance(1ms);
    }
    CHECK(wire <= 10'000 + 10 * 10 + 10 + 1);  // Ten seconds at ten a second, and the start.
    CHECK(wire >= 10'000 + 10 * 10);
}

TEST_CASE("retry research: the budget is charged before the wait, and comes back after an outage") {
    stage scene;
    hawser::retry_budget budget{{.ratio = 0, .floor = 1, .per = 1s, .capacity = 5}};
    auto const line = compose_in(
        scene.environment(),
        retry{{.max_attempts = 2}, backoff::constant{1ms}, jitter::none{}, borrow(budget)});
    scene.on_wait = [&] { CHECK(budget.available(scene.time.now()) == 0); };
    (void)try_execute(line, fail);
    auto const waits = scene.waits.load();
    (void)try_execute(line, fail);
    CHECK(scene.waits == waits);  // Nothing left: no wait for nothing.
    scene.time.advance(1s);
    (void)try_execute(line, fail);
    CHECK(scene.waits == waits + 1);
}

TEST_CASE("retry research: a breaker that refuses costs no budget") {
    stage scene;
    hawser::circuit_breaker breaker{
        {.window = 10, .minimum_calls = 1, .open_for = 1s, .jitter = 0}};
    hawser::retry_budget budget{{.ratio = 0, .floor = 1, .per = 1h, .capacity = 1}};
    auto const line = compose_in(
        scene.environment(),
        retry{{.max_attempts = 4}, backoff::constant{1ms}, jitter::none{}, borrow(budget)},
        borrow(breaker));
    auto const trip = compose_in(scene.environment(), borrow(breaker));
    (void)try_execute(trip, fail);

    CHECK(hawser::execute(line, [] { return 1; }) == 1);

    CHECK(scene.elapsed() == 1s);
    CHECK(budget.available(scene.time.now()) == 1);
    CHECK(scene.trace.count("retry again in 1000ms by refusal") == 1);
}

TEST_CASE("retry research: a breaker that never closes is not asked for ever") {
    stage scene;
    support::hook_log log;
    support::scripted_layer shut{
        "shut", log, {.before = {hawser::step::refuse(errc::circuit_open, 1s)}}};
    auto const line = compose_in(scene.environment(), retry{{.max_attempts = 5}}, borrow(shut));
    CHECK(try_execute(line, [] {}).code() == errc::circuit_open);
    CHECK(log.size() == 5);
    CHECK(scene.elapsed() == 4s);
}

TEST_CASE("retry research: every discarded result is destroyed before the wait, and none leaks") {
    stage scene;
    leaky::alive = leaky::made = 0;
    scene.on_wait = [] { CHECK(leaky::alive == 0); };
    {
        auto const line = compose_in(
            scene.environment(), retry{{.max_attempts = 5}, backoff::constant{1ms}, no_budget{}});
        auto const out = try_execute(line, [] { return leaky{}; });
        CHECK(leaky::alive == 1);
    }
    CHECK(leaky::alive == 0);
    CHECK(leaky::made == 5);
    CHECK(scene.waits == 4);
}

TEST_CASE("retry research: what is retried by no wait does not wait") {
    stage scene;
    auto const line =
        compose_in(scene.environment(), retry{{.max_attempts = 50}, backoff::none{}, no_budget{}});
    (void)try_execute(line, fail);
    CHECK(scene.waits == 0);
}

TEST_CASE("retry research: permits of layers inside are given back between attempts") {
    stage scene;
    support::test_bulkhead bulkhead{1};
    auto const line = compose_in(scene.environment(),
                                 retry{{.max_attempts = 3}, backoff::constant{1ms}, no_budget{}},
                                 borrow(bulkhead));
    scene.on_wait = [&] { CHECK(bulkhead.is_whole()); };
    (void)try_execute(line, fail);
    CHECK(bulkhead.counts().entered == 3);
    CHECK(bulkhead.is_whole());
}

TEST_CASE("retry research: an attempt that is not sent is transparent once for each call") {
    stage scene;
    auto const line =
        compose_in(scene.environment(), retry{{.max_attempts = 1}, backoff::none{}, no_budget{}});
    for (int i = 0; i < 3; ++i) {
        int wire = 0;
        (void)try_execute(line, [&](auto& call) {
            ++wire;
            call.mark_not_sent();
            throw 1;
        });
        CHECK(wire == 2);
    }
}

TEST_CASE("retry research: a hook of the user's that throws makes no retry of a success") {
    stage scene;
    auto const thrower = [](auto const&) -> bool { throw std::logic_error{"hook"}; };
    auto const line = compose_in(scene.environment(), retry{{}, hawser::retry_if{thrower}});
    int wire = 0;
    CHECK_THROWS_AS(hawser::execute(line,
                                    [&] {
                                        ++wire;
                                        return 1;
                                    }),
                    std::logic_error);
    CHECK(wire == 1);
}
