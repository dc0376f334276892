// SPDX-License-Identifier: BSL-1.0
//
// What a call costs is asked in a hook, where nothing may throw.
// expect: hawser: what cost_by is given must be noexcept
#include <hawser/hawser.hpp>
#include <hawser/policy/rate_limit.hpp>

struct size_of {
#ifdef HAWSER_ACCEPT
    unsigned operator()(auto const&) const noexcept { return 2; }
#else
    unsigned operator()(auto const&) const { return 2; }
#endif
};

int main() {
    hawser::rate_limit limit{{.rate = 10, .burst = 2}, hawser::cost_by{size_of{}}};
    return hawser::execute(hawser::compose(hawser::borrow(limit)), [] { return 0; });
}
