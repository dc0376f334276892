// SPDX-License-Identifier: BSL-1.0
//
// How does a breaker open for more than one reason?
//
// Output:
//     opened by consecutive_failures: 3 of 3
//     opened by slow_rate: 4 of 4
#include <hawser/hawser.hpp>
#include <hawser/testing/manual_environment.hpp>

#include <cstdio>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;

// [sink]
struct openings {
    std::string last_rule;

    void on(hawser::breaker_changed const& event) {
        if (std::string{event.to} != "open") return;
        last_rule = event.rule;
        std::printf("opened by %s: %u of %u\n", event.rule, event.hits, event.calls);
    }
};
// [/sink]

}  // namespace

int main() {
    hawser::manual_time time;
    hawser::testing::manual_environment const environment{time};

    // [breaker]
    openings seen;
    hawser::basic_circuit_breaker supplier{
        hawser::circuit_breaker_options{.open_for = 30s},  // Whichever rule opens it.
        hawser::trip::consecutive_failures{3},
        hawser::trip::slow_rate{.slower_than = 200ms, .rate = 0.8, .minimum_calls = 4},
        hawser::trip::failure_rate_over_time{.rate = 0.3, .window = 60s},
        hawser::told_by_reference(seen)};
    // [/breaker]

    auto const line = hawser::compose_in(environment, hawser::borrow(supplier));
    for (int i = 0; i != 3; ++i)
        (void)hawser::try_execute(line, []() -> int { throw std::runtime_error{"down"}; });
    bool const by_failures = seen.last_rule == "consecutive_failures";

    supplier.reset(time.now());
    for (int i = 0; i != 4; ++i)
        (void)hawser::try_execute(line, [&] { return time.advance(300ms), 1; });
    return by_failures && seen.last_rule == "slow_rate" ? 0 : 1;
}
