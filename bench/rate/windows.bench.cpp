// SPDX-License-Identifier: BSL-1.0
//
// What does a decision of a window limiter cost, the time being known? The floors are the least
// that those in one word do, a relaxed load and a compare-and-swap that succeeds, and what the
// exact one does at least: it takes a lock and lets it go.
//
// "Granted" is within one window, "in use" at four fifths of the limit, from window to window.
#include <hawser/rate/fixed_window.hpp>
#include <hawser/rate/sliding_window_counter.hpp>
#include <hawser/rate/sliding_window_log.hpp>

#include "support/decisions.hpp"

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <mutex>

namespace {

using namespace std::chrono_literals;
using hawser::fixed_window;
using hawser::sliding_window_counter;
using hawser::sliding_window_log;

constexpr hawser::time_point t0{24h * 365};  // The beginning of an hour, and of a year.

alignas(64) std::atomic<std::uint64_t> word{0};
alignas(64) std::mutex lock;

void floor_compare_and_swap(benchmark::State& state) {
    for (auto _ : state) {
        auto seen = word.load(std::memory_order_relaxed);
        while (!word.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed)) {}
    }
}
BENCHMARK(floor_compare_and_swap)->ThreadRange(1, 2);

void floor_lock(benchmark::State& state) {
    for (auto _ : state) {
        std::lock_guard const held{lock};
        benchmark::ClobberMemory();
    }
}
BENCHMARK(floor_lock)->ThreadRange(1, 2);

/// Asks `step` later each time.
template <class Limiter>
auto asking(Limiter& limiter, hawser::duration step) {
    return [&limiter, step, now = t0]() mutable { return limiter.try_acquire(now += step); };
}

/// Each thread has a time of its own; there are permits for all of them.
template <class Limiter>
void run_granted(benchmark::State& state, Limiter& shared) {
    if (state.thread_index() == 0) shared.refill();
    support::time_decisions(state, true, asking(shared, 1ns));
}

template <class Limiter>
void run_in_use(benchmark::State& state) {
    Limiter limiter{{.limit = 100, .window = 1s}};
    support::time_decisions(state, true, asking(limiter, 12'500us));
}

template <class Limiter>
void run_refused(benchmark::State& state) {
    static Limiter spent{{.limit = 100, .window = 1h}};
    if (state.thread_index() == 0) (void)spent.try_acquire(t0, 100);
    support::time_decisions(state, false, asking(spent, 1ns));
}

void fixed_window_granted(benchmark::State& state) {
    static fixed_window shared{{.limit = 4'000'000'000, .window = 1h}};
    run_granted(state, shared);
}
BENCHMARK(fixed_window_granted)->ThreadRange(1, 2);

void fixed_window_in_use(benchmark::State& state) { run_in_use<fixed_window>(state); }
BENCHMARK(fixed_window_in_use);

void fixed_window_refused(benchmark::State& state) { run_refused<fixed_window>(state); }
BENCHMARK(fixed_window_refused)->ThreadRange(1, 2);

void sliding_window_counter_granted(benchmark::State& state) {
    constexpr hawser::duration year = 24h * 365;  // The longer, the larger the limit may be.
    static sliding_window_counter shared{
        {.limit = sliding_window_counter::limit_max(year), .window = year}};
    run_granted(state, shared);
}
BENCHMARK(sliding_window_counter_granted)->ThreadRange(1, 2);

void sliding_window_counter_in_use(benchmark::State& state) {
    run_in_use<sliding_window_counter>(state);
}
BENCHMARK(sliding_window_counter_in_use);

void sliding_window_counter_refused(benchmark::State& state) {
    run_refused<sliding_window_counter>(state);
}
BENCHMARK(sliding_window_counter_refused)->ThreadRange(1, 2);

// It has a million permits and no more: the number of requests is given.
void sliding_window_log_granted(benchmark::State& state) {
    static sliding_window_log shared{{.limit = sliding_window_log::limit_max, .window = 1h}};
    run_granted(state, shared);
}
BENCHMARK(sliding_window_log_granted)->Iterations(500'000)->ThreadRange(1, 2);

void sliding_window_log_in_use(benchmark::State& state) { run_in_use<sliding_window_log>(state); }
BENCHMARK(sliding_window_log_in_use);

void sliding_window_log_refused(benchmark::State& state) { run_refused<sliding_window_log>(state); }
BENCHMARK(sliding_window_log_refused)->ThreadRange(1, 2);

}  // namespace
