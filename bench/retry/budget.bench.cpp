// SPDX-License-Identifier: BSL-1.0
//
// What does a retry budget cost the calls that succeed, against the least that a shared counter
// costs: a relaxed fetch_add? And what does a retry pay for its token?
#include <hawser/retry/budget.hpp>

#include <benchmark/benchmark.h>

#include <atomic>

namespace {

using namespace std::chrono_literals;
using hawser::retry_budget;
using hawser::time_point;

constexpr time_point t0{1h};

std::atomic<std::uint64_t> word{0};
retry_budget shared_budget;

void floor_fetch_add(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(word.fetch_add(1, std::memory_order_relaxed));
}
BENCHMARK(floor_fetch_add)->ThreadRange(1, 2);

void retry_budget_deposit(benchmark::State& state) {
    for (auto _ : state) {
        shared_budget.deposit();
        benchmark::ClobberMemory();
    }
}
BENCHMARK(retry_budget_deposit)->ThreadRange(1, 2);

void retry_budget_reserved_and_spent(benchmark::State& state) {
    retry_budget budget{{.floor = 1'000'000'000, .per = 1s, .capacity = 1'000}};
    auto now = t0;
    bool always = true;
    for (auto _ : state) {
        auto token = budget.reserve(now += 1ns);
        always &= static_cast<bool>(token);
        token.spend();
    }
    if (!always) state.SkipWithError("a retry was refused: this is not the granted path");
}
BENCHMARK(retry_budget_reserved_and_spent);

void retry_budget_reserved_and_given_back(benchmark::State& state) {
    retry_budget budget;
    bool always = true;
    for (auto _ : state) {
        auto token = budget.reserve(t0);
        always &= static_cast<bool>(token);
    }
    if (!always) state.SkipWithError("a retry was refused: this is not the granted path");
}
BENCHMARK(retry_budget_reserved_and_given_back);

void retry_budget_refused(benchmark::State& state) {
    static retry_budget budget{{.ratio = 0.2, .floor = 0}};
    if (auto only = budget.reserve(t0)) only.spend();
    bool ever = false;
    for (auto _ : state) ever |= static_cast<bool>(budget.reserve(t0));
    if (ever) state.SkipWithError("a retry was granted: this is not the refused path");
}
BENCHMARK(retry_budget_refused)->ThreadRange(1, 2);

}  // namespace
