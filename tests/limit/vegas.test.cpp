// SPDX-License-Identifier: BSL-1.0
#include <hawser/limit/vegas.hpp>

#include "support/catch.hpp"
#include "support/limit_feed.hpp"
#include "support/limit_simulation.hpp"

using namespace std::chrono_literals;
using hawser::sample_outcome;
using hawser::limits::vegas;

static_assert(hawser::limit_algorithm<vegas>);

TEST_CASE("limits::vegas: moves by the queue that a call's time over the shortest stands for") {
    // Of a limit of 100, log10 is 2: 2, 6 and 12 are the bounds. Queue = 100 * (1 - 10 ms / t).
    struct step {
        hawser::duration took;
        std::uint32_t limit;
    };
    auto const [took, expected] =
        GENERATE(step{10'000us, 112}, step{10'204us, 112},  // A queue of 0 and 2: + 6 log10.
                 step{10'210us, 102}, step{10'526us, 102},  // 3 to 5: + log10.
                 step{10'600us, 100}, step{11'363us, 100},  // 6 to 12: unchanged.
                 step{11'400us, 98}, step{50'000us, 98});   // More: - log10.
    vegas limit{{.initial = 100}};
    support::limit_feed feed{limit};
    feed(1, {.service = 10ms, .inflight = 100});
    REQUIRE(limit.limit() == 100);  // The first call is the shortest.
    feed(1, {.service = took, .inflight = 100});
    INFO("took " << took.count() << " ns");
    CHECK(limit.limit() == expected);
}

TEST_CASE("limits::vegas: does not move while fewer than half of it are in flight") {
    vegas limit;
    support::limit_feed feed{limit};
    feed(100, {.service = 10ms, .inflight = 9});
    feed(100, {.service = 90ms, .inflight = 9});
    CHECK(limit.limit() == 20);
}

TEST_CASE("limits::vegas: a dropped call takes a step, and is never the shortest") {
    vegas limit{{.initial = 100}};
    support::limit_feed feed{limit};
    feed(1, {.service = 10ms, .inflight = 100});
    feed(1, {.service = 1us, .inflight = 100, .outcome = sample_outcome::dropped});
    CHECK(limit.limit() == 98);
    feed(1, {.service = 10ms, .inflight = 100});  // Still no queue.
    CHECK(limit.limit() > 98);
}

TEST_CASE("limits::vegas: takes the part of a step that smoothing says") {
    vegas limit{{.initial = 100, .smoothing = 0.25}};
    support::limit_feed feed{limit};
    feed(2, {.service = 10ms, .inflight = 100});
    CHECK(limit.limit() == 103);
}

TEST_CASE(
    "limits::vegas: measures the shortest anew between half of and all probe_multiplier x L") {
    auto const seed = GENERATE(0u, 1u, 2u, 3u, 4u, 20261121u);
    INFO("seed " << seed);
    vegas limit{{.initial = 20, .ceiling = 20, .seed = seed}};
    support::limit_feed feed{limit};
    feed(1, {.service = 10ms});
    // Calls of 20 ms look queued, until one of them is the new measure; then they are the rule.
    int calls = 1;
    auto before = limit.limit();
    for (; limit.limit() <= before; ++calls) {
        before = limit.limit();
        feed(1, {.service = 20ms, .inflight = 20});
        REQUIRE(calls <= 601);
    }
    CHECK(calls > 300);
}

TEST_CASE("limits::vegas: is never below 1") {
    vegas limit;
    support::limit_feed{limit}(1000, {.outcome = sample_outcome::dropped});
    CHECK(limit.limit() == 1);
}

TEST_CASE("limits::vegas: known fault: one lucky call sinks it") {
    vegas limit{{.initial = 200}};
    support::limit_feed feed{limit};
    feed(1, {.service = 10ms, .inflight = 200});
    for (int i = 0; i < 400; ++i) feed(1, {.service = 500ms, .inflight = limit.limit()});
    CHECK(limit.limit() < 20);  // Though all calls since took the same.
}

TEST_CASE(
    "limits::vegas: known fault: measured in a queue, the queue becomes part of the measure") {
    // Probes come after every call here: each finds what the limit as it is has made of the time.
    vegas limit{{.initial = 20, .probe_multiplier = 1}};
    support::limit_feed feed{limit};
    for (int i = 0; i < 4000; ++i) {
        auto const inflight = limit.limit();
        feed(1, {.service = std::max(inflight, 20U) * 500us, .inflight = inflight});
    }
    CHECK(limit.limit() > 100);  // Of 20 that the server works on.
}

TEST_CASE("limits::vegas: known fault: where calls differ, the shortest is never the usual") {
    support::limit_world world;
    world.service = [](double, support::draws& draw) { return draw.exponential(0.01); };
    INFO("seed " << world.seed);
    vegas limit;
    CHECK(support::simulate(world, limit).goodput < 0.2 * 5000);
}

TEST_CASE("limits::vegas: refuses options that describe no limit, naming the field") {
    auto const about = support::complaint_about<vegas>;
    CHECK(about({}).empty());
    CHECK(about({.ceiling = 0}) == "limits::vegas: ceiling is not in [1, 1000000]");
    CHECK(about({.initial = 0}) == "limits::vegas: initial is not in [1, ceiling]");
    CHECK(about({.initial = 1001}) == "limits::vegas: initial is not in [1, ceiling]");
    CHECK(about({.smoothing = 0}) == "limits::vegas: smoothing is not in (0, 1]");
    CHECK(about({.smoothing = std::nan("")}) == "limits::vegas: smoothing is not in (0, 1]");
    CHECK(about({.probe_multiplier = 0}) ==
          "limits::vegas: probe_multiplier is not in [1, 1000000]");
}
