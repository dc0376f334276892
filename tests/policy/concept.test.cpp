// SPDX-License-Identifier: BSL-1.0
//
// The hooks of a policy: which runs when, how often, and in which order.
#include <hawser/hawser.hpp>
#include <hawser/policy/concept.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/stage.hpp"
#include "support/test_bulkhead.hpp"
#include "support/unwound.hpp"

#include <stdexcept>
#include <stop_token>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::compose_in;
using hawser::errc;
using hawser::next;
using hawser::step;
using hawser::try_execute;
using hawser::verdict;
using support::hook_log;
using support::scoping_layer;
using support::script;
using support::scripted_layer;
using support::stage;
using support::watching_layer;

namespace {

int one() { return 1; }
int fail() { throw std::runtime_error{"down"}; }

struct gate_keeper {
    hawser::gate answer{};
    static constexpr char const* name = "keeper";

    template <class Call>
    hawser::gate before(hawser::detail::unit&, Call&) const noexcept {
        return answer;
    }
};

struct says {
    static constexpr char const* name = "static";
};
struct answers {
    [[nodiscard]] static char const* name() noexcept { return "own"; }
};

}  // namespace

TEST_CASE("hooks: before runs from the outside in, after from the inside out") {
    stage scene;
    hook_log log;
    scripted_layer outer{"outer", log}, middle{"middle", log}, inner{"inner", log};
    auto const line = compose_in(scene.environment(), borrow(outer), borrow(middle), borrow(inner));

    CHECK(hawser::execute(line, [&] {
              log.push_back("operation");
              return 1;
          }) == 1);

    CHECK(log == hook_log{"outer before 1", "middle before 1", "inner before 1", "operation",
                          "inner after value", "middle after value", "outer after value"});
}

TEST_CASE("hooks: a refusal is seen by the layers further out, not by the one that refuses") {
    stage scene;
    hook_log log;
    scripted_layer outer{"outer", log};
    scripted_layer middle{"middle", log, {.before = {step::refuse(errc::overloaded, 3s)}}};
    scripted_layer inner{"inner", log};
    auto const line = compose_in(scene.environment(), borrow(outer), borrow(middle), borrow(inner));

    auto const out = try_execute(line, one);

    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == hawser::refusal{errc::overloaded, 3s, "middle"});
    CHECK(log == hook_log{"outer before 1", "middle before 1", "outer after overloaded"});
    CHECK(out.origin().attempts == 0);
}

TEST_CASE("hooks: a gate that is all a policy has admits or refuses") {
    stage scene;
    auto const open = compose_in(scene.environment(), gate_keeper{});
    auto const shut = compose_in(scene.environment(), gate_keeper{{errc::closed, 1s}});

    CHECK(hawser::execute(open, one) == 1);
    auto const out = try_execute(shut, one);
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == hawser::refusal{errc::closed, 1s, "keeper"});
}

TEST_CASE("hooks: a wait is followed by another ask, with the same state") {
    stage scene;
    hook_log log;
    scripted_layer layer{
        "layer", log, {.before = {step::wait(5ms), step::wait(7ms), step::proceed()}}};
    auto const line = compose_in(scene.environment(), borrow(layer));

    CHECK(hawser::execute(line, one) == 1);

    CHECK(log ==
          hook_log{"layer before 1", "layer before 2", "layer before 3", "layer after value"});
    CHECK(scene.elapsed() == 12ms);
}

TEST_CASE("hooks: a layer may refuse after a wait, and then nothing is withdrawn") {
    stage scene;
    hook_log log;
    scripted_layer layer{
        "layer", log, {.before = {step::wait(5ms), step::refuse(errc::rate_limited)}}};
    auto const line = compose_in(scene.environment(), borrow(layer));

    CHECK(try_execute(line, one).code() == errc::rate_limited);

    CHECK(log == hook_log{"layer before 1", "layer before 2"});
}

TEST_CASE("hooks: a wait that ends otherwise is withdrawn exactly once") {
    stage scene;
    hook_log log;
    scripted_layer layer{"layer", log, {.before = {step::wait(5ms)}}};
    auto const line = compose_in(scene.environment(), borrow(layer));
    std::stop_source caller;

    SECTION("by the caller, in the second wait") {
        scene.on_wait = [&] {
            if (scene.waits == 2) caller.request_stop();
        };
        CHECK(try_execute(line, {.stop = caller.get_token()}, one).code() == errc::cancelled);
        CHECK(log == hook_log{"layer before 1", "layer before 2", "layer withdraw"});
    }
    SECTION("by the caller, before the first") {
        caller.request_stop();
        CHECK(try_execute(line, {.stop = caller.get_token()}, one).code() == errc::cancelled);
        CHECK(log == hook_log{"layer before 1", "layer withdraw"});
    }
    SECTION("by the deadline") {
        auto const out = try_execute(line, {.deadline = scene.start + 8ms}, one);
        CHECK(out.code() == errc::timed_out);
        CHECK(out.why()->retry_after == 5ms);
        CHECK(log == hook_log{"layer before 1", "layer before 2", "layer withdraw"});
        CHECK(scene.elapsed() == 5ms);  // The second wait is not begun.
    }
    SECTION("by unwinding") {
        scene.hold = true;
        CHECK(
            support::unwound([&] { (void)try_execute(line, one); }, [&] { scene.await_waits(1); }));
        CHECK(log == hook_log{"layer before 1", "layer withdraw"});
    }
}

