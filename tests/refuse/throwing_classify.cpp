// SPDX-License-Identifier: BSL-1.0
//
// An outcome is classified on the way out, where nothing may throw.
// expect: hawser: outcome_traits<R>::classify(R const&) must be noexcept and return a
#include <hawser/hawser.hpp>

struct reply {};

template <>
struct hawser::outcome_traits<reply> {
#ifdef HAWSER_ACCEPT
    static verdict classify(reply const&) noexcept { return verdict::success; }
#else
    static verdict classify(reply const&) { return verdict::success; }
#endif
};

int main() {
    (void)hawser::execute(hawser::compose(), [] { return reply{}; });
}
