// SPDX-License-Identifier: BSL-1.0
//
// A limit for each key has none for a call without one.
// expect: hawser: a rate_limit for each key needs the call's key
#include <hawser/hawser.hpp>
#include <hawser/policy/rate_limit.hpp>
#include <hawser/rate/keyed.hpp>

int main() {
    hawser::keyed<hawser::token_bucket> per_user{{.rate = 10}};
    hawser::rate_limit limit{hawser::borrow(per_user)};
#ifdef HAWSER_ACCEPT
    hawser::call_facts<char const*> const facts{.key = "ann"};
#else
    hawser::call_facts<> const facts{};
#endif
    return hawser::execute(hawser::compose(hawser::borrow(limit)), facts, [] { return 0; });
}
