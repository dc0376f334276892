// SPDX-License-Identifier: BSL-1.0
//
// What does a pipeline add to a plain call? Each row is a bare call and the same call through a
// pipeline, interleaved; the floor of a row is a locked addition, or a clock read, in the same run.
#include <hawser/hawser.hpp>

#include "support/allocations.hpp"
#include "support/gate.hpp"

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <thread>

namespace {

using namespace std::chrono_literals;

/// An operation that the compiler can neither see through nor leave out.
[[gnu::noinline]] int leaf(int value) noexcept {
    asm volatile("" : "+r"(value));
    return value;
}

std::atomic<std::uint64_t> word{0};
int input = 1;
int volatile result;

/// A row's code runs so many of what it measures: the loop round it costs nothing then.
constexpr int calls = 100;
template <class Code>
auto repeated(Code code) {
    return [code] {
        for (int call = 0; call != calls; ++call) code();
    };
}

auto const bare = repeated([] { result = leaf(input); });
auto const locked_addition = repeated([] { word.fetch_add(1, std::memory_order_relaxed); });
auto const clock_read = repeated([] {
    auto const now = std::chrono::steady_clock::now();
    asm volatile("" : : "r"(now.time_since_epoch().count()) : "memory");
});

template <class Line>
auto call_through(Line const& line) {
    return repeated(
        [&line] { result = hawser::execute(line, []() noexcept { return leaf(input); }); });
}

struct allocations_of_a_call {
    template <class Code>
    std::uint64_t operator()(Code&& code) const {
        code();
        support::allocation_probe const probe;
        code();
        return probe.count();
    }
} constexpr allocations;

void one_policy(support::gate& gate) {
    static hawser::circuit_breaker breaker;
    auto const line = hawser::compose(hawser::borrow(breaker));
    auto const through = call_through(line);
    gate.at_most_floors("breaker closed, over the bare call", bare, through, locked_addition, 2.5,
                        calls);
    gate.exactly("breaker closed, allocations", allocations(through), 0);

    auto const again = hawser::compose(hawser::retry{});
    gate.at_most_over("retry, first attempt ok", bare, call_through(again), 3.0, calls);
    gate.exactly("retry, allocations", allocations(call_through(again)), 0);
}

void three_policies(support::gate& gate) {
    static hawser::circuit_breaker breaker;
    auto const line =
        hawser::compose(hawser::fallback{-1}, hawser::retry{}, hawser::borrow(breaker));
    auto const through = call_through(line);
    gate.at_most_over("fallback + retry + breaker", bare, through, 6.0, calls);
    gate.exactly("fallback + retry + breaker, allocations", allocations(through), 0);
}

void refusal(support::gate& gate) {
    static hawser::circuit_breaker breaker{
        {.minimum_calls = 1, .open_for = 24h, .open_for_max = 24h}};
    auto const line = hawser::compose(hawser::borrow(breaker));
    (void)hawser::try_execute(line, []() -> int { throw 1; });
    auto const refused = repeated([&line] {
        auto const out = hawser::try_execute(line, []() noexcept { return leaf(input); });
        result = static_cast<int>(out.code());
    });
    gate.at_most_over("refused by an open breaker, over a clock read", clock_read, refused, 5.0,
                      calls);
    gate.exactly("refused, allocations", allocations(refused), 0);
    gate.exactly("refused, with circuit_open", static_cast<std::uint64_t>(result),
                 static_cast<std::uint64_t>(hawser::errc::circuit_open));
}

void two_threads(support::gate& gate) {
    static hawser::circuit_breaker breaker;
    auto const line = hawser::compose(hawser::borrow(breaker));
    auto const work = [&line] {
        for (int call = 0; call != 20'000; ++call)
            (void)hawser::execute(line, []() noexcept { return leaf(input); });
    };
    gate.two_threads("two threads on one breaker, against one", work, 1.5);
}

}  // namespace

int main(int argc, char** argv) {
    support::gate gate{argc, argv};
    one_policy(gate);
    three_policies(gate);
    refusal(gate);
    two_threads(gate);
    return gate.verdict();
}
