// SPDX-License-Identifier: BSL-1.0
//
// The loop of a row that asks a limiter again and again, and the premise of the row. It counts
// allocations: to be included in one source file of a program.
#ifndef HAWSER_BENCH_SUPPORT_DECISIONS_HPP
#define HAWSER_BENCH_SUPPORT_DECISIONS_HPP

#include "support/allocations.hpp"

#include <benchmark/benchmark.h>

#include <thread>

namespace support {

/// glibc takes a lock without a locked instruction while a program has never had a second thread.
/// The programs that this library is for have had one, and so has each row.
inline bool const had_a_second_thread = (std::thread{[] {}}.join(), true);

/// Times `ask()`, which answers as a limiter does. All requests are to be granted, or all refused;
/// and none allocates, which is counted where no other thread runs.
template <class Ask>
void time_decisions(benchmark::State& state, bool granted, Ask ask) {
    benchmark::IterationCount grants = 0;
    for (auto _ : state) {
        auto const answer = ask();
        auto retry_after = answer.retry_after.count();
        benchmark::DoNotOptimize(retry_after);  // What a refusal says is part of it.
        grants += answer.granted ? 1 : 0;
    }
    if (grants != (granted ? state.iterations() : 0))
        state.SkipWithError(granted ? "a request was refused: this is not the granted path"
                                    : "a request was granted: this is not the refused path");
    if (state.threads() != 1) return;
    allocation_probe const probe;
    for (int call = 0; call != 100; ++call) benchmark::DoNotOptimize(ask().granted);
    if (probe.count() != 0) state.SkipWithError("a decision allocated");
}

}  // namespace support

#endif  // HAWSER_BENCH_SUPPORT_DECISIONS_HPP
