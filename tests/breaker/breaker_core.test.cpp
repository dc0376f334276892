// SPDX-License-Identifier: BSL-1.0
//
// What the core does is tested through the machine: `breaker_machine.test.cpp`, `.explore`,
// `.race`. Here is what only its layout can show.
#include <hawser/breaker/breaker_core.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <mutex>

using namespace std::chrono_literals;
using hawser::breaker_event;
using hawser::breaker_state;
using hawser::errc;
using hawser::detail::breaker_core;
using hawser::detail::breaker_word;

static constexpr hawser::time_point t0{1h};

TEST_CASE("breaker_core: the word, the stripes and the mutex stand on different lines") {
    breaker_core const core{{}, 1};
    auto const line = [](void const* place) {
        return reinterpret_cast<std::uintptr_t>(place) / hawser::cache_line;
    };
    auto const first = line(&core), stripes = line(&core.tally), mutex = line(&core.mutex);
    CHECK(stripes == first + 1);
    CHECK(mutex == stripes + sizeof core.tally / hawser::cache_line);
    CHECK(reinterpret_cast<std::uintptr_t>(&core.tally) % hawser::cache_line == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(&core.mutex) % hawser::cache_line == 0);
}

TEST_CASE(
    "breaker_core: a caller whose look at the state is out of date is answered by the new one") {
    breaker_core core{{.jitter = 0}, 1};
    auto const seen_open = breaker_word::make(1, breaker_state::open);
    auto const seen_half_open = breaker_word::make(1, breaker_state::half_open);
    auto const step = [&](breaker_event event) {
        std::lock_guard const lock{core.mutex};
        REQUIRE(core.step(event, t0, {}));
    };

    CHECK(core.admit_at(seen_open, t0));  // It is closed again.
    step(breaker_event::tripped);
    CHECK(core.admit_at(seen_half_open, t0).why.code == errc::circuit_open);
    CHECK(breaker_word::state_of(core.word()) == breaker_state::open);
    step(breaker_event::isolate);
    CHECK(core.admit_at(seen_half_open, t0).why.code == errc::isolated);
    step(breaker_event::disable);
    auto const unasked = core.admit_at(seen_half_open, t0);
    CHECK(unasked);
    CHECK_FALSE(unasked.ticket.is_probe());
}
