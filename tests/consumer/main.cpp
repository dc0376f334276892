// SPDX-License-Identifier: BSL-1.0
//
// A program that uses the library from two source files: what a header defines without `inline`
// is then defined twice, and does not link.
#include <hawser/hawser.hpp>

hawser::time_point later(hawser::time_point now);

int main() {
    hawser::manual_time time;
    auto const now = time.now();
    return later(now) > now && HAWSER_VERSION_MAJOR == 0 ? 0 : 1;
}
