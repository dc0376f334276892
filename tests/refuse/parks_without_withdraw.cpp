// SPDX-License-Identifier: BSL-1.0
//
// Whoever queues a call has to be able to let it go.
// expect: hawser: a policy that parks calls needs bool withdraw(state, call, waiter&)
#include <hawser/hawser.hpp>

struct layer {
#ifdef HAWSER_ACCEPT
    hawser::step before(auto&, auto&, hawser::waiter&) const noexcept { return {}; }
    bool withdraw(auto&, auto&, hawser::waiter&) const noexcept { return true; }
#else
    hawser::step before(auto&, auto&, hawser::waiter&) const noexcept { return {}; }
#endif
};

int main() {
    return hawser::execute(hawser::compose(layer{}), [] { return 0; });
}
