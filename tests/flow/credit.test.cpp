// SPDX-License-Identifier: BSL-1.0
#include <hawser/flow/credit.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>

using hawser::credit;
using hawser::replenishment;
using turn = hawser::credit::turn;

static constexpr auto most = std::numeric_limits<std::int64_t>::max();

/// Ends the turn that a new account begins with.
static void open(credit& account) { REQUIRE(account.end_turn()); }

TEST_CASE("credit: nothing is granted before it is asked for") {
    credit account;
    CHECK(account.available() == 0);
    CHECK_FALSE(account.try_take());
}

TEST_CASE("credit: as many are granted as were asked for, and no more") {
    credit account;
    (void)account.request(2);
    (void)account.request(1);
    CHECK(account.available() == 3);
    CHECK(account.try_take());
    CHECK(account.try_take());
    CHECK(account.try_take());
    CHECK_FALSE(account.try_take());
    (void)account.request(1);
    CHECK(account.try_take());
    CHECK_FALSE(account.try_take());
}

TEST_CASE("credit: demand adds up to unbounded and no further, and then does not shrink") {
    credit account;
    (void)account.request(1);
    (void)account.request(most);
    CHECK(account.available() == credit::unbounded);
    (void)account.request(most);
    CHECK(account.try_take());
    CHECK(account.available() == credit::unbounded);
    CHECK_FALSE(account.is_misused());
    CHECK_FALSE(account.is_over());
    CHECK(account.end_turn() == false);
    CHECK(account.end_turn());
}

TEST_CASE("credit: demand just below unbounded shrinks like any other") {
    credit account;
    (void)account.request(static_cast<std::int64_t>(credit::unbounded - 1));
    CHECK(account.try_take());
    CHECK(account.available() == credit::unbounded - 2);
}

TEST_CASE("credit: a request for less than one is a misuse, and ends the granting") {
    auto const count =
        GENERATE(std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min());
    credit account;
    (void)account.request(5);
    (void)account.request(count);
    CHECK(account.is_misused());
    CHECK(account.available() == 5);
    CHECK_FALSE(account.try_take());
    CHECK_FALSE(account.is_over());
}

TEST_CASE("credit: the turn is its maker's at first") {
    credit account;
    CHECK(account.request(1) == turn::leave);
    CHECK_FALSE(account.end_turn());
    CHECK(account.end_turn());
    CHECK(account.request(1) == turn::begin);
}

TEST_CASE("credit: a free turn is the first comer's, whatever it comes for") {
    credit asked, woken, cancelled, misused;
    open(asked), open(woken), open(cancelled), open(misused);
    CHECK(asked.request(1) == turn::begin);
    CHECK(woken.wake() == turn::begin);
    CHECK(cancelled.cancel() == turn::begin);
    CHECK(misused.request(0) == turn::begin);
}

TEST_CASE("credit: a turn is not given up while word is left") {
    credit account;
    open(account);
    REQUIRE(account.wake() == turn::begin);
    SECTION("by a request") { CHECK(account.request(1) == turn::leave); }
    SECTION("by a misuse") { CHECK(account.request(0) == turn::leave); }
    SECTION("by a cancel") { CHECK(account.cancel() == turn::leave); }
    SECTION("by a wake") { CHECK(account.wake() == turn::leave); }
    SECTION("by two of them") {
        CHECK(account.wake() == turn::leave);
        CHECK(account.wake() == turn::leave);
    }
    CHECK_FALSE(account.end_turn());
    CHECK(account.end_turn());
}

TEST_CASE("credit: nothing is granted once it is over, nor does anybody begin") {
    credit account;
    (void)account.request(7);
    SECTION("cancelled") {
        CHECK(account.cancel() == turn::leave);
        CHECK_FALSE(account.end_turn());
    }
    SECTION("finished") {
        CHECK_FALSE(account.end_turn());
        account.finish();
    }
    CHECK(account.is_over());
    CHECK_FALSE(account.try_take());
    CHECK(account.end_turn());
    CHECK(account.request(1) == turn::leave);
    CHECK(account.request(0) == turn::leave);
    CHECK(account.wake() == turn::leave);
    CHECK(account.cancel() == turn::leave);
    CHECK(account.available() == 7);
    CHECK_FALSE(account.is_misused());
}

TEST_CASE("credit: agrees with a plain model over random schedules") {
    auto const seed = GENERATE(range(1U, 21U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    for (int round = 0; round < 200; ++round) {
        credit account;
        std::uint64_t asked = 0;
        bool taken = true, left = false, over = false, misused = false;
        auto const come = [&](turn answer, auto change) {
            bool const begins = !over && !taken;
            if (!over) {
                change();
                left = left || taken;
                taken = true;
            }
            REQUIRE((answer == turn::begin) == begins);
        };
        for (int step = 0; step < 60; ++step) {
            auto const what = random() % 32;
            if (what < 12) {
                auto const count = static_cast<std::int64_t>(random() % 4 == 0 ? 1000 : 1);
                come(account.request(count), [&] { asked += static_cast<std::uint64_t>(count); });
            } else if (what < 14) {
                come(account.wake(), [] {});
            } else if (what == 14) {
                come(account.request(-1), [&] { misused = true; });
            } else if (what == 15) {
                come(account.cancel(), [&] { over = true; });
            } else if (what < 28 && taken) {
                bool const granted = !over && !misused && asked > 0;
                REQUIRE(account.try_take() == granted);
                asked -= granted ? 1 : 0;
            } else if (taken) {
                REQUIRE(account.end_turn() == !left);
                if (left)
                    left = false;
                else
                    taken = false;
            }
            REQUIRE(account.available() == asked);
            REQUIRE(account.is_over() == over);
            REQUIRE(account.is_misused() == misused);
        }
    }
}

TEST_CASE("replenishment: asks for the prefetch at first, and again for what was consumed") {
    replenishment account{8};
    CHECK(account.first() == 8);
    for (int item = 1; item <= 5; ++item) CHECK(account.consume_one() == 0);
    CHECK(account.consume_one() == 6);
    for (int item = 1; item <= 5; ++item) CHECK(account.consume_one() == 0);
    CHECK(account.consume_one() == 6);
}

TEST_CASE("replenishment: for any prefetch, at most so many are out, and never none") {
    for (std::uint32_t prefetch = 1; prefetch <= 300; ++prefetch) {
        INFO("prefetch " << prefetch);
        replenishment account{prefetch};
        auto out = account.first();
        for (std::uint32_t item = 0; item < 5 * prefetch; ++item) {
            auto const more = account.consume_one();
            out += more - 1;
            REQUIRE((more == 0 || more == prefetch - prefetch / 4));
            REQUIRE(out >= 1);
            REQUIRE(out <= prefetch);
        }
    }
}

TEST_CASE("replenishment: an unbounded one asks once") {
    replenishment account{replenishment::unbounded};
    CHECK(account.first() == most);
    for (int item = 0; item < 1000; ++item) CHECK(account.consume_one() == 0);
}

TEST_CASE("replenishment: a prefetch of nothing is refused") {
    CHECK_THROWS_AS(replenishment{0}, std::invalid_argument);
    static_assert(replenishment{4}.first() == 4);
}
