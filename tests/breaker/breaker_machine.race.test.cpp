// SPDX-License-Identifier: BSL-1.0
#include <hawser/breaker/breaker_machine.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <random>

using namespace std::chrono_literals;
using hawser::breaker_state;
using hawser::time_point;
using hawser::verdict;
namespace trip = hawser::trip;
using default_machine = hawser::breaker_machine<trip::failure_rate>;

namespace {

constexpr time_point t0{1h};
struct at {
    time_point when = t0;
    time_point operator()() const noexcept { return when; }
};

}  // namespace

TEST_CASE("breaker_machine: of 64 threads at the instant of expiry, exactly N enter") {
    auto const probes = GENERATE(1U, 3U, 10U);
    for (int round = 0; round < 20; ++round) {
        default_machine breaker{{.minimum_calls = 1, .jitter = 0, .probes = probes}};
        auto first = breaker.try_acquire(at{});
        breaker.report(first.ticket, {verdict::failure}, at{});
        std::atomic<std::uint32_t> entered{0};
        support::on_threads(64, [&](int) { entered += bool{breaker.try_acquire(at{t0 + 5s})}; });
        CHECK(entered == probes);
        CHECK(breaker.snapshot(t0 + 5s).refused_probes_full == 64 - probes);
    }
}

TEST_CASE("breaker_machine: a storm of failures opens once") {
    for (int round = 0; round < 20; ++round) {
        default_machine breaker{{.minimum_calls = 20}};
        support::on_threads(16, [&](int) {
            for (int i = 0; i < 20; ++i) {
                auto admission = breaker.try_acquire(at{});
                breaker.report(admission.ticket, {verdict::failure}, at{});
            }
        });
        CHECK(breaker.generation() == 2);
        auto const seen = breaker.snapshot(t0);
        CHECK(seen.calls == 20);
        CHECK(seen.calls + seen.stale + seen.refused_open == 320);
    }
}

TEST_CASE("breaker_machine: counts every call of threads with and without a stripe") {
    default_machine breaker{{.failure_rate = 1, .minimum_calls = 100}};
    constexpr int threads = 24, calls = 5'000;  // More than there are stripes.
    support::on_threads(threads, [&](int thread) {
        for (int i = 0; i < calls; ++i) {
            auto admission = breaker.try_acquire(at{});
            auto const health = thread == 0 && i % 10 == 0 ? verdict::failure : verdict::success;
            breaker.report(admission.ticket, {health}, at{});
        }
    });
    CHECK(breaker.snapshot(t0).calls + breaker.snapshot(t0).stale == threads * calls);
    CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("breaker_machine: what is read while others report lies between before and after") {
    // The stated error of the window: successes that are recorded while the sum is taken.
    default_machine breaker{
        {.failure_rate = 1, .window = hawser::breaker_window_max, .minimum_calls = 20}};
    std::atomic<std::uint64_t> begun{0}, ended{0};
    std::atomic<bool> outside{false};
    support::on_threads(3, [&](int thread) {
        for (int i = 0; i < 20'000; ++i) {
            if (thread == 0) {
                auto const least = ended.load();
                auto const read = breaker.snapshot(t0).rules[0].calls;
                auto const most = begun.load();
                if (read < least || read > most) outside = true;
            } else {
                ++begun;
                auto admission = breaker.try_acquire(at{});
                breaker.report(admission.ticket, {verdict::success}, at{});
                ++ended;
            }
        }
    });
    CHECK_FALSE(outside);
    CHECK(breaker.snapshot(t0).rules[0].calls == 40'000);
}

TEST_CASE("breaker_machine: never more probes out than allowed, however fast they come and go") {
    default_machine breaker{{.minimum_calls = 1, .jitter = 0, .probes = 3}};
    auto first = breaker.try_acquire(at{});
    breaker.report(first.ticket, {verdict::failure}, at{});
    std::atomic<int> out{0}, most{0}, entered{0};
    support::on_threads(4, [&](int) {
        for (int i = 0; i < 20'000; ++i) {
            auto admission = breaker.try_acquire(at{t0 + 5s});
            if (!admission) continue;
            auto const mine = ++out;
            for (int seen = most; seen < mine && !most.compare_exchange_weak(seen, mine);) {}
            ++entered;
            --out;
            breaker.abandon(admission.ticket);
        }
    });
    CHECK(most <= 3);
    CHECK(entered >= 20'000);
    CHECK(breaker.snapshot(t0).probes_out == 0);
}

TEST_CASE("breaker_machine: in a storm of everything, the journal is one chain") {
    using machine = hawser::breaker_machine<trip::failure_rate, trip::consecutive_failures,
                                            trip::failure_rate_over_time, trip::slow_rate>;
    machine breaker{{.open_for = 10ns, .open_for_max = 100ns, .probes = 3, .probe_lease = 1h},
                    {.minimum_calls = 5},
                    {.count = 4},
                    {.window = 1us},
                    {.slower_than = 5ns, .rate = 1, .minimum_calls = 3}};
    std::atomic<std::int64_t> ticks{0};
    std::atomic<bool> broken{false};
    auto const now = [&]() noexcept { return t0 + hawser::duration{ticks.fetch_add(1)}; };

    support::on_threads(4, [&](int thread) {
        std::mt19937 random{20261120U + static_cast<unsigned>(thread)};
        std::uint64_t last = 1;
        auto state = breaker_state::closed;
        for (int i = 0; i < 30'000; ++i) {
            auto const dice = random() % 100;
            if (thread == 0) {  // The only reader of the journal, and so it sees one chain.
                hawser::breaker_transition step;
                while (breaker.pop_transition(step)) {
                    bool const next = step.generation == last + 1;
                    if (step.generation <= last || (next && step.from != state)) broken = true;
                    last = step.generation;
                    state = step.to;
                }
                static_cast<void>(breaker.snapshot(now()));
            }
            if (thread == 1 && i % 1'000 == 999) {
                if (dice < 25) breaker.disable(now());
                if (dice >= 25 && dice < 50) breaker.observe(now());
                if (dice >= 50 && dice < 75) breaker.isolate(now());
                if (dice >= 75)
                    breaker.reconfigure(
                        {.open_for = 10ns, .open_for_max = 100ns, .probe_lease = 1h}, now(),
                        {.window = 20 + static_cast<std::uint32_t>(dice)}, {}, {.window = 1us}, {});
                breaker.reset(now());
            }
            auto admission = breaker.try_acquire(now);
            if (!admission) continue;
            auto const health = dice < 40   ? verdict::failure
                                : dice < 90 ? verdict::success
                                            : verdict::neutral;
            if (dice % 7 == 0)
                breaker.abandon(admission.ticket);
            else
                breaker.report(admission.ticket, {health, dice % 5 == 0}, now);
        }
    });
    CHECK_FALSE(broken);

    // Whatever happened, the breaker still works.
    breaker.reset(now());
    CHECK(breaker.try_acquire(now));
    CHECK(breaker.snapshot(now()).probes_out == 0);
}
