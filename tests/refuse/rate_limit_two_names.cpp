// SPDX-License-Identifier: BSL-1.0
//
// Only one of them could hold.
// expect: hawser: a rate_limit has one part of each kind
#include <hawser/hawser.hpp>
#include <hawser/policy/rate_limit.hpp>

int main() {
#ifdef HAWSER_ACCEPT
    hawser::rate_limit limit{{.rate = 10}, hawser::named{"reads"}};
#else
    hawser::rate_limit limit{{.rate = 10}, hawser::named{"reads"}, hawser::named{"writes"}};
#endif
    return limit.name() != nullptr ? 0 : 1;
}
