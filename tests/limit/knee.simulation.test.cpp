// SPDX-License-Identifier: BSL-1.0
//
// What the knee promises of a server under load, in a closed loop in virtual time.
#include <hawser/limit/knee.hpp>

#include "support/catch.hpp"
#include "support/limit_simulation.hpp"

#include <algorithm>
#include <cmath>

using hawser::limits::knee;
using support::draws;
using support::limit_world;

// A server of 50 at work, 10 ms each: 5000 calls a second. Offered are 15,000.
static constexpr double capacity = 5000;
// Of service times drawn evenly between none and all, 99 % are below 4.6 times their mean.
static constexpr double p99_unloaded = 0.046;

static double exponential(double, draws& draw) { return draw.exponential(0.01); }
static double of_two_modes(double, draws& draw) { return draw.share() < 0.1 ? 0.5 : 0.01; }

TEST_CASE(
    "limits::knee: at three times the load, 90 % of the best throughput and 3 times its p99") {
    auto const seed = GENERATE(1u, 2u, 3u);
    INFO("seed " << seed);
    limit_world world{.seed = seed};
    SECTION("every call takes the same") {
        knee limit;
        auto const seen = support::simulate(world, limit);
        CHECK(seen.goodput >= 0.97 * capacity);
        CHECK(seen.p99 <= 3 * 0.010);
    }
    SECTION("calls differ") {
        world.service = exponential;
        knee limit;
        auto const seen = support::simulate(world, limit);
        CHECK(seen.goodput >= 0.95 * capacity);
        CHECK(seen.p99 <= 1.5 * p99_unloaded);
    }
    SECTION("a server of four") {
        world.service = exponential;
        world.servers = 4;
        world.arrivals = [](double) { return 1200.0; };
        world.seconds = 90;
        world.measured_from = 20;
        knee limit;
        auto const seen = support::simulate(world, limit);
        CHECK(seen.goodput >= 0.9 * 400);
        CHECK(seen.p99 <= 3 * p99_unloaded);
    }
}

TEST_CASE("limits::knee: without a limit, the same server does nothing in time") {
    limit_world const world;
    INFO("seed " << world.seed);
    support::no_limit limit;
    CHECK(support::simulate(world, limit).goodput < 0.1 * capacity);
}

