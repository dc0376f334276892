// SPDX-License-Identifier: BSL-1.0
//
// It runs while the stack unwinds.
// expect: hawser: hook abandon() is not noexcept
#include <hawser/hawser.hpp>

struct layer {
#ifdef HAWSER_ACCEPT
    hawser::gate before(auto&, auto&) const noexcept { return {}; }
    void abandon(auto&, auto&) const noexcept {}
#else
    hawser::gate before(auto&, auto&) const noexcept { return {}; }
    void abandon(auto&, auto&) const {}
#endif
};

int main() {
    return hawser::execute(hawser::compose(layer{}), [] { return 0; });
}
