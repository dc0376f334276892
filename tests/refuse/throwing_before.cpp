// SPDX-License-Identifier: BSL-1.0
//
// A hook that throws would lose what other layers have lent.
// expect: hawser: hook before() is not noexcept
#include <hawser/hawser.hpp>

struct layer {
#ifdef HAWSER_ACCEPT
    hawser::gate before(auto&, auto&) const noexcept { return {}; }
#else
    hawser::gate before(auto&, auto&) const { return {}; }
#endif
};

int main() {
    return hawser::execute(hawser::compose(layer{}), [] { return 0; });
}
