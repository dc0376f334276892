// SPDX-License-Identifier: BSL-1.0
#include <hawser/limit/aimd.hpp>

#include "support/catch.hpp"
#include "support/limit_feed.hpp"
#include "support/limit_simulation.hpp"

using namespace std::chrono_literals;
using hawser::sample_outcome;
using hawser::limits::aimd;

static_assert(hawser::limit_algorithm<aimd>);
static_assert(aimd{}.limit() == 20);

TEST_CASE("limits::aimd: grows by one with each call that is served while it is in use") {
    aimd limit;
    support::limit_feed feed{limit};
    feed(1, {.inflight = 10});
    CHECK(limit.limit() == 21);
    feed(5, {.inflight = 100});
    CHECK(limit.limit() == 26);
}

TEST_CASE("limits::aimd: does not grow while fewer than half of it are in flight") {
    aimd limit;
    support::limit_feed{limit}(1000, {.inflight = 9});
    CHECK(limit.limit() == 20);
}

TEST_CASE("limits::aimd: loses a tenth, rounded down, with each call that is dropped") {
    aimd limit{{.initial = 99, .floor = 1}};
    support::limit_feed feed{limit};
    feed(1, {.inflight = 1, .outcome = sample_outcome::dropped});
    CHECK(limit.limit() == 89);
    feed(1, {.inflight = 99, .outcome = sample_outcome::dropped});
    CHECK(limit.limit() == 80);
}

TEST_CASE("limits::aimd: a call that takes longer than the timeout counts as dropped") {
    aimd limit{{.initial = 100}};
    support::limit_feed feed{limit};
    feed(1, {.service = 5s, .inflight = 100});
    CHECK(limit.limit() == 101);
    feed(1, {.service = 5s + 1ns, .inflight = 100});
    CHECK(limit.limit() == 90);
}

TEST_CASE("limits::aimd: an ignored call changes nothing, however long it took") {
    aimd limit;
    support::limit_feed{limit}(100,
                               {.service = 1h, .inflight = 20, .outcome = sample_outcome::ignored});
    CHECK(limit.limit() == 20);
}

TEST_CASE("limits::aimd: stays between its floor and its ceiling") {
    aimd limit{{.initial = 5, .floor = 3, .ceiling = 8}};
    support::limit_feed feed{limit};
    feed(100, {.outcome = sample_outcome::dropped});
    CHECK(limit.limit() == 3);
    feed(100);
    CHECK(limit.limit() == 8);
}

TEST_CASE("limits::aimd: known fault: it doubles in a round trip") {
    aimd limit;
    support::limit_feed{limit}(20, {.inflight = 20});  // The twenty that were in flight.
    CHECK(limit.limit() == 40);
}

TEST_CASE("limits::aimd: known fault: one hiccup that drops ten calls takes 65 % of it") {
    aimd limit{{.initial = 200, .floor = 1}};
    support::limit_feed{limit}(10, {.outcome = sample_outcome::dropped});
    CHECK(limit.limit() < 200 * 35 / 100);
    CHECK(limit.limit() > 200 * 30 / 100);
}

TEST_CASE("limits::aimd: known fault: a server that queues and refuses nothing fills to the top") {
    support::limit_world world;
    INFO("seed " << world.seed);
    aimd limit;
    auto const seen = support::simulate(world, limit);
    CHECK(seen.last == 200);  // Four times what the server can work on.
    CHECK(seen.p50 > 0.035);  // Of 10 ms.
}

TEST_CASE("limits::aimd: refuses options that describe no limit, naming the field") {
    using support::complaint_about;
    auto const about = complaint_about<aimd>;
    CHECK(about({}).empty());
    CHECK(about({.initial = 1, .floor = 1, .ceiling = 1}).empty());
    CHECK(about({.ceiling = 0}) == "limits::aimd: ceiling is not in [1, 1000000]");
    CHECK(about({.ceiling = 1'000'001}) == "limits::aimd: ceiling is not in [1, 1000000]");
    CHECK(about({.floor = 0}) == "limits::aimd: floor is not in [1, ceiling]");
    CHECK(about({.floor = 201}) == "limits::aimd: floor is not in [1, ceiling]");
    CHECK(about({.initial = 19}) == "limits::aimd: initial is not in [floor, ceiling]");
    CHECK(about({.initial = 201}) == "limits::aimd: initial is not in [floor, ceiling]");
    CHECK(about({.backoff = 0.49}) == "limits::aimd: backoff is not in [0.5, 1)");
    CHECK(about({.backoff = 1}) == "limits::aimd: backoff is not in [0.5, 1)");
    CHECK(about({.backoff = std::nan("")}) == "limits::aimd: backoff is not in [0.5, 1)");
    CHECK(about({.timeout = 0s}) == "limits::aimd: timeout is not positive");
}
