// SPDX-License-Identifier: BSL-1.0
#include <hawser/stats/quantile.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::quantile_sketch;

namespace {

constexpr double asked[] = {0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1};

quantile_sketch sketch_of(std::vector<duration> const& samples) {
    quantile_sketch sketch;
    for (auto const sample : samples) sketch.record(sample);
    return sketch;
}

/// The sample of the rank that `at` promises, found by sorting.
duration exact(std::vector<duration> samples, double q) {
    std::sort(samples.begin(), samples.end());
    auto const rank = std::ceil(q * static_cast<double>(samples.size()));
    return samples[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

bool within_error(duration answer, duration sample) {
    auto const error = std::abs(answer.count() - sample.count());
    return static_cast<double>(error) <= static_cast<double>(sample.count()) / 64;
}

std::vector<duration> drawn_from(auto distribution, std::size_t count = 20'000) {
    std::mt19937_64 random{20261120};
    std::vector<duration> samples(count);
    for (auto& sample : samples)
        sample = duration{static_cast<duration::rep>(distribution(random))};
    return samples;
}

void check_against_sorting(std::vector<duration> const& samples) {
    auto const sketch = sketch_of(samples);
    REQUIRE(sketch.count() == samples.size());
    for (auto const q : asked) {
        INFO("q = " << q << ": exactly " << exact(samples, q).count() << " ns");
        CHECK(within_error(sketch.at(q).value(), exact(samples, q)));
    }
}

}  // namespace

TEST_CASE("quantile_sketch: is within its error of the exact quantile of many distributions") {
    SECTION("uniform") {
        check_against_sorting(drawn_from(std::uniform_int_distribution{0, 99999}));
    }
    SECTION("exponential") {
        check_against_sorting(drawn_from(std::exponential_distribution{1e-6}));
    }
    SECTION("lognormal") {
        check_against_sorting(drawn_from(std::lognormal_distribution{15., 2.}));
    }
    SECTION("the whole range") {
        constexpr auto max = std::numeric_limits<duration::rep>::max();
        check_against_sorting(drawn_from(std::uniform_int_distribution<duration::rep>{0, max}));
    }
    SECTION("two modes far apart") {
        auto samples = drawn_from(std::normal_distribution{1e6, 1e4}, 9'000);
        auto const slow = drawn_from(std::normal_distribution{3e10, 1e9}, 1'000);
        samples.insert(samples.end(), slow.begin(), slow.end());
        check_against_sorting(samples);
    }
    SECTION("one sample") { check_against_sorting({250ms}); }
    SECTION("the same sample over and over") {
        check_against_sorting(std::vector<duration>(1000, 17ms));
    }
    SECTION("the extremes") {
        check_against_sorting({0ns, 1ns, 63ns, 64ns, 65ns, duration::max() - 1ns, duration::max()});
    }
}

TEST_CASE("quantile_sketch: every value is within the error, at each power of two and beside it") {
    for (int place = 0; place < 63; ++place) {
        auto const power = duration{duration::rep{1} << place};
        for (auto const value : {power - 1ns, power, power + 1ns, power + power / 64 * 3}) {
            INFO(value.count());
            auto const answer = sketch_of({value}).at(0.5).value();
            REQUIRE(within_error(answer, value));
            if (value < 64ns) REQUIRE(answer == value);
        }
    }
}

TEST_CASE("quantile_sketch: has no answer before the first sample, nor after clear") {
    quantile_sketch sketch;
    CHECK_FALSE(sketch.at(0.5));
    sketch.record(1s);
    CHECK(sketch.at(0.5));
    sketch.clear();
    CHECK_FALSE(sketch.at(0.5));
    CHECK(sketch.count() == 0);
}

TEST_CASE("quantile_sketch: takes a q beyond an end as that end, and a negative time as zero") {
    auto const sketch = sketch_of({-1ns, duration::min(), 10ns, 20ns});
    CHECK(sketch.at(-1).value() == 0ns);
    CHECK(sketch.at(-HUGE_VAL).value() == 0ns);
    CHECK(sketch.at(0.5).value() == 0ns);
    CHECK(sketch.at(2).value() == 20ns);
    CHECK(sketch.at(HUGE_VAL).value() == 20ns);
    CHECK(sketch.at(std::nan("")).value() == 20ns);
}

TEST_CASE("quantile_sketch: merged sketches answer as one that saw all samples") {
    auto const left = drawn_from(std::exponential_distribution{1e-6}, 3'000);
    auto const right = drawn_from(std::lognormal_distribution{10., 1.}, 5'000);
    auto all = left;
    all.insert(all.end(), right.begin(), right.end());

    auto merged = sketch_of(left);
    merged.merge(sketch_of(right));
    auto const whole = sketch_of(all);
    CHECK(merged.count() == whole.count());
    for (auto const q : asked) CHECK(merged.at(q) == whole.at(q));
}

TEST_CASE(
    "quantile_sketch: halving keeps the quantiles, the rare ones too, and lets new ones win") {
    auto sketch = sketch_of(drawn_from(std::uniform_int_distribution{0, 1'000'000}));
    auto const median = sketch.at(0.5).value(), last = sketch.at(0.99).value();
    sketch.halve();
    CHECK(sketch.count() == 10'000);
    CHECK(sketch.at(0.5).value().count() == Approx(median.count()).epsilon(1.0 / 30));
    CHECK(sketch.at(0.99).value().count() == Approx(last.count()).epsilon(1.0 / 30));

    for (int i = 0; i < 10; ++i) sketch.halve();  // 9 are left.
    for (int i = 0; i < 100; ++i) sketch.record(1s);
    CHECK(within_error(sketch.at(0.5).value(), 1s));
    for (int i = 0; i < 10; ++i) sketch.halve();
    CHECK(sketch.count() == 0);
    CHECK_FALSE(sketch.at(0.5));
}

TEST_CASE("quantile_sketch: halving keeps every second sample, however few stand in one place") {
    quantile_sketch sketch;
    for (int i = 1; i <= 60; ++i) sketch.record(duration{i});  // Each alone in its bucket.
    sketch.halve();
    CHECK(sketch.count() == 30);
    CHECK(sketch.at(0).value() == 2ns);
    CHECK(sketch.at(0.5).value() == 30ns);
    CHECK(sketch.at(1).value() == 60ns);
}
