// SPDX-License-Identifier: BSL-1.0
#include <hawser/compose/layer.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

#include <memory>
#include <stdexcept>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::build;
using hawser::circuit_breaker;
using hawser::compose;
using hawser::execute;

TEST_CASE("layer: a policy by value is const in the pipeline") {
    auto const line = compose(hawser::attempt_timeout{5ms});
    STATIC_REQUIRE(std::is_const_v<std::remove_reference_t<decltype(line.policy<0>())>>);
    CHECK(line.policy<0>().limit() == 5ms);
}

TEST_CASE("layer: a policy by value is copied from a name, and moved from a temporary") {
    hawser::attempt_timeout const named{5ms};
    auto const line = compose(named, hawser::fallback{std::make_unique<int>(3)});
    CHECK(&line.policy<0>() != &named);
    CHECK(*line.policy<1>().alternative() == 3);
}

TEST_CASE("layer: a borrowed policy is the lender's own") {
    circuit_breaker breaker;
    auto const line = compose(borrow(breaker));
    CHECK(&line.policy<0>() == &breaker);
    breaker.isolate();
    CHECK(hawser::try_execute(line, [] {}).code() == hawser::errc::isolated);
}

TEST_CASE("layer: a policy in a shared pointer lives as long as the pipeline") {
    std::weak_ptr<circuit_breaker> watch;
    {
        auto shared = std::make_shared<circuit_breaker>();
        watch = shared;
        auto const line = compose(std::move(shared));
        CHECK(watch.use_count() == 1);
        CHECK(execute(line, [] { return 1; }) == 1);
        CHECK(&line.policy<0>() == watch.lock().get());
    }
    CHECK(watch.expired());
}

TEST_CASE("layer: a unique pointer owns as well") {
    auto const line = compose(std::make_unique<circuit_breaker>());
    CHECK(execute(line, [] { return 1; }) == 1);
}

TEST_CASE("layer: a policy that cannot move is built where it stays") {
    STATIC_REQUIRE_FALSE(std::is_move_constructible_v<circuit_breaker>);
    auto const line = compose(build<circuit_breaker>(
        hawser::circuit_breaker_options{.minimum_calls = 1, .name = "built"}));
    CHECK(line.policy<0>().name() == std::string{"built"});
    (void)hawser::try_execute(line, []() -> int { throw 1; });
    CHECK(line.policy<0>().state() == hawser::breaker_state::open);
}

TEST_CASE("layer: what building a policy throws leaves compose") {
    CHECK_THROWS_AS(compose(build<circuit_breaker>(hawser::circuit_breaker_options{.probes = 0})),
                    std::invalid_argument);
}

TEST_CASE("layer: a retry with a budget of its own moves in, and its calls share that budget") {
    auto const line = compose(
        hawser::retry{{.max_attempts = 2},
                      hawser::backoff::none{},
                      hawser::retry_budget{{.ratio = 0, .floor = 1, .per = 1h, .capacity = 1}}});
    int calls = 0;
    for (int i = 0; i < 3; ++i)
        (void)hawser::try_execute(line, [&] {
            ++calls;
            throw 1;
        });
    CHECK(calls == 4);  // One token, for one retry.
    STATIC_REQUIRE(hawser::stateful_policy<hawser::retry<>>);
    STATIC_REQUIRE_FALSE(hawser::stateful_policy<hawser::retry<hawser::no_budget>>);
}

TEST_CASE("layer: one borrowed policy serves many pipelines") {
    circuit_breaker breaker{{.minimum_calls = 2}};
    auto const first = compose(borrow(breaker)), second = compose(borrow(breaker));
    (void)hawser::try_execute(first, [] { throw 1; });
    (void)hawser::try_execute(second, [] { throw 1; });
    CHECK(hawser::try_execute(first, [] {}).code() == hawser::errc::circuit_open);
}
