// SPDX-License-Identifier: BSL-1.0
//
// A half-open breaker that has all its probes out refuses without a time, for a probe may end at
// any moment. A retry that is told to wait for no refusal passes that one on too.
#include "support/catch.hpp"

#include <hawser/hawser.hpp>

using namespace std::chrono_literals;

TEST_CASE("retry: with refusal_wait_max zero, a refusal that names no time is passed on at once") {
    hawser::circuit_breaker breaker{{.failure_rate = 1.0,
                                     .window = 1,
                                     .minimum_calls = 1,
                                     .open_for = 1ns,
                                     .open_for_max = 1ns,
                                     .probes = 1,
                                     .probe_lease = 1h}};
    auto const line = hawser::compose(hawser::retry{{.max_attempts = 4, .refusal_wait_max = 0ns},
                                                    hawser::backoff::constant{.delay = 1ns}},
                                      hawser::borrow(breaker));
    REQUIRE_THROWS(hawser::execute(line, []() -> int { throw 1; }));
    auto const probe = breaker.try_acquire();
    REQUIRE(breaker.snapshot().refused_probes_full == 0);

    auto const got = hawser::try_execute(line, [] { return 1; });

    CHECK(got.code() == hawser::errc::probes_full);
    CHECK(breaker.snapshot().refused_probes_full == 1);
}
