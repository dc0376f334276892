// SPDX-License-Identifier: BSL-1.0
//
// A limit that starts full with each decision limits nothing.
// expect: hawser: all_of() decides over limiters that outlive it; one of these is a temporary
#include <hawser/rate/all_of.hpp>
#include <hawser/rate/token_bucket.hpp>

int main() {
    hawser::token_bucket global{{.burst = 5}};
#ifdef HAWSER_ACCEPT
    hawser::token_bucket user{{.burst = 2}};
    return hawser::all_of{user, global}.try_acquire({}).granted ? 0 : 1;
#else
    return hawser::all_of{hawser::token_bucket{{.burst = 2}}, global}.try_acquire({}).granted;
#endif
}
