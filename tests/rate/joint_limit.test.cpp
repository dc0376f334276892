// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/joint_limit.hpp>

#include <hawser/rate/fixed_window.hpp>
#include <hawser/rate/keyed.hpp>
#include <hawser/rate/sliding_window_log.hpp>
#include <hawser/rate/token_bucket.hpp>

#include "support/catch.hpp"
#include "support/window_models.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::fixed_window;
using hawser::joint_limit;
using hawser::keyed;
using hawser::keyed_by;
using hawser::never;
using hawser::sliding_window_log;
using hawser::time_point;
using hawser::token_bucket;

static constexpr time_point t0{1h};

namespace {

struct caller {
    std::string_view address;
    std::string user;
};

struct numbered {
    std::uint32_t address, user;
};

/// A hash that throws when it is told to.
struct moody_hash {
    static inline bool throws = false;
    std::size_t operator()(std::uint32_t key) const {
        if (throws) throw std::runtime_error{"moody"};
        return key;
    }
};

/// A bucket, in nanoseconds that it has still to drain.
struct vessel {
    support::ticks interval, burst, full_at = -1'000'000'000'000;
    [[nodiscard]] bool admits(support::ticks now, support::ticks count) const {
        return std::max(full_at, now) + count * interval <= now + burst * interval;
    }
    void grant_at(support::ticks now, support::ticks count) {
        full_at = std::max(full_at, now) + count * interval;
    }
};

}  // namespace

TEST_CASE("joint_limit: a request takes of its own keys' tokens and everybody's, or of none") {
    keyed<token_bucket> per_address{{.rate = 1, .burst = 3}};
    keyed<token_bucket> per_user{{.rate = 1, .burst = 2}};
    token_bucket service{{.rate = 1, .burst = 4}};
    joint_limit const all{keyed_by{per_address, &caller::address},
                          keyed_by{per_user, &caller::user}, service};

    CHECK(all.try_acquire(caller{"192.0.2.1", "ann"}, t0, 2));
    auto const by_user = all.try_acquire(caller{"192.0.2.1", "ann"}, t0);
    CHECK_FALSE(by_user);
    CHECK(by_user.refused_by == 1);
    CHECK(by_user.retry_after == 1s);
    CHECK(all.try_acquire(caller{"192.0.2.1", "bob"}, t0));
    auto const by_address = all.try_acquire(caller{"192.0.2.1", "eve"}, t0);
    CHECK(by_address.refused_by == 0);
    CHECK_FALSE(by_address.found_no_room());
    auto const by_all = all.try_acquire(caller{"192.0.2.2", "eve"}, t0, 2);
    CHECK(by_all.refused_by == 2);

    CHECK(per_address.available("192.0.2.1", t0) == 0);
    CHECK(per_address.available("192.0.2.2", t0) == 3);
    CHECK(per_user.available("eve", t0) == 2);
    CHECK(service.available(t0) == 1);
    CHECK(per_address.size() == 1);  // Who is refused takes no room either.
    CHECK(per_user.size() == 2);
}

TEST_CASE("joint_limit: a key that finds no room is refused, and nothing is charged") {
    keyed<token_bucket, std::uint32_t> per_address{{.rate = 1, .burst = 3}};
    keyed<token_bucket, std::uint32_t> per_user{{.rate = 1, .burst = 2}, {.keys = 1}};
    fixed_window service{{.limit = 10, .window = 1s}};
    joint_limit const all{keyed_by{per_address, &numbered::address},
                          keyed_by{per_user, &numbered::user}, service};
    REQUIRE(all.try_acquire(numbered{1, 1}, t0));
    auto const refused = all.try_acquire(numbered{1, 2}, t0);
    CHECK_FALSE(refused);
    CHECK(refused.found_no_room());
    CHECK(refused.refused_by == 1);
    CHECK(refused.retry_after == 1s);
    CHECK(refused.lost == 0);
    CHECK(per_address.available(1U, t0) == 2);
    CHECK(service.available(t0) == 9);
    CHECK(all.try_acquire(numbered{1, 2}, t0 + 1s));
}

