// SPDX-License-Identifier: BSL-1.0
//
// A hook that throws would lose what other layers have lent.
// expect: hawser: hook withdraw() is not noexcept
#include <hawser/hawser.hpp>

struct layer {
#ifdef HAWSER_ACCEPT
    hawser::gate before(auto&, auto&) const noexcept { return {}; }
    void withdraw(auto&, auto&) const noexcept {}
#else
    hawser::gate before(auto&, auto&) const noexcept { return {}; }
    void withdraw(auto&, auto&) const {}
#endif
};

int main() {
    return hawser::execute(hawser::compose(layer{}), [] { return 0; });
}
