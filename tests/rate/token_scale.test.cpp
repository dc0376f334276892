// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/token_scale.hpp>

#include "support/catch.hpp"

#include <random>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::time_point;
using hawser::token_scale;
using hawser::detail::wide_uint;

namespace {

struct rate {
    std::uint64_t tokens;
    duration period;
    std::uint64_t burst;
};

constexpr auto horizon = token_scale::horizon;
constexpr duration year = 24h * 365;

/// Rates that divide a nanosecond, and rates that do not; primes; both ends of what is allowed.
constexpr rate rates[]{{100, 1s, 100},
                       {7'000'000, 1s, 1},
                       {7'000'000, 1s, 4'000'000'000},
                       {400'000'000, 1s, 100},
                       {600'000'000, 1s, 3},
                       {1, 3s, 5},
                       {3, 1s, 5},
                       {3'000'007, 1s, 100},
                       {999'999'937, 1s, 1},
                       {999'999'937, 1s, 4'294'967'295},
                       {1'000'000'000, 1s, 100},
                       {1, year, 30},
                       {2, year, 60},
                       {1'000'003, year, 1'000'003},
                       {1, 1'000'000s, 100},
                       {7, 11ns, 1'000},
                       {123'456'789, 7'777'777'777ns, 10},
                       {4'294'967'291, duration::max(), 1},
                       {4'294'967'295, duration::max(), 400'000'000}};

token_scale scale_of(rate const& of) { return {of.tokens, of.period, of.burst}; }

/// Units due since the origin, by long division: `whole` of them, and whether there is a rest.
struct due {
    std::uint64_t whole;
    bool rest;
};
due by_division(rate const& of, std::uint64_t token, duration since_epoch) {
    auto const per = static_cast<std::uint64_t>(of.period.count());
    auto const tokens =
        wide_uint{static_cast<std::uint64_t>((since_epoch + horizon).count())} * of.tokens;
    auto const parts = tokens % per * token;
    return {static_cast<std::uint64_t>(tokens / per * token + parts / per), parts % per != 0};
}

/// An instant within a century of the epoch: near the epoch, near an end, or anywhere.
duration random_instant(std::mt19937_64& random) {
    auto const below = [&random](duration limit) {
        return duration{
            static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(limit.count()))};
    };
    switch (random() % 5) {
        case 0: return below(10ms) - 5ms;
        case 1: return below(1'000h) - 500h;
        case 2: return horizon - below(10s);
        case 3: return below(10s) - horizon;
        default: return below(horizon) - below(horizon);
    }
}

}  // namespace

TEST_CASE("token_scale: has the units of every rate exactly, a century on either side") {
    std::mt19937_64 random{20261120};
    for (auto const& of : rates) {
        auto const scale = scale_of(of);
        for (int i = 0; i != 20'000; ++i) {
            auto const when = random_instant(random);
            auto const found = scale.at(time_point{when});
            auto const [whole, rest] = by_division(of, scale.token(), when);
            INFO(of.tokens << " in " << of.period.count() << " ns, at " << when.count());
            REQUIRE(found.floor == whole);
            REQUIRE((found.rest != 0) == rest);
            REQUIRE(found.ceil() == whole + (rest ? 1 : 0));
        }
    }
}

TEST_CASE("token_scale: after two centuries no rate has drifted by a token") {
    for (auto const tokens :
         {1u, 3u, 7u, 100u, 3'000'007u, 7'000'000u, 400'000'000u, 999'999'937u, 1'000'000'000u}) {
        token_scale const scale{tokens, 1s, 1};
        auto const seconds = static_cast<std::uint64_t>(2 * horizon / 1s);
        auto const due = wide_uint{scale.token()} * tokens * seconds;
        CHECK(scale.at(time_point{horizon}).floor == static_cast<std::uint64_t>(due));
        CHECK(scale.at(time_point{horizon}).rest == 0);
    }
}

TEST_CASE("token_scale: a unit is a nanosecond where a token is whole ones, else less than two") {
    for (auto const& of : rates) {
        auto const units = wide_uint{scale_of(of).token()} * of.tokens;
        auto const length = wide_uint{static_cast<std::uint64_t>(of.period.count())};
        INFO(of.tokens << " in " << of.period.count() << " ns");
        if (length % of.tokens == 0) CHECK(units == length);
        CHECK(units <= length);
        CHECK(units * 2 > length);
    }
}

TEST_CASE("token_scale: what a burst takes is no more units than a bucket may hold") {
    for (auto const& of : rates)
        CHECK(wide_uint{scale_of(of).token()} * of.burst <= token_scale::units_max);
}

TEST_CASE("token_scale: until is the first nanosecond at which the units are due") {
    std::mt19937_64 random{7};
    for (auto const& of : rates) {
        auto const scale = scale_of(of);
        for (int i = 0; i != 20'000; ++i) {
            auto const when = random_instant(random);
            auto const now = scale.at(time_point{when});
            auto const most = random() % 2 ? scale.token() : std::uint64_t{1} << 58U;
            auto const more = 1 + random() % most;
            auto const wait = scale.until(now, more);
            INFO(of.tokens << " in " << of.period.count() << " ns, at " << when.count() << ", "
                           << more << " units");
            REQUIRE(wait > 0ns);
            if (wait > horizon - when) continue;  // The line ends there.
            REQUIRE(scale.at(time_point{when + wait}).floor >= now.floor + more);
            REQUIRE(scale.at(time_point{when + wait - 1ns}).floor < now.floor + more);
        }
    }
}

TEST_CASE("token_scale: until is nothing for no units, and never never") {
    for (auto const& of : rates) {
        auto const scale = scale_of(of);
        for (auto const when : {-horizon, 0ns, 1ns, horizon}) {
            auto const now = scale.at(time_point{when});
            CHECK(scale.until(now, 0) == 0ns);
            CHECK(scale.until(now, ~std::uint64_t{0}) < hawser::never);
            CHECK(scale.until(now, ~std::uint64_t{0}) > year * 290);
        }
    }
}

TEST_CASE("token_scale: instants beyond a century count as a century from the epoch") {
    for (auto const& of : rates) {
        auto const scale = scale_of(of);
        for (auto const past : {horizon + 1ns, duration::max()}) {
            CHECK(scale.at(time_point{past}).floor == scale.at(time_point{horizon}).floor);
            CHECK(scale.at(time_point{past}).rest == scale.at(time_point{horizon}).rest);
        }
        for (auto const past : {-horizon, -horizon - 1ns, duration::min()}) {
            CHECK(scale.at(time_point{past}).floor == 0);
            CHECK(scale.at(time_point{past}).rest == 0);
        }
    }
}

TEST_CASE("token_scale: within a length lie the units of the rate, rounded down") {
    std::mt19937_64 random{11};
    for (auto const& of : rates) {
        auto const scale = scale_of(of);
        CHECK(scale.within(0ns) == 0);
        CHECK(scale.within(-1ns) == 0);
        CHECK(scale.within(duration::min()) == 0);
        CHECK(scale.within(duration::max()) == token_scale::units_max);
        for (int i = 0; i != 1'000; ++i) {
            auto const length = duration{static_cast<std::int64_t>(random() >> 5U)};
            auto const exact = by_division(of, scale.token(), length - horizon).whole;
            REQUIRE(scale.within(length) == std::min(exact, token_scale::units_max));
        }
    }
}

TEST_CASE("token_scale: is the same again from its parts") {
    for (auto const& of : rates) {
        auto const scale = scale_of(of);
        CHECK(token_scale{scale.as_parts()} == scale);
    }
    CHECK_FALSE(token_scale(1, 1s, 1) == token_scale(2, 1s, 1));
}

TEST_CASE("token_scale: is computed at compile time") {
    constexpr token_scale seventh{7, 1us, 10};
    constexpr auto now = seventh.at(time_point{1us});
    constexpr auto start = seventh.at(time_point{0us});
    STATIC_REQUIRE(now.floor - start.floor == 7 * seventh.token());
    STATIC_REQUIRE(seventh.until(start, seventh.token()) == 143ns);
    STATIC_REQUIRE(seventh.within(1us) == 7 * seventh.token());
    STATIC_REQUIRE(token_scale{}.token() == 1);
}
