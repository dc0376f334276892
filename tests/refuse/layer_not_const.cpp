// SPDX-License-Identifier: BSL-1.0
//
// A pipeline holds by value what does not change.
// expect: or they are not const where the
#include <hawser/hawser.hpp>

struct layer {
#ifdef HAWSER_ACCEPT
    hawser::gate before(auto&, auto&) const noexcept { return {}; }
#else
    hawser::gate before(auto&, auto&) noexcept { return {}; }
#endif
};

int main() {
    return hawser::execute(hawser::compose(layer{}), [] { return 0; });
}
