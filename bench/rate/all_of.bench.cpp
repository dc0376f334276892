// SPDX-License-Identifier: BSL-1.0
//
// What does it cost to decide over several limits as one, where a refusal charges none? The floors
// are the same decisions one after the other, each of which charges for itself: two buckets, and
// one for each key with one for all.
#include <hawser/rate/all_of.hpp>
#include <hawser/rate/joint_limit.hpp>
#include <hawser/rate/keyed.hpp>
#include <hawser/rate/token_bucket.hpp>

#include "support/decisions.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>

namespace {

using namespace std::chrono_literals;
using hawser::token_bucket;
using hawser::token_bucket_options;

constexpr hawser::time_point t0{1h};
constexpr std::uint64_t users = 1'000;

/// Never full, and with tokens for longer than any run; and with none for longer.
constexpr token_bucket_options plenty{.rate = 100, .burst = 4'000'000'000};
constexpr token_bucket_options little{.rate = 1, .period = 24h, .burst = 1};

struct caller {
    std::uint64_t user;
};

/// One user after the other, in an order that is far from that of the table.
caller next_of(caller& last) { return last = {(last.user + 617) % users}; }

using limiter_of_users = hawser::keyed<token_bucket, std::uint64_t>;

template <class Limits>
void run(benchmark::State& state, Limits& limits, bool granted) {
    support::time_decisions(
        state, granted, [&limits, now = t0]() mutable { return limits.try_acquire(now += 1ns); });
}

template <class Limits>
void run_for_callers(benchmark::State& state, Limits& limits, bool granted) {
    caller last{static_cast<std::uint64_t>(state.thread_index())};
    support::time_decisions(state, granted, [&limits, last, now = t0]() mutable {
        return limits.try_acquire(next_of(last), now += 1ns);
    });
}

void floor_two_decisions(benchmark::State& state) {
    static token_bucket one{plenty}, other{plenty};
    support::time_decisions(state, true, [now = t0]() mutable {
        auto const first = one.try_acquire(now += 1ns);
        return first ? other.try_acquire(now) : first;
    });
}
BENCHMARK(floor_two_decisions)->ThreadRange(1, 2);

void all_of_granted(benchmark::State& state) {
    static token_bucket one{plenty}, other{plenty};
    static hawser::all_of both{one, other};
    run(state, both, true);
}
BENCHMARK(all_of_granted)->ThreadRange(1, 2);

void all_of_refused(benchmark::State& state) {
    static token_bucket one{plenty}, other{little};
    static hawser::all_of both{one, other};
    if (state.thread_index() == 0) (void)other.try_acquire(t0);
    run(state, both, false);
    if (one.available(t0) != plenty.burst) state.SkipWithError("a refusal was charged for");
}
BENCHMARK(all_of_refused)->ThreadRange(1, 2);

void joint_limit_granted(benchmark::State& state) {
    static token_bucket one{plenty}, other{plenty};
    static hawser::joint_limit const both{one, other};
    run(state, both, true);
}
BENCHMARK(joint_limit_granted)->ThreadRange(1, 2);

void floor_decision_by_key_and_one_more(benchmark::State& state) {
    static limiter_of_users per_user{plenty, {.keys = 2 * users}};
    static token_bucket for_all{plenty};
    caller last{static_cast<std::uint64_t>(state.thread_index())};
    support::time_decisions(state, true, [last, now = t0]() mutable -> hawser::admission {
        auto const first = per_user.try_acquire(next_of(last).user, now += 1ns);
        if (!first.granted) return {.granted = false, .retry_after = first.retry_after};
        return for_all.try_acquire(now);
    });
}
BENCHMARK(floor_decision_by_key_and_one_more)->ThreadRange(1, 2);

void joint_limit_by_key_granted(benchmark::State& state) {
    static limiter_of_users per_user{plenty, {.keys = 2 * users}};
    static token_bucket for_all{plenty};
    static hawser::joint_limit const both{hawser::keyed_by{per_user, &caller::user}, for_all};
    run_for_callers(state, both, true);
}
BENCHMARK(joint_limit_by_key_granted)->ThreadRange(1, 2);

void joint_limit_by_key_refused(benchmark::State& state) {
    static limiter_of_users per_user{little, {.keys = 2 * users}};
    static token_bucket for_all{plenty};
    static hawser::joint_limit const both{hawser::keyed_by{per_user, &caller::user}, for_all};
    if (state.thread_index() == 0)
        for (std::uint64_t user = 0; user != users; ++user) (void)per_user.try_acquire(user, t0);
    run_for_callers(state, both, false);
    if (for_all.available(t0) != plenty.burst) state.SkipWithError("a refusal was charged for");
}
BENCHMARK(joint_limit_by_key_refused)->ThreadRange(1, 2);

}  // namespace
