// SPDX-License-Identifier: BSL-1.0
//
// One fork splits a pipeline in two; a second one stands in a pipeline of its own.
// expect: hawser: a pipeline has one fork (isolated) at most
#include <hawser/adapt/asio/isolated.hpp>

int main() {
    hawser::isolation_pool first, second;
    using hawser::borrow, hawser::isolated;
#ifdef HAWSER_ACCEPT
    auto const line = hawser::compose(isolated{borrow(first)});
#else
    auto const line = hawser::compose(isolated{borrow(first)}, isolated{borrow(second)});
#endif
    return hawser::execute(line, [] { return 0; });
}
