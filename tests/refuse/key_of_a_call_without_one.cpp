// SPDX-License-Identifier: BSL-1.0
//
// A policy that tells calls apart by their key needs one.
// expect: key
#include <hawser/hawser.hpp>

int main() {
    auto const line = hawser::compose();
#ifdef HAWSER_ACCEPT
    hawser::call_facts<int> facts{};
#else
    hawser::call_facts<> facts{};
#endif
    return hawser::execute(line, facts, [](auto& call) { return call.key(); });
}
