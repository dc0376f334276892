// SPDX-License-Identifier: BSL-1.0
//
// In a file of its own, because it counts what every `new` of the program does.
#include <hawser/limit/adaptive_throttle.hpp>
#include <hawser/limit/aimd.hpp>
#include <hawser/limit/gradient2.hpp>
#include <hawser/limit/knee.hpp>
#include <hawser/limit/vegas.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/limit_feed.hpp"

using namespace std::chrono_literals;
namespace limits = hawser::limits;

/// Allocations of a limit that learns through windows and probes.
template <class Algorithm>
static std::uint64_t allocations_of(Algorithm limit) {
    support::limit_feed feed{limit};
    support::allocation_probe const learning;
    for (int i = 0; i < 100; ++i) {
        feed.saturated(200);
        feed(10, {.outcome = hawser::sample_outcome::dropped});
    }
    return learning.count();
}

TEST_CASE("limit_algorithm: learning allocates nothing") {
    CHECK(allocations_of(limits::aimd{}) == 0);
    CHECK(allocations_of(limits::vegas{}) == 0);
    CHECK(allocations_of(limits::gradient2{}) == 0);
    CHECK(allocations_of(limits::knee{}) == 0);
}

TEST_CASE("adaptive_throttle: allocates when it is made, and never after") {
    support::allocation_probe const making;
    hawser::adaptive_throttle throttle;
    CHECK(making.count() > 0);

    support::allocation_probe const running;
    hawser::time_point now{1h};
    for (int i = 0; i < 10'000; ++i, now += 50ms) {
        auto const priority = i % 5 - 2;
        if (throttle.admit(now, priority))
            throttle.on_result(now, hawser::sample_outcome::dropped, priority);
    }
    auto const allocated = running.count();
    CHECK(allocated == 0);
}
