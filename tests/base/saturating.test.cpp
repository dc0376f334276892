// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/saturating.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <random>

using namespace std::chrono_literals;
using hawser::add_saturating;
using hawser::duration;
using hawser::multiply_divide;
using hawser::part_of;
using hawser::scale;

static constexpr auto max64 = std::numeric_limits<std::int64_t>::max();
static constexpr auto min64 = std::numeric_limits<std::int64_t>::min();
static constexpr auto all_bits = ~std::uint64_t{0};

TEST_CASE("saturating: counts add up to the largest count and no further") {
    STATIC_REQUIRE(add_saturating(std::uint64_t{2}, std::uint64_t{3}) == 5);
    CHECK(add_saturating(all_bits - 1, std::uint64_t{1}) == all_bits);
    CHECK(add_saturating(all_bits, std::uint64_t{1}) == all_bits);
    CHECK(add_saturating(std::uint64_t{1}, all_bits) == all_bits);
    CHECK(add_saturating(all_bits, all_bits) == all_bits);
    CHECK(add_saturating(all_bits, std::uint64_t{0}) == all_bits);
}

TEST_CASE("saturating: lengths of time add up to the nearest that can be held") {
    STATIC_REQUIRE(add_saturating(2s, duration{3s}) == 5s);
    CHECK(add_saturating(duration{-2s}, duration{-3s}) == -5s);
    CHECK(add_saturating(duration::max() - 1ns, duration{1}) == duration::max());
    CHECK(add_saturating(duration::max(), duration{1}) == duration::max());
    CHECK(add_saturating(duration::max(), duration::max()) == duration::max());
    CHECK(add_saturating(duration::min(), duration{-1}) == duration::min());
    CHECK(add_saturating(duration::min(), duration::min()) == duration::min());
    CHECK(add_saturating(duration::max(), duration::min()) == duration{-1});
    CHECK(add_saturating(duration::min(), duration::max()) == duration{-1});
}

TEST_CASE("multiply_divide: is exact where the product does not fit, and truncates towards zero") {
    STATIC_REQUIRE(multiply_divide(7, 3, 2) == 10);
    CHECK(multiply_divide(-7, 3, 2) == -10);
    CHECK(multiply_divide(7, -3, 2) == -10);
    CHECK(multiply_divide(max64, max64, max64) == max64);
    CHECK(multiply_divide(min64, max64, max64) == min64);
    CHECK(multiply_divide(max64, 2, 3) == 6148914691236517204);
    CHECK(multiply_divide(max64, 0, 1) == 0);
}

TEST_CASE("multiply_divide: ends at the nearest number that can be held") {
    CHECK(multiply_divide(max64, 2, 1) == max64);
    CHECK(multiply_divide(max64, max64, 1) == max64);
    CHECK(multiply_divide(min64, 2, 1) == min64);
    CHECK(multiply_divide(min64, -1, 1) == max64);
    CHECK(multiply_divide(min64, min64, 1) == max64);
    CHECK(multiply_divide(max64, min64, 1) == min64);
}

TEST_CASE("scale: multiplies to the precision of a double, truncating") {
    STATIC_REQUIRE(scale(10s, 1.5) == 15s);
    CHECK(scale(-10s, 1.5) == -15s);
    CHECK(scale(10s, -0.5) == -5s);
    CHECK(scale(3ns, 0.5) == 1ns);
    CHECK(scale(-3ns, 0.5) == -1ns);
    CHECK(scale(10s, 0) == 0s);
    CHECK(scale(10s, 5e-324) == 0s);
}

TEST_CASE("scale: ends at the nearest length that can be held, and zero stands for no number") {
    for (auto const factor : {1.0000001, 2.0, 1e300, HUGE_VAL}) {
        CHECK(scale(duration::max(), factor) == duration::max());
        CHECK(scale(duration::max(), -factor) == duration::min());
        CHECK(scale(duration::min(), factor) == duration::min());
        CHECK(scale(duration::min(), -factor) == duration::max());
    }
    CHECK(scale(duration::max(), 1) == duration::max());
    CHECK(scale(duration::min(), 1) == duration::min());
    CHECK(scale(1ns, HUGE_VAL) == duration::max());
    CHECK(scale(0ns, HUGE_VAL) == 0ns);  // Zero times infinity is no number.
    CHECK(scale(1s, std::nan("")) == 0ns);
}

TEST_CASE("part_of: reaches from zero to the whole, both included") {
    for (auto const whole : {duration{0}, duration{1}, duration{10s}, duration::max()}) {
        CHECK(part_of(whole, 0) == 0ns);
        CHECK(part_of(whole, all_bits) == whole);
    }
    CHECK(part_of(10s, all_bits / 2) == 5s);
    STATIC_REQUIRE(part_of(1ns, std::uint64_t{1} << 63) == 1ns);
}

TEST_CASE("part_of: every length up to the whole is as likely as any other") {
    std::mt19937_64 random{20261120};
    int drawn[5] = {};
    for (int i = 0; i < 50'000; ++i) ++drawn[part_of(4ns, random()).count()];
    // Each is drawn 10000 times with a standard deviation of 89: five of them are 447.
    for (auto const times : drawn) CHECK(std::abs(times - 10'000) < 447);
}
