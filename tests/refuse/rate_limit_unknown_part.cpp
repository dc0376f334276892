// SPDX-License-Identifier: BSL-1.0
//
// A part that no place knows would be ignored in silence.
// expect: hawser: a part of a rate_limit is wait_up_to, cost_by or named
#include <hawser/hawser.hpp>
#include <hawser/policy/rate_limit.hpp>

#include <chrono>

int main() {
#ifdef HAWSER_ACCEPT
    hawser::rate_limit limit{{.rate = 10}, hawser::wait_up_to{std::chrono::seconds{1}}};
#else
    hawser::rate_limit limit{{.rate = 10}, std::chrono::seconds{1}};
#endif
    return limit.name() != nullptr ? 0 : 1;
}