TEST_CASE("hooks: the caller's stop beats a deadline that is over as well") {
    stage scene;
    hook_log log;
    scripted_layer layer{"layer", log, {.before = {step::wait(5ms)}}};
    auto const line = compose_in(scene.environment(), borrow(layer));
    std::stop_source caller;

    SECTION("both before the wait") {
        caller.request_stop();
        auto const out =
            try_execute(line, {.deadline = scene.start - 1s, .stop = caller.get_token()}, one);
        CHECK(out.code() == errc::cancelled);
    }
    SECTION("both during the wait") {
        scene.on_wait = [&] {
            caller.request_stop();
            scene.time.advance(1h);
        };
        auto const out =
            try_execute(line, {.deadline = scene.start + 10ms, .stop = caller.get_token()}, one);
        CHECK(out.code() == errc::cancelled);
    }
    CHECK(log.back() == "layer withdraw");
}

TEST_CASE("hooks: a response goes out through after, past everything further in") {
    stage scene;
    hook_log log;
    scripted_layer outer{"outer", log};
    scripted_layer middle{"middle", log, {.before = {step::respond()}, .writes = true}};
    scripted_layer inner{"inner", log};
    auto const line = compose_in(scene.environment(), borrow(outer), borrow(middle), borrow(inner));

    auto const out = try_execute(line, one);

    CHECK(out.value() == 7);
    CHECK(out.origin().attempts == 0);
    CHECK(log ==
          hook_log{"outer before 1", "middle before 1", "middle after value", "outer after value"});
}

TEST_CASE("hooks: a response may come after a wait, and as nothing for void") {
    stage scene;
    hook_log log;
    scripted_layer layer{
        "layer", log, {.before = {step::wait(1ms), step::respond()}, .writes = true}};
    auto const line = compose_in(scene.environment(), borrow(layer));

    CHECK(try_execute(line, [] {}).has_value());
    CHECK(log == hook_log{"layer before 1", "layer before 2", "layer after value"});
}

TEST_CASE("hooks: going again asks the layer again, and gives those inside it fresh state") {
    stage scene;
    hook_log log;
    scripted_layer outer{"outer", log, {.after = {next::again(2ms), next::done()}}};
    scripted_layer inner{"inner", log};
    auto const line = compose_in(scene.environment(), borrow(outer), borrow(inner));

    auto const out = try_execute(line, one);

    CHECK(out.value() == 1);
    CHECK(out.origin().attempts == 2);
    CHECK(log == hook_log{"outer before 1", "inner before 1", "inner after value",
                          "outer after value", "outer before 2", "inner before 1",
                          "inner after value", "outer after value"});
    CHECK(scene.elapsed() == 2ms);
}

TEST_CASE("hooks: after each proceed exactly one of after and abandon runs, in every round") {
    stage scene;
    hook_log log;
    scripted_layer outer{"outer", log, {.after = {next::again(0ms)}}};
    scripted_layer inner{"inner", log};
    auto const line = compose_in(scene.environment(), borrow(outer), borrow(inner));
    int calls = 0;

    CHECK(support::unwound([&] {
        (void)try_execute(line, [&] {
            if (++calls == 2) support::unwind_here();
        });
    }));

    CHECK(log == hook_log{"outer before 1", "inner before 1", "inner after value",
                          "outer after value", "outer before 2", "inner before 1", "inner abandon",
                          "outer abandon"});
}

