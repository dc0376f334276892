// SPDX-License-Identifier: BSL-1.0
//
// How do I say how long a call may take, and how do I stop it?
//
// Output:
//     deadline: gave up after 1 attempt, without waiting for what cannot help
//     stop: cancelled
//     facts: attempt 1, key 42
//     facts: attempt 2, key 42
#include <hawser/hawser.hpp>

#include <cstdio>
#include <stdexcept>
#include <stop_token>
#include <thread>

namespace {

using namespace std::chrono_literals;

double get_price() { throw std::runtime_error{"the supplier does not answer"}; }

}  // namespace

int main() {
    auto const patient = hawser::compose(
        hawser::retry{{.max_attempts = 3}, hawser::backoff::constant{1h}, hawser::jitter::none{}});

    // [deadline]
    auto const soon = std::chrono::steady_clock::now() + 100ms;
    auto const late = hawser::try_execute(patient, {.deadline = soon}, get_price);
    // [/deadline]
    std::printf("deadline: gave up after %u attempt, without waiting for what cannot help\n",
                late.origin().attempts);

    // [stop]
    std::stop_source button;
    std::jthread const presses{[&button] {
        std::this_thread::sleep_for(20ms);  // By now the call is in its backoff of an hour.
        button.request_stop();
    }};
    auto const stopped = hawser::try_execute(patient, {.stop = button.get_token()}, get_price);
    // [/stop]
    std::printf("stop: %s\n", hawser::to_string(stopped.code()));

    // [facts]
    auto const line = hawser::compose(hawser::retry{{.max_attempts = 2}});
    auto const told = hawser::try_execute(line, {.idempotency = {0, 42}}, [](auto& call) {
        std::printf("facts: attempt %u, key %d\n", call.attempt(),
                    static_cast<int>(call.facts().idempotency[1]));
        return get_price();
    });
    // [/facts]
    return late.origin().attempts == 1 && late.exception() && !stopped.has_value() &&
                   told.origin().attempts == 2
               ? 0
               : 1;
}
