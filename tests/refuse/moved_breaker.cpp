// SPDX-License-Identifier: BSL-1.0
//
// The machine of a breaker stays where it is made.
// expect: hawser: this policy cannot move: pass borrow(policy), or build<policy>(options)
#include <hawser/hawser.hpp>

int main() {
#ifdef HAWSER_ACCEPT
    auto const line = hawser::compose(hawser::build<hawser::circuit_breaker>());
#else
    auto const line = hawser::compose(hawser::circuit_breaker{});
#endif
    return hawser::execute(line, [] { return 0; });
}
