// SPDX-License-Identifier: BSL-1.0
//
// The rules of the order see through a fork.
// expect: hawser: a fallback inside a retry hides every failure from it
#include <hawser/adapt/asio/isolated.hpp>
#include <hawser/policy/fallback.hpp>
#include <hawser/policy/retry.hpp>

int main() {
    hawser::isolation_pool pool;
    using hawser::borrow, hawser::isolated;
#ifdef HAWSER_ACCEPT
    auto const line = hawser::compose(hawser::fallback{0}, isolated{borrow(pool)}, hawser::retry{});
#else
    auto const line = hawser::compose(hawser::retry{}, isolated{borrow(pool)}, hawser::fallback{0});
#endif
    return hawser::execute(line, [] { return 0; });
}
