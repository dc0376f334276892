// SPDX-License-Identifier: BSL-1.0
#include <hawser/retry/jitter.hpp>

#include "support/catch.hpp"

#include <hawser/base/random.hpp>

#include <array>
#include <cmath>
#include <cstddef>

using namespace std::chrono_literals;
using hawser::duration;
namespace jitter = hawser::jitter;

namespace {

constexpr std::uint64_t all_bits = ~std::uint64_t{0};

/// That every draw lies in [least, most], and as many in each tenth of it as an even spread gives.
void check_even(jitter::strategy auto const& spread, duration delay, duration least,
                duration most) {
    constexpr std::uint64_t seed = 20261120;
    constexpr int draws = 100'000;
    std::array<int, 10> tenths{};
    for (std::uint64_t i = 0; i < draws; ++i) {
        auto const drawn = spread(delay, hawser::random_at(seed, i));
        REQUIRE(drawn >= least);
        REQUIRE(drawn <= most);
        auto const place = static_cast<double>((drawn - least).count()) /
                           (static_cast<double>((most - least).count()) + 1);
        ++tenths[static_cast<std::size_t>(place * 10)];
    }
    // A tenth holds 10000 draws with a standard deviation of 95: five of them are 475.
    for (auto const tenth : tenths) CHECK(std::abs(tenth - draws / 10) < 475);
}

/// That the first and the last random number reach the ends of the range.
void check_ends(jitter::strategy auto const& spread, duration delay, duration least,
                duration most) {
    CHECK(spread(delay, 0) == least);
    CHECK(spread(delay, all_bits) == most);
}

}  // namespace

TEST_CASE("jitter::none: leaves the delay as it is") {
    for (auto const random : {std::uint64_t{0}, all_bits}) {
        CHECK(jitter::none{}(3s, random) == 3s);
        CHECK(jitter::none{}(duration::max(), random) == duration::max());
    }
}

TEST_CASE("jitter::full: draws evenly from no wait to the delay") {
    check_even(jitter::full{}, 10s, 0s, 10s);
    check_ends(jitter::full{}, 10s, 0s, 10s);
    check_ends(jitter::full{}, 1ns, 0ns, 1ns);
    check_ends(jitter::full{}, duration::max(), 0s, duration::max());
}

TEST_CASE("jitter::equal: draws evenly from half the delay to the delay") {
    check_even(jitter::equal{}, 10s, 5s, 10s);
    check_ends(jitter::equal{}, 10s, 5s, 10s);
    check_ends(jitter::equal{}, 1ns, 0ns, 1ns);
    check_ends(jitter::equal{}, duration::max(), duration::max() / 2, duration::max());
}

TEST_CASE("jitter::proportional: draws evenly from the fraction below to the fraction above") {
    check_even(jitter::proportional{}, 10s, 7500ms, 12500ms);
    check_ends(jitter::proportional{}, 10s, 7500ms, 12500ms);
    check_ends(jitter::proportional{.fraction = 0}, 10s, 10s, 10s);
    check_ends(jitter::proportional{.fraction = 1}, 10s, 0s, 20s);
}

TEST_CASE("jitter::proportional: saturates where the delay cannot grow, and is never negative") {
    for (auto const fraction : {0.0, 0.1, 0.25, 0.5, 0.999, 1.0}) {
        jitter::proportional const spread{.fraction = fraction};
        for (auto const delay : {duration{0}, duration{1}, duration{(1LL << 53) + 1},
                                 duration::max() / 2 + 1ns, duration::max() - 1ns, duration::max()})
            for (auto const random : {std::uint64_t{0}, std::uint64_t{1}, all_bits / 2, all_bits})
                CHECK(spread(delay, random) >= duration::zero());
    }
    CHECK(jitter::proportional{.fraction = 1}(duration::max(), all_bits) == duration::max());
}

TEST_CASE("jitter: takes a delay below zero as zero") {
    for (auto const delay : {duration{0}, duration{-1}, duration::min()})
        for (auto const random : {std::uint64_t{0}, all_bits}) {
            CHECK(jitter::none{}(delay, random) == 0s);
            CHECK(jitter::full{}(delay, random) == 0s);
            CHECK(jitter::equal{}(delay, random) == 0s);
            CHECK(jitter::proportional{.fraction = 1}(delay, random) == 0s);
        }
}

TEST_CASE("jitter: refuses a fraction outside [0, 1]") {
    for (auto const bad : {-0.001, 1.001, HUGE_VAL, -HUGE_VAL, std::nan("")})
        CHECK_THROWS_AS(jitter::proportional{.fraction = bad}.validate(), std::invalid_argument);
    constexpr bool valid = [] {
        jitter::none{}.validate();
        jitter::full{}.validate();
        jitter::equal{}.validate();
        jitter::proportional{}.validate();
        jitter::proportional{.fraction = 0}.validate();
        jitter::proportional{.fraction = 1}.validate();
        return true;
    }();
    STATIC_REQUIRE(valid);
}
