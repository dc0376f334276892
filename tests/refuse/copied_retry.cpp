// SPDX-License-Identifier: BSL-1.0
//
// Its budget is state: shared by its calls, and not by accident doubled.
// expect: hawser: a policy with state is not copied: pass borrow(policy) or a shared_ptr
#include <hawser/hawser.hpp>

int main() {
    hawser::retry again;
#ifdef HAWSER_ACCEPT
    auto const line = hawser::compose(hawser::borrow(again));
#else
    auto const line = hawser::compose(again);
#endif
    return hawser::execute(line, [] { return 0; });
}
