// SPDX-License-Identifier: BSL-1.0
//
// A hook that throws would lose what other layers have lent.
// expect: hawser: hook after() is not noexcept
#include <hawser/hawser.hpp>

struct layer {
#ifdef HAWSER_ACCEPT
    void after(auto&, auto&, auto&) const noexcept {}
#else
    void after(auto&, auto&, auto&) const {}
#endif
};

int main() {
    return hawser::execute(hawser::compose(layer{}), [] { return 0; });
}
