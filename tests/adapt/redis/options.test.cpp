// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/redis/options.hpp>

#include "support/catch.hpp"

#include <limits>
#include <string>

using namespace std::chrono_literals;

static std::string refusal_of(auto change) {
    hawser::redis_rate_limiter_options options;
    change(options);
    try {
        hawser::detail::checked(options);
    } catch (std::invalid_argument const& refused) {
        return std::string{refused.what()}.substr(std::string{"redis_rate_limiter: "}.size());
    }
    return {};
}

TEST_CASE("redis_rate_limiter_options: the defaults are in range") {
    CHECK(refusal_of([](auto&) {}).empty());
}

TEST_CASE("redis_rate_limiter_options: what is out of range is refused by name") {
    CHECK(refusal_of([](auto& o) { o.prefix = ""; }) == "prefix is empty");
    CHECK(refusal_of([](auto& o) { o.prefix = "a}b"; }) == "prefix has a brace in it");
    CHECK(refusal_of([](auto& o) { o.prefix = "{a"; }) == "prefix has a brace in it");
    CHECK(refusal_of([](auto& o) { o.limits.clear(); }) == "limits are not 1 to 16");
    CHECK(refusal_of([](auto& o) { o.limits.resize(17); }) == "limits are not 1 to 16");
    for (auto const timeout : {0ns, hawser::duration{-1ms}, hawser::duration{61s}})
        CHECK(refusal_of([&](auto& o) { o.timeout = timeout; }) ==
              "timeout is not in [1 ms, 1 min]");
    for (auto const interval : {0ns, hawser::duration{49ms}, hawser::duration{2h}})
        CHECK(refusal_of([&](auto& o) { o.probe_interval = interval; }) ==
              "probe_interval is not in [timeout, 1 h]");
    for (auto const jitter : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()})
        CHECK(refusal_of([&](auto& o) { o.probe_jitter = jitter; }) ==
              "probe_jitter is not in [0, 1]");
    for (auto const count : {0U, 65U})
        CHECK(refusal_of([&](auto& o) { o.connections = count; }) ==
              "connections is not in [1, 64]");
    for (auto const share : {0.0, -1.0, 1.1, std::numeric_limits<double>::quiet_NaN()})
        CHECK(refusal_of([&](auto& o) { o.lease_share = share; }) ==
              "lease_share is not in (0, 1]");
    CHECK(refusal_of([](auto& o) { o.lease_share = 1e-5; }) ==
          "lease_share leaves max_nodes no millionth each");
    for (auto const length : {hawser::duration{999ms}, hawser::duration{25h}})
        CHECK(refusal_of([&](auto& o) { o.lease_for = length; }) ==
              "lease_for is not in [1 s, 24 h]");
    CHECK(refusal_of([](auto& o) { o.timeout = o.probe_interval = 6s; }) ==
          "lease_for is less than twice timeout");
    for (auto const count : {0U, 1U, 10'001U})
        CHECK(refusal_of([&](auto& o) { o.max_nodes = count; }) ==
              "max_nodes is not in [2, 10000]");
    for (auto const count : {0U, (1U << 20U) + 1})
        CHECK(refusal_of([&](auto& o) { o.lease_buckets = count; }) ==
              "lease_buckets is not in [1, 2^20]");
}
