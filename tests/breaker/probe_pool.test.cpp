// SPDX-License-Identifier: BSL-1.0
#include <hawser/breaker/probe_pool.hpp>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using hawser::time_point;
using hawser::detail::episode_verdict;
using hawser::detail::probe_pool;
using hawser::detail::probe_terms;
using hawser::detail::terms_of;

static constexpr time_point t0{1h};

TEST_CASE("probe_pool: every number of votes and successes settles as early as it can") {
    for (std::uint32_t votes = 1; votes <= 8; ++votes)
        for (std::uint32_t needed = 1; needed <= votes; ++needed)
            for (std::uint32_t pattern = 0; pattern < (1U << votes); ++pattern) {
                probe_terms const terms{votes, votes, needed, 1s};
                probe_pool pool{votes};
                std::uint32_t passed = 0, failed = 0;
                for (std::uint32_t i = 0; i < votes; ++i) {
                    auto const probe = pool.acquire(terms, t0);
                    REQUIRE(probe);
                    REQUIRE(pool.release(*probe));
                    bool const success = (pattern >> i & 1U) != 0;
                    ++(success ? passed : failed);
                    auto const left = votes - i - 1;
                    auto const expected = passed >= needed         ? episode_verdict::passed
                                          : passed + left < needed ? episode_verdict::failed
                                                                   : episode_verdict::undecided;
                    REQUIRE(pool.cast(terms, success) == expected);
                    if (expected != episode_verdict::undecided) break;
                }
            }
}

TEST_CASE("probe_pool: the oldest lease that is over gives way, and no more than one") {
    probe_terms const terms{2, 2, 2, 5s};
    probe_pool pool{2};
    auto const first = pool.acquire(terms, t0), second = pool.acquire(terms, t0 + 1s);
    REQUIRE((first && second));
    CHECK(pool.full_until(terms) == t0 + 5s);
    CHECK_FALSE(pool.acquire(terms, t0 + 5s - 1ns));
    auto const third = pool.acquire(terms, t0 + 10s);
    REQUIRE(third);
    CHECK_FALSE(pool.release(*first));
    CHECK(pool.release(*second));
    CHECK(pool.release(*third));
    CHECK_FALSE(pool.release(*third));
    CHECK(pool.out() == 0);
    CHECK(pool.full_until(terms) == time_point::min());
}

TEST_CASE("probe_pool: a new episode starts with free slots and no votes") {
    probe_terms const terms{2, 2, 2, 5s};
    probe_pool pool{2};
    auto const old = pool.acquire(terms, t0);
    static_cast<void>(pool.cast(terms, true));
    pool.begin();
    CHECK(pool.out() == 0);
    CHECK(pool.votes() == 0);
    REQUIRE(pool.acquire(terms, t0));
    CHECK_FALSE(pool.release(*old));  // The same slot, another serial.
}

TEST_CASE("probe_pool: terms need the least count whose share reaches the rate") {
    auto const needed = [](std::uint32_t probes, double rate) {
        return terms_of({.probes = probes, .probe_success_rate = rate}, hawser::never).needed;
    };
    CHECK(needed(3, 1) == 3);
    CHECK(needed(3, 0.5) == 2);
    CHECK(needed(10, 0.3) == 3);
    CHECK(needed(10, 0.31) == 4);
    CHECK(needed(64, 1e-9) == 1);
}

TEST_CASE("probe_pool: a lease of zero means the longer of open_for and two slow calls") {
    CHECK(terms_of({}, hawser::never).lease == 5s);
    CHECK(terms_of({}, 1s).lease == 5s);
    CHECK(terms_of({}, 3s).lease == 6s);
    CHECK(terms_of({}, hawser::never - 1ns).lease == hawser::never);
    CHECK(terms_of({.probe_lease = 1ms}, 3s).lease == 1ms);
}
