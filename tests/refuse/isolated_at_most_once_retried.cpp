// SPDX-License-Identifier: BSL-1.0
//
// It may have happened already, on another thread too.
// expect: hawser: a retry or hedge would repeat an operation marked at_most_once
#include <hawser/adapt/asio/isolated.hpp>
#include <hawser/policy/retry.hpp>

int main() {
    hawser::isolation_pool pool;
    auto const line = hawser::compose(hawser::retry{}, hawser::isolated{hawser::borrow(pool)});
#ifdef HAWSER_ACCEPT
    return hawser::execute(line, [] { return 0; });
#else
    return hawser::execute(line, hawser::at_most_once([] { return 0; }));
#endif
}
