// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/joint_limit.hpp>

#include <hawser/rate/fixed_window.hpp>
#include <hawser/rate/keyed.hpp>
#include <hawser/rate/sliding_window_log.hpp>
#include <hawser/rate/token_bucket.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <random>

using namespace std::chrono_literals;
using hawser::fixed_window;
using hawser::joint_limit;
using hawser::keyed;
using hawser::keyed_by;
using hawser::token_bucket;

static constexpr hawser::time_point t0{1h};

namespace {

struct caller {
    std::uint32_t address, user;
};

using counters = std::array<std::atomic<std::uint32_t>, 8>;

/// What is neither granted nor there any more, of limits that had `burst` for each key.
template <class Limits>
std::uint64_t missing_from(Limits& limits, counters const& granted, std::uint32_t burst) {
    std::uint64_t missing = 0;
    for (std::uint32_t key = 0; key != granted.size(); ++key) {
        auto const left = limits.available(key, t0);
        CHECK(granted[key] + left <= burst);
        missing += burst - granted[key] - left;
    }
    return missing;
}

}  // namespace

TEST_CASE("joint_limit: threads take no more than any limit has, and all is accounted for") {
    keyed<token_bucket, std::uint32_t> per_address{{.rate = 1, .burst = 4'000}};
    keyed<token_bucket, std::uint32_t> per_user{{.rate = 1, .burst = 3'500}};
    token_bucket service{{.rate = 1, .burst = 20'000}};
    joint_limit const all{keyed_by{per_address, &caller::address},
                          keyed_by{per_user, &caller::user}, service};
    counters by_address{}, by_user{};
    std::atomic<std::uint64_t> granted{0}, lost{0};
    support::on_threads(4, [&](int thread) {
        std::mt19937 random{static_cast<std::uint32_t>(thread)};
        for (int i = 0; i != 20'000; ++i) {
            auto const drawn = static_cast<std::uint32_t>(random());
            caller const key{drawn % 8, drawn / 8 % 8};
            auto const count = 1 + static_cast<std::uint32_t>(i % 3);
            auto const answer = all.try_acquire(key, t0, count);
            lost += answer.lost;
            if (!answer) continue;
            by_address[key.address] += count;
            by_user[key.user] += count;
            granted += count;
        }
    });
    auto const left = service.available(t0);
    CHECK(granted + left <= 20'000);
    auto const missing = missing_from(per_address, by_address, 4'000) +
                         missing_from(per_user, by_user, 3'500) + (20'000 - granted - left);
    CHECK(missing == lost);
}

TEST_CASE("joint_limit: of windows nothing is lost, whoever comes between") {
    keyed<fixed_window, std::uint32_t> per_address{{.limit = 4'000, .window = 1h}};
    keyed<hawser::sliding_window_counter, std::uint32_t> per_user{{.limit = 3'500, .window = 1h}};
    hawser::sliding_window_log service{{.limit = 20'000, .window = 1h}};
    joint_limit const all{keyed_by{per_address, &caller::address},
                          keyed_by{per_user, &caller::user}, service};
    counters by_address{}, by_user{};
    std::atomic<std::uint64_t> granted{0}, lost{0};
    support::on_threads(4, [&](int thread) {
        std::mt19937 random{static_cast<std::uint32_t>(thread)};
        for (int i = 0; i != 20'000; ++i) {
            auto const drawn = static_cast<std::uint32_t>(random());
            caller const key{drawn % 8, drawn / 8 % 8};
            auto const count = 1 + static_cast<std::uint32_t>(i % 3);
            auto const answer = all.try_acquire(key, t0, count);
            lost += answer.lost;
            if (!answer) continue;
            by_address[key.address] += count;
            by_user[key.user] += count;
            granted += count;
        }
    });
    CHECK(lost == 0);
    CHECK(granted + service.available(t0) == 20'000);
    CHECK(missing_from(per_address, by_address, 4'000) == 0);
    CHECK(missing_from(per_user, by_user, 3'500) == 0);
}
