// SPDX-License-Identifier: BSL-1.0
#include <hawser/retry/budget.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>

using namespace std::chrono_literals;
using hawser::retry_budget;

static constexpr hawser::time_point t0{1h};

TEST_CASE("retry_budget: threads that reserve at once share exactly the tokens there are") {
    retry_budget budget{{.floor = 100'000, .capacity = 100'000}};
    std::atomic<std::uint32_t> spent{0};
    support::on_threads(4, [&](int) {
        std::uint32_t mine = 0;
        for (auto token = budget.reserve(t0); token; token = budget.reserve(t0)) {
            token.spend();
            ++mine;
        }
        spent += mine;
    });
    CHECK(spent == 100'000);
    CHECK(budget.available(t0) == 0);
}

TEST_CASE("retry_budget: deposits and retries that race neither lose nor make a token") {
    // Two threads deposit 200,000 times, which earns 100,000; two reserve, and give half back.
    retry_budget budget{{.ratio = 0.5, .floor = 0, .capacity = 1'000'000}};
    std::atomic<std::uint32_t> spent{0};
    support::on_threads(4, [&](int thread) {
        std::uint32_t mine = 0;
        for (int i = 0; i < 100'000; ++i) {
            if (thread % 2 == 0) {
                budget.deposit();
            } else if (auto token = budget.reserve(t0); token && i % 2 == 0) {
                token.spend();
                ++mine;
            }
        }
        spent += mine;
    });
    CHECK(spent + budget.available(t0) == 1 + 100'000);
}

TEST_CASE("retry_budget: of two tokens no more than two are out, whoever gives back") {
    retry_budget budget{{.floor = 2, .capacity = 2}};
    std::atomic<int> out{0}, most{0};
    support::on_threads(4, [&](int) {
        for (int i = 0; i < 20'000; ++i) {
            auto token = budget.reserve(t0);
            if (!token) continue;
            auto const now_out = ++out;
            for (auto seen = most.load(); seen < now_out;)
                if (most.compare_exchange_weak(seen, now_out)) break;
            --out;  // Before it is given back: the count may be low, but never high.
        }
    });
    CHECK(most <= 2);
    CHECK(budget.available(t0) == 2);
}

TEST_CASE("retry_budget: time told by threads in any order is counted once") {
    retry_budget budget{{.ratio = 0, .floor = 1'000, .per = 1s, .capacity = 1'000'000}};
    { auto const first = budget.reserve(t0); }  // Tells it the time.
    std::atomic<std::uint32_t> spent{0};
    support::on_threads(4, [&](int) {
        std::uint32_t mine = 0;
        for (auto now = t0; now <= t0 + 10s; now += 1ms)
            if (auto token = budget.reserve(now)) {
                token.spend();
                ++mine;
            }
        spent += mine;
    });
    CHECK(spent + budget.available(t0 + 10s) == 1'000 + 10'000);
}
