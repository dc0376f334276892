// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/redis/quota.hpp>
#include <hawser/base/random.hpp>

#include "support/catch.hpp"

#include <string>

using namespace std::chrono_literals;
using hawser::redis_quota;
using hawser::redis_span;
using hawser::token_bucket_options;

static std::string refusal_of(token_bucket_options const& options) {
    try {
        redis_quota const quota{options};
    } catch (std::invalid_argument const& refused) {
        return refused.what();
    }
    return {};
}

TEST_CASE("redis_quota: a token that takes no whole microseconds keeps its parts") {
    redis_quota const seven{{.rate = 7, .period = 1s, .burst = 100}};
    CHECK(seven.parts() == 7);
    CHECK(seven.cost(1) == redis_span{142'857, 1});
    CHECK(seven.cost(7) == redis_span{1'000'000, 0});
    CHECK(seven.cost(100) == redis_span{14'285'714, 2});

    redis_quota const fast{{.rate = 400'000'000, .period = 1s, .burst = 1'000'000'000}};
    CHECK(fast.cost(1) == redis_span{0, 1});
    CHECK(fast.parts() == 400);

    redis_quota const nanoseconds{{.rate = 3, .period = 1'000'001ns, .burst = 3}};
    CHECK(nanoseconds.cost(3) == redis_span{1000, 3});
    CHECK(nanoseconds.parts() == 3000);
}

TEST_CASE("redis_quota: what is available is rounded down to whole tokens") {
    redis_quota const seven{{.rate = 7, .period = 1s, .burst = 10}};
    CHECK(seven.available({0, 0}) == 10);
    CHECK(seven.available({0, 1}) == 9);
    CHECK(seven.available(seven.cost(3)) == 7);
    CHECK(seven.available({seven.cost(10).whole, seven.cost(10).part - 1}) == 0);
    CHECK(seven.available(seven.cost(10)) == 0);
    CHECK(seven.available({redis_quota::exact_max, 0}) == 0);
}

TEST_CASE("redis_quota: a cost and what it leaves agree, whatever the numbers") {
    for (std::uint64_t round = 0; round != 5'000; ++round) {
        INFO("round " << round);
        auto const draw = [&](std::uint64_t index, std::uint64_t most) {
            return 1 + hawser::random_at(7 + round, index) % most;
        };
        auto const rate = draw(0, draw(1, ~std::uint32_t{0}));
        auto const period = rate + draw(2, 3'600'000'000'000);
        auto const burst = draw(3, std::min<std::uint64_t>(1'000'000, rate * 100));
        redis_quota const quota{{.rate = static_cast<std::uint32_t>(rate),
                                 .period = hawser::duration{period},
                                 .burst = static_cast<std::uint32_t>(burst)}};
        auto const count = static_cast<std::uint32_t>(draw(4, burst));
        auto const cost = quota.cost(count);
        CHECK(cost.part < quota.parts());
        CHECK(quota.available(cost) == burst - count);
        CHECK(cost.whole < redis_quota::exact_max / 8);
        CHECK(quota.parts() < redis_quota::exact_max / 8);
    }
}

TEST_CASE("redis_quota: a rate or burst out of range is refused by name") {
    CHECK(refusal_of({.rate = 0}) == "redis_rate_limiter: rate is zero");
    CHECK(refusal_of({.burst = 0}) == "redis_rate_limiter: burst is zero");
    CHECK(refusal_of({.period = 0s}) == "redis_rate_limiter: period is not positive");
    CHECK(refusal_of({.period = -1s}) == "redis_rate_limiter: period is not positive");
    CHECK(refusal_of({.rate = 11, .period = 10ns}) ==
          "redis_rate_limiter: rate is more than one a nanosecond");
    CHECK(refusal_of({.rate = 1, .period = 24h * 365, .burst = 25}) ==
          "redis_rate_limiter: burst takes over 25 years to refill");
    CHECK(refusal_of({.rate = 1, .period = 24h * 365, .burst = 24}).empty());
    CHECK(refusal_of({.rate = ~0U, .period = hawser::never, .burst = ~0U}) ==
          "redis_rate_limiter: burst takes over 25 years to refill");
}
