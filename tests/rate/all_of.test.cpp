// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/all_of.hpp>

#include <hawser/rate/shaper.hpp>
#include <hawser/rate/token_bucket.hpp>
#include <hawser/rate/warming_bucket.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using hawser::all_of;
using hawser::at_key;
using hawser::duration;
using hawser::never;
using hawser::time_point;
using hawser::token_bucket;
using hawser::token_bucket_options;

static constexpr time_point t0{1h};

namespace {

/// A bucket that lets somebody else act right before tokens are taken from it.
struct interrupted {
    token_bucket& bucket;
    std::function<void()> before_taking{};

    hawser::reservation reserve(time_point now, std::uint32_t count, duration wait_max) {
        if (wait_max >= 0ns && before_taking) before_taking();
        return bucket.reserve(now, count, wait_max);
    }
    bool cancel(hawser::reservation const& unused) noexcept { return bucket.cancel(unused); }
    [[nodiscard]] void const* identity() const noexcept { return &bucket; }
};

/// A bucket for each key, made when the key is first asked.
struct buckets {
    token_bucket_options options;
    std::map<std::string, token_bucket, std::less<>> each{};

    hawser::reservation reserve(std::string const& key, time_point now, std::uint32_t count,
                                duration wait_max) {
        return each.try_emplace(key, options).first->second.reserve(now, count, wait_max);
    }
    bool cancel(std::string const& key, hawser::reservation const& unused) {
        return each.at(key).cancel(unused);
    }
};

/// All that a bucket will grant: two that agree here are in the same state.
std::vector<std::uint32_t> future_of(token_bucket const& bucket, time_point now) {
    std::vector<std::uint32_t> tokens;
    for (auto step = 0ns; step != 1000ns; ++step) tokens.push_back(bucket.available(now + step));
    return tokens;
}

}  // namespace

TEST_CASE("all_of: takes from every limit, or from none") {
    token_bucket user{{.burst = 3}}, global{{.burst = 5}};
    all_of both{user, global};
    CHECK(both.try_acquire(t0, 2).granted);
    CHECK(user.available(t0) == 1);
    CHECK(global.available(t0) == 3);

    auto const refused = both.try_acquire(t0, 2);
    CHECK_FALSE(refused);
    CHECK(refused.lost == 0);
    CHECK(user.available(t0) == 1);
    CHECK(global.available(t0) == 3);
}

