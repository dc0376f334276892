// SPDX-License-Identifier: BSL-1.0
//
// What holds while the server is away. The test chooses the time of leases and probes; how long a
// call waits for a server that does not answer is real.
#include <hawser/adapt/redis/redis_rate_limiter.hpp>

#include "support/catch.hpp"
#include "support/redis_impostor.hpp"
#include "support/redis_server.hpp"

#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using hawser::redis_rate_limiter;
using support::redis_server;

static constexpr hawser::time_point t0{1h};

static hawser::redis_rate_limiter_options impatient(std::uint16_t port, std::uint32_t burst,
                                                    hawser::duration timeout = 1s) {
    return {.server = {.port = port},
            .limits = {{.rate = burst, .period = 1s, .burst = burst}},
            .timeout = timeout,
            .probe_interval = 1s,
            .probe_jitter = 0.2,
            .lease_for = 10s,
            .max_nodes = 10};
}

namespace {

hawser::duration time_of(auto work) {
    auto const start = hawser::steady_clock_source{}.now();
    work();
    return hawser::steady_clock_source{}.now() - start;
}

/// How many tokens are granted at once, all of them by the lease.
int drain(redis_rate_limiter& limiter, std::string_view key, hawser::time_point now) {
    for (int granted = 0;; ++granted) {
        auto const answer = limiter.try_acquire(key, 1, now);
        REQUIRE(answer.leased);
        if (!answer.granted) return granted;
    }
}

/// Asks until the server answers, as on a busy machine it may not at once, and returns when it did.
hawser::time_point greet(redis_rate_limiter& limiter, hawser::time_point now = t0) {
    while (limiter.try_acquire("greeting", 1, now).leased) {
        REQUIRE(now < t0 + 1h);
        now += 2s;
    }
    return now;
}

}  // namespace

