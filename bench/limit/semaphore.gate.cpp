// SPDX-License-Identifier: BSL-1.0
//
// What does a semaphore add to a call that finds a permit? Taking one and giving it back, against
// two locked additions in the same run; alone, and with two threads on one semaphore.
//
// Beside it stands a bare compare-and-swap with an addition, which is what the semaphore's own word
// costs. On a busy machine a load and compare-and-swap may take five times as long as on an idle
// one, where an addition does not: then the rows against additions say nothing, and these do.
#include <hawser/limit/semaphore.hpp>

#include "support/allocations.hpp"
#include "support/gate.hpp"

#include <atomic>
#include <cstdint>

namespace {

using namespace std::chrono_literals;

constexpr hawser::time_point t0{1h};

/// A row's code runs so many of what it measures: the loop round it costs nothing then.
constexpr int pairs = 100;
template <class Code>
auto repeated(Code code) {
    return [code] {
        for (int pair = 0; pair != pairs; ++pair) code();
    };
}

alignas(64) std::atomic<std::uint64_t> word{0};
auto const two_additions = repeated([] {
    word.fetch_add(1, std::memory_order_relaxed);
    word.fetch_sub(1, std::memory_order_relaxed);
});

alignas(64) std::atomic<std::uint64_t> swapped{0};
auto const swap_and_addition = repeated([] {
    auto seen = swapped.load(std::memory_order_relaxed);
    while (!swapped.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed)) {}
    swapped.fetch_sub(1, std::memory_order_relaxed);
});

/// Does nothing but be a waiter; nobody here waits for long.
struct silent_waiter final : hawser::waiter {
    silent_waiter() noexcept : waiter{[](waiter&) noexcept {}} {}
};

template <class Code>
std::uint64_t allocations_of(Code const& code) {
    code();
    support::allocation_probe const probe;
    code();
    return probe.count();
}

hawser::semaphore permits{{.permits = 1'000}};

void alone(support::gate& gate) {
    static silent_waiter node;
    auto const tried = repeated([] {
        if (permits.try_acquire()) (void)permits.release(1, t0);
    });
    gate.at_most_times("try_acquire + release, two additions", two_additions, tried, 2.5, pairs);
    auto const pair = repeated([] {
        if (permits.acquire(node, 1, t0).result == hawser::acquired::granted)
            (void)permits.release(1, t0);
    });
    gate.at_most_times("acquire + release, two additions", two_additions, pair, 2.5, pairs);
    gate.at_most_times("acquire + release, bare swap and addition", swap_and_addition, pair, 1.25,
                       pairs);
    gate.exactly("acquire + release, allocations", allocations_of(pair), 0);
}

void refused(support::gate& gate) {
    static hawser::semaphore taken{{.permits = 1, .places = 0}};
    (void)taken.try_acquire();
    auto const refusal = repeated([] {
        if (taken.try_acquire()) word.fetch_add(1);
    });
    gate.at_most_times("try_acquire, refused, two additions", two_additions, refusal, 1.0, pairs);
    gate.exactly("refused, never granted", taken.in_use(), 1);
}

/// A permit goes round between two waiters: queued, granted, claimed, released.
void handed_over(support::gate& gate) {
    static hawser::semaphore one{{.permits = 1}};
    static silent_waiter nodes[2];
    (void)one.try_acquire();
    static int turn = 0;
    auto const hand_over = repeated([] {
        auto& node = nodes[turn ^= 1];
        (void)one.acquire(node, 1, t0);
        (void)one.release(1, t0);
        (void)one.claim(node, t0);
        node.granted = false;
    });
    gate.exactly("handed over, allocations", allocations_of(hand_over), 0);
    gate.at_most_times("handed over in the queue, swap and addition", swap_and_addition, hand_over,
                       10, pairs);
    gate.exactly("handed over, one permit out", one.in_use(), 1);
}

/// Two threads at once, against two threads that add to one word: what it costs to move the line
/// between them is the machine's, and on a virtual one changes from second to second. Where two
/// additions cost two threads 16 ns, the limit is 40 ns a pair.
void two_threads(support::gate& gate) {
    constexpr int many = 20'000;
    auto const additions = [] {
        for (int call = 0; call != many / pairs; ++call) two_additions();
    };
    auto const lend = repeated([] {
        if (permits.try_acquire()) (void)permits.release(1, t0);
    });
    auto const lending = [&lend] {
        for (int call = 0; call != many / pairs; ++call) lend();
    };
    gate.two_threads_times("two threads, two additions", additions, lending, 2.5, many);
    gate.exactly("two threads, permits out", permits.in_use(), 0);
}

}  // namespace

int main(int argc, char** argv) {
    support::gate gate{argc, argv};
    alone(gate);
    refused(gate);
    handed_over(gate);
    two_threads(gate);
    return gate.verdict();
}
