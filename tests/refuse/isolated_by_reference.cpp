// SPDX-License-Identifier: BSL-1.0
//
// An operation that runs on may outlive whatever it refers to.
// expect: hawser: an isolated operation may outlive its call, so it must be owned by it
#include <hawser/adapt/asio/isolated.hpp>

#include <functional>

int main() {
    hawser::isolation_pool pool;
    auto const line = hawser::compose(hawser::isolated{hawser::borrow(pool)});
    auto op = [] { return 0; };
#ifdef HAWSER_ACCEPT
    return hawser::execute(line, op);
#else
    return hawser::execute(line, std::ref(op));
#endif
}
