// SPDX-License-Identifier: BSL-1.0
//
// Limits that threads change at the same time: each change is told once, in order.
#include <hawser/hawser.hpp>
#include <hawser/limit/aimd.hpp>
#include <hawser/policy/bulkhead.hpp>
#include <hawser/policy/concurrency_limit.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>

using namespace std::chrono_literals;

namespace {

/// Follows the number from change to change. What it holds is touched by one thread at a time.
struct chain {
    std::uint32_t last;
    std::uint64_t told = 0, dropped = 0, broken = 0;
    std::atomic<bool> inside{false};

    void on(hawser::limit_changed const& e) noexcept {
        if (inside.exchange(true)) ++broken;
        ++told;
        if (e.from != last) ++broken;  // Unless some were dropped before it.
        last = e.to;
        inside = false;
    }
    void on(hawser::events_dropped const& e) noexcept { dropped += e.count; }
};

}  // namespace

TEST_CASE("bulkhead: every change that threads make is told once, in order") {
    constexpr std::uint32_t rounds = 3'000, each = 4;
    chain sink{.last = 1};
    hawser::bulkhead limit{{.permits = 1}, hawser::told_by_reference(sink)};
    std::barrier round{4};  // There is room for what one round makes: none is dropped.
    support::on_threads(std::uint32_t{4}, [&](std::uint32_t thread) {
        for (std::uint32_t i = 0; i != rounds * each; ++i) {
            if (i % each == 0) round.arrive_and_wait();
            limit.resize(2 + thread * rounds * each + i);
        }
    });
    CHECK(sink.dropped == 0);
    CHECK(sink.told == 4 * rounds * each);
    CHECK(sink.broken == 0);
    CHECK(sink.last == limit.permits().capacity());
}

TEST_CASE("bulkhead: what threads change faster than it is told is counted") {
    constexpr std::uint32_t each = 5'000;
    chain sink{.last = 1};
    hawser::bulkhead limit{{.permits = 1}, hawser::told_by_reference(sink)};
    support::on_threads(std::uint32_t{4}, [&](std::uint32_t thread) {
        for (std::uint32_t i = 0; i != each; ++i) limit.resize(2 + thread * each + i);
    });
    CHECK(sink.told + sink.dropped == 4 * each);
    CHECK(sink.broken <= sink.dropped);
}

TEST_CASE("concurrency_limit: limits that calls of many threads teach are told in order") {
    chain sink{.last = 1};
    hawser::concurrency_limit limit{
        hawser::limits::aimd_options{.initial = 1, .floor = 1, .ceiling = 8},
        hawser::told_by_reference(sink),
        hawser::sampled_by{[](hawser::outcome<int> const& out) noexcept {
            return out.value() % 5 == 0 ? hawser::sample_outcome::dropped
                                        : hawser::sample_outcome::success;
        }}};
    auto const line = hawser::compose(hawser::borrow(limit));
    support::on_threads(std::uint32_t{4}, [&](std::uint32_t thread) {
        for (int i = 0; i != 2'000; ++i)
            (void)hawser::try_execute(line, [&] { return static_cast<int>(thread) + i; });
    });
    CHECK(sink.told > 0);
    CHECK(sink.broken <= sink.dropped);
    if (sink.dropped == 0) CHECK(sink.last == limit.limit());
    auto const end = limit.permits().snapshot();
    CHECK(end.held == 0);
    CHECK(end.on_the_way == 0);
}
