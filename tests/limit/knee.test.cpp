// SPDX-License-Identifier: BSL-1.0
#include <hawser/limit/knee.hpp>

#include "support/catch.hpp"
#include "support/limit_feed.hpp"

#include <cmath>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::sample_outcome;
using hawser::limits::knee;
using support::calls_like;

static_assert(hawser::limit_algorithm<knee>);

namespace {

/// Within the error of the quantiles.
bool is_about(duration value, duration expected) {
    return std::abs(value.count() - expected.count()) <= expected.count() / 32;
}

/// Calls as a server of `servers` serves them that has the limit in flight all the time.
void serve(knee& limit, support::limit_feed<knee>& feed, int calls, std::uint32_t servers,
           duration service = 10ms) {
    for (int i = 0; i < calls; ++i) {
        auto const inflight = limit.limit(), busy = std::min(inflight, servers);
        feed(1,
             {.service = service * inflight / busy, .inflight = inflight, .every = service / busy});
    }
}

/// Serves until it probes, and a call further, so that time has passed since.
void serve_until_probing(knee& limit, support::limit_feed<knee>& feed, std::uint32_t servers) {
    for (int i = 0; i < 100'000 && !limit.is_probing(); ++i) serve(limit, feed, 1, servers);
    REQUIRE(limit.is_probing());
}

}  // namespace

TEST_CASE("limits::knee: begins where it is told, and learns nothing from fewer than ten calls") {
    knee limit{{.initial = 33}};
    CHECK(limit.limit() == 33);
    support::limit_feed feed{limit};
    for (int i = 0; i < 9; ++i) feed(1, {.service = 10ms, .inflight = 33, .every = 10s});
    CHECK(limit.limit() == 33);
    CHECK(limit.baseline() == 0ns);
}

TEST_CASE("limits::knee: finds how many calls a server works on, from below and from above") {
    auto const servers = GENERATE(1u, 2u, 5u, 20u, 100u, 400u);
    auto const initial = GENERATE(1u, 20u, 300u);
    INFO(servers << " servers, from " << initial);
    knee limit{{.initial = initial}};
    support::limit_feed feed{limit};
    serve(limit, feed, 40'000, servers);
    while (limit.is_probing()) serve(limit, feed, 1, servers);
    CHECK(limit.limit() >= servers * 0.8);
    CHECK(limit.limit() <= servers * 1.35 + 4);
}

TEST_CASE("limits::knee: a step in what the server can do is followed both ways") {
    knee limit;
    support::limit_feed feed{limit};
    serve(limit, feed, 20'000, 200);
    REQUIRE(limit.limit() >= 200);
    serve(limit, feed, 20'000, 30);
    CHECK(limit.limit() >= 30);
    CHECK(limit.limit() <= 45);
    serve(limit, feed, 100'000, 200);
    CHECK(limit.limit() >= 200);
}

TEST_CASE("limits::knee: does not grow while fewer than half of it are in flight") {
    knee limit;
    support::limit_feed feed{limit};
    feed(100'000, {.service = 10ms, .inflight = 9});
    CHECK(limit.limit() == 20);
    CHECK_FALSE(limit.is_probing());
}

TEST_CASE("limits::knee: nothing that arrives late or never moves it while it is idle") {
    knee limit;
    support::limit_feed feed{limit};
    serve(limit, feed, 20'000, 100);
    auto const before = limit.limit();
    feed.pass(24h);
    CHECK(limit.limit() == before);
}

TEST_CASE("limits::knee: with little load, calls that take twice as long move the baseline alone") {
    knee limit;
    support::limit_feed feed{limit};
    for (auto took = 10'000us; took <= 20'000us; took += 10us)
        feed(50, {.service = took, .inflight = 5});
    CHECK(limit.limit() == 20);
    CHECK(is_about(limit.baseline(), 20ms));
}

TEST_CASE("limits::knee: under load, calls that come to take twice as long do not sink it") {
    knee limit;
    support::limit_feed feed{limit};
    serve(limit, feed, 20'000, 100);
    auto least = limit.limit();
    for (auto took = 10'000us; took <= 20'000us; took += 10us) {
        serve(limit, feed, 200, 100, took);
        if (!limit.is_probing()) least = std::min(least, limit.limit());
    }
    CHECK(least >= 60);
    CHECK(limit.limit() >= 95);
    CHECK(limit.limit() <= 120);
}

TEST_CASE("limits::knee: ignored calls train nothing") {
    knee limit;
    support::limit_feed feed{limit};
    serve(limit, feed, 20'000, 100);
    auto const before = limit.limit();
    auto const baseline = limit.baseline(), latency = limit.latency();
    for (auto const took : {duration{1us}, duration{10s}})
        feed(10'000, {.service = took, .inflight = before, .outcome = sample_outcome::ignored});
    CHECK(limit.limit() == before);
    CHECK(limit.baseline() == baseline);
    CHECK(limit.latency() == latency);
}

TEST_CASE("limits::knee: failures that come at once do not look like quick service") {
    knee limit;
    support::limit_feed feed{limit};
    serve(limit, feed, 20'000, 100);
    auto const before = limit.limit();
    auto const baseline = limit.baseline();
    for (int i = 0; i < 5'000; ++i) {
        feed(1, {.service = 1us, .inflight = before, .outcome = sample_outcome::dropped});
        serve(limit, feed, 1, 100);
    }
    CHECK(limit.limit() < before);
    CHECK(limit.baseline() > baseline / 2);
}

TEST_CASE("limits::knee: waiting in our own queue is no slowness of the dependency") {
    knee limit;
    support::limit_feed feed{limit};
    for (int i = 0; i < 20'000; ++i) {
        auto const inflight = limit.limit();
        feed(1, {.service = 10ms,
                 .inflight = inflight,
                 .queued = 3s,
                 .every = duration{10ms} / inflight});
    }
    CHECK(limit.limit() > 100);
    CHECK(is_about(limit.latency(), 10ms));
}

TEST_CASE("limits::knee: a window of dropped calls takes half of their share off") {
    auto const of_ten = GENERATE(2, 5, 10);
    knee limit{{.initial = 100, .headroom = 1000}};
    support::limit_feed feed{limit};
    for (int i = 0; i < 5; ++i) {
        feed(of_ten, {.inflight = 90, .outcome = sample_outcome::dropped, .every = 2ms});
        feed(10 - of_ten, {.service = 10ms, .inflight = 90, .every = 2ms});
    }
    CHECK(limit.limit() == static_cast<std::uint32_t>(100 - 5 * of_ten));
}

TEST_CASE("limits::knee: one call in sixty that is lost whatever the load does not starve it") {
    knee limit;
    support::limit_feed feed{limit};
    for (int i = 0; i < 2'000; ++i) {
        feed(1, {.inflight = limit.limit(), .outcome = sample_outcome::dropped});
        serve(limit, feed, 59, 50);
    }
    while (limit.is_probing()) serve(limit, feed, 1, 50);
    CHECK(limit.limit() >= 45);
}

TEST_CASE("limits::knee: falls to 1 when every call is dropped, and comes back from there") {
    knee limit;
    support::limit_feed feed{limit};
    feed(2'000, {.inflight = 1, .outcome = sample_outcome::dropped, .every = 100ms});
    CHECK(limit.limit() == 1);
    serve(limit, feed, 50'000, 50);
    CHECK(limit.limit() >= 50);
}

TEST_CASE("limits::knee: a probe halves the limit, and gives it back") {
    knee limit;
    support::limit_feed feed{limit};
    serve(limit, feed, 30'000, 100);
    while (limit.is_probing()) serve(limit, feed, 1, 100);
    auto const before = limit.limit();
    serve_until_probing(limit, feed, 100);
    CHECK(limit.limit() <= (before + 10) / 2);
    CHECK(limit.limit() >= before / 2 - 5);
    auto const half = limit.limit();
    while (limit.is_probing()) serve(limit, feed, 1, 100);
    CHECK(limit.limit() >= half * 8 / 5);
}

TEST_CASE("limits::knee: a probe of a limit of less than two is none, and of any leaves one call") {
    knee limit{{.initial = 1, .ceiling = 1}};
    support::limit_feed feed{limit};
    for (int i = 0; i < 10'000; ++i) {
        feed(1, {.inflight = 1});
        REQUIRE(limit.limit() == 1);
        REQUIRE_FALSE(limit.is_probing());
    }
    knee pair{{.initial = 2, .ceiling = 2}};
    support::limit_feed both{pair};
    serve(pair, both, 1'000, 2);
    serve_until_probing(pair, both, 2);
    CHECK(pair.limit() == 1);
}

TEST_CASE("limits::knee: calls that started before a probe say nothing about it") {
    knee limit;
    support::limit_feed feed{limit};
    serve_until_probing(limit, feed, 100);
    auto const began = feed.now();
    auto const baseline = limit.baseline();
    // Long ones that were under way; by their times the probe would end, with a queue seen.
    for (int i = 1; i <= 1'000; ++i) feed(1, {.service = feed.now() - began + 1s, .inflight = 99});
    CHECK(limit.is_probing());
    CHECK(limit.baseline() == baseline);
    serve(limit, feed, 1'000, 100);
    CHECK_FALSE(limit.is_probing());
}

TEST_CASE(
    "limits::knee: the first calls to end in a probe are the short ones, and are not counted") {
    knee limit;
    support::limit_feed feed{limit};
    serve_until_probing(limit, feed, 100);
    auto const baseline = limit.baseline();
    feed(150, {.service = 100us, .inflight = limit.limit(), .every = 100us});  // 15 of 20 ms.
    CHECK(limit.is_probing());
    serve(limit, feed, 300, 100);
    CHECK_FALSE(limit.is_probing());
    CHECK(is_about(limit.baseline(), baseline));
}

TEST_CASE("limits::knee: a probe finds the queue that was there from the first call on") {
    knee limit{
        {.initial = 200}};  // Of a server that works on 20: the first latency is no baseline.
    support::limit_feed feed{limit};
    serve(limit, feed, 600, 20);
    REQUIRE(limit.baseline() > 50ms);
    serve(limit, feed, 20'000, 20);
    CHECK(limit.baseline() < 15ms);
    CHECK(limit.limit() < 35);
}

TEST_CASE("limits::knee: probes that find nothing are at least probe_every apart") {
    knee limit{{.ceiling = 100, .probe_every = 20s}};
    support::limit_feed feed{limit};
    serve(limit, feed, 50'000, 500);
    REQUIRE(limit.limit() == 100);
    int probes = 0;
    auto const start = feed.now();
    for (bool was = false; feed.now() < start + 200s; was = limit.is_probing()) {
        serve(limit, feed, 1, 500);
        probes += limit.is_probing() && !was;
    }
    CHECK(probes >= 8);
    CHECK(probes <= 10);
}

TEST_CASE("limits::knee: does not probe where the limit is not what holds calls back") {
    knee limit;
    support::limit_feed feed{limit};
    for (int i = 0; i < 20'000; ++i) {
        feed(1, {.service = 10ms, .inflight = limit.limit() * 7 / 10});
        REQUIRE_FALSE(limit.is_probing());
    }
}

TEST_CASE("limits::knee: after a quiet time it is at most headroom times what was in flight") {
    knee limit;
    support::limit_feed feed{limit};
    serve(limit, feed, 50'000, 200);
    REQUIRE(limit.limit() >= 190);
    feed(50'000, {.service = 10ms, .inflight = 8});
    CHECK(limit.limit() == 40);
    feed(50'000, {.service = 10ms, .inflight = 1});
    CHECK(limit.limit() == 20);  // The initial limit is always an offer.
}

TEST_CASE("limits::knee: a clock that ran ahead and was set right does not stop it") {
    knee limit;
    support::limit_feed feed{limit};
    serve(limit, feed, 100, 100);
    feed.pass(1h);
    serve(limit, feed, 1, 100);
    feed.pass(-1h);
    REQUIRE(limit.limit() < 50);
    serve(limit, feed, 50'000, 100);
    CHECK(limit.limit() >= 100);
}

TEST_CASE("limits::knee: threads whose calls end a little out of order lose no window") {
    knee limit;
    support::limit_feed feed{limit};
    for (int i = 0; i < 50'000; ++i) {
        feed.pass(i % 2 == 0 ? 300us : -300us);
        serve(limit, feed, 1, 100);
    }
    CHECK(limit.limit() >= 100);
}

TEST_CASE("limits::knee: refuses options that describe no limit, naming the field") {
    auto const about = support::complaint_about<knee>;
    CHECK(about({}).empty());
    CHECK(about({.ceiling = 0}) == "limits::knee: ceiling is not in [1, 1000000]");
    CHECK(about({.floor = 0}) == "limits::knee: floor is not in [1, ceiling]");
    CHECK(about({.initial = 4, .floor = 5}) == "limits::knee: initial is not in [floor, ceiling]");
    CHECK(about({.quantile = 0.4}) == "limits::knee: quantile is not in [0.5, 0.99]");
    CHECK(about({.quantile = std::nan("")}) == "limits::knee: quantile is not in [0.5, 0.99]");
    CHECK(about({.window = 9}) == "limits::knee: window is not in [10, 100000]");
    CHECK(about({.window_max = 0ms}) == "limits::knee: window_max is not in [1 ms, 1 min]");
    CHECK(about({.window_max = 2min}) == "limits::knee: window_max is not in [1 ms, 1 min]");
    CHECK(about({.probe_every = 0ms}) == "limits::knee: probe_every is not in [1 ms, 24 h]");
    CHECK(about({.headroom = 0.5}) == "limits::knee: headroom is not in [1, 1000]");
    CHECK(about({.dropped = 1}) == "limits::knee: dropped is not in [0, 1)");
    CHECK(about({.dropped = -0.1}) == "limits::knee: dropped is not in [0, 1)");
}