TEST_CASE("all_of: a refusal charges no limit, in whatever order they stand") {
    // Three refuse by turns; a rate that divides no nanosecond shows the smallest change.
    auto const empty = GENERATE(0u, 1u, 2u);
    std::array<std::size_t, 3> order{0, 1, 2};
    do {
        token_bucket_options const options{.rate = 7'000'000, .burst = 4};
        std::array<token_bucket, 3> limits{token_bucket{options}, token_bucket{options},
                                           token_bucket{options}};
        std::array<token_bucket, 3> twins{token_bucket{options}, token_bucket{options},
                                          token_bucket{options}};
        (void)limits[empty].try_acquire(t0, 4);
        (void)twins[empty].try_acquire(t0, 4);
        all_of three{limits[order[0]], limits[order[1]], limits[order[2]]};
        for (auto now = t0 + 1ns; now != t0 + 140ns; ++now) {
            auto const refused = three.try_acquire(now);
            REQUIRE_FALSE(refused);
            REQUIRE(order[refused.refused_by] == empty);
            REQUIRE(refused.lost == 0);
        }
        for (std::size_t i = 0; i != 3; ++i)
            REQUIRE(future_of(limits[i], t0) == future_of(twins[i], t0));
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("all_of: asks to come back after the longest wait of those that refuse") {
    token_bucket fast{{.rate = 1'000, .burst = 1}}, slow{{.rate = 3, .burst = 1}},
        idle{{.rate = 1, .burst = 1}};
    (void)fast.try_acquire(t0);
    (void)slow.try_acquire(t0);
    all_of three{fast, slow, idle};
    auto const refused = three.try_acquire(t0);
    CHECK(refused.retry_after == slow.try_acquire(t0).retry_after);
    CHECK(refused.refused_by == 1);
    CHECK(three.try_acquire(t0 + refused.retry_after - 1ns).retry_after == 1ns);
    CHECK(three.try_acquire(t0 + refused.retry_after));
}

TEST_CASE("all_of: more than one of the limits can ever grant is never granted") {
    token_bucket small{{.burst = 2}}, large{{.burst = 200}};
    all_of both{large, small};
    auto const refused = both.try_acquire(t0, 3);
    CHECK_FALSE(refused);
    CHECK(refused.retry_after == never);
    CHECK(refused.refused_by == 1);
    CHECK(large.available(t0) == 200);
}

TEST_CASE("all_of: a request may cost each limit something else") {
    token_bucket requests{{.burst = 10}}, bytes{{.burst = 10'000}};
    all_of both{requests, bytes};
    CHECK(both.try_acquire(t0, {1, 9'000}));
    CHECK(both.try_acquire(t0, {1, 1'001}).refused_by == 1);
    CHECK(both.try_acquire(t0, {10, 1}).refused_by == 0);
    CHECK(both.try_acquire(t0, {9, 1'000}));
    CHECK(requests.available(t0) == 0);
    CHECK(bytes.available(t0) == 0);
}

TEST_CASE("all_of: no tokens are granted by limits that are empty, and taken from none") {
    token_bucket one{{.burst = 1}}, other{{.burst = 1}};
    all_of both{one, other};
    CHECK(both.try_acquire(t0, {0, 1}));
    CHECK(one.available(t0) == 1);
    (void)one.try_acquire(t0);
    CHECK(both.try_acquire(t0, 0));
}

TEST_CASE("all_of: decides over limiters of different kinds") {
    token_bucket bucket{{.rate = 1, .burst = 10}};
    hawser::shaper line{{.rate = 1'000}};
    hawser::warming_bucket ramp{{.rate = 500, .warm_up = 1s}};
    all_of three{bucket, line, ramp};
    CHECK(three.try_acquire(t0));
    auto const refused = three.try_acquire(t0);
    CHECK_FALSE(refused);
    CHECK(refused.refused_by == 2);
    CHECK(refused.retry_after > 5ms);
    CHECK(bucket.available(t0) == 9);
    CHECK(line.backlog(t0) == 1ms);
    CHECK_FALSE(three.try_acquire(t0 + refused.retry_after - 1ns));
    CHECK(three.try_acquire(t0 + refused.retry_after));
}

TEST_CASE("all_of: charges the key that asked, and refuses without charging any") {
    buckets per_ip{{.burst = 2}}, per_user{{.burst = 3}};
    token_bucket global{{.burst = 100}};
    std::string const ip = "192.0.2.1";
    auto const ask = [&](std::string user) {
        return all_of{at_key{per_ip, ip}, at_key{per_user, std::move(user)}, global}.try_acquire(
            t0);
    };
    CHECK(ask("ann"));
    CHECK(ask("bob"));
    CHECK(ask("ann").refused_by == 0);
    CHECK(per_ip.each.at(ip).available(t0) == 0);
    CHECK(per_user.each.at("ann").available(t0) == 2);
    CHECK(per_user.each.at("bob").available(t0) == 2);
    CHECK(global.available(t0) == 98);
}

TEST_CASE("all_of: two keys of one container are two limits") {
    buckets accounts{{.burst = 2}};
    all_of both{at_key{accounts, std::string{"from"}}, at_key{accounts, std::string{"to"}}};
    CHECK(both.try_acquire(t0));
    CHECK(accounts.each.at("from").available(t0) == 1);
    CHECK(accounts.each.at("to").available(t0) == 1);
}

TEST_CASE("all_of: what was taken comes back when another thread is faster") {
    std::array<token_bucket, 3> limits{token_bucket{{.burst = 5}}, token_bucket{{.burst = 5}},
                                       token_bucket{{.burst = 5}}};
    interrupted last{limits[2], [&] { (void)limits[2].try_acquire(t0, 4); }};
    all_of three{limits[0], last, limits[1]};
    auto const refused = three.try_acquire(t0, 3);
    CHECK_FALSE(refused);
    CHECK(refused.refused_by == 1);
    CHECK(refused.retry_after == limits[2].reserve(t0, 3, -1ns).wait);
    CHECK(refused.lost == 0);
    CHECK(limits[0].available(t0) == 5);
    CHECK(limits[1].available(t0) == 5);
    CHECK(limits[2].available(t0) == 1);
}

TEST_CASE("all_of: what cannot be given back is counted, and granted to nobody") {
    std::array<token_bucket, 2> limits{token_bucket{{.burst = 9}}, token_bucket{{.burst = 5}}};
    interrupted last{limits[1], [&] {
                         (void)limits[0].try_acquire(t0);  // After our three.
                         (void)limits[1].try_acquire(t0, 4);
                     }};
    all_of both{limits[0], last};
    auto const refused = both.try_acquire(t0, 3);
    CHECK_FALSE(refused);
    CHECK(refused.lost == 3);
    CHECK(limits[0].available(t0) == 9 - 1 - 3);
    CHECK(limits[1].available(t0) == 1);
}

TEST_CASE("all_of: whoever comes between, every token is granted, lost and counted, or there") {
    // Somebody takes up to the whole of any limit before any step of ours: every combination.
    auto const at_step = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{2});
    for (std::uint32_t taken = 0; taken != 4 * 4 * 4; ++taken) {
        std::array<token_bucket, 3> limits{token_bucket{{.burst = 3}}, token_bucket{{.burst = 3}},
                                           token_bucket{{.burst = 3}}};
        std::array const others{taken % 4, taken / 4 % 4, taken / 16};
        std::array<interrupted, 3> steps{interrupted{limits[0]}, interrupted{limits[1]},
                                         interrupted{limits[2]}};
        std::uint32_t granted_to_others = 0;
        steps[at_step].before_taking = [&] {
            for (std::size_t i = 0; i != 3; ++i)
                if (limits[i].try_acquire(t0, others[i])) granted_to_others += others[i];
        };
        auto const answer = all_of{steps[2], steps[0], steps[1]}.try_acquire(t0, 2);
        auto const left =
            limits[0].available(t0) + limits[1].available(t0) + limits[2].available(t0);
        INFO("step " << at_step << ", taken " << taken);
        REQUIRE(left + granted_to_others + (answer ? 6 : 0) + answer.lost == 9);
        REQUIRE(answer.lost <= 2 * at_step);
        if (answer) REQUIRE(answer.lost == 0);
    }
}

TEST_CASE("all_of: takes in the same order, however the limits are listed") {
    std::array<token_bucket, 3> limits{token_bucket{{}}, token_bucket{{}}, token_bucket{{}}};
    std::array<std::size_t, 3> order{0, 1, 2};
    std::vector<std::size_t> taken;
    std::array<interrupted, 3> steps{interrupted{limits[0], [&] { taken.push_back(0); }},
                                     interrupted{limits[1], [&] { taken.push_back(1); }},
                                     interrupted{limits[2], [&] { taken.push_back(2); }}};
    do {
        taken.clear();
        REQUIRE(all_of{steps[order[0]], steps[order[1]], steps[order[2]]}.try_acquire(t0));
        REQUIRE(taken == std::vector<std::size_t>{0, 1, 2});
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("all_of: what was taken comes back when a limiter throws") {
    std::array<token_bucket, 2> limits{token_bucket{{.burst = 5}}, token_bucket{{.burst = 5}}};
    interrupted last{limits[1], [] { throw std::bad_alloc{}; }};
    all_of both{limits[0], last};
    CHECK_THROWS_AS(both.try_acquire(t0), std::bad_alloc);
    CHECK(limits[0].available(t0) == 5);
    CHECK(limits[1].available(t0) == 5);
    STATIC_REQUIRE_FALSE(noexcept(both.try_acquire(t0)));
    STATIC_REQUIRE(noexcept(all_of{limits[0], limits[1]}.try_acquire(t0)));
}

TEST_CASE("all_of: agrees with vessels that are filled all at once or not at all") {
    auto const seed = GENERATE(range(0u, 300u));
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    auto const pick = [&](unsigned most) { return static_cast<std::int64_t>(random() % most); };

    // The model: vessels that drain a nanosecond in each, and overflow at their burst. Of many
    // limits only some decide each request, as with keys.
    struct vessel {
        duration interval, level;
        std::int64_t burst;
        time_point at;
    };
    std::deque<token_bucket> limits;
    std::vector<vessel> vessels;
    for (int i = 0; i != 5; ++i) {
        auto const interval = duration{pick(1'000) + 1};
        auto const burst = pick(8) + 1;
        limits.emplace_back(token_bucket_options{
            .rate = 1, .period = interval, .burst = static_cast<std::uint32_t>(burst)});
        vessels.push_back({interval, 0ns, burst, t0});
    }
    auto now = t0;
    for (int step = 0; step != 500; ++step) {
        now += duration{pick(600)};
        std::array<std::size_t, 5> shuffled{0, 1, 2, 3, 4};
        std::shuffle(shuffled.begin(), shuffled.end(), random);
        auto const chosen = [&](std::size_t i) -> token_bucket& { return limits[shuffled[i]]; };
        auto const count = pick(5);
        auto retry_after = 0ns;
        for (std::size_t i = 0; i != 3; ++i) {
            auto& model = vessels[shuffled[i]];
            model.level = std::max(model.level - (now - model.at), 0ns);
            model.at = now;
            auto const over = model.level + (count - model.burst) * model.interval;
            if (count > 0) retry_after = std::max(retry_after, count > model.burst ? never : over);
        }
        auto const answer = all_of{chosen(0), chosen(1), chosen(2)}.try_acquire(
            now, static_cast<std::uint32_t>(count));
        REQUIRE(answer.granted == (retry_after == 0ns));
        REQUIRE(answer.retry_after == retry_after);
        REQUIRE(answer.lost == 0);
        if (answer)
            for (std::size_t i = 0; i != 3; ++i)
                vessels[shuffled[i]].level += count * vessels[shuffled[i]].interval;
    }
}

TEST_CASE("all_of: is asked again and again, or made for each decision, as one likes") {
    token_bucket one{{.burst = 10}}, other{{.burst = 10}};
    all_of kept{one, other};
    auto copy = kept;
    CHECK(kept.try_acquire(t0));
    CHECK(copy.try_acquire(t0));
    CHECK(all_of{other, one}.try_acquire(t0));
    CHECK(all_of{one}.try_acquire(t0));
    CHECK(one.available(t0) == 6);
    CHECK(other.available(t0) == 7);
}
