// SPDX-License-Identifier: BSL-1.0
//
// In a file of its own, because it counts broken requirements in place of ending the process.
namespace {
int violations = 0;
}
#define HAWSER_ASSERT(condition) ((condition) ? void() : void(++violations))

#include <hawser/run/channel.hpp>

#include "support/catch.hpp"

namespace {

using core_type = hawser::channel<int>::core_type;

struct end final : core_type::node_type {
    end() : channel_waiter{[](hawser::waiter&) noexcept {}} {}
};

}  // namespace

TEST_CASE("channel: destroying it while somebody waits is noticed") {
    violations = 0;
    end receiver, sender;
    int one = 1, two = 2;
    {
        hawser::channel<int> ch{{.capacity = 1}};
        CHECK(ch.core().await_value(receiver).result == hawser::detail::passage::waits);
    }
    CHECK(violations == 1);
    {
        hawser::channel<int> ch{{.capacity = 1}};
        CHECK(ch.send(one));
        CHECK(ch.core().send_by_lock(two, &sender).result == hawser::detail::passage::waits);
    }
    CHECK(violations == 2);
}

TEST_CASE("channel: once it is closed nobody waits, and it may be destroyed") {
    violations = 0;
    end receiver;
    {
        hawser::channel<int> ch{{.capacity = 1}};
        CHECK(ch.core().await_value(receiver).result == hawser::detail::passage::waits);
        ch.close();
    }
    CHECK(violations == 0);
}
