// SPDX-License-Identifier: BSL-1.0
//
// What `compose` refuses by the values of its layers, and what `allow` lets through. What it
// refuses by their types stands in tests/refuse/order_*.cpp.
#include <hawser/compose/lint.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

#include <memory>
#include <stdexcept>

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using hawser::allow;
using hawser::borrow;
using hawser::circuit_breaker;
using hawser::compose;

namespace {

struct chaos_layer : support::idle_layer {
    static constexpr hawser::layer_role role = hawser::layer_role::chaos;
};

template <class... Policies>
int run(Policies&&... policies) {
    auto const line = compose(std::forward<Policies>(policies)...);
    return hawser::execute(line, [] { return 1; });
}

}  // namespace

TEST_CASE("lint: the same object does not stand in a pipeline twice") {
    circuit_breaker breaker;
    CHECK_THROWS_WITH(compose(borrow(breaker), borrow(breaker)), Contains("twice"));
    CHECK_THROWS_WITH(compose(borrow(breaker), hawser::retry{}, borrow(breaker)),
                      Contains("twice"));

    auto const shared = std::make_shared<circuit_breaker>();
    CHECK_THROWS_AS(compose(shared, shared), std::invalid_argument);
    CHECK_THROWS_AS(compose(shared, borrow(*shared)), std::invalid_argument);
}

TEST_CASE("lint: two objects of one type, and equal policies without state, may stand together") {
    circuit_breaker first, second;
    CHECK(run(borrow(first), borrow(second)) == 1);
    hawser::attempt_timeout const limit{5s};
    CHECK(run(limit, limit) == 1);
}

TEST_CASE("lint: an attempt timeout is below the total timeout outside it") {
    using hawser::attempt_timeout;
    using hawser::total_timeout;
    CHECK_THROWS_WITH(compose(total_timeout{1s}, attempt_timeout{2s}), Contains("never fires"));
    CHECK_THROWS_WITH(compose(total_timeout{1s}, hawser::retry{}, attempt_timeout{1s}),
                      Contains("never fires"));
    CHECK(run(total_timeout{1s}, hawser::retry{}, attempt_timeout{999ms}) == 1);
    CHECK(run(attempt_timeout{2s}, total_timeout{1s}) == 1);
}

TEST_CASE("lint: what is meant is allowed, rule by rule") {
    using namespace hawser::order;
    CHECK(run(allow<fallback_inside_retry>{}, hawser::retry{}, hawser::fallback{1}) == 1);
    CHECK(run(allow<total_timeout_inside_retry>{}, hawser::retry{}, hawser::total_timeout{1s}) ==
          1);
    CHECK(run(allow<attempt_timeout_outside_retry>{}, hawser::attempt_timeout{1s},
              hawser::retry{}) == 1);
    CHECK(run(allow<chaos_not_innermost>{}, chaos_layer{}, hawser::retry{}) == 1);
    CHECK(run(allow<chaos_not_innermost, fallback_inside_retry>{}, chaos_layer{}, hawser::retry{},
              hawser::fallback{1}) == 1);
}

TEST_CASE("lint: the recommended order needs no allowance") {
    circuit_breaker breaker;
    CHECK(run(hawser::fallback{0}, hawser::total_timeout{10s}, hawser::retry{}, borrow(breaker),
              hawser::attempt_timeout{1s}, chaos_layer{}, chaos_layer{}) == 1);
    CHECK(run(chaos_layer{}) == 1);
    CHECK(run() == 1);
}

TEST_CASE("lint: what the values show is refused at compile time where they are constants") {
    // The mistakes do not compile: see tests/refuse/attempt_timeout_too_long.cpp.
    static constexpr auto line = compose(hawser::total_timeout{1s}, hawser::attempt_timeout{100ms});
    CHECK(hawser::execute(line, [] { return 1; }) == 1);
}
