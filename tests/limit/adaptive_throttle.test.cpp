// SPDX-License-Identifier: BSL-1.0
#include <hawser/limit/adaptive_throttle.hpp>

#include "support/catch.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <string>

using namespace std::chrono_literals;
using hawser::adaptive_throttle_options;
using hawser::duration;
using hawser::sample_outcome;
using hawser::time_point;

static constexpr time_point t0{1h};

namespace {

/// The chance that a test wants: it is rejected if its probability is above.
struct fixed_chance {
    double const* share;
    std::uint64_t operator()() const noexcept {
        return static_cast<std::uint64_t>(std::ldexp(*share, 53)) << 11;
    }
};
using scripted = hawser::basic_adaptive_throttle<fixed_chance>;
using seeded = hawser::basic_adaptive_throttle<hawser::seeded_random>;

/// Calls that were let through, and how they went.
template <class Throttle>
void ended(Throttle& throttle, time_point now, int accepted, int dropped,
           std::int32_t priority = 0) {
    for (int i = 0; i < accepted; ++i) throttle.on_result(now, sample_outcome::success, priority);
    for (int i = 0; i < dropped; ++i) throttle.on_result(now, sample_outcome::dropped, priority);
}

double probability_after(int accepted, int dropped, adaptive_throttle_options const& options = {}) {
    seeded throttle{options, hawser::seeded_random{1}};
    ended(throttle, t0, accepted, dropped);
    return throttle.rejection_probability(t0);
}

std::string complaint_about(adaptive_throttle_options const& options) {
    try {
        hawser::adaptive_throttle const throttle{options};
        return {};
    } catch (std::invalid_argument const& refused) {
        return refused.what();
    }
}

/// A dependency that accepts so many calls a second, asked for so many, for a minute.
struct load {
    int asked = 0, sent = 0, accepted = 0;
};
load overload(seeded& throttle, int asked_each_second, int accepts_each_second) {
    load seen;
    for (int second = 0; second < 240; ++second) {
        int left = accepts_each_second;
        for (int i = 0; i < asked_each_second; ++i) {
            auto const now = t0 + second * 1s + i * 1s / asked_each_second;
            bool const counted = second >= 180;
            seen.asked += counted;
            if (!throttle.admit(now)) continue;
            seen.sent += counted;
            bool const accepted = left-- > 0;
            seen.accepted += counted && accepted;
            throttle.on_result(now, accepted ? sample_outcome::success : sample_outcome::dropped);
        }
    }
    return seen;
}

}  // namespace

TEST_CASE(
    "adaptive_throttle: admits everything until the dependency refuses more than it accepts") {
    CHECK(probability_after(0, 0) == 0);
    CHECK(probability_after(1000, 0) == 0);
    CHECK(probability_after(500, 500) == 0);
    CHECK(probability_after(499, 501) > 0);
}

