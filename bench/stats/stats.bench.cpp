// SPDX-License-Identifier: BSL-1.0
//
// What does it cost to record one call, against the least it can cost: an addition to memory? The
// windows and averages are serialised by their callers, so one thread is the whole question.
#include <hawser/base/random.hpp>
#include <hawser/stats/count_window.hpp>
#include <hawser/stats/ewma.hpp>
#include <hawser/stats/quantile.hpp>
#include <hawser/stats/striped_counter.hpp>
#include <hawser/stats/time_window.hpp>

#include <benchmark/benchmark.h>

#include <array>

namespace {

using namespace std::chrono_literals;
using hawser::call_mark;
using hawser::time_point;

constexpr time_point t0{1h};

/// Inputs drawn before the clock starts, so that no branch can be foretold and no draw is timed.
auto const inputs = [] {
    std::array<std::uint64_t, 1024> drawn{};
    for (std::uint64_t i = 0; i < drawn.size(); ++i) drawn[i] = hawser::random_at(20261120, i);
    return drawn;
}();

std::uint64_t input(std::uint64_t i) { return inputs[i % inputs.size()]; }

call_mark mark(std::uint64_t i) {
    return {.failure = (input(i) & 1) != 0, .slow = (input(i) & 6) == 0};
}

void floor_plain_addition(benchmark::State& state) {
    std::uint64_t word = 0;
    benchmark::DoNotOptimize(&word);
    for (std::uint64_t i = 0; auto _ : state) {
        word += input(i++);
        benchmark::ClobberMemory();
    }
}
BENCHMARK(floor_plain_addition);

void striped_counter_add(benchmark::State& state) {
    static hawser::striped_counter<> counter;
    for (auto _ : state) {
        counter.add();
        benchmark::ClobberMemory();
    }
}
BENCHMARK(striped_counter_add)->ThreadRange(1, 2);

void count_window_record(benchmark::State& state) {
    hawser::count_window window{100};
    benchmark::DoNotOptimize(&window);
    std::uint64_t i = 0;
    for (auto _ : state) {
        window.record(mark(i++));
        benchmark::ClobberMemory();
    }
    if (i >= 100 && window.counts().calls != 100) state.SkipWithError("the window is not full");
}
BENCHMARK(count_window_record);

void time_window_record(benchmark::State& state) {
    hawser::time_window window{{.span = 10s, .buckets = 10}};
    benchmark::DoNotOptimize(&window);
    auto now = t0;
    for (std::uint64_t i = 0; auto _ : state) {
        window.record(now += 1us, mark(i++));  // A million calls a second.
        benchmark::ClobberMemory();
    }
    if (window.totals(now).calls == 0) state.SkipWithError("the window is empty");
}
BENCHMARK(time_window_record);

void time_window_record_after_a_bucket(benchmark::State& state) {
    hawser::time_window window{{.span = 10s, .buckets = 10}};
    benchmark::DoNotOptimize(&window);
    auto now = t0;
    for (std::uint64_t i = 0; auto _ : state) {
        window.record(now += 1s, mark(i++));
        benchmark::ClobberMemory();
    }
    if (window.totals(now).calls > 10) state.SkipWithError("a bucket holds more than one call");
}
BENCHMARK(time_window_record_after_a_bucket);

void time_window_totals(benchmark::State& state) {
    hawser::time_window window{{.span = 10s, .buckets = 10}};
    for (int i = 0; i < 100; ++i) window.record(t0 + i * 100ms, {.failure = true});
    auto const now = t0 + 10s - 1ns;
    benchmark::DoNotOptimize(&window);
    std::uint64_t failures = 0;
    for (auto _ : state) {
        failures += window.totals(now).failures;
        benchmark::ClobberMemory();
    }
    if (failures == 0) state.SkipWithError("the window is empty");
}
BENCHMARK(time_window_totals);

void ewma_record(benchmark::State& state) {
    hawser::ewma average{1s};
    auto now = t0;
    for (std::uint64_t i = 0; auto _ : state) {
        average.record(now += 1us, static_cast<double>(input(i++)));
        benchmark::DoNotOptimize(average.value());
    }
}
BENCHMARK(ewma_record);

void ewma_per_sample_record(benchmark::State& state) {
    hawser::ewma_per_sample average{0.1};
    for (std::uint64_t i = 0; auto _ : state) {
        average.record(static_cast<double>(input(i++)));
        benchmark::DoNotOptimize(average.value());
    }
}
BENCHMARK(ewma_per_sample_record);

void quantile_sketch_record(benchmark::State& state) {
    hawser::quantile_sketch sketch;
    benchmark::DoNotOptimize(&sketch);
    for (std::uint64_t i = 0; auto _ : state) {
        sketch.record(hawser::duration{input(i++) % 1'000'000'000});  // Up to a second.
        benchmark::ClobberMemory();
    }
    if (sketch.count() == 0) state.SkipWithError("nothing was counted");
}
BENCHMARK(quantile_sketch_record);

void quantile_sketch_at(benchmark::State& state) {
    hawser::quantile_sketch sketch;
    for (auto const drawn : inputs) sketch.record(hawser::duration{drawn % 1'000'000'000});
    for (auto _ : state) benchmark::DoNotOptimize(sketch.at(0.99));
    if (sketch.count() == 0) state.SkipWithError("nothing was counted");
}
BENCHMARK(quantile_sketch_at);

}  // namespace
