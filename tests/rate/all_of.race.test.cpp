// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/all_of.hpp>

#include <hawser/rate/token_bucket.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <latch>
#include <thread>

using namespace std::chrono_literals;
using hawser::all_of;
using hawser::time_point;
using hawser::token_bucket;

static constexpr time_point t0{1h};

namespace {

/// One of two who ask first, both of them, and then take: each a first time before a second time.
struct duelist {
    std::latch& both_asked;
    std::atomic<int>& taken;
    int steps = 0;
};

struct in_step {
    token_bucket& bucket;
    duelist& who;

    hawser::reservation reserve(time_point now, std::uint32_t count, hawser::duration wait_max) {
        if (wait_max < 0ns) return bucket.reserve(now, count, wait_max);
        if (++who.steps == 1) who.both_asked.arrive_and_wait();
        if (who.steps == 2)
            while (who.taken < 2) std::this_thread::yield();
        auto const answer = bucket.reserve(now, count, wait_max);
        ++who.taken;
        return answer;
    }
    bool cancel(hawser::reservation const& unused) noexcept { return bucket.cancel(unused); }
    [[nodiscard]] void const* identity() const noexcept { return &bucket; }
};

}  // namespace

TEST_CASE("all_of: threads take no more than each limit has, and every token is accounted for") {
    // Four decide over pairs of three limits, listed in any order; two of them also take directly.
    std::array<token_bucket, 3> limits{token_bucket{{.burst = 60'000}},
                                       token_bucket{{.burst = 50'000}},
                                       token_bucket{{.burst = 40'000}}};
    std::array<std::atomic<std::uint64_t>, 3> granted{};
    std::atomic<std::uint64_t> lost{0};
    support::on_threads(4, [&](int thread) {
        auto const number = static_cast<unsigned>(thread);
        auto const one = number % 3, other = (one + 1 + number / 3) % 3;
        all_of both{limits[one], limits[other]};
        for (int i = 0; i != 100'000; ++i) {
            auto const count = static_cast<std::uint32_t>(i % 3 + 1);
            auto const answer = both.try_acquire(t0, count);
            lost += answer.lost;
            if (answer) {
                granted[one] += count;
                granted[other] += count;
            }
            if (thread % 2 == 0 && limits[one].try_acquire(t0)) ++granted[one];
        }
    });
    std::uint64_t missing = 0;
    for (std::size_t i = 0; i != 3; ++i) {
        auto const burst = std::array{60'000u, 50'000u, 40'000u}[i];
        CHECK(granted[i] + limits[i].available(t0) <= burst);
        missing += burst - granted[i] - limits[i].available(t0);
    }
    CHECK(missing == lost);
}

TEST_CASE("all_of: of two that want the last tokens of the same limits, one is granted") {
    for (int round = 0; round != 200; ++round) {
        token_bucket one{{.burst = 1}}, other{{.burst = 1}};
        std::latch both_asked{2};
        std::atomic<int> taken{0}, granted{0};
        std::atomic<std::uint64_t> lost{0};
        auto const ask = [&](bool the_other_way) {
            duelist who{both_asked, taken};
            in_step first{one, who}, second{other, who};
            auto const answer = the_other_way ? all_of{second, first}.try_acquire(t0)
                                              : all_of{first, second}.try_acquire(t0);
            granted += answer.granted ? 1 : 0;
            lost += answer.lost;
        };
        { std::jthread const left{ask, false}, right{ask, true}; }
        REQUIRE(granted == 1);
        REQUIRE(lost == 0);
    }
}