TEST_CASE("redis_rate_limiter: a server that hangs costs one call a timeout, and not the next") {
    redis_server server;
    redis_rate_limiter limiter{impatient(server.port(), 100, 300ms)};
    auto const now = greet(limiter);
    server.pause();
    auto const first = time_of([&] { CHECK(limiter.try_acquire("a", 1, now).leased); });
    CHECK(first >= 300ms);
    CHECK(first < 3s);
    CHECK(limiter.status(now).away);
    CHECK(limiter.status(now).error == "no answer in time");
    auto const others = time_of([&] {
        for (int i = 0; i != 1'000; ++i) CHECK(limiter.try_acquire("a", 1, now + i * 999us).leased);
    });
    CHECK(others < 3s);

    // Whenever the interval is over, within its jitter, one call pays again.
    for (int probe = 1; probe != 4; ++probe) {
        auto const then = now + probe * 1200ms;
        CHECK(time_of([&] { CHECK(limiter.try_acquire("a", 1, then).leased); }) >= 300ms);
        CHECK(time_of([&] { CHECK(limiter.try_acquire("a", 1, then + 999ms).leased); }) < 300ms);
    }
    server.resume();
}

TEST_CASE("redis_rate_limiter: a node without the server admits its share, not the whole rate") {
    redis_server server;
    redis_rate_limiter one{impatient(server.port(), 100)}, two{impatient(server.port(), 100)};
    auto const now = greet(two, greet(one));
    CHECK(one.status(now).share == 0.5);
    server.kill();
    CHECK(drain(one, "a", now) == 50);
    CHECK(drain(two, "a", now) == 50);
    CHECK(drain(one, "a", now + 500ms) == 25);
    // And when the lease is over, the least share.
    CHECK(one.status(now + 10s).share == 0.1);
    CHECK(drain(one, "b", now + 11s) == 10);
    CHECK(drain(one, "b", now + 12s) == 10);
}

TEST_CASE("redis_rate_limiter: the lease begins with the share of what the server had left") {
    redis_server server;
    auto options = impatient(server.port(), 100);
    options.limits = {{.rate = 1, .period = 1h, .burst = 100}};
    redis_rate_limiter limiter{options};
    auto const now = greet(limiter);
    auto const before = limiter.try_acquire("a", 60, now);
    REQUIRE_FALSE(before.leased);
    REQUIRE(before.remaining == 40);
    server.kill();
    CHECK(drain(limiter, "a", now) == 20);
}

TEST_CASE("redis_rate_limiter: a node that never met the server admits the least share") {
    redis_rate_limiter limiter{impatient(support::free_port(), 100)};
    CHECK(drain(limiter, "a", t0) == 10);
    CHECK(limiter.status(t0).error == "Connection refused");
    CHECK(drain(limiter, "a", t0 + 500ms) == 5);
}

TEST_CASE("redis_rate_limiter: a refusal by the lease says to ask again by the next probe") {
    redis_rate_limiter limiter{impatient(support::free_port(), 100)};
    drain(limiter, "a", t0);
    CHECK(limiter.try_acquire("a", 1, t0).retry_after == 100ms);  // A token of the least share.
    auto const large = limiter.try_acquire("a", 50, t0).retry_after;
    CHECK(large >= 1s);
    CHECK(large <= 1200ms);
}

TEST_CASE("redis_rate_limiter: a server that comes back decides again with the next probe") {
    redis_server server;
    redis_rate_limiter limiter{impatient(server.port(), 100)};
    auto const now = greet(limiter);
    server.kill();
    CHECK(limiter.try_acquire("a", 1, now).leased);
    server.start();
    CHECK(limiter.try_acquire("a", 1, now + 999ms).leased);
    auto const back = greet(limiter, now + 1200ms);
    CHECK_FALSE(limiter.status(back).away);
    CHECK_FALSE(limiter.try_acquire("a", 1, back).leased);
}

TEST_CASE("redis_rate_limiter: a server that answers with errors is away, and status says why") {
    redis_server server;
    server.tell({"SET", "{hawser}:limit:0:a", "mine"});
    redis_rate_limiter limiter{impatient(server.port(), 100)};
    CHECK(limiter.try_acquire("a", 1, t0).leased);
    CHECK(limiter.status(t0).away);
    CHECK(limiter.status(t0).error == "HAWSER not a bucket");
    CHECK(server.tell({"GET", "{hawser}:limit:0:a"}) == "mine");
}

TEST_CASE("redis_rate_limiter: numbers that are none of the script's are an error, and no answer") {
    auto const decided_by_lease = [](std::string const& wait, std::string const& generation) {
        support::redis_impostor server{"*7\r\n:0\r\n:" + wait + "\r\n:" + generation +
                                       "\r\n:0\r\n:0\r\n:0\r\n:0\r\n"};
        redis_rate_limiter limiter{impatient(server.port(), 100)};
        auto const answer = limiter.try_acquire("key", 1, t0);
        CHECK(answer.retry_after >= 0ns);
        return answer.leased;
    };
    CHECK_FALSE(decided_by_lease("9007199254740991", "5"));  // 2^53 - 1: what a script can count.
    CHECK(decided_by_lease("9007199254740992", "5"));
    CHECK(decided_by_lease("9223372036854775807", "5"));
    CHECK(decided_by_lease("1", "9223372036854775807"));
    CHECK(decided_by_lease("-1", "5"));
    CHECK(decided_by_lease("1", "-5"));
}

TEST_CASE("redis_rate_limiter: a lease is not renewed while the last renewal may be under way") {
    redis_server server;
    auto options = impatient(server.port(), 100, 1s);
    options.lease_for = 2s;
    redis_rate_limiter limiter{options};
    auto const joined = greet(limiter);
    REQUIRE(limiter.status(joined).nodes == 1);
    REQUIRE_FALSE(limiter.try_acquire("key", 1, joined + 1s - 1ns).leased);
    CHECK(limiter.status(joined + 2s).share == 0.1);  // It ends as it would have.
    REQUIRE_FALSE(limiter.try_acquire("key", 1, joined + 1s).leased);
    CHECK(limiter.status(joined + 2s).share == 0.5);
}

TEST_CASE(
    "redis_rate_limiter: threads that meet a hanging server wait for it at once, not in turn") {
    redis_server server;
    redis_rate_limiter limiter{impatient(server.port(), 100, 300ms)};
    auto const now = greet(limiter);
    server.pause();
    auto const taken = time_of([&] {
        std::vector<std::jthread> threads;
        for (int i = 0; i != 8; ++i)
            threads.emplace_back([&] { (void)limiter.try_acquire("a", 1, now); });
    });
    CHECK(taken >= 300ms);
    CHECK(taken < 1200ms);
    server.resume();
}
