// SPDX-License-Identifier: BSL-1.0
#include <hawser/hawser.hpp>
#include <hawser/policy/throttle.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using hawser::errc;
using support::stage;

namespace {

/// A dependency that accepts a share of what it is asked for; whatever reaches it is counted.
struct stand {
    stage scene;
    int asked = 0;
    int accepted = 0;

    template <class Line>
    errc call(Line const& line, bool accepts, std::int32_t priority = 0) {
        hawser::call_facts<> const facts{.priority = priority};
        return hawser::try_execute(line, facts,
                                   [&] {
                                       ++asked;
                                       accepted += accepts ? 1 : 0;
                                       return accepts ? 200 : 503;
                                   })
            .code();
    }
};

constexpr auto by_status = [](hawser::outcome<int> const& out) noexcept {
    return out.value() == 503 ? hawser::sample_outcome::dropped : hawser::sample_outcome::success;
};

}  // namespace

TEST_CASE("throttle: lets everything through while the dependency accepts it") {
    stand on;
    hawser::throttle shed{{}, hawser::sampled_by{by_status}};
    auto const line = hawser::compose_in(on.scene.environment(), hawser::borrow(shed));
    for (int i = 0; i != 10'000; ++i) CHECK(on.call(line, true) == errc{});
    CHECK(shed.chances().rejection_probability(on.scene.time.now()) == 0);
}

TEST_CASE("throttle: refuses as overloaded most of what would be refused there") {
    stand on;
    hawser::throttle shed{{.window = 10s}, hawser::sampled_by{by_status}};
    auto const line = hawser::compose_in(on.scene.environment(), hawser::borrow(shed));
    // Ten calls a millisecond, of which the dependency accepts one.
    int refused = 0;
    for (int i = 0; i != 2'000; ++i) {
        auto const accepted_before = on.accepted;
        for (int call = 0; call != 10; ++call)
            refused += on.call(line, on.accepted == accepted_before) == errc::overloaded ? 1 : 0;
        on.scene.time.advance(1ms);
    }
    CHECK(refused > 12'000);
    CHECK(on.asked < 8'000);  // About twice of what is accepted, and what it takes to find out.
    CHECK(on.accepted > 1'500);

    // And finds out when it recovers.
    for (int i = 0; i != 20'000; ++i) {
        (void)on.call(line, true);
        on.scene.time.advance(1ms);
    }
    CHECK(shed.chances().rejection_probability(on.scene.time.now()) == 0);
}

TEST_CASE("throttle: a refusal says when a call is let through for certain") {
    stand on;
    hawser::throttle shed{{.requests_min = 1, .let_through_every = 500ms},
                          hawser::sampled_by{by_status},
                          hawser::named{"search"}};
    auto const line = hawser::compose_in(on.scene.environment(), hawser::borrow(shed));
    for (int i = 0; i != 1'000; ++i) (void)on.call(line, false);
    hawser::refusal why;
    while (why.code == errc{}) {
        auto const out = hawser::try_execute(line, [] { return 503; });
        if (out.why() != nullptr) why = *out.why();
    }
    CHECK(why.code == errc::overloaded);
    CHECK(why.policy == std::string{"search"});
    CHECK(why.retry_after <= 500ms);
    on.scene.time.advance(why.retry_after);
    CHECK(on.call(line, false) == errc{});
}

TEST_CASE("throttle: calls of a low priority are refused first") {
    stand on;
    hawser::throttle shed{{.window = 10s}, hawser::sampled_by{by_status}};
    auto const line = hawser::compose_in(on.scene.environment(), hawser::borrow(shed));
    int low = 0, high = 0;
    for (int i = 0; i != 5'000; ++i) {
        auto const accepted_before = on.accepted;
        for (int call = 0; call != 2; ++call) {
            low += on.call(line, on.accepted == accepted_before, -1) == errc::overloaded ? 1 : 0;
            high += on.call(line, on.accepted == accepted_before, 1) == errc::overloaded ? 1 : 0;
        }
        on.scene.time.advance(1ms);
    }
    CHECK(low > 3 * high);
    CHECK(low > 5'000);
}

TEST_CASE("throttle: how a call ended is told of its own priority") {
    stand on;
    hawser::basic_adaptive_throttle<hawser::testing::fixed_random> chances;  // Refuses nobody.
    hawser::throttle shed{hawser::borrow(chances), hawser::sampled_by{by_status}};
    auto const line = hawser::compose_in(on.scene.environment(), hawser::borrow(shed));
    for (int i = 0; i != 300; ++i) CHECK(on.call(line, false, -2) == errc{});
    for (int i = 0; i != 50; ++i) CHECK(on.call(line, true, 2) == errc{});
    // Of 350 calls 50 were accepted; the lowest, 300, bear all of the share that is too much.
    auto const share = (350.0 - 2 * 50) / 351 * 350 / 300;
    auto const now = on.scene.time.now();
    CHECK(chances.rejection_probability(now, -2) == Approx(share));
    CHECK(chances.rejection_probability(now, 2) == 0);
}

TEST_CASE("throttle: what its own side ends is neither accepted nor refused") {
    stand on;
    hawser::throttle shed{{.requests_min = 1}};
    auto const line = hawser::compose_in(on.scene.environment(), hawser::borrow(shed));
    for (int i = 0; i != 1'000; ++i)
        (void)hawser::try_execute(line, [] {
            throw hawser::refused{{errc::rate_limited, {}, "inner"}};
        });
    CHECK(shed.chances().rejection_probability(on.scene.time.now()) == 0);
}

TEST_CASE("throttle: says which field is wrong") {
    CHECK_THROWS_WITH((hawser::throttle{{.multiplier = 0.5}}),
                      "adaptive_throttle: multiplier is not in [1, 100]");
    CHECK_THROWS_WITH((hawser::throttle{{}, hawser::named{nullptr}}), "throttle: name is null");
}
