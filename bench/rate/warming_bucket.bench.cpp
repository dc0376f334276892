// SPDX-License-Identifier: BSL-1.0
//
// What does a decision of a warming bucket cost, the time being known: hot, cold, and refused? The
// floor is what it does at least: it takes a lock and lets it go.
#include <hawser/rate/warming_bucket.hpp>

#include "support/decisions.hpp"

#include <benchmark/benchmark.h>

#include <mutex>

namespace {

using namespace std::chrono_literals;
using hawser::warming_bucket;

constexpr hawser::time_point t0{1h};

alignas(64) std::mutex lock;

void floor_lock(benchmark::State& state) {
    for (auto _ : state) {
        std::lock_guard const held{lock};
        benchmark::ClobberMemory();
    }
}
BENCHMARK(floor_lock)->ThreadRange(1, 2);

void warming_bucket_granted_hot(benchmark::State& state) {
    warming_bucket bucket{{.rate = 100, .warm_up = 1s}};
    auto now = t0;
    while (bucket.slowdown(now) > 1) now += bucket.reserve(now, 1, 1h).wait;
    now += bucket.reserve(now, 1, 1h).wait;  // The last token was yet a cold one, and took longer.
    support::time_decisions(state, true, [&] { return bucket.try_acquire(now += 10ms); });
    if (bucket.slowdown(now) > 1) state.SkipWithError("it has cooled: this is not the hot path");
}
BENCHMARK(warming_bucket_granted_hot);

void warming_bucket_granted_cold(benchmark::State& state) {
    warming_bucket bucket{{.rate = 100, .warm_up = 1s}};
    auto now = t0;
    support::time_decisions(state, true, [&] { return bucket.try_acquire(now += 1s); });
    if (bucket.slowdown(now) < 2.5) state.SkipWithError("it is warm: this is not the cold path");
}
BENCHMARK(warming_bucket_granted_cold);

// A token is granted to one thread at a time, and late ones wait: two threads are only refused.
void warming_bucket_refused(benchmark::State& state) {
    static warming_bucket owing{{.rate = 1, .period = 24h}};
    if (state.thread_index() == 0) (void)owing.try_acquire(t0);
    support::time_decisions(state, false,
                            [now = t0]() mutable { return owing.try_acquire(now += 1ns); });
}
BENCHMARK(warming_bucket_refused)->ThreadRange(1, 2);

}  // namespace
