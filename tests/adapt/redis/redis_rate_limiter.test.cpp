// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/redis/redis_rate_limiter.hpp>

#include "support/catch.hpp"
#include "support/redis_proxy.hpp"
#include "support/redis_server.hpp"

#include <array>
#include <string>

using namespace std::chrono_literals;
using hawser::redis_rate_limiter;
using support::redis_proxy;
using support::redis_server;
using two_keys = std::array<std::string_view, 2>;

static constexpr hawser::time_point t0{1h};

/// Slow enough that nothing comes back while a test runs, and patient.
static hawser::redis_rate_limiter_options slow(std::uint16_t port, std::uint32_t burst) {
    return {.server = {.port = port},
            .limits = {{.rate = 1, .period = 1h, .burst = burst}},
            .timeout = 5s,
            .probe_interval = 5s,
            .probe_jitter = 0,
            .lease_for = 20s};
}

TEST_CASE(
    "redis_rate_limiter: the server grants a burst, says what is left, and when to come back") {
    redis_server server;
    redis_rate_limiter limiter{slow(server.port(), 5)};
    auto const first = limiter.try_acquire("a", 2, t0);
    CHECK(first.granted);
    CHECK(first.retry_after == 0ns);
    CHECK_FALSE(first.leased);
    CHECK(first.remaining == 3);
    CHECK(limiter.try_acquire("a", 3, t0).remaining == 0);
    auto const refused = limiter.try_acquire("a", 2, t0);
    CHECK_FALSE(refused.granted);
    CHECK_FALSE(refused.leased);
    CHECK(refused.retry_after <= 2h);
    CHECK(refused.retry_after > 2h - 1min);
    CHECK(limiter.try_acquire("b", 5, t0).granted);
    CHECK_FALSE(limiter.status(t0).away);
    CHECK(limiter.status(t0).nodes == 1);
}

TEST_CASE("redis_rate_limiter: a wait that was said is enough, by the server's clock") {
    redis_server server;
    auto options = slow(server.port(), 3);
    options.limits = {{.rate = 20, .period = 1s, .burst = 3}};
    redis_rate_limiter limiter{options};
    CHECK(limiter.try_acquire("a", 3, t0));
    auto const refused = limiter.try_acquire("a", 1, t0);
    REQUIRE_FALSE(refused.granted);
    CHECK(refused.retry_after <= 50ms);
    support::pass(refused.retry_after);
    CHECK(limiter.try_acquire("a", 1, t0));
}

TEST_CASE("redis_rate_limiter: limiters on several machines share what there is") {
    redis_server server;
    redis_rate_limiter one{slow(server.port(), 10)}, two{slow(server.port(), 10)};
    int granted = 0;
    for (int i = 0; i != 20; ++i)
        granted += (i % 2 == 0 ? one : two).try_acquire("a", 1, t0).granted ? 1 : 0;
    CHECK(granted == 10);

    auto options = slow(server.port(), 10);
    options.prefix = "other";
    redis_rate_limiter other{options};
    CHECK(other.try_acquire("a", 10, t0));
}

TEST_CASE("redis_rate_limiter: no tokens are granted, and more than a burst are never, unasked") {
    redis_rate_limiter limiter{slow(support::free_port(), 5)};
    CHECK(limiter.try_acquire("a", 0, t0).granted);
    auto const refused = limiter.try_acquire("a", 6, t0);
    CHECK_FALSE(refused.granted);
    CHECK(refused.retry_after == hawser::never);
    CHECK_FALSE(limiter.status(t0).away);
}

TEST_CASE("redis_rate_limiter: several limits are taken together or not at all") {
    redis_server server;
    auto options = slow(server.port(), 5);
    options.limits.push_back({.rate = 1, .period = 1h, .burst = 8});
    redis_rate_limiter limiter{options};
    CHECK(limiter.try_acquire_all(two_keys{"ip 1", "user"}, 4, t0).remaining == 1);
    CHECK(limiter.try_acquire_all(two_keys{"ip 2", "user"}, 3, t0).remaining == 1);
    for (int i = 0; i != 10; ++i)
        CHECK_FALSE(limiter.try_acquire_all(two_keys{"ip 2", "user"}, 2, t0));
    CHECK(limiter.try_acquire_all(two_keys{"ip 2", "other user"}, 2, t0));
    CHECK(limiter.try_acquire_all(two_keys{"ip 3", "user"}, 6, t0).retry_after == hawser::never);
    // One name in two limits is two buckets.
    CHECK(limiter.try_acquire_all(two_keys{"same", "same"}, 5, t0).remaining == 0);
}

