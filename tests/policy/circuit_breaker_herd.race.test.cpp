// SPDX-License-Identifier: BSL-1.0
//
// Many threads that call through one breaker at the same moment: at the expiry of its wait, and
// while everything fails.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::breaker_state;

TEST_CASE("circuit_breaker: of 64 threads at the instant of expiry exactly as many enter as may") {
    constexpr int threads = 64;
    auto const probes = GENERATE(1U, 3U, 10U);
    support::stage scene;
    hawser::circuit_breaker breaker{
        {.window = 10, .minimum_calls = 1, .open_for = 5s, .jitter = 0, .probes = probes}};
    auto const line = hawser::compose_in(scene.environment(), borrow(breaker));
    for (int round = 0; round < 5; ++round) {
        (void)hawser::try_execute(line, [] { throw 1; });
        REQUIRE(breaker.state() == breaker_state::open);
        scene.time.advance(breaker.snapshot(scene.time.now()).retry_after);
        std::atomic<unsigned> entered{0}, refused{0};
        support::on_threads(threads, [&](int) {
            auto const out = hawser::try_execute(line, [&] {
                ++entered;
                while (refused < threads - probes) std::this_thread::yield();  // No slot is freed.
            });
            if (out.code() == hawser::errc::probes_full) ++refused;
        });
        CHECK(entered == probes);
        CHECK(refused == threads - probes);
        CHECK(breaker.state() == breaker_state::closed);
    }
}

TEST_CASE("circuit_breaker: threads that all fail open it once, which is told once") {
    struct counting {
        int opened = 0;  // Without a lock: one thread at a time tells it.
        void on(hawser::breaker_changed const& e) { opened += std::string{"open"} == e.to; }
    } sink;
    for (int round = 1; round <= 20; ++round) {
        support::stage scene;
        hawser::basic_circuit_breaker breaker{hawser::circuit_breaker_options{.minimum_calls = 20},
                                              hawser::told_by_reference(sink)};
        auto const line = hawser::compose_in(scene.environment(), borrow(breaker));
        support::on_threads(16, [&](int) {
            for (int i = 0; i < 20; ++i) (void)hawser::try_execute(line, [] { throw 1; });
        });
        auto const seen = breaker.snapshot(scene.time.now());
        CHECK(sink.opened == round);
        CHECK(seen.calls + seen.stale + seen.refused_open == 320);
    }
}