TEST_CASE("adaptive_throttle: rejects with the probability that the formula says") {
    CHECK(probability_after(25, 75) == Approx((100 - 2 * 25) / 101.0));
    CHECK(probability_after(25, 75, {.multiplier = 1.1}) == Approx((100 - 1.1 * 25) / 101.0));
    CHECK(probability_after(10, 90, {.multiplier = 1}) == Approx(90 / 101.0));
    CHECK(probability_after(0, 1'000) == Approx(0.9));  // The cap.
    CHECK(probability_after(0, 1'000, {.rejection_max = 0.5}) == Approx(0.5));
}

TEST_CASE("adaptive_throttle: the chance decides, and a call rejected counts as not accepted") {
    double chance = 0;
    scripted throttle{{}, fixed_chance{&chance}};
    REQUIRE(throttle.admit(t0));
    ended(throttle, t0, 25, 75);
    auto const probability = throttle.rejection_probability(t0);
    chance = probability + 1e-9;
    CHECK(throttle.admit(t0));
    CHECK(throttle.rejection_probability(t0) == probability);  // Admitted: counts when it ends.
    chance = probability - 1e-9;
    auto const answer = throttle.admit(t0);
    CHECK_FALSE(answer);
    CHECK(answer.probability == probability);
    CHECK(throttle.rejection_probability(t0) == Approx((101 - 2 * 25) / 102.0));
}

TEST_CASE("adaptive_throttle: what is out counts when it ends, and what is ignored never") {
    double chance = 1;
    scripted throttle{{}, fixed_chance{&chance}};
    for (int i = 0; i < 1000; ++i) CHECK(throttle.admit(t0));  // A slow dependency, no bad one.
    CHECK(throttle.rejection_probability(t0) == 0);
    for (int i = 0; i < 1000; ++i) throttle.on_result(t0, sample_outcome::ignored);
    CHECK(throttle.rejection_probability(t0) == 0);
    ended(throttle, t0, 0, 20);
    CHECK(throttle.rejection_probability(t0) == Approx(0.9));
}

TEST_CASE("adaptive_throttle: a few failures are no overload") {
    CHECK(probability_after(0, 9) == 0);
    CHECK(probability_after(0, 10) > 0.8);
    CHECK(probability_after(0, 99, {.requests_min = 100}) == 0);
    CHECK(probability_after(0, 1, {.requests_min = 0}) == Approx(0.5));
}

TEST_CASE("adaptive_throttle: forgets what is older than the window") {
    seeded throttle{{.window = 10s, .buckets = 10}, hawser::seeded_random{1}};
    ended(throttle, t0, 0, 100);
    CHECK(throttle.rejection_probability(t0 + 9s) > 0.8);
    CHECK(throttle.rejection_probability(t0 + 10s) == 0);
}

TEST_CASE("adaptive_throttle: a call let_through_every after the last one let through goes on") {
    double chance = 0;  // That always rejects.
    scripted throttle{{.let_through_every = 3s}, fixed_chance{&chance}};
    REQUIRE(throttle.admit(t0));
    ended(throttle, t0, 0, 1000);
    auto const refused = throttle.admit(t0 + 1s);
    REQUIRE_FALSE(refused);
    CHECK(refused.retry_after == 2s);
    CHECK_FALSE(throttle.admit(t0 + 3s - 1ns, 2));
    CHECK(throttle.admit(t0 + 3s, -2));  // Of whatever class.
    CHECK_FALSE(throttle.admit(t0 + 3s));
    CHECK_FALSE(throttle.admit(t0 + 6s - 1ns));
    CHECK(throttle.admit(t0 + 6s));
}

TEST_CASE("adaptive_throttle: a call admitted by chance puts off the one that is let through") {
    double chance = 1;
    scripted throttle{{}, fixed_chance{&chance}};
    ended(throttle, t0, 0, 1000);
    REQUIRE(throttle.admit(t0 + 500ms));
    chance = 0;
    CHECK_FALSE(throttle.admit(t0 + 1499ms));
    CHECK(throttle.admit(t0 + 1500ms));
}

TEST_CASE("adaptive_throttle: sends about K times what an overloaded dependency accepts") {
    auto const multiplier = GENERATE(1.1, 1.5, 2.0);
    auto const seed = GENERATE(1u, 2u, 3u);
    INFO("K = " << multiplier << ", seed " << seed);
    seeded throttle{{.multiplier = multiplier, .window = 30s}, hawser::seeded_random{seed}};
    auto const seen = overload(throttle, 500, 100);
    CHECK(seen.accepted >= 0.97 * 100 * 60);
    CHECK(seen.sent <= 1.05 * multiplier * 100 * 60);
    CHECK(seen.sent >= 0.95 * multiplier * 100 * 60);
}

TEST_CASE("adaptive_throttle: a dependency that recovers is back to all calls within 2.5 windows") {
    seeded throttle{{.window = 30s}, hawser::seeded_random{20261121}};
    auto const down = overload(throttle, 500, 0);
    CHECK(down.sent < 0.13 * down.asked);
    CHECK(down.sent > 0.07 * down.asked);
    auto const recovered = t0 + 240s;
    auto now = recovered;
    while (now == recovered || throttle.rejection_probability(now) > 0) {
        REQUIRE(now < recovered + 10 * 30s);
        if (throttle.admit(now)) throttle.on_result(now, sample_outcome::success);
        now += 2ms;
    }
    CHECK(now - recovered < 2.5 * 30s);
}

TEST_CASE("adaptive_throttle: the lowest class is rejected first, and each up to the cap") {
    seeded throttle{{}, hawser::seeded_random{1}};
    // 1000 calls, 300 of them of the lowest class and 200 of the next; 320 accepted: p = 0.36.
    ended(throttle, t0, 320, 180, 0);
    ended(throttle, t0, 0, 200, -1);
    ended(throttle, t0, 0, 300, -2);
    auto const share = (1000 - 2 * 320) / 1001.0;
    CHECK(throttle.rejection_probability(t0, -2) == Approx(0.9));
    CHECK(throttle.rejection_probability(t0, -1) == Approx((share * 1000 - 270) / 200));
    CHECK(throttle.rejection_probability(t0, 0) == 0);
    CHECK(throttle.rejection_probability(t0, 2) == 0);
}

TEST_CASE("adaptive_throttle: a higher class is never rejected more often than a lower one") {
    for (unsigned seed = 1; seed <= 1000; ++seed) {
        INFO("seed " << seed);
        hawser::seeded_random random{seed};
        seeded throttle{{.multiplier = 1.5}, hawser::seeded_random{seed}};
        std::array<double, 5> calls{};
        double all = 0, accepts = 0;
        for (std::int32_t priority = -2; priority <= 2; ++priority) {
            auto const accepted = static_cast<int>(random() % 20);
            auto const dropped = static_cast<int>(random() % 3 == 0 ? 0 : random() % 60);
            ended(throttle, t0, accepted, dropped, priority);
            calls[static_cast<std::size_t>(priority + 2)] = accepted + dropped;
            all += accepted + dropped;
            accepts += accepted;
        }
        double above = 0, rejected = 0;
        for (std::int32_t priority = 2; priority >= -2; --priority) {
            auto const here = throttle.rejection_probability(t0, priority);
            REQUIRE(here >= above);
            REQUIRE(here <= 0.9);
            above = here;
            rejected += here * calls[static_cast<std::size_t>(priority + 2)];
        }
        // Together they reject what the formula says, as far as the cap lets them.
        auto const wanted = std::max(all - 1.5 * accepts, 0.0) * all / (all + 1);
        REQUIRE(rejected == Approx(std::min(wanted, 0.9 * all)).margin(1e-6));
    }
}

TEST_CASE("adaptive_throttle: a class not seen of late is as the next one above it that was") {
    seeded throttle{{}, hawser::seeded_random{1}};
    ended(throttle, t0, 30, 70, 1);
    auto const known = throttle.rejection_probability(t0, 1);
    REQUIRE(known > 0);
    CHECK(throttle.rejection_probability(t0, -1) == known);
    CHECK(throttle.rejection_probability(t0, 2) < known);
}

TEST_CASE("adaptive_throttle: priorities beyond the range count as the nearest within") {
    seeded throttle{{.priority_min = -1, .priority_max = 1}, hawser::seeded_random{1}};
    constexpr auto least = std::numeric_limits<std::int32_t>::min(),
                   most = std::numeric_limits<std::int32_t>::max();
    ended(throttle, t0, 0, 50, least);
    ended(throttle, t0, 50, 50, most);
    CHECK(throttle.rejection_probability(t0, -1) == throttle.rejection_probability(t0, least));
    CHECK(throttle.rejection_probability(t0, 1) == throttle.rejection_probability(t0, most));
    CHECK(throttle.rejection_probability(t0, -1) > throttle.rejection_probability(t0, 1));
}

TEST_CASE("adaptive_throttle: time that runs backwards loses no call, and no chance") {
    double chance = 0;
    scripted throttle{{.window = 10s}, fixed_chance{&chance}};
    REQUIRE(throttle.admit(t0));
    ended(throttle, t0, 0, 100);
    ended(throttle, t0 - 1h, 0, 100);
    CHECK(throttle.rejection_probability(t0 - 1h) == Approx(0.9));
    CHECK_FALSE(throttle.admit(t0 - 1h));
    CHECK(throttle.admit(t0 + 1s));
    CHECK_FALSE(throttle.admit(time_point::min()));
    CHECK(throttle.admit(time_point::max()));
}

TEST_CASE("adaptive_throttle: refuses options that describe none, naming the field") {
    auto const about = complaint_about;
    CHECK(about({}).empty());
    CHECK(about({.multiplier = 0.9}) == "adaptive_throttle: multiplier is not in [1, 100]");
    CHECK(about({.multiplier = std::nan("")}) ==
          "adaptive_throttle: multiplier is not in [1, 100]");
    CHECK(about({.window = 9ms}) == "adaptive_throttle: window is not in [10 ms, 1 h]");
    CHECK(about({.buckets = 0}) == "adaptive_throttle: buckets is not in [1, 1000]");
    CHECK(about({.rejection_max = 1}) == "adaptive_throttle: rejection_max is not in [0, 1)");
    CHECK(about({.rejection_max = -0.1}) == "adaptive_throttle: rejection_max is not in [0, 1)");
    CHECK(about({.requests_min = 1'000'001}) == "adaptive_throttle: requests_min is over 1000000");
    CHECK(about({.let_through_every = 0s}) ==
          "adaptive_throttle: let_through_every is not in [1 ms, 1 h]");
    CHECK(about({.priority_min = 3}) == "adaptive_throttle: priority_max is below priority_min");
    CHECK(about({.priority_min = std::numeric_limits<std::int32_t>::min(),
                 .priority_max = std::numeric_limits<std::int32_t>::max()}) ==
          "adaptive_throttle: priority_max is more than 15 above priority_min");
}