TEST_CASE(
    "hooks: a wait between rounds that is stopped is withdrawn, and after does not run again") {
    stage scene;
    hook_log log;
    scripted_layer outer{"outer", log};
    scripted_layer layer{"layer", log, {.after = {next::again(5ms)}}};
    auto const line = compose_in(scene.environment(), borrow(outer), borrow(layer));
    std::stop_source caller;

    SECTION("by the caller: the call is cancelled") {
        scene.on_wait = [&] { caller.request_stop(); };
        auto const out = try_execute(line, {.stop = caller.get_token()}, fail);
        CHECK(out.code() == errc::cancelled);
        CHECK(log == hook_log{"outer before 1", "layer before 1", "layer after exception",
                              "layer withdraw", "outer after cancelled"});
    }
    SECTION("by the caller, before it begins: the last outcome stands") {
        auto const out = try_execute(line, {.stop = caller.get_token()}, [&]() -> int {
            caller.request_stop();
            return fail();
        });
        CHECK(out.exception() != nullptr);
        CHECK(log == hook_log{"outer before 1", "layer before 1", "layer after exception",
                              "layer withdraw", "outer after exception"});
        CHECK(scene.waits == 0);
    }
    SECTION("by a deadline that it would pass: the last outcome stands") {
        auto const out = try_execute(line, {.deadline = scene.start + 5ms}, fail);
        CHECK(out.exception() != nullptr);
        CHECK(log == hook_log{"outer before 1", "layer before 1", "layer after exception",
                              "layer withdraw", "outer after exception"});
        CHECK(scene.waits == 0);
    }
    SECTION("by unwinding") {
        scene.hold = true;
        CHECK(support::unwound([&] { (void)try_execute(line, fail); },
                               [&] { scene.await_waits(1); }));
        CHECK(log == hook_log{"outer before 1", "layer before 1", "layer after exception",
                              "layer withdraw", "outer abandon"});
    }
}

TEST_CASE("hooks: a stop in the wait between rounds is told like one in any other wait") {
    stage scene;
    hook_log log;
    scripted_layer layer{"layer", log, {.after = {next::again(5ms)}}};
    auto const line = compose_in(scene.environment(), borrow(layer));
    std::stop_source caller;
    scene.on_wait = [&] { caller.request_stop(); };

    (void)try_execute(line, {.stop = caller.get_token()}, fail);

    CHECK(scene.trace.seen() == support::trace_of::lines{"attempt 1", "attempt 1 ended: failure",
                                                         "layer withdrawn: cancelled",
                                                         "layer refused: cancelled",
                                                         "call ended: neutral, cancelled"});
}

TEST_CASE("hooks: a divert runs the alternative once, and then goes out") {
    stage scene;
    hook_log log;
    scripted_layer outer{"outer", log};
    scripted_layer layer{"layer", log, {.after = {next::divert()}}};
    auto const line = compose_in(scene.environment(), borrow(outer), borrow(layer));

    auto const out = try_execute(line, fail);

    CHECK(out.value() == 42);
    CHECK(out.earlier().size() == 1);
    CHECK(log == hook_log{"outer before 1", "layer before 1", "layer after exception",
                          "layer alternative_ended value", "outer after value"});
}

TEST_CASE("hooks: a scope's deadline holds inside it and no further") {
    stage scene;
    hook_log log;
    watching_layer outside, inside;
    scoping_layer scope{"scope", log, 10ms};
    auto const line =
        compose_in(scene.environment(), borrow(outside), borrow(scope), borrow(inside));
    hawser::time_point seen{};

    hawser::execute(line, [&](auto& call) { seen = call.deadline(); });

    CHECK(seen == scene.start + 10ms);
    CHECK(inside.deadlines == std::vector{scene.start + 10ms});
    CHECK(outside.deadlines == std::vector{hawser::no_deadline});
    CHECK(log == hook_log{"scope scope_deadline"});
}

TEST_CASE("hooks: an inner deadline never exceeds an outer one") {
    stage scene;
    hook_log log;
    scoping_layer outer{"outer", log, 10ms}, inner{"inner", log, 20ms};
    auto const line = compose_in(scene.environment(), borrow(outer), borrow(inner));
    hawser::time_point seen{};

    hawser::execute(line, {.deadline = scene.start + 1h},
                    [&](auto& call) { seen = call.deadline(); });
    CHECK(seen == scene.start + 10ms);

    hawser::execute(line, {.deadline = scene.start + 5ms},
                    [&](auto& call) { seen = call.deadline(); });
    CHECK(seen == scene.start + 5ms);
}

TEST_CASE("hooks: an expiry is seen by the scope whose deadline has passed, not by a longer one") {
    stage scene;
    hook_log log;
    scoping_layer outer{"outer", log, 100ms}, inner{"inner", log, 10ms};
    auto const line = compose_in(scene.environment(), borrow(outer), borrow(inner));

    (void)try_execute(line, [&] { scene.time.advance(10ms); });

    CHECK(log == hook_log{"outer scope_deadline", "inner scope_deadline", "inner scope_expired"});
}

