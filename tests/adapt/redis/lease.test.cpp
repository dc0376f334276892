// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/redis/lease.hpp>
#include <hawser/base/random.hpp>

#include "support/catch.hpp"

#include <array>
#include <deque>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using hawser::redis_lease;
using hawser::token_bucket_options;
using keys = std::array<std::string_view, 1>;

static constexpr hawser::time_point t0{1h};
static constexpr std::uint32_t quarter = redis_lease::whole / 4;

/// How many tokens of a key the lease grants at once.
static int drain(redis_lease& lease, std::string_view key, hawser::time_point now) {
    int granted = 0;
    while (lease.decide(keys{key}, 1, now)) ++granted;
    return granted;
}

TEST_CASE("redis_lease: without a lease it admits the least share") {
    std::vector<token_bucket_options> const limits{{.rate = 100, .period = 1s, .burst = 40}};
    redis_lease lease{limits, redis_lease::whole / 10, 64};
    CHECK(lease.share(t0) == redis_lease::whole / 10);
    CHECK(drain(lease, "a", t0) == 4);
    CHECK(drain(lease, "a", t0 + 99ms) == 0);
    CHECK(drain(lease, "a", t0 + 100ms) == 1);
}

TEST_CASE("redis_lease: it admits its share of rate and burst, and a refusal says when") {
    std::vector<token_bucket_options> const limits{{.rate = 100, .period = 1s, .burst = 40}};
    redis_lease lease{limits, redis_lease::whole / 10, 64};
    lease.renew(quarter, t0 + 1h, t0);
    CHECK(lease.share(t0) == quarter);
    CHECK(drain(lease, "a", t0) == 10);
    CHECK(lease.decide(keys{"a"}, 1, t0).retry_after == 40ms);
    CHECK(lease.decide(keys{"a"}, 10, t0).retry_after == 400ms);
    CHECK(lease.decide(keys{"a"}, 11, t0).retry_after == hawser::never);
    CHECK(drain(lease, "a", t0 + 1s) == 10);
    CHECK(drain(lease, "b", t0) == 10);
}

TEST_CASE("redis_lease: it begins with its share of what the server had left") {
    std::vector<token_bucket_options> const limits{{.rate = 1, .period = 1h, .burst = 40}};
    redis_lease lease{limits, redis_lease::whole / 10, 64};
    lease.renew(quarter, t0 + 1h, t0);
    lease.learn(0, "a", 0, t0);
    CHECK(drain(lease, "a", t0) == 0);
    lease.learn(0, "a", 12, t0);
    CHECK(drain(lease, "a", t0) == 3);
    lease.learn(0, "a", 40, t0);
    CHECK(drain(lease, "a", t0) == 10);
}

TEST_CASE("redis_lease: a lease that has ended leaves the least share, and what was spent") {
    std::vector<token_bucket_options> const limits{{.rate = 100, .period = 1s, .burst = 40}};
    redis_lease lease{limits, redis_lease::whole / 10, 64};
    lease.renew(quarter, t0 + 1s, t0);
    lease.learn(0, "a", 40, t0);
    CHECK(drain(lease, "a", t0 + 999ms) == 10);
    CHECK(drain(lease, "a", t0 + 1s) == 0);
    CHECK(lease.share(t0 + 1s) == redis_lease::whole / 10);
    CHECK(drain(lease, "a", t0 + 2s) == 4);
    CHECK(drain(lease, "b", t0 + 2s) == 4);
}

TEST_CASE("redis_lease: limits are charged together or not at all") {
    std::vector<token_bucket_options> const limits{{.rate = 1, .period = 1h, .burst = 40},
                                                   {.rate = 1, .period = 1h, .burst = 8}};
    redis_lease lease{limits, quarter, 64};
    std::array<std::string_view, 2> const both{"a", "b"}, other{"a", "c"};
    CHECK(lease.decide(both, 2, t0));
    for (int i = 0; i != 100; ++i) CHECK_FALSE(lease.decide(both, 1, t0));
    CHECK(lease.decide(other, 2, t0));
    for (int i = 0; i != 3; ++i)  // The first limit had ten, of which four are gone.
        CHECK(lease.decide(std::array<std::string_view, 2>{"a", std::string(1, char('d' + i))}, 2,
                           t0));
    CHECK_FALSE(lease.decide(std::array<std::string_view, 2>{"a", "z"}, 1, t0));
}

