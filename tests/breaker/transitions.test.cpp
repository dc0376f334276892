// SPDX-License-Identifier: BSL-1.0
#include <hawser/breaker/breaker_machine.hpp>
#include <hawser/breaker/transitions.hpp>

#include "support/catch.hpp"

#include <array>
#include <memory>
#include <string>

using namespace std::chrono_literals;
using hawser::breaker_event;
using hawser::breaker_state;
using hawser::time_point;
using hawser::verdict;
using machine = hawser::breaker_machine<hawser::trip::failure_rate>;
using s = breaker_state;
using e = breaker_event;

namespace {

constexpr time_point t0{1h};
constexpr std::array states{s::closed,   s::open,     s::half_open,
                            s::isolated, s::disabled, s::metrics_only};
constexpr std::array events{e::tripped, e::wait_elapsed, e::probes_passed, e::probes_failed,
                            e::isolate, e::disable,      e::observe,       e::reset};

/// The whole table once more, as a grid: the first letters of the states, '.' where nothing
/// happens. Columns: tripped, wait_elapsed, probes_passed, probes_failed, isolate, disable,
/// observe, reset.
constexpr std::array<char const*, 6> grid{
    "o...idmc",  // closed
    ".h..idmc",  // open
    "..coidmc",  // half_open
    ".....dmc",  // isolated
    "....i.mc",  // disabled
    "m...id.c",  // metrics_only
};
constexpr std::string_view letters = "cohidm";

bool command(machine& breaker, breaker_event event) {
    switch (event) {
        case e::isolate: return breaker.isolate(t0);
        case e::disable: return breaker.disable(t0);
        case e::observe: return breaker.observe(t0);
        default: return breaker.reset(t0);
    }
}

/// One call at `now` that ends with `health`.
void call(machine& breaker, verdict health, time_point when) {
    auto const now = [when]() noexcept { return when; };
    auto admission = breaker.try_acquire(now);
    breaker.report(admission.ticket, {health}, now);
}

std::unique_ptr<machine> in_state(breaker_state state) {
    auto breaker = std::make_unique<machine>(
        hawser::circuit_breaker_options{.minimum_calls = 1, .jitter = 0, .probes = 2});
    if (state == s::isolated) breaker->isolate(t0);
    if (state == s::disabled) breaker->disable(t0);
    if (state == s::metrics_only) breaker->observe(t0);
    if (state == s::open || state == s::half_open) call(*breaker, verdict::failure, t0);
    if (state == s::half_open) call(*breaker, verdict::success, t0 + 5s);
    REQUIRE(breaker->state() == state);
    return breaker;
}

}  // namespace

TEST_CASE("transitions: every state and event lead where they should, or nowhere") {
    for (std::size_t i = 0; i < states.size(); ++i)
        for (std::size_t k = 0; k < events.size(); ++k) {
            INFO(to_string(states[i]) << " + " << to_string(events[k]));
            auto const* const row = hawser::find_breaker_row(states[i], events[k]);
            auto const expected = grid[i][k];
            REQUIRE((row == nullptr) == (expected == '.'));
            if (row == nullptr) continue;
            CHECK(letters[static_cast<std::size_t>(row->to)] == expected);
            CHECK(to_string(row->cause) != std::string{"unknown"});
        }
}

TEST_CASE("transitions: a command does in the machine, in every state, what its row says") {
    for (auto const state : states)
        for (auto const event : {e::isolate, e::disable, e::observe, e::reset}) {
            INFO(to_string(state) << " + " << to_string(event));
            auto const breaker = in_state(state);
            auto const before = breaker->generation();
            auto const* const row = hawser::find_breaker_row(state, event);
            CHECK(command(*breaker, event) == (row != nullptr));
            CHECK(breaker->state() == (row != nullptr ? row->to : state));
            CHECK(breaker->generation() == before + (row != nullptr ? 1 : 0));
        }
}

TEST_CASE("transitions: a command given again leaves the state as it is") {
    for (auto const state : states)
        for (auto const event : {e::isolate, e::disable, e::observe, e::reset}) {
            auto const breaker = in_state(state);
            command(*breaker, event);
            auto const once = breaker->state();
            command(*breaker, event);
            CHECK(breaker->state() == once);
        }
}

TEST_CASE("transitions: no state and event have two rows") {
    auto const& rows = hawser::detail::breaker_rows;
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t k = 0; k < i; ++k)
            CHECK_FALSE((rows[i].from == rows[k].from && rows[i].event == rows[k].event));
}

TEST_CASE("transitions: the drawing has a line for each row") {
    auto const drawing = hawser::breaker_mermaid();
    CHECK(drawing.starts_with("stateDiagram-v2\n    [*] --> closed\n"));
    CHECK(drawing.find("    half_open --> open: probes_failed\n") != std::string::npos);
    auto const lines = std::count(drawing.begin(), drawing.end(), '\n');
    CHECK(static_cast<std::size_t>(lines) == hawser::detail::breaker_rows.size() + 2);
}

TEST_CASE("transitions: values outside the enumerations have a name that says so") {
    CHECK(to_string(static_cast<breaker_state>(200)) == std::string{"unknown"});
    CHECK(to_string(static_cast<breaker_event>(200)) == std::string{"unknown"});
    CHECK(to_string(hawser::breaker_cause::reset_command) == std::string{"reset_command"});
}
