// SPDX-License-Identifier: BSL-1.0
//
// What does it look like? The example of the README.
//
// Output:
//     4.20, degraded: yes, attempts: 3
#include <hawser/hawser.hpp>

#include <cstdio>
#include <stdexcept>

namespace {

double get_price(hawser::time_point) { throw std::runtime_error{"the supplier does not answer"}; }

}  // namespace

int main() {
    // [glance]
    using namespace std::chrono_literals;

    // One breaker for the supplier, shared by everything that calls it.
    hawser::circuit_breaker supplier{{.failure_rate = 0.5, .minimum_calls = 20, .open_for = 5s}};

    double last_known_price = 4.20;

    // Outermost first: what one call passes on its way in, and its outcome on its way out.
    auto const line =
        hawser::compose(hawser::fallback{[&] { return last_known_price; }},  // if all else fails
                        hawser::retry{{.max_attempts = 3}},  // backoff, jitter, a retry budget
                        hawser::borrow(supplier),            // refuses while the supplier is down
                        hawser::attempt_timeout{250ms});     // the deadline of each attempt

    auto const price =
        hawser::try_execute(line, [](auto& call) { return get_price(call.deadline()); });

    std::printf("%.2f, degraded: %s, attempts: %u\n", price.value(),
                price.origin().degraded ? "yes" : "no", price.origin().attempts);
    // [/glance]
    return price.value() == 4.20 && price.origin().degraded && price.origin().attempts == 3 ? 0 : 1;
}
