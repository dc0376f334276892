// SPDX-License-Identifier: BSL-1.0
#include <hawser/retry/budget.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <random>
#include <type_traits>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::retry_budget;
using hawser::time_point;

static constexpr time_point t0{1h};

namespace {

/// Reserves and spends tokens until there is none, and says how many there were.
std::uint32_t drain(retry_budget& budget, time_point now) {
    std::uint32_t spent = 0;
    for (auto token = budget.reserve(now); token; token = budget.reserve(now)) {
        token.spend();
        ++spent;
    }
    return spent;
}

void deposit(retry_budget& budget, int times) {
    for (int i = 0; i < times; ++i) budget.deposit();
}

}  // namespace

TEST_CASE("retry_budget: a new one allows what the floor gives in one period, and at least one") {
    retry_budget usual;
    CHECK(usual.available(t0) == 10);
    CHECK(drain(usual, t0) == 10);

    retry_budget small{{.floor = 10, .capacity = 3}};
    CHECK(drain(small, t0) == 3);
    retry_budget without_floor{{.floor = 0}};
    CHECK(drain(without_floor, t0) == 1);
}

TEST_CASE("retry_budget: refuses at once when it is empty, and takes nothing for it") {
    retry_budget budget;
    drain(budget, t0);
    for (int i = 0; i < 1000; ++i) CHECK_FALSE(budget.reserve(t0));
    CHECK(budget.available(t0) == 0);
    CHECK(drain(budget, t0 + 100ms) == 1);  // The refusals left no debt.
}

TEST_CASE("retry_budget: five first-try successes at a ratio of a fifth earn exactly one retry") {
    retry_budget budget{{.ratio = 0.2, .floor = 0}};
    drain(budget, t0);
    deposit(budget, 4);
    CHECK_FALSE(budget.reserve(t0));
    deposit(budget, 1);
    CHECK(budget.available(t0) == 1);
    CHECK(drain(budget, t0) == 1);
    deposit(budget, 100);
    CHECK(drain(budget, t0) == 20);
}

TEST_CASE("retry_budget: a third of a token a second is one every three seconds, without drift") {
    retry_budget budget{{.ratio = 0, .floor = 1, .per = 3s}};
    REQUIRE(drain(budget, t0) == 1);
    std::uint32_t spent = 0;
    auto now = t0;
    for (int i = 0; i < 30'000; ++i) {  // In steps that divide neither a second nor three.
        now += 7'000'003ns;
        spent += drain(budget, now);
        REQUIRE(spent == (now - t0) / 3s);
    }
    CHECK(spent == 70);
}

TEST_CASE("retry_budget: a token comes with the nanosecond that completes it") {
    auto const floor = GENERATE(1u, 3u, 7u, 1000u);
    retry_budget budget{{.ratio = 0, .floor = floor, .per = 1s, .capacity = 1}};
    REQUIRE(drain(budget, t0) == 1);
    auto const wait = (1s + duration{floor - 1}) / floor;  // A period's part, rounded up.
    CHECK(budget.available(t0 + wait - 1ns) == 0);
    CHECK(budget.available(t0 + wait) == 1);
    CHECK(budget.reserve(t0 + wait));
}

TEST_CASE("retry_budget: saves up to its capacity, from time and from deposits alike") {
    retry_budget budget{{.ratio = 1, .floor = 10, .capacity = 20}};
    drain(budget, t0);
    CHECK(budget.available(t0 + 24h) == 20);
    deposit(budget, 1000);
    CHECK(budget.available(t0) == 20);
    CHECK(drain(budget, t0 + 24h) == 20);
    CHECK(drain(budget, t0 + 24h) == 0);  // What spilled is gone.
}

