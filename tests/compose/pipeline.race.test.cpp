// SPDX-License-Identifier: BSL-1.0
//
// One const pipeline, many threads.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/test_bulkhead.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <stop_token>
#include <thread>

using namespace std::chrono_literals;
using hawser::borrow;

TEST_CASE("pipeline: is shared by threads, and no call is lost or counted twice") {
    constexpr int threads = 4, calls = 2000;
    hawser::circuit_breaker breaker{{.failure_rate = 1}};
    auto const line = hawser::compose(hawser::fallback{-1},
                                      hawser::retry{{.max_attempts = 2}, hawser::backoff::none{}},
                                      borrow(breaker), hawser::attempt_timeout{1h});
    std::atomic<int> good{0}, bad{0};

    support::on_threads(threads, [&](int) {
        for (int i = 0; i < calls; ++i) {
            bool failed = false;
            auto const got = hawser::execute(line, [&]() -> int {
                if (i % 8 == 0 && !std::exchange(failed, true)) throw 1;
                return 1;
            });
            ++(got == 1 ? good : bad);
        }
    });

    CHECK(good + bad == threads * calls);
    // The budget may be spent, so that some calls fall back; the breaker counts every attempt.
    auto const counts = breaker.snapshot();
    CHECK(counts.calls >= static_cast<std::uint64_t>(threads * calls));
    CHECK(counts.state == hawser::breaker_state::closed);
}

TEST_CASE("pipeline: a queue of threads gets every permit back, whoever gives up") {
    constexpr int threads = 4, calls = 500;
    support::test_bulkhead bulkhead{1, 1000, 50us};
    auto const line = hawser::compose(borrow(bulkhead));
    std::atomic<int> inside{0}, most{0}, ran{0}, refused{0};

    support::on_threads(threads, [&](int thread) {
        for (int i = 0; i < calls; ++i) {
            std::stop_source caller;
            std::jthread stopper;
            if (i % 16 == thread) stopper = std::jthread{[&] { caller.request_stop(); }};
            auto const out = hawser::try_execute(line, {.stop = caller.get_token()}, [&] {
                auto const now = ++inside;
                if (now > most) most = now;
                --inside;
            });
            ++(out.has_value() ? ran : refused);
        }
    });

    CHECK(ran + refused == threads * calls);
    CHECK(most == 1);
    CHECK(bulkhead.is_whole());
    CHECK(bulkhead.counts().after >= static_cast<std::size_t>(ran));
}
