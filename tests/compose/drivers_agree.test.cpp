// SPDX-License-Identifier: BSL-1.0
//
// The two drivers are two ways to carry out the same answers: a call through the call machine takes
// the way of a plain call, event for event and hook for hook.
#include <hawser/base/random.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/hand_driver.hpp"
#include "support/policies.hpp"
#include "support/stage.hpp"
#include "support/test_bulkhead.hpp"

#include <functional>
#include <sstream>
#include <stdexcept>
#include <stop_token>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::compose_in;
using hawser::errc;
using hawser::next;
using hawser::step;
using support::drive_by_hand;
using support::script;
using support::scripted_layer;
using support::stage;

namespace {

int fail() { throw std::runtime_error{"down"}; }
int one() { return 1; }

std::string said(hawser::outcome<int> const& out) {
    std::ostringstream text;
    text << out.origin().attempts << " attempts, ";
    if (out.origin().degraded) text << "degraded, ";
    if (out.has_value())
        text << "value " << out.value();
    else if (auto const* why = out.why())
        text << why->policy << ": " << to_string(why->code) << " for "
             << support::text_of(why->retry_after);
    else
        text << "exception";
    return text.str();
}

/// Everything that can be seen of some calls.
struct seen_calls {
    std::string outcome{};
    support::trace_of::lines trace{};
    support::hook_log hooks{};
    hawser::duration took{};
    friend bool operator==(seen_calls const&, seen_calls const&) = default;
};
std::ostream& operator<<(std::ostream& to, seen_calls const& seen) {
    to << seen.outcome << " after " << support::text_of(seen.took);
    for (auto const& line : seen.trace) to << "\n  " << line;
    for (auto const& line : seen.hooks) to << "\n    " << line;
    return to;
}

/// One call through three scripted layers, by either driver.
struct three_layers {
    script outer{}, middle{}, inner{};
    hawser::duration deadline = hawser::never;
    int stop_in_wait = 0;  ///< The caller stops in this wait; zero is never.
    int (*work)() = &one;

    [[nodiscard]] seen_calls run(bool by_hand) const {
        stage scene;
        support::hook_log log;
        scripted_layer a{"a", log, outer}, b{"b", log, middle}, c{"c", log, inner};
        auto const line = compose_in(scene.environment(), borrow(a), borrow(b), borrow(c));
        std::stop_source caller;
        scene.on_wait = [&] {
            if (scene.waits == stop_in_wait) caller.request_stop();
        };
        hawser::call_facts<> const facts{.deadline = hawser::add_saturating(scene.start, deadline),
                                         .stop = caller.get_token()};
        auto const body = [this] { return work(); };
        auto const out = by_hand ? drive_by_hand(scene, line, facts, body)
                                 : hawser::try_execute(line, facts, body);
        return {said(out), scene.trace.seen(), log, scene.elapsed()};
    }
    void agree() const { CHECK(run(false) == run(true)); }
};

struct dice {
    std::uint64_t seed;
    std::uint64_t drawn = 0;
    std::uint64_t below(std::uint64_t n) { return hawser::random_at(seed, drawn++) % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }
    auto ms(std::uint64_t n) { return std::chrono::milliseconds{below(n)}; }
};

script random_script(dice& roll) {
    script made{};
    made.writes = roll.one_in(2);
    for (auto left = roll.below(3); left > 0; --left)
        made.before.push_back(roll.one_in(3) ? step::proceed() : step::wait(roll.ms(4)));
    if (roll.one_in(6))
        made.before.push_back(step::refuse(errc::overloaded, 1ms));
    else if (roll.one_in(8) && made.writes)
        made.before.push_back(step::respond());
    else
        made.before.push_back(step::proceed());
    for (auto left = roll.below(3); left > 0; --left) made.after.push_back(next::again(roll.ms(4)));
    made.after.push_back(roll.one_in(6) ? next::divert() : next::done());
    return made;
}

}  // namespace

