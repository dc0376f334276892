// SPDX-License-Identifier: BSL-1.0
//
// The retry would only ever see the stand-in.
// expect: hawser: a fallback inside a retry hides every failure from it
// expect: allow<order::fallback_inside_retry>
#include <hawser/hawser.hpp>

using namespace std::chrono_literals;

int main() {
#ifdef HAWSER_ACCEPT
    auto const line = hawser::compose(hawser::fallback{1}, hawser::retry{});
#else
    auto const line = hawser::compose(hawser::retry{}, hawser::fallback{1});
#endif
    return hawser::execute(line, [] { return 0; });
}
