// SPDX-License-Identifier: BSL-1.0
//
// Only one of them could hold.
// expect: hawser: a retry has one part of each kind
#include <hawser/hawser.hpp>

int main() {
#ifdef HAWSER_ACCEPT
    hawser::retry const again{hawser::retry_options{}, hawser::backoff::linear{}};
#else
    hawser::retry const again{hawser::retry_options{}, hawser::backoff::linear{},
                              hawser::backoff::none{}};
#endif
    return again.max_attempts() == 3 ? 0 : 1;
}
