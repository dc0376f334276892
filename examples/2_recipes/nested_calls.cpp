// SPDX-License-Identifier: BSL-1.0
//
// How do pipelines inside pipelines keep to one deadline and one number of attempts?
//
// Output:
//     without an allowance: 9 requests
//     with an allowance of 4: 4 requests
#include <hawser/hawser.hpp>

#include <cstdio>
#include <stdexcept>

using namespace std::chrono_literals;

int main() {
    auto const again = [] {
        return hawser::retry{
            {.max_attempts = 3}, hawser::backoff::constant{1ms}, hawser::no_budget{}};
    };
    // [nested]
    auto const outer = hawser::compose(hawser::total_timeout{10s}, again());
    auto const inner = hawser::compose(again());

    int requests = 0;
    auto const load_page = [&](auto& page) {
        // `nested()` hands on the deadline, the stop token, the key and the allowance.
        return hawser::execute(inner, page.nested(), [&]() -> int {
            ++requests;
            throw std::runtime_error{"down"};
        });
    };
    // [/nested]

    (void)hawser::try_execute(outer, load_page);
    std::printf("without an allowance: %d requests\n", requests);
    bool const multiplied = requests == 9;

    // [allowance]
    requests = 0;
    hawser::attempt_allowance four{4};
    (void)hawser::try_execute(outer, {.allowance = &four}, load_page);
    // [/allowance]
    std::printf("with an allowance of 4: %d requests\n", requests);
    return multiplied && requests == 4 ? 0 : 1;
}
