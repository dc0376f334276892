// SPDX-License-Identifier: BSL-1.0
//
// What does a decision of a token bucket cost, the time being known? The bare code is the least
// that any limiter in one word does: a relaxed load and a compare-and-swap that succeeds. Beside
// it, the same number of decisions, at a rate that is whole nanoseconds a token, and at one that is
// not.
#include <hawser/rate/token_bucket.hpp>

#include "support/allocations.hpp"
#include "support/gate.hpp"

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using namespace std::chrono_literals;
using hawser::duration;
using hawser::time_point;
using hawser::token_bucket;
using hawser::token_bucket_options;

std::uint64_t volatile result;

/// A row's code runs so many of what it measures: the loop round it costs nothing then.
constexpr int calls = 100;

alignas(64) std::atomic<std::uint64_t> word{0};
auto const bare = [] {
    for (int call = 0; call != calls; ++call) {
        auto seen = word.load(std::memory_order_relaxed);
        while (!word.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed)) {}
    }
};

/// Asks for a token, again and again, `step` later each time, and counts those it gets.
class asking {
public:
    asking(token_bucket& bucket, duration step) : bucket_{&bucket}, step_{step} {}
    void operator()() {
        std::uint64_t granted = 0;
        for (int call = 0; call != calls; ++call)
            granted += bucket_->try_acquire(now_ += step_).granted ? 1 : 0;
        result = granted;
    }

private:
    token_bucket* bucket_;
    duration step_;
    time_point now_{1h};
};

struct measured_rate {
    char const* name;
    token_bucket_options options;
    duration token;  ///< Rounded up.
};
constexpr measured_rate rates[]{{"100/s", {.rate = 100}, 10ms},
                                {"7000000/s", {.rate = 7'000'000}, 143ns}};

std::uint64_t allocations(asking& code) {
    code();
    support::allocation_probe const probe;
    code();
    return probe.count();
}

/// The premise of a row, looked at after it.
void expect(char const* what, std::uint64_t granted) {
    if (result == granted) return;
    std::printf("not what was to be measured: %s\n", what);
    std::exit(2);
}

void decisions(support::gate& gate, measured_rate const& rate) {
    auto const row = [&](std::string const& what) { return std::string{rate.name} + ": " + what; };

    token_bucket in_use{rate.options};
    while (in_use.available(time_point{1h}) > 50) (void)in_use.try_acquire(time_point{1h});
    asking granted{in_use, rate.token};
    gate.at_most_times(row("granted, over a compare-and-swap").c_str(), bare, granted, 1.5, calls);
    expect("granted", calls);
    gate.exactly(row("granted, allocations").c_str(), allocations(granted), 0);

    token_bucket idle{rate.options};
    asking from_full{idle, rate.token * 2};
    gate.at_most_times(row("granted by a full one").c_str(), bare, from_full, 1.5, calls);
    expect("granted by a full one", calls);

    token_bucket empty{rate.options};
    // It owes for minutes: at a nanosecond a call nothing comes due.
    while (empty.reserve(time_point{1h}, 100, 5min)) {}
    asking refused{empty, 1ns};
    gate.at_most_times(row("refused").c_str(), bare, refused, 1.0, calls);
    expect("refused", 0);
    gate.exactly(row("refused, allocations").c_str(), allocations(refused), 0);
}

void two_threads(support::gate& gate, measured_rate const& rate) {
    constexpr int many = 20'000;
    auto const swaps = [] {
        for (int call = 0; call != many / calls; ++call) bare();
    };
    // A burst that lasts for all of them.
    token_bucket bucket{{.rate = rate.options.rate, .burst = 4'000'000'000}};
    auto const asks = [&bucket] {
        std::uint64_t refused = 0;
        auto now = time_point{1h};
        for (int call = 0; call != many; ++call)
            refused += bucket.try_acquire(now += 1ns).granted ? 0 : 1;
        if (refused != 0) result = refused;
    };
    result = 0;
    auto const what = std::string{rate.name} + ": two threads, against two on a compare-and-swap";
    gate.two_threads_times(what.c_str(), swaps, asks, 1.5, many);
    expect("two threads, all granted", 0);
}

}  // namespace

int main(int argc, char** argv) {
    support::gate gate{argc, argv};
    for (auto const& rate : rates) decisions(gate, rate);
    for (auto const& rate : rates) two_threads(gate, rate);
    return gate.verdict();
}
