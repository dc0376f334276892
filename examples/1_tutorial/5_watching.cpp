// SPDX-License-Identifier: BSL-1.0
//
// How do I see what the policies do?
//
// Output:
//     retry: attempt 1 failed, the next one follows in 10 ms
//     supplier: closed -> open, 2 of 2 calls failed
//     retry: gave up after attempt 2
#include <hawser/hawser.hpp>

#include <cstdio>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;

// [sink]
/// Hears of what it has an `on` for. Everything else costs nothing.
struct log_to_terminal {
    int heard = 0;

    void on(hawser::retry_scheduled const& event) {
        auto const delay = std::chrono::duration_cast<std::chrono::milliseconds>(event.delay);
        std::printf("%s: attempt %u failed, the next one follows in %d ms\n", event.origin.policy,
                    event.origin.attempt, static_cast<int>(delay.count()));
        ++heard;
    }
    void on(hawser::retry_gave_up const& event) {
        std::printf("%s: gave up after attempt %u\n", event.origin.policy, event.origin.attempt);
        ++heard;
    }
    void on(hawser::breaker_changed const& event) {
        std::printf("%s: %s -> %s, %u of %u calls failed\n", event.origin.policy, event.from,
                    event.to, event.hits, event.calls);
        ++heard;
    }
};
// [/sink]

double get_price() { throw std::runtime_error{"the supplier does not answer"}; }

}  // namespace

int main() {
    // [line]
    log_to_terminal log;

    hawser::basic_circuit_breaker supplier{
        hawser::circuit_breaker_options{.minimum_calls = 2, .open_for = 30s, .name = "supplier"},
        hawser::told_by_reference(log)};

    auto const line = hawser::compose_in(
        hawser::observed_by(log),
        hawser::retry{{.max_attempts = 2}, hawser::backoff::constant{10ms}, hawser::jitter::none{}},
        hawser::borrow(supplier));
    // [/line]

    auto const price = hawser::try_execute(line, get_price);
    return !price.has_value() && log.heard == 3 ? 0 : 1;
}