TEST_CASE("redis_lease: a share of a burst that is no token is one token, and the rate is kept") {
    std::vector<token_bucket_options> const limits{{.rate = 1, .period = 1s, .burst = 1}};
    redis_lease lease{limits, quarter, 64};
    CHECK(drain(lease, "a", t0) == 1);
    CHECK(drain(lease, "a", t0 + 4s - 1ns) == 0);
    CHECK(drain(lease, "a", t0 + 4s) == 1);
}

TEST_CASE("redis_lease: keys that meet in a bucket are refused for each other, never granted") {
    std::vector<token_bucket_options> const limits{{.rate = 1, .period = 1h, .burst = 40}};
    redis_lease lease{limits, quarter, 1};
    CHECK(drain(lease, "a", t0) == 10);
    CHECK(drain(lease, "b", t0) == 0);
}

TEST_CASE("redis_lease: the part of a limit is never more than the share of its rate") {
    for (std::uint64_t round = 0; round != 5'000; ++round) {
        INFO("round " << round);
        auto const draw = [&](std::uint64_t index, std::uint64_t most) {
            return 1 + hawser::random_at(11 + round, index) % most;
        };
        token_bucket_options const limit{
            .rate = static_cast<std::uint32_t>(draw(0, 1'000'000)),
            .period = hawser::duration{1'000'000 + draw(1, 3'600'000'000'000)},
            .burst = static_cast<std::uint32_t>(draw(2, 1'000'000))};
        auto const share = static_cast<std::uint32_t>(draw(3, redis_lease::whole));
        auto const part = redis_lease::part_of(limit, share);
        CHECK(part.rate == limit.rate);
        // part.rate / part.period <= share * limit.rate / limit.period, and by less than a ns.
        auto const exact = hawser::detail::wide_int{limit.period.count()} * redis_lease::whole;
        CHECK(hawser::detail::wide_int{part.period.count()} * share >= exact);
        CHECK(hawser::detail::wide_int{part.period.count() - 1} * share < exact);
        CHECK(part.burst ==
              std::max<std::uint64_t>(1, std::uint64_t{limit.burst} * share / redis_lease::whole));
    }
}

TEST_CASE("redis_lease: whatever is learnt and renewed, no lease grants over its share") {
    std::vector<token_bucket_options> const limits{{.rate = 50, .period = 1s, .burst = 20}};
    for (std::uint64_t seed = 0; seed != 500; ++seed) {
        INFO("seed " << seed);
        redis_lease lease{limits, redis_lease::whole / 10, 16};
        lease.renew(redis_lease::whole / 2, t0 + 1h, t0);
        // Half of the rate: 10 at once, then one every 40 ms.
        std::deque<hawser::time_point> granted;
        auto now = t0;
        for (std::uint64_t i = 0; i != 400; ++i) {
            now += hawser::duration{hawser::random_at(seed, i) % 40'000'000};
            if (!lease.decide(keys{"a"}, 1, now)) continue;
            granted.push_back(now);
            for (std::size_t from = 0; from != granted.size(); ++from) {
                auto const count = static_cast<std::int64_t>(granted.size() - from);
                if (count > 10 + (now - granted[from]) / 40ms) FAIL("over the share");
            }
        }
        CHECK(granted.size() > 100);
    }
}

TEST_CASE("redis_lease: a share too small to give a token in 25 years is refused by name") {
    std::vector<token_bucket_options> const limits{{.rate = 1, .period = 24h * 365, .burst = 20}};
    CHECK_THROWS_WITH((redis_lease{limits, redis_lease::whole / 26, 16}),
                      "redis_rate_limiter: max_nodes leaves a node no token in 25 years");
    CHECK_NOTHROW(redis_lease{limits, redis_lease::whole / 24, 16});
    std::vector<token_bucket_options> const endless{{.rate = ~0U, .period = 24h * 36'500}};
    CHECK_THROWS_AS((redis_lease{endless, 1, 16}), std::invalid_argument);
}