TEST_CASE("retry_budget: folding late is the same as filling at once") {
    // The model fills and spills with every step; it counts in units of 1 / (10 * 3) of a token.
    retry_budget budget{{.ratio = 0.1, .floor = 1, .per = 3s, .capacity = 5}};
    std::int64_t model = 30;
    std::mt19937 random{20261120};
    auto now = t0;
    CHECK(budget.available(now) == 1);
    REQUIRE(budget.reserve(now));  // Tells it the time; given back at once.
    for (int i = 0; i < 100'000; ++i) {
        switch (random() % 4) {
            case 0:
            case 1:
                budget.deposit();
                model = std::min<std::int64_t>(model + 3, 150);
                break;
            case 2: {
                auto const seconds = static_cast<int>(random() % 3);
                now += seconds * 1s;
                model = std::min<std::int64_t>(model + seconds * 10, 150);
                break;
            }
            default: {
                auto token = budget.reserve(now);
                REQUIRE(static_cast<bool>(token) == (model >= 30));
                if (!token) break;
                token.spend();
                model -= 30;
            }
        }
        if (random() % 8 == 0) REQUIRE(budget.available(now) == model / 30);
    }
}

TEST_CASE("retry_budget: a wait that ends without its attempt gives the token back, once") {
    retry_budget budget{{.floor = 1}};
    {
        auto token = budget.reserve(t0);
        REQUIRE(token);
        CHECK_FALSE(budget.reserve(t0));  // Reserved before the wait: the other caller gets none.
        token.give_back();
        CHECK_FALSE(token);
        CHECK(budget.available(t0) == 1);
        token.give_back();
    }
    CHECK(budget.available(t0) == 1);
    { auto const forgotten = budget.reserve(t0); }
    CHECK(budget.available(t0) == 1);
}

TEST_CASE("retry_budget: a spent token does not come back") {
    retry_budget budget{{.floor = 1}};
    {
        auto token = budget.reserve(t0);
        REQUIRE(token);
        token.spend();
        CHECK_FALSE(token);
        token.give_back();
    }
    CHECK(budget.available(t0) == 0);
}

TEST_CASE("retry_budget: a moved reservation holds the one token there is") {
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<retry_budget::reservation>);
    retry_budget budget{{.floor = 2}};
    auto first = budget.reserve(t0);
    auto second = budget.reserve(t0);
    auto moved = std::move(first);
    CHECK_FALSE(first);
    CHECK(moved);
    CHECK(budget.available(t0) == 0);

    moved = std::move(second);  // The token it held returns.
    CHECK(budget.available(t0) == 1);
    auto& itself = moved;
    moved = std::move(itself);
    CHECK(moved);
    CHECK(budget.available(t0) == 1);
    moved = {};
    CHECK(budget.available(t0) == 2);
}

TEST_CASE("retry_budget: what is given back does not rise above the capacity") {
    retry_budget budget{{.floor = 3, .capacity = 3}};
    auto token = budget.reserve(t0);
    CHECK(drain(budget, t0) == 2);
    CHECK(budget.available(t0 + 24h) == 3);
    CHECK(budget.reserve(t0 + 24h));  // Full again, and this one is given back.
    token.give_back();
    CHECK(budget.available(t0 + 24h) == 3);
    CHECK(drain(budget, t0 + 24h) == 3);
}

TEST_CASE("retry_budget: time that runs backwards refills nothing and loses nothing") {
    retry_budget budget{{.ratio = 0, .floor = 1, .capacity = 10}};
    REQUIRE(drain(budget, t0) == 1);
    CHECK_FALSE(budget.reserve(t0 - 1h));
    CHECK_FALSE(budget.reserve(time_point::min()));
    CHECK_FALSE(budget.reserve(t0));  // No second filling of a time that was counted.
    CHECK_FALSE(budget.reserve(t0 + 1s - 1ns));
    CHECK(budget.available(t0 - 24h) == 0);
    CHECK(drain(budget, t0 + 1s) == 1);
    CHECK(drain(budget, t0 + 3s) == 2);
}

TEST_CASE("retry_budget: refills after an outage of any length") {
    retry_budget budget{{.ratio = 0.2, .floor = 10}};
    std::uint32_t spent = 0;
    auto now = t0;
    for (; now < t0 + 60s; now += 1ms) spent += drain(budget, now);  // 1000 failures a second.
    CHECK(spent == 10 + 599);                                        // The floor alone.
    CHECK(drain(budget, now) == 1);
    CHECK(drain(budget, now + 1s) == 10);
    deposit(budget, 50);
    CHECK(drain(budget, now + 1s) == 10);
}

