// SPDX-License-Identifier: BSL-1.0
//
// Its layers stay where they are made.
// expect: deleted
#include <hawser/hawser.hpp>

int main() {
    auto const line = hawser::compose();
#ifdef HAWSER_ACCEPT
    auto const& other = line;
#else
    auto const other = line;
#endif
    return hawser::execute(other, [] { return 0; });
}
