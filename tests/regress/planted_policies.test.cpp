// SPDX-License-Identifier: BSL-1.0
//
// What two parts of a retry mean to each other, and a retry to the layers inside it.
#include <hawser/hawser.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"

#include <stdexcept>

using namespace std::chrono_literals;
using hawser::errc;
using hawser::testing::fixed_random;
using hawser::testing::manual_environment;

TEST_CASE("retry: a backoff that draws by chance gets no jitter on top") {
    hawser::manual_time time;
    auto const start = time.now();
    auto const line =
        hawser::compose_in(manual_environment{time},
                           hawser::retry{{.max_attempts = 2},
                                         hawser::backoff::decorrelated{.base = 100ms, .cap = 10s},
                                         hawser::no_budget{},
                                         fixed_random{0}});

    CHECK_THROWS(hawser::execute(line, []() -> int { throw 1; }));

    CHECK(time.now() - start == 100ms);
}

TEST_CASE("retry: asking a refusing layer again costs no token") {
    hawser::manual_time time;
    hawser::circuit_breaker breaker{{.failure_rate = 1.0,
                                     .window = 1,
                                     .minimum_calls = 1,
                                     .open_for = 1s,
                                     .jitter = 0.0,
                                     .probes = 1}};
    hawser::retry_budget budget{{.ratio = 0.001, .floor = 0, .capacity = 1}};
    auto const line =
        hawser::compose_in(manual_environment{time}, hawser::retry{{}, hawser::borrow(budget)},
                           hawser::borrow(breaker));
    auto failed = breaker.try_acquire(time.now());
    failed.report({.health = hawser::verdict::failure}, [&]() noexcept { return time.now(); });
    REQUIRE(breaker.state() == hawser::breaker_state::open);

    CHECK(hawser::execute(line, [] { return 3; }) == 3);

    CHECK(budget.available(time.now()) == 1);
}

TEST_CASE("retry: a cancel is not retried, though a predicate wants it") {
    int starts = 0;
    auto const line =
        hawser::compose(hawser::retry{{.max_attempts = 3},
                                      hawser::backoff::none{},
                                      hawser::no_budget{},
                                      hawser::retry_if{[](auto const&) noexcept { return true; }}});

    auto const got = hawser::try_execute(line, [&]() -> int {
        ++starts;
        throw hawser::refused{{errc::cancelled, {}, "nested"}};
    });

    CHECK(got.code() == errc::cancelled);
    CHECK(starts == 1);
}

TEST_CASE("retry: an abort holds for an attempt that was not sent, too") {
    int starts = 0;
    auto const line =
        hawser::compose(hawser::retry{{.max_attempts = 3},
                                      hawser::backoff::none{},
                                      hawser::no_budget{},
                                      hawser::abort_if{[](auto const&) noexcept { return true; }}});

    CHECK_THROWS(hawser::execute(line, [&](auto& call) -> int {
        ++starts;
        call.mark_not_sent();
        throw std::runtime_error{"no connection"};
    }));

    CHECK(starts == 1);
}

TEST_CASE("allowance: of two nested pipelines one alone goes on with the attempt paid for") {
    auto const outer = hawser::compose();
    auto const inner = hawser::compose();
    hawser::attempt_allowance allowance{3};
    hawser::call_facts<> const facts{.allowance = &allowance};

    hawser::execute(outer, facts, [&](auto& call) {
        hawser::execute(inner, call.nested(), [] {});
        CHECK(allowance.remaining() == 2);
        hawser::execute(inner, call.nested(), [] {});
        CHECK(allowance.remaining() == 1);
    });
}

TEST_CASE("breaker: what a predicate further in threw is no vote, whatever a classifier says") {
    hawser::basic_circuit_breaker breaker{
        hawser::circuit_breaker_options{.failure_rate = 1.0, .window = 1, .minimum_calls = 1},
        hawser::votes_by{[](auto const&) noexcept { return hawser::verdict::failure; }}};
    auto const line = hawser::compose(
        hawser::borrow(breaker),
        hawser::retry{{}, hawser::no_budget{}, hawser::retry_if{[](auto const&) -> bool {
                          throw std::logic_error{"a bug of ours"};
                      }}});

    CHECK_THROWS_AS(hawser::execute(line, []() -> int { throw 1; }), std::logic_error);

    CHECK(breaker.state() == hawser::breaker_state::closed);
    CHECK(breaker.snapshot().calls == 0);
}
