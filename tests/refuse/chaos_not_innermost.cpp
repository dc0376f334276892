// SPDX-License-Identifier: BSL-1.0
//
// Injected faults would miss the layers inside it.
// expect: hawser: chaos is the innermost layer
#include <hawser/hawser.hpp>

using namespace std::chrono_literals;

struct chaos {
    static constexpr hawser::layer_role role = hawser::layer_role::chaos;
    hawser::gate before(auto&, auto&) const noexcept { return {}; }
};

int main() {
#ifdef HAWSER_ACCEPT
    auto const line = hawser::compose(hawser::attempt_timeout{1s}, chaos{});
#else
    auto const line = hawser::compose(chaos{}, hawser::attempt_timeout{1s});
#endif
    return hawser::execute(line, [] { return 0; });
}
