// SPDX-License-Identifier: BSL-1.0
//
// It may have happened already: charging a card again is not for a retry to decide.
// expect: hawser: a retry or hedge would repeat an operation marked at_most_once
#include <hawser/hawser.hpp>

int main() {
    auto const line = hawser::compose(hawser::retry{});
#ifdef HAWSER_ACCEPT
    return hawser::execute(line, [] { return 0; });
#else
    return hawser::execute(line, hawser::at_most_once([] { return 0; }));
#endif
}