TEST_CASE("joint_limit: a part of the key may be computed") {
    keyed<token_bucket, std::uint32_t> per_network{{.rate = 1, .burst = 2}};
    joint_limit const all{
        keyed_by{per_network, [](numbered const& key) { return key.address / 256; }}};
    CHECK(all.try_acquire(numbered{256, 1}, t0));
    CHECK(all.try_acquire(numbered{257, 2}, t0));
    CHECK_FALSE(all.try_acquire(numbered{258, 3}, t0));
    CHECK(all.try_acquire(numbered{512, 3}, t0));
}

TEST_CASE("joint_limit: limits that are for everybody need no key") {
    token_bucket per_second{{.rate = 1, .burst = 2}};
    fixed_window per_day{{.limit = 3, .window = 24h}};
    joint_limit const both{per_second, per_day};
    CHECK(both.try_acquire(t0, 2));
    CHECK(both.try_acquire(t0).refused_by == 0);
    CHECK(both.try_acquire(t0 + 2s));
    CHECK(both.try_acquire(t0 + 3s).refused_by == 1);
    CHECK(both.try_acquire(t0 + 3s, 4).retry_after == never);
}

TEST_CASE("joint_limit: what a key throws passes through, and nothing is charged") {
    keyed<token_bucket, std::uint32_t> per_address{{.rate = 1, .burst = 3}};
    keyed<token_bucket, std::uint32_t, moody_hash> per_user{{.rate = 1, .burst = 2}};
    token_bucket service{{.rate = 1, .burst = 4}};
    joint_limit const all{service, keyed_by{per_address, &numbered::address},
                          keyed_by{per_user, &numbered::user}};
    REQUIRE(all.try_acquire(numbered{1, 1}, t0));
    moody_hash::throws = true;
    CHECK_THROWS_AS(all.try_acquire(numbered{1, 1}, t0), std::runtime_error);
    moody_hash::throws = false;
    CHECK(per_address.available(1U, t0) == 2);
    CHECK(per_user.available(1U, t0) == 1);
    CHECK(service.available(t0) == 3);
}

TEST_CASE("joint_limit: agrees with models of all limits that are charged together or not at all") {
    auto const seed = GENERATE(range(0U, 300U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    auto const pick = [&](unsigned most) { return static_cast<std::uint32_t>(random() % most); };
    auto const burst = 2 + pick(4), per_window = 2 + pick(4), in_span = 3 + pick(8);
    duration const interval{20 + pick(200)}, window{200 + pick(300)};

    keyed<token_bucket, std::uint32_t> per_address{{.rate = 1, .period = interval, .burst = burst},
                                                   {.keys = 64, .shards = 1, .seed = 1}};
    keyed<fixed_window, std::uint32_t> per_user{{.limit = per_window, .window = window},
                                                {.keys = 64, .shards = 1, .seed = 1}};
    sliding_window_log service{{.limit = in_span, .window = window}};
    joint_limit const all{keyed_by{per_address, &numbered::address}, service,
                          keyed_by{per_user, &numbered::user}};

    std::map<std::uint32_t, vessel> addresses;
    std::map<std::uint32_t, support::fixed_window_model> users;
    support::sliding_window_log_model everybody{{.limit = in_span, .window = window.count()}};
    support::ticks now = duration{t0.time_since_epoch()}.count();
    for (int step = 0; step != 400; ++step) {
        now += pick(80);
        numbered const key{pick(4), pick(5)};
        auto const count = pick(4);
        auto& address =
            addresses.try_emplace(key.address, vessel{interval.count(), burst}).first->second;
        auto& user =
            users
                .try_emplace(key.user, support::fixed_window_model{{.limit = per_window,
                                                                    .window = window.count()}})
                .first->second;
        auto const admits = [&](support::ticks when) {
            return count == 0 || (address.admits(when, count) && user.admits(when, count) &&
                                  everybody.admits(when, count));
        };
        auto const answer = all.try_acquire(key, support::at(now), count);
        INFO("step " << step << ", address " << key.address << ", user " << key.user << ", count "
                     << count);
        REQUIRE(answer.granted == admits(now));
        REQUIRE(answer.lost == 0);
        if (answer) {
            address.grant_at(now, count);
            user.grant_at(now, count);
            everybody.grant_at(now, count);
        } else if (count > std::min({burst, per_window, in_span})) {
            REQUIRE(answer.retry_after == never);
        } else {
            REQUIRE(admits(now + answer.retry_after.count()));
            REQUIRE_FALSE(admits(now + answer.retry_after.count() - 1));
        }
    }
}
