// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/asio/detail/stop_relay.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <stop_token>
#include <thread>

struct owner {
    std::atomic<int> told{0};
    hawser::detail::stop_relay<owner> relay;
    void relay_stop() noexcept { ++told; }
};

TEST_CASE("stop_relay: a request is relayed once, and is then on its way until it arrives") {
    std::stop_source source;
    owner call;
    call.relay.watch(source.get_token(), call);
    CHECK_FALSE(call.relay.on_its_way());

    source.request_stop();
    source.request_stop();
    call.relay.unwatch();
    CHECK(call.told == 1);
    CHECK(call.relay.on_its_way());

    call.relay.arrived();
    CHECK_FALSE(call.relay.on_its_way());
}

TEST_CASE("stop_relay: a request that came before is relayed at once") {
    std::stop_source source;
    source.request_stop();
    owner call;
    call.relay.watch(source.get_token(), call);
    CHECK(call.told == 1);
    CHECK(call.relay.on_its_way());
}

TEST_CASE("stop_relay: after unwatch nothing is relayed") {
    std::stop_source source;
    owner call;
    call.relay.watch(source.get_token(), call);
    call.relay.unwatch();
    source.request_stop();
    CHECK(call.told == 0);
    CHECK_FALSE(call.relay.on_its_way());
}

TEST_CASE("stop_relay: a token that cannot stop is not watched") {
    owner call;
    call.relay.watch({}, call);
    call.relay.unwatch();
    CHECK_FALSE(call.relay.on_its_way());
}

TEST_CASE("stop_relay: who has stopped watching knows whether a request was relayed") {
    for (int round = 0; round < 2000; ++round) {
        std::stop_source source;
        owner call;
        call.relay.watch(source.get_token(), call);
        std::jthread const other{[&] { source.request_stop(); }};
        call.relay.unwatch();
        // Never told without being known to be on its way, nor the other way round.
        REQUIRE(call.relay.on_its_way() == (call.told == 1));
    }
}
