// SPDX-License-Identifier: BSL-1.0
//
// User code of any policy that throws: what it throws leaves the call, and makes no success, and no
// failure, a case for the fallback.
#include <hawser/hawser.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::compose_in;
using hawser::outcome;
using hawser::try_execute;
using hawser::verdict;
using support::stage;

namespace {

/// The hooks of every policy, of which a test replaces one.
struct hooks {
    std::function<bool(outcome<int> const&)> handles = [](auto const& out) {
        return !out.has_value();
    };
    std::function<bool(outcome<int> const&)> retries = handles;
    std::function<bool(outcome<int> const&)> aborts = [](auto const&) { return false; };
    std::function<std::optional<hawser::duration>(outcome<int> const&)> delays = [](auto const&) {
        return std::optional<hawser::duration>{1ms};
    };
    std::function<verdict(outcome<int> const&)> votes = [](auto const& out) {
        return out.classify();
    };
};

/// What became of a call that returns 1 or throws, and how often the fallback was asked for 9.
struct seen {
    std::string result;
    int stand_ins = 0;
    bool degraded = false;
    friend bool operator==(seen const&, seen const&) = default;
};

seen call(hooks const& with, bool fails) {
    stage scene;
    hawser::basic_circuit_breaker breaker{hawser::circuit_breaker_options{},
                                          hawser::votes_by{with.votes}};
    seen got;
    auto const line =
        compose_in(scene.environment(), hawser::fallback{[&] { return ++got.stand_ins, 9; }},
                   hawser::fallback{[&] { return ++got.stand_ins, 9; }, with.handles},
                   hawser::retry{{.max_attempts = 2},
                                 hawser::retry_if{with.retries},
                                 hawser::abort_if{with.aborts},
                                 hawser::delay_from{with.delays}},
                   borrow(breaker), hawser::attempt_timeout{1s});
    auto const out = try_execute(line, [&]() -> int {
        if (fails) throw std::runtime_error{"down"};
        return 1;
    });
    got.degraded = out.origin().degraded;
    try {
        got.result = std::to_string(out.value());
    } catch (std::exception const& e) {
        got.result = e.what();
    }
    return got;
}

/// Throws in place of any answer.
struct throws {
    template <class R>
    [[noreturn]] bool operator()(outcome<R> const&) const {
        throw std::logic_error{"hook"};
    }
};

}  // namespace

TEST_CASE("fallback: stands in for a failure where every hook answers") {
    CHECK(call({}, true) == seen{"9", 1, true});
    CHECK(call({}, false) == seen{"1", 0, false});
}

TEST_CASE("fallback: no hook that throws makes a failure or a success its business") {
    seen const thrown{"hook", 0, false}, success{"1", 0, false};
    SECTION("its own predicate") {
        CHECK(call({.handles = throws{}}, true) == thrown);
        CHECK(call({.handles = throws{}}, false) == thrown);
    }
    SECTION("retry_if") {
        CHECK(call({.retries = throws{}}, true) == thrown);
        CHECK(call({.retries = throws{}}, false) == thrown);
    }
    SECTION("abort_if, of which a success hears nothing") {
        CHECK(call({.aborts = throws{}}, true) == thrown);
        CHECK(call({.aborts = throws{}}, false) == success);
    }
    SECTION("delay_from, of which a success hears nothing") {
        hooks with;
        with.delays = [](auto const&) -> std::optional<hawser::duration> {
            throw std::logic_error{"hook"};
        };
        CHECK(call(with, true) == thrown);
        CHECK(call(with, false) == success);
    }
    SECTION("a breaker's classifier") {
        hooks with;
        with.votes = [](auto const&) -> verdict { throw std::logic_error{"hook"}; };
        CHECK(call(with, true) == thrown);
        CHECK(call(with, false) == thrown);
    }
}

namespace {

/// Throws at every event it can be told.
struct throwing_sink {
    template <class Event>
    void on(Event const&) {
        throw std::logic_error{"sink"};
    }
};

}  // namespace

TEST_CASE("fallback: a sink that throws changes neither a success nor a failure") {
    hawser::manual_time time;
    throwing_sink sink;
    int stand_ins = 0;
    auto const line = compose_in(hawser::testing::manual_and_observed(time, sink),
                                 hawser::fallback{[&] { return ++stand_ins, 9; }},
                                 hawser::retry{{.max_attempts = 3}}, hawser::attempt_timeout{1s});
    CHECK(hawser::execute(line, [] { return 1; }) == 1);
    CHECK(stand_ins == 0);
    int wire = 0;
    CHECK(hawser::execute(line, [&]() -> int {
              ++wire;
              throw 1;
          }) == 9);
    CHECK(wire == 3);
}
