// SPDX-License-Identifier: BSL-1.0
#include <hawser/stats/ewma.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::ewma;
using hawser::ewma_per_sample;
using hawser::time_point;

static constexpr time_point t0{1h};
static constexpr double largest = std::numeric_limits<double>::max();

TEST_CASE("ewma: is the average of all samples, each weighted by its age") {
    std::mt19937 random{20261120};
    std::vector<std::pair<time_point, double>> samples;
    ewma average{1s};
    for (auto now = t0; samples.size() < 300; now += random() % 500 * 1ms) {
        samples.emplace_back(now, static_cast<double>(random() % 1000) - 300);
        average.record(now, samples.back().second);

        double sum = 0, weights = 0;
        for (auto const& [at, sample] : samples) {
            auto const weight = std::exp(-std::chrono::duration<double>(now - at).count());
            sum += weight * sample;
            weights += weight;
        }
        REQUIRE(average.value() == Approx(sum / weights).margin(1e-9));
        REQUIRE(average.weight(now) == Approx(weights));
    }
}

TEST_CASE("ewma: samples of one instant weigh the same") {
    ewma average{1s};
    for (int i = 0; i < 3; ++i) average.record(t0, 0);
    average.record(t0, 8);
    CHECK(average.value() == 2);
    CHECK(average.weight(t0) == 4);
}

TEST_CASE("ewma: after a long rest the past no longer counts, and the value stays till then") {
    ewma average{1s};
    for (int i = 0; i < 1000; ++i) average.record(t0, 100);
    CHECK(average.value() == 100);
    CHECK(average.weight(t0 + 24h) == 0);
    CHECK(average.value() == 100);
    average.record(t0 + 24h, 5);
    CHECK(average.value() == 5);
}

TEST_CASE("ewma: time that runs backwards is taken to stand still") {
    ewma average{1s};
    average.record(t0, 10);
    average.record(t0 - 1h, 20);
    CHECK(average.value() == 15);
    CHECK(average.weight(t0 - 1h) == 2);
    average.record(t0, 30);
    CHECK(average.value() == 20);
}

TEST_CASE("ewma: stays finite and among its samples at every extreme") {
    auto const constant = GENERATE(duration{1}, duration{1s}, duration::max());
    ewma average{constant};
    for (auto const now : {time_point::min(), t0, t0, t0 + 1ns, time_point::max()}) {
        for (auto const sample : {largest, -largest, largest, largest, 0.0, 5e-324}) {
            average.record(now, sample);
            REQUIRE(std::isfinite(average.value()));
            REQUIRE(std::isfinite(average.weight(now)));
        }
    }
    CHECK(average.weight(time_point::max()) >= 6);  // Of the last instant, all weigh the same.
    ewma constantly{constant};
    for (int i = 0; i < 100; ++i) constantly.record(t0 + i * 7ms, 0.1);
    CHECK(constantly.value() == 0.1);
}

TEST_CASE("ewma: ignores a sample that is no number, and one without end") {
    ewma average{1s};
    for (auto const bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) average.record(t0, bad);
    CHECK(average.value() == 0);
    CHECK(average.weight(t0) == 0);
    average.record(t0, 3);
    CHECK(average.value() == 3);
}

TEST_CASE("ewma: clear forgets, and the next sample stands for itself") {
    ewma average{1s};
    average.record(t0, 50);
    average.clear();
    CHECK(average.value() == 0);
    CHECK(average.weight(t0) == 0);
    average.record(t0 - 1h, 7);  // The time it had been told is forgotten too.
    CHECK(average.weight(t0 - 1h + 1s) == Approx(std::exp(-1)));
    CHECK(average.value() == 7);
}

TEST_CASE("ewma: refuses a time constant that is not positive") {
    CHECK_THROWS_AS(ewma{0s}, std::invalid_argument);
    CHECK_THROWS_AS(ewma{-1ns}, std::invalid_argument);
    CHECK_THROWS_AS(ewma{duration::min()}, std::invalid_argument);
}

TEST_CASE("ewma_per_sample: moves the part alpha of the way to each sample, after the first") {
    ewma_per_sample average{0.25};
    CHECK(average.empty());
    average.record(100);
    CHECK_FALSE(average.empty());
    CHECK(average.value() == 100);
    average.record(200);
    CHECK(average.value() == 125);
    average.record(25);
    CHECK(average.value() == 100);
    average.clear();
    CHECK(average.empty());
    average.record(1);
    CHECK(average.value() == 1);
}

TEST_CASE("ewma_per_sample: an alpha of one keeps the newest sample alone") {
    ewma_per_sample average{1};
    for (auto const sample : {3.0, largest, -largest, 0.1}) {
        average.record(sample);
        average.record(std::nan(""));
        CHECK(average.value() == sample);
    }
}

TEST_CASE("ewma_per_sample: refuses an alpha outside (0, 1]") {
    for (auto const alpha : {0.0, -0.1, 1.0000001, HUGE_VAL, std::nan("")})
        CHECK_THROWS_AS(ewma_per_sample{alpha}, std::invalid_argument);
    CHECK_NOTHROW(ewma_per_sample{5e-324});
}
