// SPDX-License-Identifier: BSL-1.0
//
// A plain call through a pipeline: every kind of result, and every way to end.
#include <hawser/hawser.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/stage.hpp"

#include <array>
#include <latch>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using hawser::compose;
using hawser::errc;
using hawser::execute;
using hawser::try_execute;
using hawser::verdict;

namespace {

struct reply {
    int status = 0;
    hawser::duration wait{};
};

auto const idle = compose(support::idle_layer{});

/// Counts how many of it live.
struct counted {
    static inline int alive = 0;
    static inline int moved = 0;
    explicit counted(int n) : value{n} { ++alive; }
    counted(counted&& other) noexcept : value{other.value} {
        ++alive;
        ++moved;
    }
    counted& operator=(counted&&) = delete;
    ~counted() { --alive; }
    int value;
};

}  // namespace

template <>
struct hawser::outcome_traits<reply> {
    static verdict classify(reply const& r) noexcept {
        return r.status < 500 ? verdict::success : verdict::failure;
    }
    static reply from(refusal const& why) { return {.status = 503, .wait = why.retry_after}; }
};
template <>
struct hawser::outcome_traits<counted> {
    static verdict classify(counted const& c) noexcept {
        return c.value < 0 ? verdict::failure : verdict::success;
    }
};

// Results.

TEST_CASE("execute: returns what the operation returns") {
    CHECK(execute(idle, [] { return 5; }) == 5);
    CHECK(execute(idle, [] { return std::string{"five"}; }) == "five");
    int ran = 0;
    execute(idle, [&] { ++ran; });
    CHECK(ran == 1);
    STATIC_REQUIRE(std::is_void_v<decltype(execute(idle, [] {}))>);
}

TEST_CASE("execute: a reference stays a reference to the same object") {
    int here = 0;
    auto&& there = execute(idle, [&]() -> int& { return here; });
    STATIC_REQUIRE(std::is_same_v<decltype(there), int&>);
    CHECK(&there == &here);

    auto const& seen = execute(idle, [&]() -> int const& { return here; });
    CHECK(&seen == &here);

    auto out = try_execute(idle, [&]() -> int& { return here; });
    CHECK(&out.value() == &here);
}

TEST_CASE(
    "execute: a reference to a type that can carry refusals is thrown, for there is no object") {
    hawser::circuit_breaker breaker;
    breaker.isolate();
    auto const line = compose(hawser::borrow(breaker));
    reply here{.status = 200};

    CHECK_THROWS_AS(execute(line, [&]() -> reply& { return here; }), hawser::refused);
    CHECK_THROWS_AS(execute(line, [&]() -> reply const& { return here; }), hawser::refused);
    breaker.reset();
    CHECK(&execute(line, [&]() -> reply& { return here; }) == &here);
}

TEST_CASE("execute: a result need not copy nor be made from nothing") {
    auto const got = execute(idle, [] { return std::make_unique<int>(5); });
    CHECK(*got == 5);
    {
        counted::moved = 0;
        auto const one = execute(idle, [] { return counted{3}; });
        CHECK(one.value == 3);
        CHECK(counted::moved <= 2);  // Out of the outcome, and into what the caller has.
    }
    CHECK(counted::alive == 0);
}

TEST_CASE("execute: a const result is returned") {
    auto const make = []() -> std::string const { return "const"; };
    CHECK(execute(idle, make) == "const");
    CHECK(try_execute(idle, make).value() == "const");
}

TEST_CASE("execute: the operation is called as an lvalue, and may be move-only and mutable") {
    struct once {
        std::unique_ptr<int> held = std::make_unique<int>(1);
        int operator()() & { return ++*held; }
        int operator()() && { return -1; }
    };
    CHECK(execute(idle, once{}) == 2);
    once kept;
    CHECK(execute(idle, kept) == 2);
    CHECK(execute(idle, kept) == 3);
}

TEST_CASE("execute: an operation that cannot throw is called all the same") {
    CHECK(execute(idle, []() noexcept { return 4; }) == 4);
    CHECK(execute(idle, [](auto&) noexcept { return 4; }) == 4);
    CHECK(try_execute(idle, []() noexcept {}).has_value());
}

TEST_CASE("execute: the context is given to an operation that takes it") {
    CHECK(execute(idle, [](auto& call) { return call.attempt(); }) == 1);
    CHECK(execute(idle, {.operation = "quote"},
                  [](auto& call) { return std::string{call.facts().operation}; }) == "quote");
}

// Errors.

TEST_CASE("execute: rethrows the very object that the operation threw") {
    std::exception_ptr const thrown = std::make_exception_ptr(std::runtime_error{"down"});
    auto const fail = [&]() -> int { std::rethrow_exception(thrown); };
    std::exception const* first = nullptr;
    try {
        std::rethrow_exception(thrown);
    } catch (std::exception const& e) {
        first = &e;
    }

    try {
        execute(idle, fail);
        FAIL("does not throw");
    } catch (std::exception const& e) {
        CHECK(&e == first);
    }
    CHECK(try_execute(idle, fail).exception() == thrown);
}

