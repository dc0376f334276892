// SPDX-License-Identifier: BSL-1.0
//
// What does a closed breaker add to a call that succeeds, against the least that any shared counter
// could cost (a relaxed fetch_add)? What does a second thread add? And what does a refusal cost?
#include <hawser/breaker/breaker_machine.hpp>

#include <benchmark/benchmark.h>

#include <atomic>

namespace {

using namespace std::chrono_literals;
using hawser::breaker_machine;
using hawser::time_point;
using hawser::verdict;
namespace trip = hawser::trip;

constexpr time_point t0{1h};
constexpr auto now = []() noexcept { return t0; };

std::atomic<std::uint64_t> word{0};

void floor_fetch_add(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(word.fetch_add(1, std::memory_order_relaxed));
}
BENCHMARK(floor_fetch_add)->ThreadRange(1, 16);

template <class Machine>
void run_success(benchmark::State& state, Machine& breaker) {
    bool always = true;
    for (auto _ : state) {
        auto admission = breaker.try_acquire(now);
        always &= bool{admission};
        breaker.report(admission.ticket, {verdict::success}, now);
    }
    if (!always) state.SkipWithError("a call was refused: this is not the closed path");
}

void closed_success(benchmark::State& state) {
    static breaker_machine<trip::failure_rate> breaker{{}};
    run_success(state, breaker);
}
BENCHMARK(closed_success)->ThreadRange(1, 16);

// The time stands still: the cost of the clock itself is the caller's choice of clock.
void closed_success_over_time(benchmark::State& state) {
    static breaker_machine<trip::failure_rate_over_time> breaker{{},
                                                                 trip::failure_rate_over_time{}};
    run_success(state, breaker);
}
BENCHMARK(closed_success_over_time)->ThreadRange(1, 2);

void closed_success_three_rules(benchmark::State& state) {
    static breaker_machine<trip::failure_rate, trip::consecutive_failures, trip::slow_rate> breaker{
        {}, {}, {}, {}};
    run_success(state, breaker);
}
BENCHMARK(closed_success_three_rules)->ThreadRange(1, 2);

void closed_failure(benchmark::State& state) {
    // A window that is never full enough to trip: what is measured is the count, not the opening.
    breaker_machine<trip::failure_rate> breaker{{.window = 1'000, .minimum_calls = 1'000}};
    std::uint64_t calls = 0;
    for (auto _ : state) {
        auto admission = breaker.try_acquire(now);
        auto const health = calls++ % 3 == 0 ? verdict::failure : verdict::success;
        breaker.report(admission.ticket, {health}, now);
    }
    if (breaker.generation() != 1) state.SkipWithError("the breaker opened");
}
BENCHMARK(closed_failure);

void open_refused(benchmark::State& state) {
    static breaker_machine<trip::failure_rate> breaker{{.minimum_calls = 1}};
    if (state.thread_index() == 0 && breaker.generation() == 1) {
        auto admission = breaker.try_acquire(now);
        breaker.report(admission.ticket, {verdict::failure}, now);
    }
    bool ever = false;
    for (auto _ : state) ever |= bool{breaker.try_acquire(now)};
    if (ever) state.SkipWithError("a call was admitted: this is not the open path");
}
BENCHMARK(open_refused)->ThreadRange(1, 2);

}  // namespace
