// SPDX-License-Identifier: BSL-1.0
//
// How do I bound the retries of several pipelines together?
//
// Output:
//     20 calls, 25 requests
#include <hawser/hawser.hpp>

#include <cstdio>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;

int requests = 0;

double down() {
    ++requests;
    throw std::runtime_error{"the gateway does not answer"};
}

}  // namespace

int main() {
    // [budget]
    // One for everything that goes through the same gateway. It begins with one minute's floor.
    hawser::retry_budget gateway{{.ratio = 0.1, .floor = 5, .per = 60s}};

    auto const often = hawser::backoff::constant{1ms};
    auto const prices = hawser::compose(hawser::retry{{}, often, hawser::borrow(gateway)});
    auto const stock = hawser::compose(hawser::retry{{}, often, hawser::borrow(gateway)});
    // [/budget]

    for (int call = 0; call != 10; ++call) {
        (void)hawser::try_execute(prices, down);
        (void)hawser::try_execute(stock, down);
    }
    std::printf("20 calls, %d requests\n", requests);
    return requests == 25 ? 0 : 1;
}