TEST_CASE("redis_rate_limiter: keys are any bytes, and stand in the slot of the prefix") {
    redis_server server;
    redis_rate_limiter limiter{slow(server.port(), 1)};
    std::string const bytes{"a\0b }{", 6};
    CHECK(limiter.try_acquire(bytes, 1, t0));
    CHECK_FALSE(limiter.try_acquire(bytes, 1, t0));
    CHECK(limiter.try_acquire(std::string_view{bytes}.substr(0, 1), 1, t0));
    CHECK(limiter.try_acquire("", 1, t0));
    CHECK(server.tell({"EXISTS", "{hawser}:limit:0:" + bytes, "{hawser}:generation",
                       "{hawser}:leases"}) == "3");
}

TEST_CASE("redis_rate_limiter: a request whose answer is lost is charged once") {
    redis_server server;
    redis_proxy proxy{server.port()};
    redis_rate_limiter limiter{slow(proxy.port(), 20)};
    int granted = 0;
    for (int i = 0; i != 30; ++i) {
        if (i % 3 == 1) proxy.next(redis_proxy::fault::lose_reply);
        auto const answer = limiter.try_acquire("a", 1, t0);
        REQUIRE_FALSE(answer.leased);
        REQUIRE(proxy.has_happened());
        granted += answer.granted ? 1 : 0;
        if (i < 20) CHECK(answer.remaining == static_cast<std::uint32_t>(19 - i));
    }
    CHECK(granted == 20);
}

TEST_CASE("redis_rate_limiter: a request that arrives after its repetition charges nothing") {
    redis_server server;
    redis_proxy proxy{server.port()};
    redis_rate_limiter limiter{slow(proxy.port(), 5)};
    CHECK(limiter.try_acquire("a", 1, t0).remaining == 4);
    proxy.next(redis_proxy::fault::hold_request);
    CHECK(limiter.try_acquire("a", 1, t0).remaining == 3);
    CHECK(limiter.try_acquire("a", 1, t0).remaining == 2);
    CHECK(proxy.let_go().find("HAWSER a late copy") != std::string::npos);
    CHECK(limiter.try_acquire("a", 1, t0).remaining == 1);
}

TEST_CASE("redis_rate_limiter: a server that restarts with its data has lost and doubled nothing") {
    redis_server server{{"--appendonly", "yes", "--appendfsync", "always"}};
    redis_rate_limiter limiter{slow(server.port(), 10)};
    CHECK(limiter.try_acquire("a", 7, t0).remaining == 3);
    server.kill();
    server.start();
    auto const answer = limiter.try_acquire("a", 1, t0);
    CHECK_FALSE(answer.leased);
    CHECK(answer.remaining == 2);
    CHECK(limiter.try_acquire("b", 10, t0));
}

TEST_CASE("redis_rate_limiter: a server that restarts without its data hands out no burst again") {
    redis_server server;
    auto options = slow(server.port(), 10);
    options.limits = {{.rate = 10, .period = 1s, .burst = 10}};
    redis_rate_limiter limiter{options};
    CHECK(limiter.try_acquire("a", 10, t0));
    server.kill();
    server.start();
    auto const answer = limiter.try_acquire("a", 10, t0);
    CHECK_FALSE(answer.granted);
    CHECK_FALSE(answer.leased);
    // Nor for a key that it has never seen: it might have.
    CHECK_FALSE(limiter.try_acquire("b", 10, t0));
    redis_rate_limiter fresh{options};
    CHECK_FALSE(fresh.try_acquire("c", 10, t0));
    support::pass(1s);
    CHECK(fresh.try_acquire("c", 10, t0));
}

TEST_CASE("redis_rate_limiter: scripts that the server forgets are sent again") {
    redis_server server;
    redis_rate_limiter limiter{slow(server.port(), 10)};
    CHECK(limiter.try_acquire("a", 1, t0).remaining == 9);
    server.tell({"SCRIPT", "FLUSH"});
    auto const answer = limiter.try_acquire("a", 1, t0);
    CHECK_FALSE(answer.leased);
    CHECK(answer.remaining == 8);
}

TEST_CASE("redis_rate_limiter: options that describe no limiter are refused by name") {
    auto options = slow(1, 1);
    options.limits = {{.rate = 0}};
    CHECK_THROWS_WITH(redis_rate_limiter{options}, "redis_rate_limiter: rate is zero");
    options = slow(1, 1);
    options.prefix = "";
    CHECK_THROWS_WITH(redis_rate_limiter{options}, "redis_rate_limiter: prefix is empty");
    options = slow(1, 1);
    options.limits = {{.rate = 1, .period = 24h * 365 * 2, .burst = 1}};
    CHECK_THROWS_WITH(redis_rate_limiter{options},
                      "redis_rate_limiter: max_nodes leaves a node no token in 25 years");
}
