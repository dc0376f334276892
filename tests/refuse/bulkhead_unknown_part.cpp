// SPDX-License-Identifier: BSL-1.0
//
// A part that no place knows would be ignored in silence.
// expect: hawser: a part of a bulkhead is wait_up_to, queued_by, cost_by, told_to or
#include <hawser/hawser.hpp>
#include <hawser/policy/bulkhead.hpp>

#include <chrono>

int main() {
#ifdef HAWSER_ACCEPT
    hawser::bulkhead limit{{.permits = 10}, hawser::wait_up_to{std::chrono::seconds{1}}};
#else
    hawser::bulkhead limit{{.permits = 10}, std::chrono::seconds{1}};
#endif
    return limit.name() != nullptr ? 0 : 1;
}