TEST_CASE("drivers: agree on each answer that a hook can give") {
    script const waits{.before = {step::wait(2ms), {}}};
    script const rounds{.after = {next::again(2ms), next::again(0ms), {}}};
    script const diverts{.after = {next::divert()}};
    SECTION("nothing but proceeding") { three_layers{}.agree(); }
    SECTION("a failure") { three_layers{.work = &fail}.agree(); }
    SECTION("a refusal") {
        three_layers{.middle = {.before = {step::refuse(errc::overloaded, 2s)}}}.agree();
    }
    SECTION("a response") {
        three_layers{.middle = {.before = {step::respond()}, .writes = true}}.agree();
    }
    SECTION("waits") { three_layers{.outer = waits, .middle = waits, .inner = waits}.agree(); }
    SECTION("rounds") { three_layers{.outer = rounds, .middle = rounds, .inner = rounds}.agree(); }
    SECTION("alternatives") {
        three_layers{.outer = diverts, .middle = diverts, .work = &fail}.agree();
    }
    SECTION("a wait that does not fit") {
        three_layers{.middle = {.before = {step::wait(20ms)}}, .deadline = 10ms}.agree();
    }
    SECTION("a round that does not fit") {
        three_layers{.middle = {.after = {next::again(20ms)}}, .deadline = 10ms}.agree();
    }
    SECTION("a stop in a wait") {
        three_layers{.middle = {.before = {step::wait(2ms)}}, .stop_in_wait = 3}.agree();
    }
    SECTION("a stop between rounds") {
        three_layers{.middle = {.after = {next::again(2ms)}}, .stop_in_wait = 2}.agree();
    }
    SECTION("no time from the beginning") { three_layers{.deadline = 0ms}.agree(); }
}

TEST_CASE("drivers: agree on calls through layers that answer at random") {
    auto const seed = GENERATE(11U, 12U, 13U);
    dice roll{seed};
    for (int round = 0; round < 1500; ++round) {
        three_layers call{.outer = random_script(roll),
                          .middle = random_script(roll),
                          .inner = random_script(roll)};
        if (roll.one_in(3)) call.deadline = roll.ms(20);
        if (roll.one_in(3)) call.stop_in_wait = static_cast<int>(1 + roll.below(5));
        if (roll.one_in(3)) call.work = &fail;
        auto const by_thread = call.run(false), by_hand = call.run(true);
        INFO("seed " << seed << ", round " << round << "\n"
                     << by_thread << "\nby hand:\n"
                     << by_hand);
        REQUIRE(by_thread == by_hand);
    }
}

namespace {

/// Calls through the library's own policies and a bulkhead that queues, by either driver.
seen_calls real_policies(std::uint64_t seed, bool by_hand) {
    dice roll{seed};
    stage scene;
    hawser::basic_circuit_breaker breaker{
        hawser::circuit_breaker_options{
            .window = 4, .minimum_calls = 2, .open_for = 5ms, .jitter = 0, .probes = 1},
        hawser::told_by_reference(scene.trace)};
    support::test_bulkhead bulkhead{1, 1000, 4ms};
    auto const line =
        compose_in(scene.environment(), hawser::fallback{99}, hawser::total_timeout{40ms},
                   hawser::retry{{.max_attempts = 4},
                                 hawser::backoff::constant{2ms},
                                 hawser::jitter::none{},
                                 hawser::no_budget{}},
                   borrow(bulkhead), borrow(breaker), hawser::attempt_timeout{10ms});
    seen_calls all;
    for (int call = 0; call < 6; ++call) {
        std::stop_source caller;
        bool held = roll.one_in(2) && bulkhead.try_take();
        scene.on_wait = [&] {
            if (roll.one_in(9)) caller.request_stop();
            if (held && roll.one_in(2)) {
                held = false;
                bulkhead.give_back();
            }
        };
        hawser::call_facts<> const facts{
            .deadline = scene.time.now() + (roll.one_in(2) ? 50ms : 6ms),
            .stop = caller.get_token()};
        auto const body = [&](auto& context) -> int {
            if (context.fits(2ms)) scene.time.advance(1ms);
            return roll.one_in(2) ? fail() : one();
        };
        auto const out = by_hand ? drive_by_hand(scene, line, facts, body)
                                 : hawser::try_execute(line, facts, body);
        all.outcome += said(out) + "; ";
        if (held) bulkhead.give_back();
        CHECK(bulkhead.is_whole());
        scene.time.advance(roll.ms(4));
    }
    all.trace = scene.trace.seen();
    all.took = scene.elapsed();
    return all;
}

}  // namespace

TEST_CASE("drivers: agree on calls through the policies and a queue") {
    for (std::uint64_t seed = 1; seed <= 600; ++seed) {
        auto const by_thread = real_policies(seed, false), by_hand = real_policies(seed, true);
        INFO("seed " << seed << "\n" << by_thread << "\nby hand:\n" << by_hand);
        REQUIRE(by_thread == by_hand);
    }
}
