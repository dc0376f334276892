// SPDX-License-Identifier: BSL-1.0
//
// A borrowed semaphore is queued for as it was made; another order would be ignored in silence.
// expect: hawser: a borrowed semaphore has a queue of its own
#include <hawser/containers/queueing/codel.hpp>
#include <hawser/hawser.hpp>
#include <hawser/policy/bulkhead.hpp>

#include <chrono>

namespace queueing = hawser::queueing;

int main() {
    hawser::wait_up_to const patience{std::chrono::seconds{1}};
#ifdef HAWSER_ACCEPT
    hawser::basic_semaphore<queueing::codel> permits{{.permits = 10}};
    hawser::bulkhead limit{hawser::borrow(permits), patience};
#else
    hawser::semaphore permits{{.permits = 10}};
    hawser::bulkhead limit{hawser::borrow(permits), patience, hawser::queued_by<queueing::codel>{}};
#endif
    return limit.name() != nullptr ? 0 : 1;
}
