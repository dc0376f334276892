// SPDX-License-Identifier: BSL-1.0
#include <hawser/limit/gradient2.hpp>

#include "support/catch.hpp"
#include "support/limit_feed.hpp"
#include "support/limit_simulation.hpp"

using namespace std::chrono_literals;
using hawser::sample_outcome;
using hawser::limits::gradient2;

static_assert(hawser::limit_algorithm<gradient2>);

TEST_CASE("limits::gradient2: of calls as usual, it grows by a fifth of the queue it allows") {
    gradient2 limit{{.initial = 100}};
    support::limit_feed feed{limit};
    feed(5, {.inflight = 100});
    CHECK(limit.limit() == 104);  // Five times 0.2 * 4.
}

TEST_CASE("limits::gradient2: follows the ratio of usual to now, but halves no more than that") {
    auto const [took, expected] = GENERATE(
        std::pair{15ms, 100u},  // Within the tolerance: 100 + 0.8.
        std::pair{20ms, 95u},   // 0.8 * 100 + 0.2 * (100 * 0.75 + 4), and what 20 ms adds to usual.
        std::pair{1000ms, 90u})  // At most half: 0.8 * 100 + 0.2 * (50 + 4).
        ;
    gradient2 limit{{.initial = 100}};
    support::limit_feed feed{limit};
    feed(100, {.service = 10ms, .inflight = 1});  // Makes 10 ms usual, unused.
    REQUIRE(limit.limit() == 100);
    feed(1, {.service = took, .inflight = 100});
    CHECK(limit.limit() == expected);
}

TEST_CASE("limits::gradient2: the first ten calls weigh the same in what is usual") {
    gradient2 limit{{.initial = 100, .tolerance = 1}};
    support::limit_feed feed{limit};
    feed(5, {.service = 30ms, .inflight = 1});
    feed(5, {.service = 20ms, .inflight = 1});
    feed(1, {.service = 25ms, .inflight = 100});  // The mean of them: as usual.
    CHECK(limit.limit() == 100);
    feed(20, {.service = 25ms, .inflight = 101});
    CHECK(limit.limit() >= 115);
}

TEST_CASE("limits::gradient2: leaves a slow time behind faster than by its weight") {
    gradient2 limit{{.initial = 100, .tolerance = 1}};
    support::limit_feed feed{limit};
    feed(10, {.service = 1s, .inflight = 1});
    feed(60, {.service = 10ms, .inflight = 1});  // 0.95^60 is 5 %; by weight 82 % would be left.
    feed(1, {.service = 40ms, .inflight = 100});
    CHECK(limit.limit() < 100);  // 40 ms is slow by now.
}

TEST_CASE("limits::gradient2: does not move while fewer than half of it are in flight") {
    gradient2 limit;
    support::limit_feed feed{limit};
    feed(100, {.inflight = 9});
    feed(100, {.service = 900ms, .inflight = 9});
    CHECK(limit.limit() == 20);
}

TEST_CASE(
    "limits::gradient2: known fault: it calls an overload that lasts usual, and grows again") {
    gradient2 limit{{.initial = 40, .floor = 1}};
    support::limit_feed feed{limit};
    for (int i = 0; i < 20'000; ++i) {  // A server that works on 20 at a time, 10 ms each.
        auto const inflight = limit.limit();
        feed(1, {.service = std::max(inflight, 20U) * 500us, .inflight = inflight});
    }
    CHECK(limit.limit() == 200);
}

TEST_CASE("limits::gradient2: known fault: a dropped call does not lower it") {
    gradient2 limit;
    support::limit_feed{limit}(1000, {.inflight = 20, .outcome = sample_outcome::dropped});
    CHECK(limit.limit() == 20);
}

TEST_CASE("limits::gradient2: known fault: a server of four has to bear a limit of twenty") {
    support::limit_world world;
    world.servers = 4;
    world.arrivals = [](double) { return 1200.0; };
    INFO("seed " << world.seed);
    gradient2 limit;
    CHECK(support::simulate(world, limit).least >= 20);
}

TEST_CASE("limits::gradient2: refuses options that describe no limit, naming the field") {
    auto const about = support::complaint_about<gradient2>;
    CHECK(about({}).empty());
    CHECK(about({.ceiling = 0}) == "limits::gradient2: ceiling is not in [1, 1000000]");
    CHECK(about({.floor = 0}) == "limits::gradient2: floor is not in [1, ceiling]");
    CHECK(about({.initial = 19}) == "limits::gradient2: initial is not in [floor, ceiling]");
    CHECK(about({.long_window = 9}) == "limits::gradient2: long_window is not in [10, 1000000]");
    CHECK(about({.tolerance = 0.9}) == "limits::gradient2: tolerance is not in [1, 10]");
    CHECK(about({.tolerance = std::nan("")}) == "limits::gradient2: tolerance is not in [1, 10]");
    CHECK(about({.queue = 1'000'001}) == "limits::gradient2: queue is over 1000000");
    CHECK(about({.smoothing = 1.1}) == "limits::gradient2: smoothing is not in (0, 1]");
}