TEST_CASE("execute: rethrows what is no std::exception") {
    CHECK_THROWS_AS(execute(idle, []() -> int { throw 5; }), int);
    CHECK_THROWS_AS(execute(idle, [] { throw "text"; }), char const*);
}

TEST_CASE("execute: a refusal is thrown where the result type has no place for it") {
    hawser::circuit_breaker breaker{{.name = "quotes"}};
    breaker.isolate();
    auto const line = compose(hawser::borrow(breaker));
    try {
        execute(line, [] { return 1; });
        FAIL("does not throw");
    } catch (hawser::refused const& refused) {
        CHECK(refused.why() == hawser::refusal{errc::isolated, hawser::never, "quotes"});
    }
}

TEST_CASE("execute: a refusal is returned where the result type carries it") {
    hawser::circuit_breaker breaker;
    breaker.isolate();
    auto const line = compose(hawser::borrow(breaker));
    auto const got = execute(line, [] { return reply{.status = 200}; });
    CHECK(got.status == 503);
    CHECK(got.wait == hawser::never);
    CHECK(try_execute(line, [] { return reply{}; }).code() == errc::isolated);
}

TEST_CASE("execute: a refusal that an operation throws is a refusal: nested pipelines agree") {
    hawser::circuit_breaker breaker{{.name = "inner"}};
    breaker.isolate();
    auto const inner = compose(hawser::borrow(breaker));

    auto const out = try_execute(idle, [&] { return execute(inner, [] { return 1; }); });

    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == hawser::refusal{errc::isolated, hawser::never, "inner"});
    CHECK(out.exception() == nullptr);
    CHECK(out.classify() == verdict::neutral);
}

TEST_CASE("execute: an exception of another type is not taken for a refusal") {
    struct like_refused : std::exception {};
    auto const out = try_execute(idle, []() -> int { throw like_refused{}; });
    CHECK(out.why() == nullptr);
    CHECK(out.exception() != nullptr);
    CHECK(out.classify() == verdict::failure);
}

// Lifetimes.

TEST_CASE("execute: a discarded result is destroyed before the wait for the next attempt") {
    support::stage scene;
    auto const line = hawser::compose_in(
        scene.environment(),
        hawser::retry{{.max_attempts = 2}, hawser::backoff::constant{5ms}, hawser::no_budget{}});
    int alive_in_wait = -1;
    scene.on_wait = [&] { alive_in_wait = counted::alive; };

    int const last = execute(line, [] { return counted{-1}; }).value;

    CHECK(last == -1);
    CHECK(alive_in_wait == 0);
    CHECK(scene.waits == 1);
    CHECK(counted::alive == 0);
}

TEST_CASE("execute: a result is kept once, through any number of layers") {
    auto const line = compose(support::idle_layer{}, support::idle_layer{}, support::idle_layer{},
                              support::idle_layer{}, support::idle_layer{});
    counted::moved = 0;
    CHECK(execute(line, [] { return counted{3}; }).value == 3);
    CHECK(counted::moved <= 2);
}

TEST_CASE("execute: does not allocate a frame for each attempt") {
    // A million attempts in one call: recursion would overflow any stack.
    hawser::manual_time time;
    auto const line = hawser::compose_in(
        hawser::testing::manual_environment{time},
        hawser::retry{{.max_attempts = 1'000'000}, hawser::backoff::none{}, hawser::no_budget{}},
        support::idle_layer{});
    std::uint32_t calls = 0;
    auto const out = try_execute(line, [&] {
        ++calls;
        return reply{.status = 500};
    });
    CHECK(calls == 1'000'000);
    CHECK(out.origin().attempts == 1'000'000);
    CHECK(out.value().status == 500);
}

// Stopping, in real time and with two threads.

TEST_CASE("execute: a stop wakes a thread from its backoff at once") {
    auto const line = compose(hawser::retry{{.max_attempts = 2},
                                            hawser::backoff::constant{1h},
                                            hawser::jitter::none{},
                                            hawser::no_budget{}});
    std::stop_source caller;
    std::latch failed{1};
    std::jthread const stopper{[&] {
        failed.wait();
        caller.request_stop();
    }};

    auto const out = try_execute(line, {.stop = caller.get_token()}, [&] {
        failed.count_down();
        throw 1;
    });

    // The stop comes in the backoff, or before it has begun; then what the operation threw stands.
    CHECK((out.code() == errc::cancelled || out.exception() != nullptr));
    CHECK(out.origin().attempts == 1);
}

TEST_CASE("execute: an empty pipeline runs the operation") {
    auto const line = compose();
    CHECK(execute(line, [] { return 3; }) == 3);
    CHECK(try_execute(line, {.deadline = hawser::time_point::min() + 1ns}, [] {}).code() ==
          errc::timed_out);
}
