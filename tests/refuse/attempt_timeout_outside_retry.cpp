// SPDX-License-Identifier: BSL-1.0
//
// It would limit all attempts together.
// expect: hawser: an attempt_timeout outside a retry limits all attempts together
#include <hawser/hawser.hpp>

using namespace std::chrono_literals;

int main() {
#ifdef HAWSER_ACCEPT
    auto const line = hawser::compose(hawser::retry{}, hawser::attempt_timeout{1s});
#else
    auto const line =
        hawser::compose(hawser::attempt_timeout{1s}, hawser::fallback{1}, hawser::retry{});
#endif
    return hawser::execute(line, [] { return 0; });
}
