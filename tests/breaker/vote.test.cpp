// SPDX-License-Identifier: BSL-1.0
#include <hawser/breaker/vote.hpp>

#include "support/catch.hpp"

#include <type_traits>

using hawser::breaker_ticket;
using hawser::detail::breaker_word;
using hawser::detail::ticket_access;

static_assert(!std::is_copy_constructible_v<breaker_ticket>, "one call, one vote");
static_assert(sizeof(breaker_ticket) == 24);

TEST_CASE("breaker_ticket: is empty by default, when used up and when moved from") {
    breaker_ticket ticket;
    CHECK_FALSE(ticket);
    CHECK(ticket.generation() == 0);

    ticket = ticket_access::make(breaker_word::make(5, hawser::breaker_state::half_open));
    CHECK(ticket);
    CHECK(ticket.is_probe());
    CHECK(ticket.generation() == 5);

    auto moved = std::move(ticket);
    CHECK_FALSE(ticket);  // NOLINT(bugprone-use-after-move): the promise.
    CHECK_FALSE(ticket.is_probe());
    ticket_access::use_up(moved);
    CHECK_FALSE(moved);
}

TEST_CASE("breaker_word: tells the states that count from those that do not") {
    using enum hawser::breaker_state;
    for (auto const state : {closed, open, half_open, isolated, disabled, metrics_only}) {
        auto const word = breaker_word::make(1'000'000, state);
        CHECK(breaker_word::state_of(word | breaker_word::watched) == state);
        CHECK(breaker_word::generation_of(word | breaker_word::watched) == 1'000'000);
        CHECK(breaker_word::counts(word) == (state == closed || state == metrics_only));
    }
}

TEST_CASE("rule_reading: has a rate of zero without calls") {
    CHECK(hawser::rule_reading{}.rate() == 0);
    CHECK(hawser::rule_reading{"", 8, 2, 1}.rate() == 0.25);
}
