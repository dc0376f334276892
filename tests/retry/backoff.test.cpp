// SPDX-License-Identifier: BSL-1.0
#include <hawser/retry/backoff.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <vector>

using namespace std::chrono_literals;
using hawser::duration;
namespace backoff = hawser::backoff;

namespace {

constexpr auto most_failures = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t all_bits = ~std::uint64_t{0};

/// The failures to ask about: every small number, both sides of every power of two, the last.
std::vector<std::uint32_t> failure_counts() {
    std::vector<std::uint32_t> counts;
    for (std::uint32_t i = 0; i <= 200; ++i) counts.push_back(i);
    for (int place = 8; place < 32; ++place)
        for (auto const beside : {-1, 0, 1})
            counts.push_back((1U << place) + static_cast<std::uint32_t>(beside));
    counts.push_back(most_failures - 1);
    counts.push_back(most_failures);
    return counts;
}

/// Row by row what each backoff promises, whatever its options are.
void check_bounds(backoff::strategy auto const& ask, duration cap) {
    ask.validate();
    auto last = duration::zero();
    for (auto const failures : failure_counts()) {
        INFO("failures: " << failures);
        for (auto const previous : {duration::min(), -1ns, 0ns, 1ns, cap, duration::max()})
            for (auto const random : {std::uint64_t{0}, all_bits / 2, all_bits}) {
                auto const delay = ask(failures, previous, random);
                REQUIRE(delay >= duration::zero());
                REQUIRE(delay <= cap);
            }
        if (std::decay_t<decltype(ask)>::jittered) continue;
        auto const delay = ask(failures, last, 0);
        REQUIRE(delay >= last);
        last = delay;
    }
}

}  // namespace

TEST_CASE("backoff: overflows nowhere: no delay is negative, over the cap, or shrinks") {
    auto const base = GENERATE(duration{1}, duration{1ms}, duration{24h}, duration::max() / 2 + 1ns,
                               duration::max() - 1ns, duration::max());
    auto const room = GENERATE(duration{0}, duration{1}, duration{24h}, duration::max());
    auto const cap = hawser::add_saturating(base, room);
    INFO("base " << base.count() << ", cap " << cap.count());

    check_bounds(backoff::constant{.delay = base}, base);
    for (auto const step : {duration{0}, duration{1}, base, duration::max()})
        check_bounds(backoff::linear{.base = base, .step = step, .cap = cap}, cap);
    for (auto const factor : {1.0, 1.0 + 0x1p-52, 1.0 + 0x1p-30, 1.1, 2.0, 1e300})
        check_bounds(backoff::exponential{.base = base, .factor = factor, .cap = cap}, cap);
    check_bounds(backoff::fibonacci{.base = base, .cap = cap}, cap);
    check_bounds(backoff::decorrelated{.base = base, .cap = cap}, cap);
}

TEST_CASE("backoff: the cap is reached, and held to the last failure") {
    CHECK(backoff::linear{}(most_failures, 0s, 0) == 10s);
    CHECK(backoff::exponential{}(most_failures, 0s, 0) == 10s);
    CHECK(backoff::fibonacci{}(most_failures, 0s, 0) == 10s);
    CHECK(backoff::fibonacci{.base = 1ns, .cap = duration::max()}(93, 0s, 0) == duration::max());
}

TEST_CASE("backoff: a factor a hair above one never gives a shorter wait after more failures") {
    auto const factor = GENERATE(1 + 0x1p-52, 1 + 1e-12, 1 + 1e-9, 1.0000001);
    backoff::exponential const ask{.base = 24h, .factor = factor, .cap = duration::max()};
    auto last = duration::zero();
    for (std::uint32_t failures = 1; failures < 2'000'000; failures += 1 + failures / 1000) {
        REQUIRE(ask(failures, 0s, 0) <= ask(failures + 1, 0s, 0));
        REQUIRE(ask(failures, 0s, 0) >= last);
        last = ask(failures, 0s, 0);
    }
}

TEST_CASE("backoff::none: there is no wait") {
    STATIC_REQUIRE(backoff::none{}(1, 0s, 0) == 0s);
    STATIC_REQUIRE(backoff::none{}(most_failures, duration::max(), all_bits) == 0s);
}

TEST_CASE("backoff::constant: every wait is the same") {
    STATIC_REQUIRE(backoff::constant{.delay = 7ms}(1, 0s, 0) == 7ms);
    STATIC_REQUIRE(backoff::constant{.delay = 7ms}(most_failures, 1h, all_bits) == 7ms);
}

