// SPDX-License-Identifier: BSL-1.0
#include <hawser/hawser.hpp>
#include <hawser/policy/rate_limit.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <stop_token>
#include <string>

using namespace std::chrono_literals;
using hawser::errc;

namespace {

struct stand {
    hawser::manual_time time;

    template <class... Policies>
    auto line(Policies&... policies) {
        return hawser::compose_in(hawser::testing::manual_environment{time},
                                  hawser::borrow(policies)...);
    }
    /// How long a call took, or what it was refused with.
    template <class Line>
    hawser::duration time_of(Line const& line, hawser::refusal& why) {
        auto const began = time.now();
        auto const out = hawser::try_execute(line, [] { return 1; });
        why = out.why() != nullptr ? *out.why() : hawser::refusal{};
        return time.now() - began;
    }
};

struct size_of {
    std::uint32_t* size;
    std::uint32_t operator()(auto const&) const noexcept { return *size; }
};

template <class Make>
std::string refused_with(Make make) {
    try {
        make();
    } catch (std::invalid_argument const& wrong) {
        return wrong.what();
    }
    return "not refused";
}

}  // namespace

TEST_CASE("rate_limit: admits a burst and then its rate, and says when to come again") {
    stand on;
    hawser::rate_limit limit{{.rate = 10, .burst = 2}};
    auto const line = on.line(limit);
    hawser::refusal why;

    CHECK(on.time_of(line, why) == 0ms);
    CHECK(on.time_of(line, why) == 0ms);
    CHECK(why.code == errc{});
    CHECK(on.time_of(line, why) == 0ms);
    CHECK(why == hawser::refusal{errc::rate_limited, 100ms, "rate_limit"});

    on.time.advance(100ms - 1ns);
    (void)on.time_of(line, why);
    CHECK(why.retry_after == 1ns);
    on.time.advance(1ns);
    (void)on.time_of(line, why);
    CHECK(why.code == errc{});
}

TEST_CASE("rate_limit: makes calls wait their turn, up to as long as it was told") {
    stand on;
    hawser::rate_limit limit{{.rate = 10, .burst = 1}, hawser::wait_up_to{250ms}};
    auto const line = on.line(limit);
    hawser::refusal why;

    CHECK(on.time_of(line, why) == 0ms);
    CHECK(on.time_of(line, why) == 100ms);
    CHECK(why.code == errc{});

    // Three turns are taken by others.
    REQUIRE(limit.limiter().reserve(on.time.now(), 1, 1s));
    REQUIRE(limit.limiter().reserve(on.time.now(), 1, 1s));
    CHECK(on.time_of(line, why) == 0ms);  // Refused at once, not after the wait.
    CHECK(why.code == errc::rate_limited);
    CHECK(why.retry_after == 300ms);
}

TEST_CASE("rate_limit: a wait that would pass the deadline is not begun, and takes no turn") {
    stand on;
    hawser::rate_limit limit{{.rate = 10, .burst = 1}, hawser::wait_up_to{1s}};
    auto const line = on.line(limit);
    (void)hawser::try_execute(line, [] {});

    auto const out = hawser::try_execute(line, {.deadline = on.time.now() + 50ms}, [] {});

    CHECK(out.code() == errc::rate_limited);
    CHECK(out.why()->retry_after == 100ms);
    on.time.advance(100ms);
    CHECK(limit.limiter().available(on.time.now()) == 1);
}

TEST_CASE("rate_limit: a call that stops waiting gives its turn back") {
    stand on;
    hawser::rate_limit limit{{.rate = 10, .burst = 1}, hawser::wait_up_to{1s}};
    auto const line = on.line(limit);
    (void)hawser::try_execute(line, [] {});
    std::stop_source caller;
    caller.request_stop();

    CHECK(hawser::try_execute(line, {.stop = caller.get_token()}, [] {}).code() == errc::cancelled);

    on.time.advance(100ms);
    CHECK(limit.limiter().available(on.time.now()) == 1);
}

TEST_CASE("rate_limit: a call takes as many tokens as it costs") {
    stand on;
    std::uint32_t size = 3;
    hawser::rate_limit limit{{.rate = 1, .burst = 5}, hawser::cost_by{size_of{&size}}};
    auto const line = on.line(limit);
    hawser::refusal why;

    (void)on.time_of(line, why);
    CHECK(limit.limiter().available(on.time.now()) == 2);
    (void)on.time_of(line, why);
    CHECK(why.retry_after == 1s);
    size = 0;
    (void)on.time_of(line, why);
    CHECK(why.code == errc{});
    size = 6;
    (void)on.time_of(line, why);
    CHECK(why == hawser::refusal{errc::too_large, hawser::never, "rate_limit"});
    CHECK(limit.limiter().available(on.time.now()) == 2);
}

TEST_CASE("rate_limit: one bucket stands in several policies and pipelines") {
    stand on;
    hawser::token_bucket bucket{{.rate = 1, .burst = 3}};
    hawser::rate_limit reads{hawser::borrow(bucket), hawser::named{"reads"}};
    hawser::rate_limit writes{hawser::borrow(bucket), hawser::named{"writes"}};
    auto const reading = on.line(reads), writing = on.line(writes);

    CHECK(hawser::try_execute(reading, [] { return 1; }).has_value());
    CHECK(hawser::try_execute(writing, [] { return 1; }).has_value());
    CHECK(hawser::try_execute(reading, [] { return 1; }).has_value());
    auto const out = hawser::try_execute(writing, [] { return 1; });
    REQUIRE(out.why() != nullptr);
    CHECK(out.why()->policy == std::string{"writes"});
}

TEST_CASE("rate_limit: what it refuses is no vote further out, and costs no retry budget") {
    stand on;
    hawser::rate_limit limit{{.rate = 10, .burst = 1}};
    hawser::circuit_breaker breaker{{.minimum_calls = 1}};
    hawser::retry_budget budget{{.ratio = 0, .floor = 5, .capacity = 5}};
    auto const line = hawser::compose_in(hawser::testing::manual_environment{on.time},
                                         hawser::retry{{.max_attempts = 3}, hawser::borrow(budget)},
                                         hawser::borrow(breaker), hawser::borrow(limit));
    auto const before = budget.available(on.time.now());

    for (int call = 0; call != 100; ++call) CHECK(hawser::try_execute(line, [] { return 1; }));

    CHECK(breaker.state() == hawser::breaker_state::closed);
    CHECK(budget.available(on.time.now()) == before);
    CHECK(on.time.now() - hawser::manual_time{}.now() == 9900ms);  // Each waited for its token.
}

TEST_CASE("rate_limit: says which field is wrong") {
    CHECK(refused_with([] { hawser::rate_limit limit{{.rate = 0}}; }) ==
          "token_bucket: rate is zero");
    CHECK(refused_with([] {
              hawser::rate_limit limit{{.rate = 1}, hawser::wait_up_to{0ms}};
          }) == "rate_limit: wait_up_to is not positive");
    CHECK(refused_with([] {
              hawser::rate_limit limit{{.rate = 1}, hawser::named{nullptr}};
          }) == "rate_limit: name is null");
}
