// SPDX-License-Identifier: BSL-1.0
//
// The call machine and the synchronous driver run the same hooks, also where nothing waits: layers
// that go in again at once, and layers that answer in the operation's place.
#include <hawser/compose/call_machine.hpp>
#include <hawser/compose/execute.hpp>
#include <hawser/compose/pipeline.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

#include <vector>

using hawser::next;
using hawser::step;
using support::hook_log;
using support::scripted_layer;

namespace {

/// Runs a call whose operation ends where it starts.
template <class Line>
struct at_once final : hawser::call_machine<at_once<Line>, Line, hawser::no_facts, int> {
    using machine = hawser::call_machine<at_once<Line>, Line, hawser::no_facts, int>;
    using machine::begin;

    explicit at_once(Line const& line) : machine{line, {}} {}

    void start_operation() {
        this->out_.emplace(++starts);
        this->operation_ended(machine::size);
    }
    template <class Alternative>
    void start_alternative(Alternative&, hawser::call_error const&, std::size_t) {}
    void cancel_operation(hawser::stop_cause) {}
    void arm(hawser::time_point) {}
    void ring_arrives() noexcept {}
    void settle() {}
    auto const& outcome() const { return this->out_; }

    int starts = 0;
};

struct run_of_a_call {
    hook_log hooks;
    std::uint32_t attempts = 0;
};

/// One call through two layers, by the machine or by the synchronous driver.
run_of_a_call run(bool machine, support::script const& outer, support::script const& inner) {
    run_of_a_call result;
    hawser::manual_time time;
    scripted_layer first{"outer", result.hooks, outer}, second{"inner", result.hooks, inner};
    auto const line = hawser::compose_in(hawser::testing::manual_environment{time},
                                         hawser::borrow(first), hawser::borrow(second));
    if (machine) {
        at_once<std::remove_cvref_t<decltype(line)>> call{line};
        call.begin();
        REQUIRE(call.finished());
        result.attempts = call.outcome().origin().attempts;
    } else {
        int starts = 0;
        result.attempts = hawser::try_execute(line, [&] { return ++starts; }).origin().attempts;
    }
    return result;
}

void check_same(support::script const& outer, support::script const& inner, hook_log const& hooks,
                std::uint32_t attempts) {
    for (bool const machine : {false, true}) {
        CAPTURE(machine);
        auto const got = run(machine, outer, inner);
        CHECK(got.hooks == hooks);
        CHECK(got.attempts == attempts);
    }
}

}  // namespace

TEST_CASE("drivers: a layer that goes in again keeps its state, those inside it get fresh state") {
    check_same({.after = {next::again({}), next::done()}}, {},
               {"outer before 1", "inner before 1", "inner after value", "outer after value",
                "outer before 2", "inner before 1", "inner after value", "outer after value"},
               2);
}

TEST_CASE("drivers: a response leaves through the layer that gave it") {
    check_same({}, {.before = {step::respond()}, .writes = true},
               {"outer before 1", "inner before 1", "inner after value", "outer after value"}, 0);
}

TEST_CASE("drivers: a refusal is not seen by the layer that refuses") {
    check_same({}, {.before = {step::refuse(hawser::errc::rate_limited)}},
               {"outer before 1", "inner before 1", "outer after rate limited"}, 0);
}
