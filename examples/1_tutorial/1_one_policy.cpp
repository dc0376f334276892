// SPDX-License-Identifier: BSL-1.0
//
// How do I try a function again when it fails?
//
// Output:
//     asked 3 times: 4.50
#include <hawser/hawser.hpp>

#include <cstdio>
#include <stdexcept>

namespace {

int asked = 0;

// [flaky]
/// Asks a supplier for a price. The first two times it does not answer.
double get_price() {
    if (++asked < 3) throw std::runtime_error{"the supplier does not answer"};
    return 4.50;
}
// [/flaky]

}  // namespace

int main() {
    // [line]
    auto const line = hawser::compose(hawser::retry{{.max_attempts = 4}});

    double const price = hawser::execute(line, get_price);
    // [/line]

    std::printf("asked %d times: %.2f\n", asked, price);
    return asked == 3 && price == 4.50 ? 0 : 1;
}
