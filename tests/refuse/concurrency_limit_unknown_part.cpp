// SPDX-License-Identifier: BSL-1.0
//
// A part that no place knows would be ignored in silence.
// expect: hawser: a part of a concurrency_limit is wait_up_to, places, queued_by, cost_by
#include <hawser/hawser.hpp>
#include <hawser/policy/concurrency_limit.hpp>

#include <chrono>

int main() {
#ifdef HAWSER_ACCEPT
    hawser::concurrency_limit limit{{.initial = 10}, hawser::wait_up_to{std::chrono::seconds{1}}};
#else
    hawser::concurrency_limit limit{{.initial = 10}, std::chrono::seconds{1}};
#endif
    return limit.name() != nullptr ? 0 : 1;
}
