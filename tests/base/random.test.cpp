// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/random.hpp>

#include "support/catch.hpp"

#include <bit>
#include <cstdlib>
#include <set>
#if __has_include(<sys/wait.h>)
#include <sys/wait.h>
#include <unistd.h>
#endif

using hawser::random_at;
using hawser::seeded_random;
using hawser::shared_random;

static_assert(hawser::random_source<seeded_random>);
static_assert(hawser::random_source<shared_random>);

TEST_CASE("random: the sequence is SplitMix64's") {
    // The first numbers that the published reference gives for the seed 1234567.
    constexpr std::uint64_t expected[] = {6457827717110365317U, 3203168211198807973U,
                                          9817491932198370423U, 4593380528125082431U,
                                          16408922859458223821U};
    seeded_random draw{1234567};
    for (std::uint64_t i = 0; i < 5; ++i) {
        CHECK(random_at(1234567, i) == expected[i]);
        CHECK(draw() == expected[i]);
    }
    STATIC_REQUIRE(random_at(1234567, 0) == 6457827717110365317U);
}

TEST_CASE("random: seeds and places at their extremes draw different numbers") {
    constexpr auto all_bits = ~std::uint64_t{0};
    std::set<std::uint64_t> drawn;
    for (auto const seed : {std::uint64_t{0}, std::uint64_t{1}, all_bits})
        for (auto const index : {std::uint64_t{0}, std::uint64_t{5}, all_bits - 1})
            drawn.insert(random_at(seed, index));
    CHECK(drawn.size() == 9);
}

TEST_CASE("random: each bit is set half the time") {
    int set[64] = {};
    for (std::uint64_t i = 0; i < 10'000; ++i)
        for (int bit = 0; bit < 64; ++bit) set[bit] += (random_at(20261120, i) >> bit & 1) != 0;
    // 5000 with a standard deviation of 50.
    for (auto const times : set) CHECK(std::abs(times - 5'000) < 250);
}

TEST_CASE("seeded_random: a copy continues where the original stands") {
    seeded_random const original{7};
    for (int i = 0; i < 3; ++i) (void)original();
    seeded_random const copy{original};
    CHECK(copy() == random_at(7, 3));
    CHECK(original() == random_at(7, 3));
    CHECK(copy() == random_at(7, 4));
}

TEST_CASE("shared_random: every draw of the process is another number, whoever draws") {
    std::set<std::uint64_t> drawn;
    for (int i = 0; i < 1'000; ++i) {
        drawn.insert(shared_random{}());
        drawn.insert(shared_random{}());
    }
    CHECK(drawn.size() == 2'000);
}

#if __has_include(<sys/wait.h>)
TEST_CASE("shared_random: two forked children do not draw in step") {
    std::uint64_t drawn[2] = {};
    for (auto& number : drawn) {
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        auto const child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            auto const mine = shared_random{}();
            ::_exit(::write(ends[1], &mine, sizeof mine) == sizeof mine ? 0 : 1);
        }
        CHECK(::read(ends[0], &number, sizeof number) == sizeof number);
        CHECK(::waitpid(child, nullptr, 0) == child);
        ::close(ends[0]);
        ::close(ends[1]);
    }
    CHECK(drawn[0] != drawn[1]);
}
#endif
