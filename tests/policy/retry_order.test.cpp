// SPDX-License-Identifier: BSL-1.0
//
// What the order of a retry and another policy comes to, in numbers: either order, side by side.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"

#include <stdexcept>

using namespace std::chrono_literals;
using hawser::allow;
using hawser::borrow;
using hawser::compose_in;
using hawser::try_execute;
using support::stage;

namespace {

struct counts {
    int wire = 0;      ///< Starts of the operation.
    int answered = 0;  ///< Calls that ended with a value.
    hawser::duration took{};
    friend bool operator==(counts const&, counts const&) = default;
};
std::ostream& operator<<(std::ostream& to, counts const& c) {
    return to << c.wire << " starts, " << c.answered << " answers, " << support::text_of(c.took);
}

auto again(std::uint32_t attempts) {
    return hawser::retry{{.max_attempts = attempts, .refusal_wait_max = 0s},
                         hawser::backoff::constant{10ms},
                         hawser::jitter::none{},
                         hawser::no_budget{}};
}

/// So many calls whose operation takes 3 ms and fails.
template <class Line>
counts run(stage& scene, Line const& line, int calls) {
    counts seen;
    auto const begin = scene.time.now();
    for (int i = 0; i < calls; ++i)
        seen.answered += try_execute(line, [&]() -> int {
                             ++seen.wire;
                             scene.time.advance(3ms);
                             throw std::runtime_error{"down"};
                         }).has_value();
    seen.took = scene.time.now() - begin;
    return seen;
}

}  // namespace

TEST_CASE("order: a breaker inside a retry counts attempts, and one call of many may open it") {
    stage scene;
    hawser::basic_circuit_breaker breaker{hawser::circuit_breaker_options{},
                                          hawser::trip::consecutive_failures{5}};
    auto const line = compose_in(scene.environment(), again(8), borrow(breaker));
    CHECK(run(scene, line, 1) == counts{5, 0, 5 * 3ms + 5 * 10ms});
    CHECK(breaker.state() == hawser::breaker_state::open);
    CHECK(run(scene, line, 10) == counts{0, 0, 0ms});
}

TEST_CASE("order: a breaker outside a retry counts calls, and opens after as many") {
    stage scene;
    hawser::basic_circuit_breaker breaker{hawser::circuit_breaker_options{},
                                          hawser::trip::consecutive_failures{5}};
    auto const line = compose_in(scene.environment(), borrow(breaker), again(8));
    CHECK(run(scene, line, 4) == counts{4 * 8, 0, 4 * (8 * 3ms + 7 * 10ms)});
    CHECK(breaker.state() == hawser::breaker_state::closed);
    CHECK(run(scene, line, 10) == counts{8, 0, 8 * 3ms + 7 * 10ms});
    CHECK(breaker.state() == hawser::breaker_state::open);
}

TEST_CASE("order: a timeout inside a retry limits each attempt, one outside it all of them") {
    stage scene;
    auto const inside = compose_in(scene.environment(), again(4), hawser::attempt_timeout{2ms});
    CHECK(run(scene, inside, 1) == counts{4, 0, 4 * 3ms + 3 * 10ms});
    auto const outside = compose_in(scene.environment(), hawser::total_timeout{20ms}, again(4));
    CHECK(run(scene, outside, 1) == counts{2, 0, 2 * 3ms + 10ms});  // At 0 and 13 ms.
    auto const late = compose_in(scene.environment(), hawser::total_timeout{2ms}, again(4));
    CHECK(run(scene, late, 1) == counts{1, 0, 3ms});
}

TEST_CASE("order: a fallback inside a retry leaves it nothing to try again, one outside it does") {
    stage scene;
    auto const outside = compose_in(scene.environment(), hawser::fallback{9}, again(4));
    CHECK(run(scene, outside, 1) == counts{4, 1, 4 * 3ms + 3 * 10ms});
    auto const inside =
        compose_in(scene.environment(), allow<hawser::order::fallback_inside_retry>{}, again(4),
                   hawser::fallback{9});
    CHECK(run(scene, inside, 1) == counts{1, 1, 3ms});
}

TEST_CASE("order: a fallback outside a total timeout answers for it, one inside it does not") {
    stage scene;
    auto const outside =
        compose_in(scene.environment(), hawser::fallback{9}, hawser::total_timeout{2ms}, again(4));
    CHECK(run(scene, outside, 1) == counts{1, 1, 3ms});
    auto const inside =
        compose_in(scene.environment(), hawser::total_timeout{2ms}, hawser::fallback{9}, again(4));
    CHECK(run(scene, inside, 1) == counts{1, 0, 3ms});
}
