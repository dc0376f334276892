// SPDX-License-Identifier: BSL-1.0
//
// Circuit breakers under threads: herds of probes, and changes told out of order.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using hawser::borrow;

TEST_CASE("breaker research: of many threads at the moment of expiry as many enter as may probe") {
    constexpr int threads = 16;
    for (int round = 0; round < 20; ++round) {
        support::stage scene;
        hawser::circuit_breaker breaker{
            {.window = 10, .minimum_calls = 1, .open_for = 5s, .jitter = 0, .probes = 3}};
        auto const line = hawser::compose_in(scene.environment(), borrow(breaker));
        (void)hawser::try_execute(line, [] { throw 1; });
        scene.time.advance(5s);
        std::atomic<int> entered{0}, answered{0};

        support::on_threads(threads, [&](int) {
            auto const out = hawser::try_execute(line, [&] {
                ++entered;
                while (answered < threads - 3) std::this_thread::yield();  // Nobody leaves early.
            });
            if (!out.has_value()) ++answered;
        });

        CHECK(entered == 3);
        CHECK(breaker.state() == hawser::breaker_state::closed);
    }
}

TEST_CASE("breaker research: changes are told in order, each from where the one before led") {
    struct chain {
        std::string last = "closed";
        std::uint64_t generation = 1;
        std::size_t links = 0, broken = 0;
        std::uint64_t dropped = 0;
        void on(hawser::breaker_changed const& e) {
            // Where some were dropped, the generation tells how many.
            if (e.generation == generation + 1 && e.from != last) ++broken;
            if (e.generation <= generation) ++broken;
            generation = e.generation;
            last = e.to;
            ++links;
        }
        void on(hawser::events_dropped const& e) { dropped += e.count; }
    } sink;  // Without a lock: one thread at a time tells it.
    hawser::basic_circuit_breaker breaker{
        hawser::circuit_breaker_options{
            .window = 4, .minimum_calls = 2, .open_for = 1us, .open_for_max = 1us, .probes = 1},
        hawser::told_by_reference(sink)};
    auto const line = hawser::compose(borrow(breaker));

    support::on_threads(4, [&](int thread) {
        for (int i = 0; i < 3000; ++i) {
            (void)hawser::try_execute(line, [&] {
                if ((i / 8 + thread) % 2 == 0) throw 1;
            });
            if (i % 100 == thread) breaker.reset();
            if (i % 100 == 50 + thread) breaker.isolate();
        }
    });
    breaker.reset();

    CHECK(sink.broken == 0);
    CHECK(sink.last == "closed");
    CHECK(sink.generation == breaker.generation());
    CHECK(sink.links + sink.dropped == breaker.generation() - 1);
}
