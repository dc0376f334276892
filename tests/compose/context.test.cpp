// SPDX-License-Identifier: BSL-1.0
#include <hawser/compose/context.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/stage.hpp"

#include <stdexcept>
#include <stop_token>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::compose_in;
using hawser::execute;
using hawser::stop_cause;
using hawser::try_execute;

namespace {

/// Counts how often it is read.
struct counting_clock {
    int* reads;
    [[nodiscard]] hawser::time_point now() const noexcept {
        ++*reads;
        return hawser::time_point{1h};
    }
};

auto counting(int& reads) { return hawser::environment<counting_clock>{counting_clock{&reads}}; }

}  // namespace

TEST_CASE("context: the clock is read when asked for, and once until the operation returns") {
    int reads = 0;
    auto const line = compose_in(counting(reads), support::idle_layer{});

    execute(line, [] {});
    CHECK(reads == 0);

    execute(line, [&](auto& call) {
        CHECK(call.now() == call.now());
        CHECK(call.remaining() == hawser::never);
        CHECK(call.fits(1h));
    });
    CHECK(reads == 1);
}

TEST_CASE("context: a closed breaker and a retry read no clock on success") {
    int reads = 0;
    hawser::circuit_breaker breaker;
    auto const line =
        compose_in(counting(reads), hawser::fallback{1}, hawser::retry{}, borrow(breaker));
    CHECK(execute(line, [] { return 2; }) == 2);
    CHECK(reads == 0);
}

TEST_CASE("context: the time is read anew after the operation and after a wait") {
    support::stage scene;
    support::hook_log log;
    support::scripted_layer layer{"layer", log, {.after = {hawser::next::again(5ms)}}};
    auto const line = compose_in(scene.environment(), borrow(layer));
    std::vector<hawser::duration> seen;

    (void)try_execute(line, {.deadline = scene.start + 30ms}, [&](auto& call) {
        seen.push_back(call.now() - scene.start);
        scene.time.advance(10ms);
        seen.push_back(call.now() - scene.start);
    });

    // Within one run of the operation the time stands; the attempt after it began 15 ms later.
    CHECK(seen == std::vector<hawser::duration>{0ms, 0ms, 15ms, 15ms});
}

TEST_CASE("context: what is left of the time is negative after the deadline") {
    support::stage scene;
    auto const line = compose_in(scene.environment());
    execute(line, {.deadline = scene.start + 10ms}, [&](auto& call) {
        CHECK(call.has_deadline());
        CHECK(call.deadline() == scene.start + 10ms);
        CHECK(call.remaining() == 10ms);
        CHECK(call.fits(9ms));
        CHECK_FALSE(call.fits(10ms));
        CHECK_FALSE(call.fits(hawser::never));
    });
}

TEST_CASE("context: without a deadline every wait fits") {
    execute(hawser::compose(), [](auto& call) {
        CHECK_FALSE(call.has_deadline());
        CHECK(call.deadline() == hawser::no_deadline);
        CHECK(call.fits(hawser::never));
    });
}

TEST_CASE("context: attempts count from one, and only starts of the operation") {
    support::stage scene;
    support::hook_log log;
    using hawser::step;
    support::scripted_layer again{
        "again", log, {.after = {hawser::next::again(0ms), hawser::next::again(0ms), {}}}};
    support::scripted_layer gate{"gate", log};
    auto const line = compose_in(scene.environment(), borrow(again), borrow(gate));
    std::vector<std::uint32_t> seen;

    auto const out = try_execute(line, [&](auto& call) { seen.push_back(call.attempt()); });

    CHECK(seen == std::vector<std::uint32_t>{1, 2, 3});
    CHECK(out.origin().attempts == 3);
}

TEST_CASE("context: the caller's stop is seen while the operation runs") {
    std::stop_source caller;
    auto const line = hawser::compose();
    auto const out = try_execute(line, {.stop = caller.get_token()}, [&](auto& call) {
        CHECK_FALSE(call.stop_requested());
        caller.request_stop();
        CHECK(call.stop_requested());
        CHECK(call.cause() == stop_cause::caller);
        CHECK(call.stop_token().stop_requested());
        return 5;
    });
    CHECK(out.value() == 5);  // A success that comes despite it is kept.
}

TEST_CASE("context: a call without facts cannot be stopped") {
    execute(hawser::compose(), [](auto& call) {
        CHECK(call.cause() == stop_cause::none);
        CHECK_FALSE(call.stop_token().stop_possible());
        CHECK(call.allowance() == nullptr);
    });
}

TEST_CASE("context: nested facts are the caller's, with the deadline as it is by now") {
    support::stage scene;
    auto const line = compose_in(scene.environment(), hawser::total_timeout{10ms});
    hawser::attempt_allowance allowance{5};
    std::stop_source caller;
    hawser::call_facts<> const facts{.deadline = scene.start + 1h,
                                     .stop = caller.get_token(),
                                     .priority = 3,
                                     .operation = "quote",
                                     .idempotency = {1, 2},
                                     .allowance = &allowance};

    execute(line, facts, [&](auto& call) {
        auto const inner = call.nested();
        CHECK(inner.deadline == scene.start + 10ms);
        CHECK(inner.stop == caller.get_token());
        CHECK(inner.priority == 3);
        CHECK(inner.operation == std::string{"quote"});
        CHECK(inner.idempotency == hawser::idempotency_key{1, 2});
        CHECK(inner.allowance == &allowance);
    });
    execute(line, [&](auto& call) { CHECK(call.nested().deadline == scene.start + 10ms); });
}

TEST_CASE("context: a key is told to whoever asks") {
    hawser::call_facts<std::string> facts{};
    facts.key = "user";
    auto const line = hawser::compose();
    CHECK(execute(line, facts, [](auto& call) { return call.key(); }) == "user");
    CHECK(execute(line, facts, [](auto& call) { return call.nested().key; }) == "user");
}

namespace {

/// Asks user code after each call.
template <class Predicate>
struct asking_layer {
    Predicate predicate;
    static constexpr char const* name = "asks";

    template <class State, class Call, class R>
    void after(State&, Call& call, hawser::outcome<R>& out) const noexcept {
        call.ask(name, out, false, [&]() noexcept(noexcept(predicate())) { return predicate(); });
    }
};

}  // namespace

TEST_CASE(
    "context: what user code of a policy throws is the outcome, neutral and handled by none") {
    support::stage scene;
    support::watching_layer watch;
    auto const thrower = []() -> bool { throw std::logic_error{"predicate"}; };
    auto const line =
        compose_in(scene.environment(), hawser::fallback{9}, hawser::retry{{.max_attempts = 5}},
                   borrow(watch), asking_layer<decltype(thrower)>{thrower});

    auto const out = try_execute(line, [] { return 1; });

    CHECK_THROWS_AS((void)out.value(), std::logic_error);
    CHECK(watch.health == std::vector{hawser::verdict::neutral});
    CHECK(scene.trace.seen() == support::trace_of::lines{"attempt 1", "attempt 1 ended: success",
                                                         "asks predicate threw",
                                                         "call ended: failure"});
}

TEST_CASE("context: a mark that the request was not sent lasts for its attempt") {
    support::stage scene;
    support::hook_log log;
    support::scripted_layer again{"again", log, {.after = {hawser::next::again(0ms), {}}}};
    auto const line = compose_in(scene.environment(), borrow(again));
    std::vector<bool> seen;
    execute(line, [&](auto& call) {
        seen.push_back(call.was_not_sent());
        call.mark_not_sent();
        seen.push_back(call.was_not_sent());
    });
    CHECK(seen == std::vector<bool>{false, true, false, true});
}
