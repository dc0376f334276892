// SPDX-License-Identifier: BSL-1.0
#include <hawser/retry/hint.hpp>

#include "support/catch.hpp"

#include <hawser/base/random.hpp>

#include <cmath>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::hint_policy;
using hawser::never;

static constexpr std::uint64_t all_bits = ~std::uint64_t{0};

TEST_CASE("hint_policy: spreads upwards only, so that nobody comes before the hint") {
    constexpr hint_policy ask{.cap = 1min, .spread = 0.5};
    CHECK(ask(10s, never, 0) == 10s);
    CHECK(ask(10s, never, all_bits) == 15s);
    CHECK(ask(10s, never, all_bits / 2) == 12500ms);
    bool below = false, above = false;
    for (std::uint64_t i = 0; i < 10'000; ++i) {
        auto const wait = ask(10s, never, hawser::random_at(1, i)).value();
        REQUIRE(wait >= 10s);
        REQUIRE(wait <= 15s);
        below |= wait < 10100ms;
        above |= wait > 14900ms;
    }
    CHECK((below && above));
}

TEST_CASE("hint_policy: caps first and spreads then, so that a capped crowd is spread too") {
    constexpr hint_policy ask{.cap = 1min, .spread = 0.5};
    CHECK(ask(24h, never, 0) == 60s);
    CHECK(ask(24h, never, all_bits) == 90s);
}

TEST_CASE("hint_policy: stops where the wait does not end before the time is up") {
    constexpr hint_policy ask{.cap = 1min, .spread = 0.5};
    for (auto const random : {std::uint64_t{0}, all_bits / 2, all_bits}) {
        CHECK_FALSE(ask(10s, 10s, random));
        CHECK_FALSE(ask(10s, 1s, random));
        CHECK_FALSE(ask(10s, 0s, random));
        CHECK_FALSE(ask(0s, 0s, random));
        CHECK_FALSE(ask(10s, -1s, random));
        CHECK_FALSE(ask(10s, duration::min(), random));
        CHECK_FALSE(ask(24h, 1min, random));  // It is the capped hint that has to fit.
        CHECK(ask(24h, 1min + 1ns, random) == 1min);
    }
}

TEST_CASE("hint_policy: a spread that does not fit is cut, and no draw decides whether to stop") {
    constexpr hint_policy ask{.cap = 1min, .spread = 0.5};
    CHECK(ask(10s, 12s, 0) == 10s);
    CHECK(ask(10s, 12s, all_bits) == 12s - 1ns);
    CHECK(ask(10s, 10s + 1ns, all_bits) == 10s);
}

TEST_CASE("hint_policy: a hint of never is a stop, and one below zero asks for no wait") {
    constexpr hint_policy ask{.cap = duration::max(), .spread = 1};
    CHECK_FALSE(ask(never, never, 0));
    CHECK_FALSE(hint_policy{.cap = 1min}(never, never, 0));  // Not a wait that the cap shortens.
    CHECK(ask(-1s, never, all_bits) == 0s);
    CHECK(ask(duration::min(), 1s, all_bits) == 0s);
    CHECK(ask(0s, 1s, all_bits) == 0s);
    CHECK(ask(never - 2ns, never, all_bits) == never - 1ns);  // Saturates below `never`.
}

TEST_CASE("hint_policy: rejects options that describe none") {
    for (auto const bad : {duration{0}, duration{-1}, duration::min()})
        CHECK_THROWS_AS(hint_policy{.cap = bad}.validate(), std::invalid_argument);
    for (auto const bad : {-0.1, 1.1, HUGE_VAL, std::nan("")})
        CHECK_THROWS_AS(hint_policy{.spread = bad}.validate(), std::invalid_argument);
    constexpr bool valid = (hint_policy{}.validate(), true);
    STATIC_REQUIRE(valid);
}
