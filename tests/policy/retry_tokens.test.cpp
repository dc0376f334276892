// SPDX-License-Identifier: BSL-1.0
//
// What a retry pays for, and what it earns by: a token is spent by an attempt that begins, however
// the call comes there, and by nothing else.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix.hpp"
#include "support/stage.hpp"
#include "support/unwound.hpp"

#include <chrono>
#include <stdexcept>
#include <stop_token>
#include <utility>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::compose_in;
using hawser::errc;
using hawser::retry;
using hawser::step;
using hawser::try_execute;
using support::stage;
namespace backoff = hawser::backoff;
namespace jitter = hawser::jitter;

namespace {

int fail() { throw std::runtime_error{"down"}; }

/// After 10 ms each.
auto steady(std::uint32_t attempts, hawser::retry_budget& budget) {
    return retry{
        {.max_attempts = attempts}, backoff::constant{10ms}, jitter::none{}, borrow(budget)};
}

}  // namespace

TEST_CASE("retry: a token for an attempt that a layer inside refuses comes back") {
    stage scene;
    support::told_gate gate;
    hawser::retry_budget budget{{.ratio = 0, .floor = 2, .per = 1h, .capacity = 2}};
    auto const left = [&] { return budget.available(scene.time.now()); };
    auto const fails_and_shuts = [&]() -> int {
        gate.answer = step::refuse(errc::circuit_open, 20ms);
        return fail();
    };
    SECTION("when it gives up") {
        auto const line = compose_in(scene.environment(), steady(2, budget), borrow(gate));
        CHECK(try_execute(line, fails_and_shuts).code() == errc::circuit_open);
        CHECK(left() == 2);
    }
    SECTION("when the refusal is none to wait for") {
        auto const line = compose_in(scene.environment(), steady(3, budget), borrow(gate));
        CHECK(try_execute(line, [&]() -> int {
                  gate.answer = step::refuse(errc::closed);
                  return fail();
              }).code() == errc::closed);
        CHECK(left() == 2);
    }
    SECTION("when the caller stops the wait for the refusal") {
        auto const line = compose_in(scene.environment(), steady(9, budget), borrow(gate));
        std::stop_source caller;
        scene.on_wait = [&] {
            CHECK(left() == 1);
            if (scene.waits == 2) caller.request_stop();
        };
        CHECK(try_execute(line, {.stop = caller.get_token()}, fails_and_shuts).code() ==
              errc::cancelled);
        CHECK(left() == 2);
    }
    SECTION("when the thread is unwound in a wait of that layer") {
        auto const line = compose_in(scene.environment(), steady(9, budget), borrow(gate));
        scene.on_wait = [&] { scene.hold = scene.waits == 2; };
        CHECK(support::unwound(
            [&] {
                (void)try_execute(line, [&]() -> int {
                    gate.answer = step::wait(20ms);
                    return fail();
                });
            },
            [&] { scene.await_waits(2); }));
        CHECK(left() == 2);
    }
    SECTION("but not when it is made after the refusal, which pays once") {
        auto const line = compose_in(scene.environment(), steady(9, budget), borrow(gate));
        scene.on_wait = [&] {
            if (scene.waits == 2) gate.answer = step::proceed();
        };
        bool once = false;
        CHECK(try_execute(line, [&] {
                  return std::exchange(once, true) ? 5 : fails_and_shuts();
              }).value() == 5);
        CHECK(scene.elapsed() == 10ms + 20ms);
        CHECK(left() == 1);
    }
}

TEST_CASE("retry: an answer that is to be tried again earns nothing, though it is a success") {
    stage scene;
    hawser::retry_budget budget{{.ratio = 1, .floor = 0, .capacity = 10}};
    auto const line =
        compose_in(scene.environment(),
                   retry{{.max_attempts = 2},
                         backoff::none{},
                         borrow(budget),
                         hawser::retry_if{[](auto const& out) { return out.value() == 429; }}});
    auto const attempts = [&](int status) {
        return try_execute(line, [=] { return status; }).origin().attempts;
    };
    CHECK(attempts(429) == 2);
    for (int i = 0; i < 5; ++i) CHECK(attempts(429) == 1);
    CHECK(attempts(200) == 1);
    CHECK(budget.available(scene.time.now()) == 1);
}
