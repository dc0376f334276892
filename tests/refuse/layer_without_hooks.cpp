// SPDX-License-Identifier: BSL-1.0
//
// A misspelt hook would never run.
// expect: hawser: this layer has none of a policy's hooks
#include <hawser/hawser.hpp>

struct layer {
#ifdef HAWSER_ACCEPT
    hawser::gate before(auto&, auto&) const noexcept { return {}; }
#else
    hawser::gate befor(auto&, auto&) const noexcept { return {}; }
#endif
};

int main() {
    return hawser::execute(hawser::compose(layer{}), [] { return 0; });
}
