// SPDX-License-Identifier: BSL-1.0
//
// In a file of its own, because it counts what every `new` of the program does.
#include <hawser/breaker/breaker_machine.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using hawser::verdict;
namespace trip = hawser::trip;

TEST_CASE("breaker_machine: allocates when it is made, and never after") {
    using machine = hawser::breaker_machine<trip::failure_rate, trip::failure_rate_over_time>;
    support::allocation_probe const making;
    machine breaker{{.jitter = 0}, {}, {}};
    CHECK(making.count() > 0);

    hawser::time_point now{1h};
    auto const clock = [&]() noexcept { return now; };
    hawser::breaker_transition step;
    support::allocation_probe const running;
    for (int i = 0; i < 3'600; ++i, now += 1s) {
        auto admission = breaker.try_acquire(clock);
        auto const health = i % 3 == 0 ? verdict::success : verdict::failure;
        breaker.report(admission.ticket, {health}, clock);
        if (i % 100 == 0) breaker.reset(now);
        if (i % 10 == 0) breaker.pop_transition(step);
    }
    auto const allocated = running.count();
    CHECK(allocated == 0);
    CHECK(breaker.generation() > 10);
}
