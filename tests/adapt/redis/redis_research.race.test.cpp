// SPDX-License-Identifier: BSL-1.0
//
// What becomes of limits that many clients share through Redis, where clients that read, decide and
// write go round in circles on a hot key.
#include <hawser/adapt/redis/redis_rate_limiter.hpp>

#include "support/catch.hpp"
#include "support/redis_server.hpp"

#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

static constexpr hawser::time_point t0{1h};

/// How often the server was asked to run scripts.
static long scripts_run(support::redis_server const& server) {
    auto const told = server.tell({"INFO", "commandstats"});
    long sum = 0;
    for (auto const* const name : {"cmdstat_evalsha:calls=", "cmdstat_eval:calls="})
        if (auto const at = told.find(name); at != std::string::npos)
            sum += std::stol(told.substr(at + std::string{name}.size()));
    return sum;
}

TEST_CASE("redis research: a decision on a hot key is one round trip, however many clients ask") {
    support::redis_server server;
    std::atomic<int> granted{0};
    std::latch start{4};
    {
        std::vector<std::jthread> clients;
        for (int client = 0; client != 4; ++client)
            clients.emplace_back([&] {
                hawser::redis_rate_limiter limiter{
                    {.server = server.endpoint(),
                     .limits = {{.rate = 1, .period = 1h, .burst = 1'000}},
                     .timeout = 20s,
                     .probe_interval = 20s,
                     .lease_for = 1min}};
                start.arrive_and_wait();
                for (int call = 0; call != 500; ++call)
                    granted += limiter.try_acquire("hot", 1, t0).granted ? 1 : 0;
            });
    }
    CHECK(granted == 1'000);
    CHECK(scripts_run(server) >= 2'000);
    CHECK(scripts_run(server) <= 2'010);  // And what it takes to make the server's acquaintance.
}
