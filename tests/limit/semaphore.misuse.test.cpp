// SPDX-License-Identifier: BSL-1.0
//
// In a file of its own, because it counts broken requirements in place of ending the process.
namespace {
int violations = 0;
}
#define HAWSER_ASSERT(condition) ((condition) ? void() : void(++violations))

#include <hawser/limit/semaphore.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"

using namespace std::chrono_literals;
using hawser::semaphore;
using support::counting_waiter;

static constexpr hawser::time_point t0{1h};

TEST_CASE("semaphore: a permit released twice is noticed") {
    violations = 0;
    semaphore permits{{.permits = 3}};
    REQUIRE(permits.try_acquire(2));
    (void)permits.release(2, t0);
    CHECK(violations == 0);
    (void)permits.release(1, t0);
    CHECK(violations == 1);
}

TEST_CASE("semaphore: more released than was taken is noticed") {
    violations = 0;
    semaphore permits{{.permits = 3}};
    REQUIRE(permits.try_acquire(2));
    (void)permits.release(3, t0);
    CHECK(violations == 1);
}

TEST_CASE("semaphore: a waiter that is claimed twice is noticed") {
    violations = 0;
    semaphore permits{{.permits = 1}};
    counting_waiter node;
    REQUIRE(permits.try_acquire());
    (void)permits.acquire(node, 1, t0);
    (void)permits.release(1, t0);
    CHECK(permits.claim(node, t0).result == hawser::claimed::granted);
    CHECK(violations == 0);
    (void)permits.claim(node, t0);
    CHECK(violations == 1);
}

TEST_CASE("semaphore: a waiter that is queued twice is noticed") {
    violations = 0;
    semaphore permits{{.permits = 1}};
    counting_waiter granted;
    REQUIRE(permits.try_acquire());
    (void)permits.acquire(granted, 1, t0);
    (void)permits.release(1, t0);
    CHECK(violations == 0);
    (void)permits.acquire(granted, 1, t0);  // Granted, and neither claimed nor withdrawn.
    CHECK(violations == 1);
    (void)permits.withdraw(granted, t0);
}
