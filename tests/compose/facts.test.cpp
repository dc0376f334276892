// SPDX-License-Identifier: BSL-1.0
#include <hawser/compose/facts.hpp>
#include <hawser/hawser.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"

#include <algorithm>

using namespace std::chrono_literals;

namespace {

/// A pipeline of `attempts` that never wait.
auto retries(hawser::manual_time& time, std::uint32_t attempts) {
    return hawser::compose_in(
        hawser::testing::manual_environment{time},
        hawser::retry{{.max_attempts = attempts}, hawser::backoff::none{}, hawser::no_budget{}});
}

/// How often an operation that always fails is started by `inner` attempts within `outer` ones.
int wire_attempts(std::uint32_t outer, std::uint32_t inner, hawser::attempt_allowance* allowance) {
    hawser::manual_time time;
    auto const outside = retries(time, outer), inside = retries(time, inner);
    int count = 0;
    (void)hawser::try_execute(outside, {.allowance = allowance}, [&](auto& call) {
        return hawser::execute(inside, call.nested(), [&]() -> int {
            ++count;
            throw 1;
        });
    });
    return count;
}

}  // namespace

TEST_CASE("facts: say nothing by default") {
    hawser::call_facts<> const facts;
    CHECK(facts.deadline == hawser::no_deadline);
    CHECK_FALSE(facts.stop.stop_possible());
    CHECK(facts.priority == 0);
    CHECK(facts.allowance == nullptr);
    CHECK(facts.idempotency == hawser::idempotency_key{});
    CHECK(facts.operation == std::string{});
}

TEST_CASE("facts: a call without a key costs none") {
    STATIC_REQUIRE(sizeof(hawser::call_facts<>) <= sizeof(hawser::call_facts<int>));
}

TEST_CASE("facts: without an allowance nested retries multiply") {
    CHECK(wire_attempts(3, 4, nullptr) == 12);
}

TEST_CASE("facts: an allowance bounds the attempts of a call and the pipelines nested in it") {
    for (std::uint32_t const bound : {1U, 2U, 4U, 5U, 7U, 11U, 12U, 20U}) {
        hawser::attempt_allowance allowance{bound};
        INFO("allowance " << bound);
        CHECK(wire_attempts(3, 4, &allowance) == static_cast<int>(std::min(bound, 12U)));
    }
}

TEST_CASE("facts: an allowance bounds one pipeline's attempts, the first one too") {
    for (std::uint32_t const bound : {0U, 1U, 2U, 3U, 9U}) {
        hawser::attempt_allowance allowance{bound};
        hawser::manual_time time;
        auto const line = retries(time, 4);
        int count = 0;
        (void)hawser::try_execute(line, {.allowance = &allowance}, [&] {
            ++count;
            throw 1;
        });
        INFO("allowance " << bound);
        CHECK(count == static_cast<int>(std::min(bound, 4U)));
        CHECK(allowance.remaining() == bound - std::min(bound, 4U));
    }
}