TEST_CASE("limits::knee: a second after a step to three times the load, calls do not wait") {
    auto const seed = GENERATE(1u, 2u, 3u);
    INFO("seed " << seed);
    limit_world world{.seconds = 23, .seed = seed, .service = exponential};
    world.arrivals = [](double now) { return now < 20 ? 2500.0 : 15'000.0; };
    world.measured_from = 21;
    knee limit;
    auto const seen = support::simulate(world, limit);
    CHECK(seen.goodput >= 0.9 * capacity);
    CHECK(seen.p99 <= 2 * p99_unloaded);
}

TEST_CASE(
    "limits::knee: a server that falls to half of its speed soon does all that it still can") {
    auto const seed = GENERATE(1u, 2u, 3u, 4u);
    INFO("seed " << seed);
    limit_world world{.seconds = 40, .seed = seed};
    world.arrivals = [](double) { return 0.7 * capacity; };
    world.service = [](double now, draws& draw) {
        return draw.exponential(now < 30 ? 0.01 : 0.02);
    };
    world.measured_from = 30;
    knee limit;
    CHECK(support::simulate(world, limit).goodput >= 0.85 * capacity / 2);
}

TEST_CASE("limits::knee: a limit that has halved is tried once, not again and again") {
    auto const seed = GENERATE(1u, 2u, 3u);
    INFO("seed " << seed);
    limit_world world{.seconds = 40, .seed = seed, .service = exponential};
    world.arrivals = [](double now) { return now < 10 ? 2500.0 : 15'000.0; };
    knee limit{{.initial = 200}};  // Of which 50 or so are right, and 25 in use at first.
    int probes = 0;
    bool probing = false;
    support::simulate(world, limit, [&](double now, std::uint32_t) {
        if (now > 20 && limit.is_probing() && !probing) ++probes;
        probing = limit.is_probing();
    });
    CHECK(probes <= 4);  // One each ten seconds, and once in a while another that finds something.
}

TEST_CASE("limits::knee: follows a base latency that doubles in 40 s, without collapse") {
    auto const seed = GENERATE(1u, 2u);
    INFO("seed " << seed);
    auto const doubling = [](double now) { return 1 + std::clamp((now - 10) / 40, 0.0, 1.0); };
    limit_world world{.seconds = 70, .seed = seed};
    world.measured_from = 15;
    world.arrivals = [](double) { return 9000.0; };
    SECTION("of the server: the knee stays where it is") {
        world.service = [&](double now, draws& draw) {
            return draw.exponential(0.01) * doubling(now);
        };
        // 50 / (10 ms * f) a second, with f from 1.125 to 2 for 35 s, then 2 for 20 s.
        double const done_at_best = (50 / 0.01) * (40 * std::log(2 / 1.125) + 20 / 2.0) / 55;
        knee limit;
        double least = 1e9, most = 0;
        auto const seen = support::simulate(world, limit, [&](double now, std::uint32_t at) {
            if (now < 15 || limit.is_probing()) return;
            least = std::min<double>(least, at);
            most = std::max<double>(most, at);
        });
        INFO("limit from " << least << " to " << most);
        CHECK(seen.goodput >= 0.9 * done_at_best);
        CHECK(least >= 20);
        CHECK(most <= 150);
    }
    SECTION("of the way there: the knee moves from 150 to 250") {
        world.service = exponential;
        world.transit = [&](double now) { return 0.02 * doubling(now); };
        knee limit;
        auto const seen = support::simulate(world, limit);
        CHECK(seen.goodput >= 0.9 * capacity);
        CHECK(seen.p99 <= 2.5 * (0.04 + p99_unloaded));
    }
}

TEST_CASE("limits::knee: with little load a latency that doubles moves nothing") {
    limit_world world{.seconds = 60, .service = exponential};
    world.arrivals = [](double) { return 500.0; };
    world.transit = [](double now) { return 0.02 * (1 + std::clamp((now - 10) / 40, 0.0, 1.0)); };
    INFO("seed " << world.seed);
    knee limit{{.initial = 120}};  // Never half in use.
    auto const seen = support::simulate(world, limit);
    CHECK(seen.least == 120);
    CHECK(seen.most == 120);
}

TEST_CASE("limits::knee: of calls that take 10 or 500 ms, it does not sink on lucky ones") {
    auto const seed = GENERATE(1u, 2u, 3u, 4u);
    INFO("seed " << seed);
    limit_world world{.seconds = 60, .seed = seed, .service = of_two_modes, .timeout = 5};
    world.measured_from = 20;
    SECTION("overloaded: 50 at work are 847 a second") {
        world.arrivals = [](double) { return 2600.0; };
        knee limit;
        CHECK(support::simulate(world, limit).goodput >= 0.75 * 847);
    }
    SECTION("at half of what it can do") {
        world.servers = 200;
        world.arrivals = [](double) { return 1700.0; };
        knee limit;
        CHECK(support::simulate(world, limit).goodput >= 0.97 * 1700);
    }
}

TEST_CASE("limits::knee: refuses next to nothing at nine tenths of the load") {
    limit_world world{.service = exponential};
    world.arrivals = [](double) { return 4500.0; };
    INFO("seed " << world.seed);
    knee limit;
    CHECK(support::simulate(world, limit).goodput >= 0.98 * 4500);
}

TEST_CASE("limits::knee: idle for a while, it has not moved, and knows what it knew") {
    limit_world world{.seconds = 60, .service = exponential};
    world.arrivals = [](double now) { return now > 20 && now < 50 ? 0.0 : 15'000.0; };
    world.measured_from = 51;
    INFO("seed " << world.seed);
    knee limit;
    std::uint32_t before = 0, after = 0;
    auto const seen = support::simulate(world, limit, [&](double now, std::uint32_t at) {
        if (now < 21) before = at;
        if (now > 50 && after == 0) after = at;
    });
    CHECK(before == after);
    CHECK(seen.goodput >= 0.9 * capacity);
}

TEST_CASE("limits::knee: comes back from a server that stood still for five seconds") {
    limit_world world{.seconds = 25};
    world.service = [](double now, draws& draw) {
        return now > 10 && now < 15 ? 5.0 : draw.exponential(0.01);
    };
    world.measured_from = 21;
    INFO("seed " << world.seed);
    knee limit;
    CHECK(support::simulate(world, limit).goodput >= 0.9 * capacity);
}

TEST_CASE(
    "limits::knee: a server ten times as slow for ten seconds is not buried, and found again") {
    limit_world world{.seconds = 30};
    world.service = [](double now, draws& draw) {
        return draw.exponential(now > 10 && now < 20 ? 0.1 : 0.01);
    };
    INFO("seed " << world.seed);
    SECTION("while it lasts") {
        world.seconds = 20;
        world.measured_from = 12;
        knee limit;
        auto const seen = support::simulate(world, limit);
        CHECK(seen.goodput >= 0.75 * capacity / 10);
        CHECK(seen.p99 < 0.9);
    }
    SECTION("afterwards") {
        world.measured_from = 23;
        knee limit;
        CHECK(support::simulate(world, limit).goodput >= 0.9 * capacity);
    }
}

TEST_CASE("limit_simulation: repeats bit by bit from a seed") {
    limit_world const world{.seconds = 12, .service = exponential};
    knee first, second;
    auto const a = support::simulate(world, first), b = support::simulate(world, second);
    CHECK(a.goodput == b.goodput);
    CHECK(a.p99 == b.p99);
    CHECK(a.last == b.last);
}