TEST_CASE("backoff::linear: each failure adds a step, up to the cap") {
    constexpr backoff::linear ask{.base = 10ms, .step = 4ms, .cap = 20ms};
    duration const expected[] = {10ms, 14ms, 18ms, 20ms, 20ms};
    for (std::uint32_t i = 0; i < 5; ++i) CHECK(ask(i + 1, 0s, 0) == expected[i]);
    CHECK(ask(0, 0s, 0) == 10ms);
}

TEST_CASE("backoff::exponential: each failure multiplies, up to the cap") {
    backoff::exponential const ask{.base = 100ms, .factor = 2, .cap = 1s};
    duration const expected[] = {100ms, 200ms, 400ms, 800ms, 1s, 1s};
    for (std::uint32_t i = 0; i < 6; ++i) CHECK(ask(i + 1, 0s, 0) == expected[i]);
    CHECK(ask(0, 0s, 0) == 100ms);
    CHECK(backoff::exponential{.base = 10ms, .factor = 1.5, .cap = 1h}(3, 0s, 0) == 22'500us);
}

TEST_CASE("backoff::fibonacci: each wait is the sum of the two before, up to the cap") {
    constexpr backoff::fibonacci ask{.base = 10ms, .cap = 1s};
    duration const expected[] = {10ms,  10ms,  20ms,  30ms,  50ms,  80ms,
                                 130ms, 210ms, 340ms, 550ms, 890ms, 1s};
    for (std::uint32_t i = 0; i < 12; ++i) CHECK(ask(i + 1, 0s, 0) == expected[i]);
    CHECK(ask(0, 0s, 0) == 10ms);
}

TEST_CASE(
    "backoff::decorrelated: draws from the base to three times the last wait, up to the cap") {
    constexpr backoff::decorrelated ask{.base = 100ms, .cap = 2s};
    CHECK(ask(1, 0s, 0) == 100ms);
    CHECK(ask(1, 0s, all_bits) == 300ms);  // At first, the last wait is the base.
    CHECK(ask(2, 300ms, 0) == 100ms);
    CHECK(ask(2, 300ms, all_bits) == 900ms);
    CHECK(ask(2, 300ms, all_bits / 2) == 500ms);
    CHECK(ask(9, 1s, all_bits) == 2s);
    STATIC_REQUIRE(backoff::decorrelated::jittered);
}

TEST_CASE("backoff: the defaults are valid, and known when the program is compiled") {
    constexpr bool valid = [] {
        backoff::none{}.validate();
        backoff::constant{}.validate();
        backoff::linear{}.validate();
        backoff::exponential{}.validate();
        backoff::fibonacci{}.validate();
        backoff::decorrelated{}.validate();
        return true;
    }();
    STATIC_REQUIRE(valid);
}

TEST_CASE("backoff: refuses a base that is zero or negative, and a cap under the base") {
    using std::invalid_argument;
    for (auto const bad : {duration{0}, duration{-1}, duration::min()}) {
        CHECK_THROWS_AS(backoff::constant{.delay = bad}.validate(), invalid_argument);
        CHECK_THROWS_AS(backoff::linear{.base = bad}.validate(), invalid_argument);
        CHECK_THROWS_AS(backoff::exponential{.base = bad}.validate(), invalid_argument);
        CHECK_THROWS_AS(backoff::fibonacci{.base = bad}.validate(), invalid_argument);
        CHECK_THROWS_AS(backoff::decorrelated{.base = bad}.validate(), invalid_argument);
    }
    for (auto const bad : {duration{99ms}, duration{0}, duration::min()}) {
        CHECK_THROWS_AS(backoff::linear{.cap = bad}.validate(), invalid_argument);
        CHECK_THROWS_AS(backoff::exponential{.cap = bad}.validate(), invalid_argument);
        CHECK_THROWS_AS(backoff::fibonacci{.cap = bad}.validate(), invalid_argument);
        CHECK_THROWS_AS(backoff::decorrelated{.cap = bad}.validate(), invalid_argument);
    }
    CHECK_THROWS_AS(backoff::linear{.step = -1ns}.validate(), invalid_argument);
    for (auto const bad : {0.0, -2.0, 0.999, HUGE_VAL, -HUGE_VAL, std::nan("")})
        CHECK_THROWS_AS(backoff::exponential{.factor = bad}.validate(), invalid_argument);
}