TEST_CASE("retry_budget: against a backend that always fails, retries add no more than the floor") {
    retry_budget budget{{.ratio = 0.2, .floor = 10}};
    std::uint32_t attempts = 0;
    auto now = t0;
    for (int call = 0; call < 100'000; ++call, now += 1ms) {
        ++attempts;
        for (int retry = 0; retry < 2; ++retry)
            if (auto token = budget.reserve(now)) {
                token.spend();
                ++attempts;
            }
    }
    CHECK(attempts <= 100'000 + 10 + 100 * 10);
    CHECK(attempts >= 100'000 + 100 * 10);
}

TEST_CASE(
    "retry_budget: with calls that succeed half the time, retries add no more than the ratio") {
    retry_budget budget{{.ratio = 0.2, .floor = 0}};
    std::mt19937 random{7};
    std::uint32_t successes = 0, retries = 0;
    for (int call = 0; call < 100'000; ++call) {
        if (random() % 2 == 0) {
            budget.deposit();
            ++successes;
        } else if (auto token = budget.reserve(t0)) {
            token.spend();
            ++retries;
        }
    }
    CHECK(retries <= successes / 5 + 1);
    CHECK(retries >= successes / 5 - 1);
}

TEST_CASE("retry_budget: holds at the extremes of its options and of time") {
    for (auto const& options :
         {hawser::retry_budget_options{.ratio = 1, .floor = ~0U, .per = 1h, .capacity = 1'000'000},
          hawser::retry_budget_options{.ratio = 1, .floor = ~0U, .per = 1ns, .capacity = 1'000'000},
          hawser::retry_budget_options{.ratio = 1e-9, .floor = 1, .per = 1h, .capacity = 1}}) {
        retry_budget budget{options};
        for (auto const now : {time_point::min(), time_point{}, t0, time_point::max()}) {
            deposit(budget, 3);
            REQUIRE(budget.available(now) <= options.capacity);
            auto token = budget.reserve(now);
            REQUIRE(token);
            token.spend();
        }
        CHECK(budget.available(time_point::max()) < options.capacity);
    }
}

TEST_CASE("retry_budget: a ratio of a third drifts by less than a token in a billion deposits") {
    retry_budget budget{{.ratio = 1.0 / 3, .floor = 0, .capacity = 1'000'000}};
    REQUIRE(drain(budget, t0) == 1);
    deposit(budget, 2'999'997);
    CHECK(budget.available(t0) == 999'998);  // A billionth of 3 million is a thousandth of a token.
}

TEST_CASE("retry_budget: a decimal ratio earns what it says, though a double cannot hold it") {
    retry_budget budget{{.ratio = 0.0157, .floor = 0, .capacity = 1'000}};  // A hair below, held.
    REQUIRE(drain(budget, t0) == 1);
    deposit(budget, 9'999);
    CHECK(budget.available(t0) == 156);
    deposit(budget, 1);
    CHECK(budget.available(t0) == 157);
}

TEST_CASE("retry_budget: moves before its first use, options and start with it") {
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<retry_budget>);
    STATIC_REQUIRE_FALSE(std::is_move_assignable_v<retry_budget>);
    retry_budget made{{.ratio = 0.5, .floor = 3, .capacity = 5}};
    retry_budget budget{std::move(made)};
    CHECK(drain(budget, t0) == 3);
    deposit(budget, 4);
    CHECK(drain(budget, t0) == 2);
    CHECK(budget.available(t0 + 24h) == 5);
}

TEST_CASE("retry_budget: rejects options that describe no budget, or one that never refills") {
    using std::invalid_argument;
    for (auto const bad : {-0.1, 1.1, HUGE_VAL, -HUGE_VAL, std::nan("")})
        CHECK_THROWS_AS(retry_budget({.ratio = bad}), invalid_argument);
    for (auto const bad :
         {duration{0}, duration{-1}, duration::min(), duration{1h + 1ns}, duration::max()})
        CHECK_THROWS_AS(retry_budget({.per = bad}), invalid_argument);
    CHECK_THROWS_AS(retry_budget({.capacity = 0}), invalid_argument);
    CHECK_THROWS_AS(retry_budget({.capacity = 1'000'001}), invalid_argument);
    CHECK_THROWS_AS(retry_budget({.ratio = 0, .floor = 0}), invalid_argument);
    CHECK_THROWS_AS(retry_budget({.ratio = 1e-10, .floor = 0}), invalid_argument);  // Rounds to 0.
}
