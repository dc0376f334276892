// SPDX-License-Identifier: BSL-1.0
//
// In a file of its own, because it answers broken requirements with an exception in place of ending
// the process.
#include <stdexcept>
namespace {
void require(bool held) {
    if (!held) throw std::logic_error{"a requirement is broken"};
}
}  // namespace
#define HAWSER_ASSERT(condition) require(static_cast<bool>(condition))

#include <hawser/adapt/asio/isolated.hpp>

#include "support/catch.hpp"

using hawser::borrow;
using hawser::isolated;
using hawser::isolation_pool;

TEST_CASE("isolation_pool: a thread of its own that would wait for it is noticed") {
    isolation_pool pool{{.threads = 1}};
    auto const line = hawser::compose(isolated{borrow(pool)});
    CHECK_THROWS_AS(hawser::execute(line, [at = &pool] { at->stop(); }), std::logic_error);
    CHECK_THROWS_AS(
        hawser::execute(hawser::compose(isolated{borrow(pool)}), [at = &pool] { at->stop(); }),
        hawser::refused);  // It has been closed.
}

TEST_CASE("isolation_pool: another pool's thread may wait for it") {
    isolation_pool pool{{.threads = 1}}, other{{.threads = 1}};
    auto const line = hawser::compose(isolated{borrow(other)});
    CHECK(hawser::execute(line, [at = &pool] {
        at->stop();
        return at->snapshot().closed;
    }));
}
