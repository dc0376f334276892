// SPDX-License-Identifier: BSL-1.0
//
// A reference into an operation that is gone when its caller looks.
// expect: hawser: what an isolated operation refers to may be gone with it: return a value
#include <hawser/adapt/asio/isolated.hpp>

int main() {
    hawser::isolation_pool pool;
    auto const line = hawser::compose(hawser::isolated{hawser::borrow(pool)});
    auto op = [number = 0]() mutable
#ifndef HAWSER_ACCEPT
        -> int&
#endif
    { return number; };
    return hawser::execute(line, op);
}
