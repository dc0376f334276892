// SPDX-License-Identifier: BSL-1.0
#include <hawser/containers/waiter.hpp>

#include "support/catch.hpp"

#include <type_traits>

namespace {

struct counting_waiter final : hawser::waiter {
    counting_waiter() noexcept : waiter{&ring} {}
    static void ring(waiter& node) noexcept { ++static_cast<counting_waiter&>(node).rung; }
    int rung = 0;
};

}  // namespace

TEST_CASE("waiter: starts out of every queue and ungranted") {
    counting_waiter const node;
    CHECK(node.next == nullptr);
    CHECK(node.previous == nullptr);
    CHECK_FALSE(node.queued);
    CHECK_FALSE(node.granted);
}

TEST_CASE("waiter: asks for one permit, in the lowest class, until it is told otherwise") {
    counting_waiter const node;
    CHECK(node.permits == 1);
    CHECK(node.priority == 0);
    CHECK(node.flow == 0);
    CHECK_FALSE(node.turned_away);
}

TEST_CASE("waiter: a wake rings the bell of the call that waits, once each") {
    counting_waiter node, other;
    hawser::waiter& seen_by_policy = node;
    seen_by_policy.wake();
    CHECK(node.rung == 1);
    seen_by_policy.wake();
    CHECK(node.rung == 2);
    CHECK(other.rung == 0);
}

TEST_CASE("waiter: a wake marks nothing: the marks are the policy's") {
    counting_waiter node;
    node.wake();
    CHECK_FALSE(node.granted);
    CHECK_FALSE(node.queued);
}

TEST_CASE("waiter: stays where it is") {
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<hawser::waiter>);
    STATIC_REQUIRE_FALSE(std::is_move_constructible_v<counting_waiter>);
}
