// SPDX-License-Identifier: BSL-1.0
//
// A part that no place knows would be ignored in silence.
// expect: hawser: a part of a retry is a backoff, a jitter, a budget, retry_if, abort_if,
#include <hawser/hawser.hpp>

int main() {
#ifdef HAWSER_ACCEPT
    hawser::retry const again{hawser::retry_options{}, hawser::no_budget{}};
#else
    hawser::retry const again{hawser::retry_options{}, 5};
#endif
    return again.max_attempts() == 3 ? 0 : 1;
}
