// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/warming_bucket.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

using namespace std::chrono_literals;
using hawser::never;
using hawser::time_point;
using hawser::warming_bucket;

static constexpr time_point t0{1h};

TEST_CASE("warming_bucket: threads get the times that one thread would get, each once") {
    warming_bucket shared{{.rate = 1'000, .warm_up = 10s}}, alone{{.rate = 1'000, .warm_up = 10s}};
    auto const waits = support::values_of_threads<hawser::duration>(4, [&](int, auto& mine) {
        for (int k = 0; k != 5'000; ++k) {
            mine.push_back(shared.reserve(t0, 1, never).wait);
            (void)shared.slowdown(t0);
            auto refused = shared.reserve(t0, 1, 0ns);
            (void)shared.cancel(refused);
        }
    });
    REQUIRE(waits.size() == 20'000);
    for (auto const wait : waits) REQUIRE(wait == alone.reserve(t0, 1, never).wait);
}
