// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/redis/redis_rate_limiter.hpp>

#include "support/catch.hpp"
#include "support/redis_server.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <string>

using namespace std::chrono_literals;
using hawser::redis_rate_limiter;

static constexpr hawser::time_point t0{1h};

namespace {

hawser::redis_rate_limiter_options options_for(std::uint16_t port, std::uint32_t connections) {
    return {.server = {.port = port},
            .limits = {{.rate = 1, .period = 1h, .burst = 1'000}},
            .timeout = 20s,
            .probe_interval = 20s,
            .connections = connections,
            .lease_for = 1min};
}

}  // namespace

TEST_CASE("redis_rate_limiter: threads of one limiter share exactly the tokens there are") {
    support::redis_server server;
    for (std::uint32_t const connections : {1U, 3U}) {
        redis_rate_limiter limiter{options_for(server.port(), connections)};
        std::atomic<int> granted{0}, leased{0};
        auto const key = std::to_string(connections);
        support::on_threads(4, [&](int) {
            for (int i = 0; i != 400; ++i) {
                auto const answer = limiter.try_acquire(key, 1, t0);
                granted += answer.granted ? 1 : 0;
                leased += answer.leased ? 1 : 0;
            }
        });
        CHECK(leased == 0);
        CHECK(granted == 1'000);
    }
}

TEST_CASE("redis_rate_limiter: threads without the server share exactly the share there is") {
    auto options = options_for(support::free_port(), 2);
    options.max_nodes = 4;
    redis_rate_limiter limiter{options};
    std::atomic<int> granted{0};
    support::on_threads(4, [&](int) {
        for (int i = 0; i != 5'000; ++i) {
            auto const answer = limiter.try_acquire("a", 1, t0);
            granted += answer.granted ? 1 : 0;
            (void)limiter.status(t0);
        }
    });
    CHECK(granted == 250);
}
