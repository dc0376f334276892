// SPDX-License-Identifier: BSL-1.0
//
// It would be gone before the first call.
// expect: hawser: borrow() lends what outlives the pipeline; this is a temporary
#include <hawser/hawser.hpp>

int main() {
    hawser::circuit_breaker named;
#ifdef HAWSER_ACCEPT
    auto const line = hawser::compose(hawser::borrow(named));
    return hawser::execute(line, [] { return 0; });
#else
    hawser::borrow(hawser::circuit_breaker{});
#endif
}
