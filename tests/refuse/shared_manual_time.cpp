// SPDX-License-Identifier: BSL-1.0
//
// A copy of the time would stand still when the original moves: sources share one by reference.
// expect: deleted
#include <hawser/base/clock.hpp>

int main() {
    hawser::manual_time time;
#ifdef HAWSER_ACCEPT
    hawser::manual_clock_source const source{time};
    return source.now() == time.now() ? 0 : 1;
#else
    hawser::manual_time const copy{time};
    return copy.now() == time.now() ? 0 : 1;
#endif
}
