// SPDX-License-Identifier: BSL-1.0
//
// How do policies work together?
//
// Output:
//     call 1: no answer in time, the supplier has been asked 3 times
//     call 2: circuit open, the supplier has been asked 5 times
//     call 3: circuit open, the supplier has been asked 5 times
#include <hawser/hawser.hpp>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <thread>

namespace {

using namespace std::chrono_literals;

int asked = 0;

// [hangs]
/// Asks a supplier that hangs, and gives up when the caller says.
double get_price(hawser::time_point give_up) {
    ++asked;
    std::this_thread::sleep_until(give_up);
    throw std::runtime_error{"no answer in time"};
}
// [/hangs]

}  // namespace

int main() {
    // [line]
    hawser::circuit_breaker supplier{{.minimum_calls = 5, .open_for = 30s}};

    auto const line = hawser::compose(hawser::retry{{.max_attempts = 3}},  //
                                      hawser::borrow(supplier),            //
                                      hawser::attempt_timeout{20ms});
    // [/line]

    // [calls]
    for (int number = 1; number <= 3; ++number) {
        try {
            hawser::execute(line, [](auto& call) { return get_price(call.deadline()); });
        } catch (std::exception const& error) {
            std::printf("call %d: %s, the supplier has been asked %d times\n", number, error.what(),
                        asked);
        }
    }
    // [/calls]
    return asked == 5 && supplier.state() == hawser::breaker_state::open ? 0 : 1;
}
