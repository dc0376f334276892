// SPDX-License-Identifier: BSL-1.0
//
// The first start has moved it away, and may still be running with it.
// expect: hawser: an isolated operation is copied where it is passed as an lvalue, or may be
#include <hawser/adapt/asio/isolated.hpp>
#include <hawser/policy/retry.hpp>

#include <memory>

int main() {
    hawser::isolation_pool pool;
    auto op = [number = std::make_unique<int>(0)] { return *number; };
#ifdef HAWSER_ACCEPT
    auto const line = hawser::compose(hawser::isolated{hawser::borrow(pool)}, hawser::retry{});
#else
    auto const line = hawser::compose(hawser::retry{}, hawser::isolated{hawser::borrow(pool)});
#endif
    return hawser::execute(line, std::move(op));
}
