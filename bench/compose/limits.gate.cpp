// SPDX-License-Identifier: BSL-1.0
//
// What does a limit cost in a pipeline? The bare code is what the engine costs whoever calls it
// with the time in hand, and the operation; beside it, the same through the policy, which also has
// to learn the time. The floor is a read of the clock in the same run.
#include <hawser/hawser.hpp>

#include "support/allocations.hpp"
#include "support/gate.hpp"

#include <cstdint>

namespace {

using namespace std::chrono_literals;

/// An operation that the compiler can neither see through nor leave out.
[[gnu::noinline]] int leaf(int value) noexcept {
    asm volatile("" : "+r"(value));
    return value;
}

int input = 1;
int volatile result;
bool volatile decided;

/// A row's code runs so many of what it measures: the loop round it costs nothing then.
constexpr int calls = 100;
template <class Code>
auto repeated(Code code) {
    return [code] {
        for (int call = 0; call != calls; ++call) code();
    };
}

auto const clock_read = repeated([] {
    auto const now = std::chrono::steady_clock::now();
    asm volatile("" : : "r"(now.time_since_epoch().count()) : "memory");
});

template <class Line>
auto call_through(Line const& line) {
    return repeated(
        [&line] { result = hawser::execute(line, []() noexcept { return leaf(input); }); });
}
template <class Line>
auto refusal_through(Line const& line) {
    return repeated([&line] {
        auto const out = hawser::try_execute(line, []() noexcept { return leaf(input); });
        result = static_cast<int>(out.code());
    });
}

template <class Code>
std::uint64_t allocations(Code code) {
    code();
    support::allocation_probe const probe;
    code();
    return probe.count();
}

/// The time that the bare code has in hand: on the clock's line, and later with each call.
auto instant = hawser::steady_clock_source{}.now();

/// Of a bucket that is never full, and has tokens for longer than any run.
hawser::token_bucket_options const plenty{.rate = 100, .burst = 4'000'000'000};

void a_rate(support::gate& gate) {
    static hawser::token_bucket bucket{plenty};
    auto const decision = repeated([] {
        decided = bucket.try_acquire(instant += 1ns).granted;
        result = leaf(input);
    });
    hawser::rate_limit limit{hawser::borrow(bucket)};
    auto const line = hawser::compose(hawser::borrow(limit));
    auto const through = call_through(line);
    gate.at_most_floors("rate_limit granted, over its decision", decision, through, clock_read, 1.0,
                        calls);
    gate.exactly("rate_limit granted, allocations", allocations(through), 0);

    using coarse = hawser::environment<hawser::coarse_clock_source>;
    auto const cheap = hawser::compose_in(coarse{}, hawser::borrow(limit));
    gate.at_most_floors("  and with the coarse clock", decision, call_through(cheap), clock_read,
                        0.75, calls);
}

void a_spent_rate(support::gate& gate) {
    static hawser::token_bucket bucket{{.rate = 100, .burst = 100}};
    while (bucket.reserve(instant, 100, 24h)) {}  // It owes for a day.
    auto const decision = repeated([] {
        decided = bucket.try_acquire(instant += 1ns).granted;
        result = 1;
    });
    hawser::rate_limit limit{hawser::borrow(bucket)};
    auto const line = hawser::compose(hawser::borrow(limit));
    auto const through = refusal_through(line);
    gate.at_most_floors("rate_limit refused, over its decision", decision, through, clock_read, 1.0,
                        calls);
    gate.exactly("rate_limit refused, allocations", allocations(through), 0);
    gate.exactly("  with rate_limited", static_cast<std::uint64_t>(result),
                 static_cast<std::uint64_t>(hawser::errc::rate_limited));
}

void a_bulkhead(support::gate& gate) {
    static hawser::semaphore permits{{.permits = 100}};
    auto const pair = repeated([] {
        decided = permits.try_acquire();
        result = leaf(input);
        (void)permits.release(1, hawser::time_point{1h});
    });
    hawser::bulkhead limit{hawser::borrow(permits)};
    auto const line = hawser::compose(hawser::borrow(limit));
    auto const through = call_through(line);
    gate.at_most_floors("bulkhead with room, over its permit", pair, through, clock_read, 1.0,
                        calls);
    gate.exactly("bulkhead with room, allocations", allocations(through), 0);
}

void a_full_bulkhead(support::gate& gate) {
    static hawser::semaphore permits{{.permits = 1, .places = 0}};
    (void)permits.try_acquire();
    auto const decision = repeated([] {
        decided = permits.try_acquire();
        result = 1;
    });
    hawser::bulkhead limit{hawser::borrow(permits)};
    auto const line = hawser::compose(hawser::borrow(limit));
    auto const through = refusal_through(line);
    gate.at_most_floors("bulkhead full, over its decision", decision, through, clock_read, 1.0,
                        calls);
    gate.exactly("bulkhead full, allocations", allocations(through), 0);
    gate.exactly("  with bulkhead_full", static_cast<std::uint64_t>(result),
                 static_cast<std::uint64_t>(hawser::errc::bulkhead_full));
}

/// An adaptive limit has to know how long a call took, and learns from it.
void learning(support::gate& gate) {
    auto const bare = repeated([] { result = leaf(input); });
    hawser::concurrency_limit limit{hawser::limits::knee_options{}};
    auto const line = hawser::compose(hawser::borrow(limit));
    gate.at_most_floors("concurrency_limit, over the bare call", bare, call_through(line),
                        clock_read, 6.0, calls);
    gate.exactly("concurrency_limit, allocations", allocations(call_through(line)), 0);
    hawser::throttle throttle;
    auto const shed = hawser::compose(hawser::borrow(throttle));
    gate.at_most_floors("throttle, over the bare call", bare, call_through(shed), clock_read, 6.0,
                        calls);
    gate.exactly("throttle, allocations", allocations(call_through(shed)), 0);
}

}  // namespace

int main(int argc, char** argv) {
    support::gate gate{argc, argv};
    a_rate(gate);
    a_spent_rate(gate);
    a_bulkhead(gate);
    a_full_bulkhead(gate);
    learning(gate);
    return gate.verdict();
}
