// SPDX-License-Identifier: BSL-1.0
//
// A copy would count on its own: two breakers that look like one.
// expect: hawser: a policy with state is not copied: pass borrow(policy) or a shared_ptr
#include <hawser/hawser.hpp>

int main() {
    hawser::circuit_breaker breaker;
#ifdef HAWSER_ACCEPT
    auto const line = hawser::compose(hawser::borrow(breaker));
#else
    auto const line = hawser::compose(breaker);
#endif
    return hawser::execute(line, [] { return 0; });
}
