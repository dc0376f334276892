// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/token_bucket.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::never;
using hawser::time_point;
using hawser::token_bucket;
using hawser::token_bucket_options;

static constexpr time_point t0{1h};
static constexpr duration year = 24h * 365;
static constexpr duration century = hawser::token_scale::horizon;

namespace {

/// The bucket, byte by byte.
std::array<unsigned char, sizeof(token_bucket)> bytes_of(token_bucket const& bucket) {
    std::array<unsigned char, sizeof(token_bucket)> bytes{};
    std::memcpy(bytes.data(), &bucket, sizeof bucket);
    return bytes;
}

/// Takes single tokens until there is none, and says how many there were.
std::uint32_t drain(token_bucket& bucket, time_point now) {
    std::uint32_t granted = 0;
    while (granted != 10'000 && bucket.try_acquire(now)) ++granted;  // Or it never ends.
    return granted;
}

/// Rates at which a token takes whole nanoseconds, and rates at which none does.
constexpr token_bucket_options various[]{{},
                                         {.rate = 7'000'000, .burst = 10},
                                         {.rate = 400'000'000, .burst = 10},
                                         {.rate = 1, .period = 3s, .burst = 3},
                                         {.rate = 3'000'007, .burst = 10},
                                         {.rate = 999'999'937, .burst = 10},
                                         {.rate = 1'000'000'000, .burst = 10},
                                         {.rate = 3, .period = 7ns, .burst = 2},
                                         {.rate = 2, .period = year, .burst = 10},
                                         {.rate = 4'294'967'291, .period = 24h, .burst = 1}};

/// What the message of the refusal says; empty if the options are accepted.
std::string complaint_about(token_bucket_options const& options) {
    try {
        token_bucket const bucket{options};
    } catch (std::invalid_argument const& refused) {
        return refused.what();
    }
    return {};
}

}  // namespace

TEST_CASE("token_bucket: grants exactly a burst at one instant, at first and after any rest") {
    // What smaller clocks count in wraps on the way: 2^31 ms, 2^32 ms, 2^53 ns, 2^32 s.
    constexpr duration rests[]{2147483648ms, 4294967296ms, 9007199254740992ns, year, 30 * year};
    for (auto const& of : various) {
        INFO(of.rate << " in " << of.period.count() << " ns");
        for (int odd = 0; odd != 20; ++odd) {  // Instants that are no whole number of units.
            token_bucket bucket{of};
            auto now = time_point{-90 * year} + odd * 1ns;
            CHECK(drain(bucket, now) == of.burst);
            for (auto const rest : rests) {
                now += 5 * year + rest;
                CHECK(bucket.available(now) == of.burst);
                CHECK(drain(bucket, now) == of.burst);
                CHECK(bucket.available(now) == 0);
            }
        }
    }
}

TEST_CASE("token_bucket: grants a burst at one instant in parts of any size") {
    for (auto const& of : various) {
        if (of.burst < 4) continue;
        for (int odd = 0; odd != 20; ++odd) {
            token_bucket bucket{of};
            auto const now = t0 + odd * 1ns;
            CHECK(bucket.try_acquire(now, of.burst - 3));
            CHECK(bucket.available(now) == 3);
            CHECK(bucket.reserve(now, 1, 0ns));
            CHECK(bucket.try_acquire_up_to(now, 5) == 2);
            CHECK_FALSE(bucket.try_acquire(now));
        }
    }
}

TEST_CASE("token_bucket: after a debt and any idle time there is a burst at most") {
    for (auto const& of : various) {
        if (of.period == year) continue;  // A debt of decades: the idle time is not that long.
        token_bucket bucket{of};
        REQUIRE(bucket.reserve(t0, of.burst, 0ns));
        for (int i = 0; i != 5; ++i) REQUIRE(bucket.reserve(t0, of.burst, never));
        CHECK(drain(bucket, t0) == 0);
        CHECK(bucket.available(t0) == 0);
        CHECK(drain(bucket, t0 + year) == of.burst);
        CHECK(drain(bucket, t0 + 50 * year) == of.burst);
    }
}

TEST_CASE("token_bucket: retry_after is exact to the nanosecond") {
    auto const rate = GENERATE(1u, 3u, 7u, 7'000'000u, 999'999'937u, 1'000'000'000u);
    token_bucket bucket{{.rate = rate, .burst = 5}};
    REQUIRE(bucket.try_acquire(t0, 5));
    auto const wait = bucket.try_acquire(t0, 2).retry_after;
    CHECK(wait * rate >= 2s);
    CHECK(wait * rate < 2s + rate * 3ns);
    CHECK_FALSE(bucket.try_acquire(t0 + wait - 1ns, 2));
    // Told in a coarser unit, and rounded up, it still suffices.
    CHECK(std::chrono::ceil<std::chrono::milliseconds>(wait) >= wait);
    CHECK(bucket.try_acquire(t0 + wait, 2));
}

TEST_CASE("token_bucket: a refusal leaves every bit of the bucket as it was") {
    for (auto const& of : various) {
        token_bucket bucket{of};
        REQUIRE(drain(bucket, t0) == of.burst);
        auto const before = bytes_of(bucket);
        CHECK_FALSE(bucket.try_acquire(t0));
        CHECK_FALSE(bucket.try_acquire(t0, of.burst));
        CHECK_FALSE(bucket.try_acquire(t0, of.burst + 1));
        CHECK_FALSE(bucket.try_acquire(t0 - 1h));
        CHECK_FALSE(bucket.try_acquire(time_point::min()));
        CHECK(bucket.try_acquire_up_to(t0, 3) == 0);
        CHECK_FALSE(bucket.reserve(t0, 1, 0ns));
        CHECK_FALSE(bucket.reserve(t0, of.burst + 1, never));
        CHECK_FALSE(bucket.cancel(bucket.reserve(t0, 1, 0ns)));
        CHECK_THROWS_AS(bucket.reconfigure({.rate = 0}, t0), std::invalid_argument);
        CHECK(bytes_of(bucket) == before);
    }
}

TEST_CASE("token_bucket: no tokens are always granted, and take nothing") {
    for (auto const& of : various) {
        token_bucket bucket{of};
        auto const full = bytes_of(bucket);
        CHECK(bucket.try_acquire(t0, 0));
        CHECK(bucket.reserve(t0, 0, 0ns));
        CHECK(bucket.try_acquire_up_to(t0, 0) == 0);
        CHECK(bytes_of(bucket) == full);

        REQUIRE(bucket.reserve(t0, of.burst, never));
        REQUIRE(bucket.reserve(t0, of.burst, never));  // It owes a burst.
        auto const owing = bytes_of(bucket);
        CHECK(bucket.try_acquire(t0, 0));
        CHECK(bucket.try_acquire(t0 - 1h, 0));
        CHECK(bucket.reserve(t0, 0, 0ns).wait == 0ns);
        CHECK(bytes_of(bucket) == owing);
    }
}

TEST_CASE("token_bucket: more than a burst is never there, and is refused with never") {
    // The products of such counts and what a token takes do not fit 64 bits.
    for (auto const count : {101u, 1'000u, 0x7fff'ffffu, 0x8000'0000u, 0xffff'ffffu})
        for (duration const period : {duration{1s}, duration{1h}, year}) {
            token_bucket bucket{{.rate = 100, .period = period, .burst = 100}};
            CHECK(bucket.try_acquire(t0, count).retry_after == never);
            auto const refused = bucket.reserve(t0, count, never);
            CHECK_FALSE(refused);
            CHECK(refused.wait == never);
            CHECK(bucket.available(t0) == 100);
            CHECK(bucket.try_acquire_up_to(t0, count) == 100);
        }
}

TEST_CASE("token_bucket: more than a burst is refused where the product wraps to a single token") {
    token_bucket bucket{{.rate = 1, .period = duration{1LL << 50U}, .burst = 100}};
    CHECK(bucket.try_acquire(t0, (1U << 14U) + 1).retry_after == never);
    CHECK(bucket.reserve(t0, (1U << 14U) + 1, never).wait == never);
    CHECK(bucket.available(t0) == 100);
}

TEST_CASE("token_bucket: the largest burst is granted whole") {
    token_bucket bucket{{.rate = 1'000'000'000, .burst = 0xffff'ffff}};
    CHECK(bucket.available(t0) == 0xffff'ffff);
    CHECK(bucket.try_acquire(t0, 0xffff'ffff));
    CHECK(bucket.try_acquire(t0, 0xffff'ffff).retry_after == 4'294'967'295ns);
    CHECK(bucket.try_acquire(t0 + 4'294'967'295ns, 0xffff'ffff));
}

TEST_CASE("token_bucket: a long run has its rate to the token, whatever the rate") {
    struct rate {
        std::uint32_t tokens;
        duration period;
    };
    for (auto const& [tokens, period] :
         {rate{7'000'000, 1s}, rate{400'000'000, 1s}, rate{600'000'000, 1s}, rate{3'000'007, 1s},
          rate{999'999'937, 1s}, rate{1'000'000'000, 1s}, rate{104'729, 1s}, rate{7, 1s},
          rate{1, 3s}, rate{1, 1'000'000s}, rate{1'299'709, 24h}, rate{2'147'483'647, 1h}}) {
        INFO(tokens << " in " << period.count() << " ns");
        token_bucket bucket{{.rate = tokens, .period = period, .burst = 4}};
        REQUIRE(bucket.try_acquire(t0, 4));
        auto const step = period / tokens * 2 + period / tokens / 7 + 1ns;  // It divides nothing.
        auto const steps = std::min<std::int64_t>(50'000, 80 * year / step);
        auto now = t0;
        std::uint64_t granted = 0;
        for (std::int64_t i = 0; i != steps; ++i) {
            now += step;
            granted += bucket.try_acquire_up_to(now, 4);
        }
        using wide = hawser::detail::wide_uint;
        auto const due = wide{static_cast<std::uint64_t>((now - t0).count())} * tokens /
                         static_cast<std::uint64_t>(period.count());
        CHECK(granted <= due);
        CHECK(granted + 1 >= due);
    }
}

TEST_CASE("token_bucket: a third of a token a second is one every three seconds, for ever") {
    token_bucket bucket{{.rate = 1, .period = 3s, .burst = 1}};
    auto now = t0;
    REQUIRE(bucket.try_acquire(now));
    for (int i = 0; i != 10'000; ++i) {
        REQUIRE_FALSE(bucket.try_acquire(now + 3s - 1ns));
        now += 3s;
        REQUIRE(bucket.try_acquire(now));
    }
}

TEST_CASE("token_bucket: holds at both ends of two centuries, with options at their limits") {
    constexpr auto most = ~std::uint32_t{0};
    for (auto const& of : {token_bucket_options{.rate = 1, .period = year, .burst = 30},
                           {.rate = 1, .period = 30 * year, .burst = 1},
                           {.rate = most, .period = duration::max(), .burst = 440'000'000},
                           {.rate = most, .period = duration::max(), .burst = 1},
                           {.rate = 1'000'000'000, .burst = most},
                           {.rate = 1, .period = 1ns, .burst = most},
                           {.rate = 999'999'937, .burst = most},
                           {.rate = most, .period = duration{most}, .burst = most}}) {
        INFO(of.rate << " in " << of.period.count() << " ns");
        for (auto const end : {time_point::min(), time_point{-century}, time_point{},
                               time_point{century}, time_point::max()}) {
            token_bucket bucket{of};
            CHECK(bucket.available(end) == of.burst);
            REQUIRE(bucket.try_acquire(end, of.burst));
            CHECK(bucket.available(end) == 0);
            CHECK_FALSE(bucket.try_acquire(end));
            auto const wait = bucket.try_acquire(end, of.burst).retry_after;
            CHECK(wait > 0ns);
            CHECK(wait <= 30 * year);
            for (int i = 0; i != 100; ++i) (void)bucket.reserve(end, of.burst, never);
            CHECK(bucket.available(end) == 0);
            CHECK(bucket.available(time_point::min()) == 0);
            auto const lag = std::clamp(end.time_since_epoch(), -century, century) + century;
            auto const from_start = bucket.try_acquire(time_point::min(), of.burst).retry_after;
            CHECK(from_start < never);
            CHECK(from_start > lag);
            bucket.refill();
            CHECK(bucket.try_acquire(end, of.burst));
        }
    }
}

TEST_CASE("token_bucket: time that runs backwards refills nothing and takes nothing away") {
    token_bucket bucket{{.rate = 2, .burst = 3}};
    REQUIRE(bucket.try_acquire(t0, 3));
    for (auto const back : {1ns, duration{1s}, duration{24h}})
        CHECK_FALSE(bucket.try_acquire(t0 - back));
    CHECK(bucket.available(t0 - 1s) == 0);
    CHECK(bucket.available(t0) == 0);
    CHECK(bucket.available(t0 + 500ms) == 1);
    CHECK(bucket.try_acquire(t0 + 500ms));
    CHECK_FALSE(bucket.try_acquire(t0 + 1s - 1ns));
    CHECK(bucket.try_acquire(t0 + 1s));
}

TEST_CASE("token_bucket: a clock that ran ahead and is set right is pardoned by refill") {
    token_bucket bucket{{.rate = 10, .burst = 10}};
    REQUIRE(bucket.try_acquire(t0 + 24h, 10));
    CHECK(bucket.try_acquire(t0).retry_after == 24h + 100ms);
    bucket.refill();
    CHECK(drain(bucket, t0) == 10);
    CHECK(bucket.try_acquire(t0).retry_after == 100ms);
}

TEST_CASE("token_bucket: a partial grant is all there is, up to what is asked for") {
    token_bucket bucket{{.rate = 10, .burst = 10}};
    CHECK(bucket.try_acquire_up_to(t0, 4) == 4);
    CHECK(bucket.try_acquire_up_to(t0, 100) == 6);
    CHECK(bucket.try_acquire_up_to(t0, 1) == 0);
    CHECK(bucket.try_acquire_up_to(t0 + 99ms, 1) == 0);
    CHECK(bucket.try_acquire_up_to(t0 + 350ms, 100) == 3);
    CHECK(bucket.try_acquire(t0 + 400ms));  // The half token that was left is not lost.
    CHECK(bucket.try_acquire_up_to(t0 + 24h, ~0U) == 10);
}

TEST_CASE("token_bucket: reservations queue up at the rate, each with its time") {
    token_bucket bucket{{.rate = 10, .burst = 2}};
    CHECK(bucket.reserve(t0, 1, never).wait == 0ns);
    CHECK(bucket.reserve(t0, 1, never).wait == 0ns);
    CHECK(bucket.reserve(t0, 1, never).wait == 100ms);
    CHECK(bucket.reserve(t0, 2, never).wait == 300ms);
    CHECK(bucket.reserve(t0 + 50ms, 1, never).wait == 350ms);
    CHECK(bucket.try_acquire(t0 + 50ms).retry_after == 450ms);  // Nobody gets past them.
    CHECK(bucket.available(t0 + 500ms) == 1);
}

TEST_CASE("token_bucket: a reservation waits as long as a refusal says, and has its tokens then") {
    for (auto const& of : various) {
        token_bucket bucket{of};
        REQUIRE(bucket.try_acquire(t0, of.burst));
        auto const retry_after = bucket.try_acquire(t0).retry_after;
        auto const place = bucket.reserve(t0, 1, never);
        CHECK(place.wait == retry_after);
        CHECK(place.count == 1);
        // They are taken: who asks again at that time asks for others.
        CHECK_FALSE(bucket.try_acquire(t0 + place.wait));
    }
}

TEST_CASE("token_bucket: a wait over the limit is refused at once, with its length, for nothing") {
    token_bucket bucket{{.rate = 10, .burst = 1}};
    REQUIRE(bucket.try_acquire(t0));
    auto const before = bytes_of(bucket);
    auto const refused = bucket.reserve(t0, 1, 100ms - 1ns);
    CHECK_FALSE(refused);
    CHECK(refused.wait == 100ms);
    CHECK(bytes_of(bucket) == before);
    CHECK(bucket.reserve(t0, 1, 100ms));
}

TEST_CASE("token_bucket: a caller that has given up or is past its deadline takes nothing") {
    token_bucket bucket{{.rate = 10, .burst = 1}};
    auto const before = bytes_of(bucket);
    CHECK_FALSE(bucket.reserve(t0, 1, -1ns));
    CHECK_FALSE(bucket.reserve(t0, 0, duration::min()));
    CHECK(bytes_of(bucket) == before);
}

TEST_CASE("token_bucket: owes at most 36 years") {
    token_bucket bucket{{.rate = 1, .period = year, .burst = 1}};
    int granted = 0;
    auto place = bucket.reserve(t0, 1, never);
    for (; place && granted != 100; place = bucket.reserve(t0, 1, never)) ++granted;
    CHECK(granted == 1 + 36);
    CHECK(place.wait == 37 * year);  // Not never: it is only too long.
}

TEST_CASE("token_bucket: a cancelled reservation is there again if it is the last one") {
    token_bucket bucket{{.rate = 10, .burst = 2}};
    auto const spent = bucket.reserve(t0, 2, 0ns);
    auto const first = bucket.reserve(t0, 1, never), second = bucket.reserve(t0, 2, never);
    REQUIRE(second.wait == 300ms);
    CHECK(bucket.cancel(second));
    CHECK(bucket.cancel(first));  // The last one now.
    CHECK(bucket.reserve(t0, 1, never).wait == first.wait);
    CHECK_FALSE(bucket.cancel(spent));
}

TEST_CASE("token_bucket: one that is not the last is lost, and no place is given out twice") {
    token_bucket bucket{{.rate = 10, .burst = 1}};
    REQUIRE(bucket.try_acquire(t0));
    auto const first = bucket.reserve(t0, 1, never), second = bucket.reserve(t0, 1, never);
    REQUIRE(second.wait == 200ms);
    CHECK_FALSE(bucket.cancel(first));
    CHECK(bucket.reserve(t0, 1, never).wait == 300ms);
    CHECK_FALSE(bucket.cancel(second));
    CHECK(bucket.try_acquire(t0 + 400ms));  // What was lost is earned again, in its time.
}

TEST_CASE("token_bucket: cancels a burst that was reserved in full") {
    for (auto const& of : various) {
        token_bucket bucket{of};
        auto const place = bucket.reserve(t0, of.burst, 0ns);
        CHECK(bucket.cancel(place));
        CHECK(drain(bucket, t0) == of.burst);
    }
}

TEST_CASE("token_bucket: what was reserved before a pardon is not given back after it") {
    token_bucket bucket{{.rate = 10, .burst = 2}};
    auto const place = bucket.reserve(t0, 2, 0ns);
    bucket.refill();
    REQUIRE(bucket.reserve(t0, 2, 0ns).mark == place.mark);  // The bucket is as it left it.
    CHECK_FALSE(bucket.cancel(place));
    CHECK(bucket.available(t0) == 0);
}

TEST_CASE("token_bucket: what was reserved before a change of options is not given back after it") {
    token_bucket bucket{{.rate = 10, .burst = 1}};
    REQUIRE(bucket.reserve(t0, 1, 0ns));
    auto const place = bucket.reserve(t0, 1, never);
    bucket.reconfigure({.rate = 20, .burst = 1}, t0);
    REQUIRE(bucket.reserve(t0, 2 - 1, never));
    REQUIRE(bucket.reserve(t0, 1, never).mark == place.mark);  // The bucket is as it left it.
    CHECK_FALSE(bucket.cancel(place));
    CHECK(bucket.reserve(t0, 1, never).wait == 200ms);
}

TEST_CASE("token_bucket: a refused reservation cancels nothing") {
    token_bucket bucket{{.rate = 10, .burst = 1}};
    auto const taken = bucket.reserve(t0, 1, 0ns);
    auto const refused = bucket.reserve(t0, 1, 0ns);
    REQUIRE_FALSE(refused);
    CHECK_FALSE(bucket.cancel(refused));
    CHECK_FALSE(bucket.cancel({}));
    CHECK(bucket.available(t0) == 0);
    CHECK(bucket.cancel(taken));
}

TEST_CASE("token_bucket: a change of rate keeps the tokens that are there") {
    for (auto const& from : various)
        for (auto const& to : various) {
            constexpr std::uint32_t burst = 10;
            token_bucket bucket{{.rate = from.rate, .period = from.period, .burst = burst}};
            REQUIRE(bucket.try_acquire(t0, 1));
            bucket.reconfigure({.rate = to.rate, .period = to.period, .burst = burst}, t0);
            CHECK(bucket.available(t0) == burst - 1);
            CHECK(drain(bucket, t0) == burst - 1);
            CHECK(bucket.try_acquire(t0).retry_after <= to.period / to.rate + 3ns);
            CHECK(bucket.try_acquire(t0).retry_after >= to.period / to.rate);
        }
}

TEST_CASE("token_bucket: a change of rate counts the time before it at the old rate") {
    token_bucket bucket{{.rate = 10, .burst = 100}};
    REQUIRE(bucket.try_acquire(t0, 100));
    bucket.reconfigure({.rate = 1'000, .burst = 100}, t0 + 1s);
    CHECK(bucket.available(t0 + 1s) == 10);
    CHECK(bucket.available(t0 + 1s + 10ms) == 20);
    bucket.reconfigure({.rate = 1, .burst = 100}, t0 + 1s + 10ms);
    CHECK(bucket.available(t0 + 2s + 10ms) == 21);
}

TEST_CASE("token_bucket: a burst that shrinks cuts off what is over it") {
    token_bucket bucket{{.rate = 10, .burst = 100}};
    bucket.reconfigure({.rate = 10, .burst = 5}, t0);
    CHECK(drain(bucket, t0) == 5);
    CHECK(drain(bucket, t0 + 24h) == 5);
    CHECK(bucket.try_acquire(t0 + 48h, 6).retry_after == never);
    bucket.reconfigure({.rate = 10, .burst = 100}, t0 + 48h);
    CHECK(bucket.available(t0 + 48h) == 5);  // What was cut off does not come back.
}

TEST_CASE("token_bucket: a burst that grows is not filled") {
    token_bucket bucket{{.rate = 10, .burst = 5}};
    bucket.reconfigure({.rate = 10, .burst = 100}, t0);
    CHECK(drain(bucket, t0) == 5);
    CHECK(bucket.try_acquire(t0, 100).retry_after == 10s);
    CHECK(drain(bucket, t0 + 10s) == 100);
}

TEST_CASE("token_bucket: what it owes is owed at the new rate") {
    token_bucket bucket{{.rate = 10, .burst = 1}};
    REQUIRE(bucket.reserve(t0, 1, 0ns));
    for (int i = 0; i != 4; ++i) REQUIRE(bucket.reserve(t0, 1, never));
    bucket.reconfigure({.rate = 1'000, .burst = 1}, t0);
    CHECK(bucket.try_acquire(t0).retry_after == 5ms);
    bucket.reconfigure({.rate = 1, .period = year, .burst = 1}, t0);
    CHECK(bucket.try_acquire(t0).retry_after == 5 * year);
}

TEST_CASE("token_bucket: the options that it has change nothing, however often they are set") {
    for (auto const& of : various) {
        token_bucket bucket{of};
        REQUIRE(bucket.try_acquire(t0, 1));
        auto const before = bytes_of(bucket);
        for (int i = 0; i != 100; ++i) bucket.reconfigure(of, t0 + i * 1ns);
        CHECK(bytes_of(bucket) == before);
    }
}

TEST_CASE("token_bucket: an option out of range is refused by its name") {
    CHECK(complaint_about({.rate = 0}) == "token_bucket: rate is zero");
    CHECK(complaint_about({.burst = 0}) == "token_bucket: burst is zero");
    for (auto const bad : {0ns, -1ns, duration::min()})
        CHECK(complaint_about({.period = bad}) == "token_bucket: period is not positive");
    for (auto const& bad : {token_bucket_options{.rate = 1'000'000'001},
                            {.rate = 2, .period = 1ns},
                            {.rate = ~0U, .period = duration{~0U - 1}}})
        CHECK(complaint_about(bad) == "token_bucket: rate is more than one a nanosecond");
    for (auto const& bad : {token_bucket_options{.rate = 1, .period = year, .burst = 31},
                            {.rate = 1, .period = duration::max(), .burst = 1},
                            {.rate = ~0U, .period = duration::max(), .burst = ~0U},
                            {.rate = 1, .period = 1s, .burst = ~0U}})
        CHECK(complaint_about(bad) == "token_bucket: burst takes over thirty years to refill");
    CHECK(complaint_about({.rate = 1, .period = year, .burst = 30}).empty());
    CHECK(complaint_about({.rate = ~0U, .period = duration{~0U}, .burst = ~0U}).empty());
}

TEST_CASE("token_bucket: a global one is there before any code runs") {
    static constinit token_bucket bucket{{.rate = 7'000'000, .burst = 3}};
    CHECK(drain(bucket, t0) == 3);
    STATIC_REQUIRE(std::is_nothrow_destructible_v<token_bucket>);
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<token_bucket>);
    STATIC_REQUIRE(sizeof(token_bucket) == 192);
}
