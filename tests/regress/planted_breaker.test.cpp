// SPDX-License-Identifier: BSL-1.0
//
// New numbers for a breaker that is at work: what holds between the old ones and the new.
#include <hawser/breaker/breaker_machine.hpp>
#include <hawser/breaker/probe_pool.hpp>

#include "support/catch.hpp"

#include <cstdint>

using namespace std::chrono_literals;
using hawser::verdict;

namespace {

auto const start = hawser::time_point{1h};
auto const at_start = []() noexcept { return start; };

template <class Machine>
void vote(Machine& machine, verdict health) {
    auto admission = machine.try_acquire(at_start);
    REQUIRE(admission);
    machine.report(admission.ticket, {.health = health}, at_start);
}

}  // namespace

TEST_CASE("breaker_machine: after a reconfiguration a success may complete the new minimum") {
    hawser::breaker_machine<hawser::trip::failure_rate> machine{
        {.failure_rate = 0.9, .window = 10, .minimum_calls = 10}, std::uint64_t{1}};
    for (int i = 0; i < 3; ++i) vote(machine, verdict::failure);
    vote(machine, verdict::success);

    machine.reconfigure({.failure_rate = 0.5, .window = 10, .minimum_calls = 5}, start);
    REQUIRE(machine.state() == hawser::breaker_state::closed);
    vote(machine, verdict::success);

    CHECK(machine.state() == hawser::breaker_state::open);
}

TEST_CASE("probe_pool: with more votes cast than the new terms want, one probe goes out") {
    hawser::detail::probe_pool pool{4};
    hawser::detail::probe_terms const before{.votes = 4, .at_once = 4, .needed = 4, .lease = 1s};
    pool.begin();
    for (int i = 0; i < 3; ++i) {
        auto const probe = pool.acquire(before, start);
        REQUIRE(probe);
        REQUIRE(pool.release(*probe));
        REQUIRE(pool.cast(before, true) == hawser::detail::episode_verdict::undecided);
    }

    hawser::detail::probe_terms const fewer{.votes = 2, .at_once = 2, .needed = 2, .lease = 1s};
    CHECK(pool.acquire(fewer, start));
    CHECK_FALSE(pool.acquire(fewer, start));
}
