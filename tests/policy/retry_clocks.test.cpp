// SPDX-License-Identifier: BSL-1.0
//
// What a retry, its budget and timeouts take from outside: the one clock they are given, which may
// jump, and user code, which may call back.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::compose_in;
using hawser::retry;
using hawser::try_execute;
using support::stage;
namespace backoff = hawser::backoff;
namespace jitter = hawser::jitter;

namespace {

int fail() { throw std::runtime_error{"down"}; }

/// Passes some time of the steady clock, which nobody is to notice.
void pass_real_time() {
    auto const begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < 10us) {}
}

/// Both timeouts, a total duration and a budget, all of a few nanoseconds.
auto hasty(stage& scene, hawser::retry_budget& budget) {
    return compose_in(
        scene.environment(), hawser::total_timeout{9ns},
        retry{{.max_attempts = 3, .total_duration = 7ns}, backoff::none{}, borrow(budget)},
        hawser::attempt_timeout{3ns});
}

}  // namespace

TEST_CASE("retry: the time of its environment alone moves deadlines, durations and budgets") {
    stage scene;
    hawser::retry_budget budget{{.ratio = 0, .floor = 2, .per = 2ns, .capacity = 2}};
    auto const line = hasty(scene, budget);

    SECTION("which stands while the steady clock runs") {
        auto const out = try_execute(line, [] {
            pass_real_time();
            return fail();
        });
        CHECK(out.origin().attempts == 3);
        pass_real_time();
        CHECK(try_execute(line, fail).origin().attempts == 1);  // No token has come.
        CHECK(scene.trace.count("retry gave up: budget") == 1);
        auto const late = try_execute(line, [] {
            pass_real_time();
            return 1;
        });
        CHECK_FALSE(late.origin().late);
    }
    SECTION("which moves") {
        auto const out = try_execute(line, [&] {
            scene.time.advance(4ns);
            return fail();
        });
        CHECK(out.origin().attempts == 2);
        CHECK(scene.trace.count("attempt_timeout fired: 4ns after 4ns") == 0);
        CHECK(scene.trace.count("attempt_timeout fired: 3ns after 4ns") == 2);
        CHECK(scene.trace.count("retry gave up: total_duration") == 1);
        CHECK(budget.available(scene.time.now()) == 2);
    }
}

TEST_CASE("retry: a clock that jumps neither wedges it nor makes a storm of it") {
    auto const jump = GENERATE(hawser::duration{1h}, hawser::duration{-1h});
    stage scene;
    hawser::retry_budget budget{{.ratio = 0, .floor = 4, .per = 1s, .capacity = 4}};
    auto const line = compose_in(
        scene.environment(),
        retry{{.max_attempts = 3}, backoff::constant{10ms}, jitter::none{}, borrow(budget)},
        hawser::attempt_timeout{1s});
    int wire = 0;

    SECTION("in the operation") {
        auto const out = try_execute(line, [&] {
            scene.time.advance(++wire == 1 ? jump : 0s);
            return fail();
        });
        CHECK(wire == 3);
        CHECK(out.exception() != nullptr);
        CHECK(scene.elapsed() == jump + 20ms);
        CHECK(scene.trace.count("retry again in 10ms by backoff") == 2);
    }
    SECTION("in the wait, which ends when it was to end") {
        scene.on_wait = [&] {
            if (scene.waits == 1) scene.time.advance(jump);
        };
        (void)try_execute(line, [&] {
            ++wire;
            return fail();
        });
        CHECK(wire == 3);
        CHECK(scene.elapsed() == (jump > 0s ? jump + 10ms : 20ms));
    }
    SECTION("between calls, for a budget") {
        for (int i = 0; i < 10; ++i) {
            (void)try_execute(line, [&] {
                ++wire;
                return fail();
            });
            scene.time.advance(i % 2 == 0 ? jump : -jump);
        }
        CHECK(wire <= 10 + 4 + (jump > 0s ? 4 : 0) + 1);  // An hour is counted once.
    }
    CHECK(budget.available(scene.time.now() + 3h) == 4);
}

TEST_CASE("retry: its predicates, its sink and a fallback may use its budget and call again") {
    stage scene;
    hawser::retry_budget budget{{.ratio = 0.5, .floor = 5, .per = 1h}};
    auto const touch = [&] {  // Every member of it.
        auto token = budget.reserve(scene.time.now());
        token.give_back();
        budget.deposit();
        CHECK(budget.available(scene.time.now()) > 0);
    };
    auto const inner = compose_in(scene.environment(), retry{{}, backoff::none{}, borrow(budget)});
    int reached = 0;
    auto const calls_back = [&] {
        ++reached;
        touch();
        (void)try_execute(inner, [] { return 1; });
    };
    auto const line = compose_in(scene.environment(), hawser::fallback{[&] {
                                     calls_back();
                                     return 7;
                                 }},
                                 retry{{.max_attempts = 2},
                                       borrow(budget),
                                       backoff::constant{1ms},
                                       hawser::retry_if{[&](auto const& out) {
                                           calls_back();
                                           return !out.has_value();
                                       }},
                                       hawser::abort_if{[&](auto const&) {
                                           calls_back();
                                           return false;
                                       }},
                                       hawser::delay_from{[&](auto const&) {
                                           calls_back();
                                           return std::optional<hawser::duration>{};
                                       }}});
    scene.on_wait = calls_back;

    CHECK(hawser::execute(line, fail) == 7);

    // Both attempts are asked about, the first has a delay, a wait follows, and the fallback.
    CHECK(reached == 2 + 2 + 1 + 1 + 1);
}
