// SPDX-License-Identifier: BSL-1.0
//
// It would limit each attempt, not their total.
// expect: hawser: a total_timeout inside a retry limits one attempt: use
#include <hawser/hawser.hpp>

using namespace std::chrono_literals;

int main() {
#ifdef HAWSER_ACCEPT
    auto const line = hawser::compose(hawser::total_timeout{1s}, hawser::retry{});
#else
    auto const line = hawser::compose(hawser::retry{}, hawser::total_timeout{1s});
#endif
    return hawser::execute(line, [] { return 0; });
}