TEST_CASE("hooks: the cause of a stop is told inside the scope that ended, not outside it") {
    stage scene;
    hook_log log;
    watching_layer outside, inside;
    scoping_layer scope{"scope", log, 10ms};
    auto const line =
        compose_in(scene.environment(), borrow(outside), borrow(scope), borrow(inside));

    (void)try_execute(line, [&] {
        scene.time.advance(20ms);
        throw 1;
    });

    CHECK(inside.causes == std::vector{hawser::stop_cause::timeout});
    CHECK(inside.health == std::vector{verdict::neutral});
    CHECK(outside.causes == std::vector{hawser::stop_cause::none});
    CHECK(outside.health == std::vector{verdict::failure});
}

TEST_CASE("hooks: a failure in time says nothing of a deadline") {
    stage scene;
    hook_log log;
    watching_layer inside;
    scoping_layer scope{"scope", log, 10ms};
    auto const line = compose_in(scene.environment(), borrow(scope), borrow(inside));

    (void)try_execute(line, fail);

    CHECK(inside.causes == std::vector{hawser::stop_cause::none});
    CHECK(inside.health == std::vector{verdict::failure});
    CHECK(log == hook_log{"scope scope_deadline"});
}

TEST_CASE("hooks: a call that was stopped or is out of time does not start the operation") {
    stage scene;
    hook_log log;
    watching_layer watch;
    scripted_layer layer{"layer", log};
    auto const line = compose_in(scene.environment(), borrow(watch), borrow(layer));
    std::stop_source caller;
    caller.request_stop();
    bool ran = false;
    auto const run = [&] { ran = true; };

    SECTION("stopped") {
        auto const out = try_execute(line, {.stop = caller.get_token()}, run);
        CHECK(*out.why() == hawser::refusal{errc::cancelled, {}, "pipeline"});
        CHECK(watch.causes == std::vector{hawser::stop_cause::caller});
        CHECK(out.origin().attempts == 0);
    }
    SECTION("out of time, by nothing") {
        auto const out = try_execute(line, {.deadline = scene.start}, run);
        CHECK(*out.why() == hawser::refusal{errc::timed_out, {}, "pipeline"});
        CHECK(watch.causes == std::vector{hawser::stop_cause::timeout});
        CHECK(out.origin().attempts == 0);
    }
    SECTION("both: the caller's wish comes first") {
        auto const out =
            try_execute(line, {.deadline = scene.start - 1h, .stop = caller.get_token()}, run);
        CHECK(out.code() == errc::cancelled);
    }
    CHECK_FALSE(ran);
    CHECK(watch.health == std::vector{verdict::neutral});
    CHECK(log.size() == 2);  // The permit that was lent on the way in comes back.
}

TEST_CASE("hooks: a wait that a deadline from further out ends is not the layers' doing") {
    stage scene;
    support::test_bulkhead bulkhead{1};
    REQUIRE(bulkhead.try_take());
    hook_log log;
    watching_layer outside, between;
    scoping_layer scope{"scope", log, 10ms};
    auto const line = compose_in(scene.environment(), borrow(outside), borrow(scope),
                                 borrow(between), borrow(bulkhead));

    CHECK(try_execute(line, one).code() == errc::timed_out);

    CHECK(between.causes == std::vector{hawser::stop_cause::timeout});
    CHECK(between.health == std::vector{verdict::neutral});
    CHECK(outside.causes == std::vector{hawser::stop_cause::none});
    CHECK(outside.health == std::vector{verdict::failure});
    CHECK(log == hook_log{"scope scope_deadline", "scope scope_expired"});
}

TEST_CASE("hooks: a wait that is not begun says nothing of the dependency, which was not asked") {
    stage scene;
    support::reserving_gate gate{1, 50ms};
    watching_layer outside;
    auto const line = compose_in(scene.environment(), borrow(outside), borrow(gate));

    auto const out = try_execute(line, {.deadline = scene.start + 10ms}, one);

    CHECK(out.code() == errc::timed_out);
    CHECK(out.why()->retry_after == 50ms);
    CHECK(outside.health == std::vector{verdict::neutral});
    CHECK(outside.causes == std::vector{hawser::stop_cause::none});  // There is time left.
}

TEST_CASE("policy_name: is what the policy says, statically or by itself") {
    CHECK(hawser::policy_name(says{}) == std::string{"static"});
    CHECK(hawser::policy_name(answers{}) == std::string{"own"});
    CHECK(hawser::policy_name(0) == std::string{"policy"});
}

TEST_CASE("policy answers: admit, proceed and go out by default") {
    CHECK(hawser::gate{}.code == errc{});
    CHECK(step{}.action == step::kind::proceed);
    CHECK(next{}.action == next::kind::done);
    CHECK(step::park().delay == hawser::never);
}
