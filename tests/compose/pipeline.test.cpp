// SPDX-License-Identifier: BSL-1.0
#include <hawser/compose/pipeline.hpp>
#include <hawser/hawser.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

#include <memory>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::compose;
using hawser::retry;

namespace {

auto make_line(hawser::circuit_breaker& breaker) {
    return compose(retry{{.max_attempts = 4}}, borrow(breaker));
}

}  // namespace

TEST_CASE("pipeline: is made where it stays, also as a member or on the heap") {
    using line_type = decltype(make_line(std::declval<hawser::circuit_breaker&>()));
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<line_type>);
    STATIC_REQUIRE_FALSE(std::is_move_constructible_v<line_type>);

    struct client {
        hawser::circuit_breaker breaker{};
        line_type line = make_line(breaker);
    };
    auto const made = std::make_unique<client>();
    CHECK(hawser::execute(made->line, [] { return 1; }) == 1);
}

TEST_CASE("pipeline: gives its policies out by place, outermost first") {
    hawser::circuit_breaker breaker;
    auto const line = compose(hawser::fallback{1}, retry{{.name = "again"}}, borrow(breaker));
    STATIC_REQUIRE(decltype(line)::size == 3);
    CHECK(line.policy<0>().name() == std::string{"fallback"});
    CHECK(line.policy<1>().name() == std::string{"again"});
    CHECK(&line.policy<2>() == &breaker);
}

TEST_CASE("pipeline: bounds the attempts by the product of its layers") {
    using hawser::no_budget;
    CHECK(compose().max_attempts() == 1);
    CHECK(compose(hawser::fallback{1}, hawser::attempt_timeout{1s}).max_attempts() == 1);
    CHECK(compose(retry{{.max_attempts = 1}}).max_attempts() == 1);
    CHECK(compose(retry{{.max_attempts = 3}}, retry{{.max_attempts = 4}}).max_attempts() == 12);
    constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
    CHECK(compose(retry{{.max_attempts = most}}, retry{{.max_attempts = 2}}).max_attempts() ==
          most);
}

TEST_CASE("pipeline: the bound is reached by a call that always fails, and not passed") {
    hawser::manual_time time;
    auto const never_waits = [](std::uint32_t attempts) {
        return retry{{.max_attempts = attempts}, hawser::backoff::none{}, hawser::no_budget{}};
    };
    auto const line = hawser::compose_in(hawser::testing::manual_environment{time}, never_waits(3),
                                         never_waits(4), never_waits(2));
    std::uint32_t calls = 0;
    (void)hawser::try_execute(line, [&] {
        ++calls;
        throw 1;
    });
    CHECK(calls == line.max_attempts());
    CHECK(calls == 24);
}

TEST_CASE("pipeline: empty policies cost no byte") {
    using plain = decltype(compose(hawser::attempt_timeout{1s}));
    using more = decltype(compose(support::idle_layer{}, hawser::attempt_timeout{1s}));
    STATIC_REQUIRE(sizeof(more) == sizeof(plain));
}
