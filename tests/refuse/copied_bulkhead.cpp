// SPDX-License-Identifier: BSL-1.0
//
// Two bulkheads by accident would let in twice as many.
// expect: hawser: a policy with state is not copied: pass borrow(policy) or a shared_ptr
#include <hawser/hawser.hpp>
#include <hawser/policy/bulkhead.hpp>

int main() {
    hawser::bulkhead limit{{.permits = 10}};
#ifdef HAWSER_ACCEPT
    auto const line = hawser::compose(hawser::borrow(limit));
#else
    auto const line = hawser::compose(limit);
#endif
    return hawser::execute(line, [] { return 0; });
}
