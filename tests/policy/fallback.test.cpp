// SPDX-License-Identifier: BSL-1.0
#include <hawser/hawser.hpp>
#include <hawser/policy/fallback.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/stage.hpp"

#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using hawser::borrow;
using hawser::call_error;
using hawser::compose_in;
using hawser::errc;
using hawser::fallback;
using hawser::try_execute;
using hawser::verdict;
using lines = support::trace_of::lines;
using support::stage;

namespace {

struct reply {
    int status = 200;
};

int fail() { throw std::runtime_error{"down"}; }

std::string what(std::exception_ptr const& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (std::exception const& e) {
        return e.what();
    } catch (...) {
        return "not an exception";
    }
}

/// Refuses every call.
struct refuses {
    errc code;
    static constexpr char const* name = "shut";
    template <class State, class Call>
    hawser::gate before(State&, Call&) const noexcept {
        return {code, 3s};
    }
};

}  // namespace

template <>
struct hawser::outcome_traits<reply> {
    static verdict classify(reply const& r) noexcept {
        return r.status < 500 ? verdict::success : verdict::failure;
    }
};

TEST_CASE("fallback: a success passes as it is") {
    stage scene;
    auto const line = compose_in(scene.environment(), fallback{9});
    auto const out = try_execute(line, [] { return 1; });
    CHECK(out.value() == 1);
    CHECK_FALSE(out.origin().degraded);
    CHECK(out.origin().source == nullptr);
    CHECK(out.earlier().empty());
    CHECK(scene.trace.seen() ==
          lines{"attempt 1", "attempt 1 ended: success", "call ended: success"});
}

TEST_CASE("fallback: a value stands in for a failure, marked and with the error kept") {
    stage scene;
    auto const line = compose_in(scene.environment(), fallback{9});
    auto const out = try_execute(line, fail);
    CHECK(out.value() == 9);
    CHECK(out.origin().degraded);
    CHECK(out.origin().source == std::string{"fallback"});
    CHECK(out.origin().attempts == 1);
    REQUIRE(out.earlier().size() == 1);
    CHECK(what(out.earlier().front().thrown) == "down");
    CHECK(scene.trace.seen() == lines{"attempt 1", "attempt 1 ended: failure", "fallback invoked",
                                      "fallback ended: success", "call ended: success degraded"});
}

TEST_CASE("fallback: the alternative may be a function, called once for each use") {
    stage scene;
    int calls = 0;
    auto const line = compose_in(scene.environment(), fallback{[&] { return ++calls; }});
    CHECK(hawser::execute(line, [] { return 50; }) == 50);
    CHECK(calls == 0);
    CHECK(hawser::execute(line, fail) == 1);
    CHECK(hawser::execute(line, fail) == 2);
}

TEST_CASE("fallback: the alternative is told what went wrong, if it asks") {
    stage scene;
    SECTION("an exception") {
        auto const line =
            compose_in(scene.environment(),
                       fallback{[](call_error const& error) { return what(error.thrown); }});
        CHECK(hawser::execute(line, []() -> std::string { throw std::runtime_error{"a"}; }) == "a");
    }
    SECTION("a refusal") {
        auto const line = compose_in(scene.environment(), fallback{[](call_error const& error) {
                                         return std::string{to_string(error.why.code)};
                                     }},
                                     refuses{errc::overloaded});
        CHECK(hawser::execute(line, [] { return std::string{}; }) == "overloaded");
    }
    SECTION("a failed value") {
        auto const line = compose_in(scene.environment(), fallback{[](call_error const& error) {
                                         try {
                                             std::rethrow_exception(error.thrown);
                                         } catch (hawser::returned_error<reply> const& failed) {
                                             return reply{failed.value.status - 400};
                                         }
                                     }});
        CHECK(hawser::execute(line, [] { return reply{503}; }).status == 103);
    }
}

TEST_CASE("fallback: stands in for every refusal but the caller's own cancel") {
    for (auto const code :
         {errc::circuit_open, errc::probes_full, errc::isolated, errc::rate_limited,
          errc::bulkhead_full, errc::overloaded, errc::timed_out, errc::not_permitted, errc::closed,
          errc::too_large, errc::conflict}) {
        stage scene;
        INFO(to_string(code));
        auto const line = compose_in(scene.environment(), fallback{9}, refuses{code});
        auto const out = try_execute(line, [] { return 1; });
        CHECK(out.value() == 9);
        CHECK(out.earlier().front().why == hawser::refusal{code, 3s, "shut"});
        CHECK(scene.trace.count(std::string{"fallback invoked for "} + to_string(code)) == 1);
    }
    stage scene;
    auto const line = compose_in(scene.environment(), fallback{9}, refuses{errc::cancelled});
    CHECK(try_execute(line, [] { return 1; }).code() == errc::cancelled);
}

TEST_CASE("fallback: a failed value is a failure, and the fallback's own value counts as it says") {
    stage scene;
    auto const line = compose_in(scene.environment(), fallback{reply{502}});
    auto const out = try_execute(line, [] { return reply{503}; });
    CHECK(out.value().status == 502);
    CHECK_FALSE(out.origin().degraded);  // It is no answer: it failed as well.
    CHECK(scene.trace.count("fallback ended: failure") == 1);
}

TEST_CASE("fallback: may throw: the outcome is its own error, and the first one is kept") {
    stage scene;
    auto const line = compose_in(
        scene.environment(), fallback{[]() -> int { throw std::runtime_error{"stand-in down"}; }});
    auto const out = try_execute(line, fail);
    CHECK(what(out.exception()) == "stand-in down");
    REQUIRE(out.earlier().size() == 1);
    CHECK(what(out.earlier().front().thrown) == "down");
    CHECK_FALSE(out.origin().degraded);
    CHECK(scene.trace.count("fallback ended: failure") == 1);
}

TEST_CASE("fallback: what the alternative refuses is a refusal") {
    stage scene;
    auto const line =
        compose_in(scene.environment(),
                   fallback{[]() -> int { throw hawser::refused{{.code = errc::rate_limited}}; }});
    CHECK(try_execute(line, fail).code() == errc::rate_limited);
}

TEST_CASE("fallback: chains: the outer one stands in where the inner one failed too") {
    stage scene;
    auto const line =
        compose_in(scene.environment(), fallback{9, hawser::fallback_options{.name = "last"}},
                   fallback{[]() -> int { throw std::runtime_error{"second"}; },
                            hawser::fallback_options{.name = "first"}});
    auto const out = try_execute(line, fail);
    CHECK(out.value() == 9);
    CHECK(out.origin().source == std::string{"last"});
    REQUIRE(out.earlier().size() == 2);
    CHECK(what(out.earlier().front().thrown) == "down");
    CHECK(what((out.earlier().begin() + 1)->thrown) == "second");
}

TEST_CASE("fallback: a chain goes no further than the first answer") {
    stage scene;
    auto const line = compose_in(scene.environment(), fallback{9},
                                 fallback{8, hawser::fallback_options{.name = "inner"}});
    auto const out = try_execute(line, fail);
    CHECK(out.value() == 8);
    CHECK(out.origin().source == std::string{"inner"});
    CHECK(out.earlier().size() == 1);
}

TEST_CASE("fallback: a predicate says what is handled, in place of the default") {
    stage scene;
    auto const line = compose_in(scene.environment(), fallback{reply{299}, [](auto const& out) {
                                                                   return out.has_value() &&
                                                                          out.value().status == 404;
                                                               }});
    CHECK(hawser::execute(line, [] { return reply{404}; }).status == 299);
    CHECK(hawser::execute(line, [] { return reply{503}; }).status == 503);
    CHECK(hawser::execute(line, [] { return reply{200}; }).status == 200);
    CHECK_THROWS(hawser::execute(line, []() -> reply { throw 1; }));
}

TEST_CASE("fallback: a predicate that throws makes no success a fallback, nor a failure") {
    stage scene;
    auto const thrower = [](auto const&) -> bool { throw std::logic_error{"predicate"}; };
    auto const line = compose_in(scene.environment(), fallback{7}, fallback{9, thrower});
    CHECK_THROWS_AS(hawser::execute(line, [] { return 1; }), std::logic_error);
    CHECK_THROWS_AS(hawser::execute(line, fail), std::logic_error);
    CHECK(scene.trace.count("fallback predicate threw") == 2);
    CHECK(scene.trace.count("fallback invoked") == 0);
}

TEST_CASE("fallback: does not handle what a predicate further in threw") {
    stage scene;
    auto const thrower = [](auto const&) -> bool { throw std::logic_error{"predicate"}; };
    auto const line =
        compose_in(scene.environment(), fallback{9}, hawser::retry{{}, hawser::retry_if{thrower}});
    CHECK_THROWS_AS(hawser::execute(line, fail), std::logic_error);
}

TEST_CASE("fallback: does not handle a call that the caller stops") {
    stage scene;
    std::stop_source caller;
    int calls = 0;
    auto const line = compose_in(scene.environment(), fallback{[&] { return ++calls; }});
    auto const out = try_execute(line, {.stop = caller.get_token()}, [&] {
        caller.request_stop();
        return fail();
    });
    CHECK(out.exception() != nullptr);
    CHECK(calls == 0);
}

TEST_CASE("fallback: handles a timeout further in, not one that it stands inside of") {
    stage scene;
    auto const late = [&]() -> int {
        scene.time.advance(20ms);
        throw 1;
    };
    auto const outside = compose_in(scene.environment(), fallback{9}, hawser::total_timeout{10ms});
    CHECK(hawser::execute(outside, late) == 9);
    auto const inside = compose_in(scene.environment(), hawser::total_timeout{10ms}, fallback{9});
    CHECK_THROWS_AS(hawser::execute(inside, late), int);
}

TEST_CASE("fallback: answers where a wait does not fit but time is left") {
    stage scene;
    support::hook_log log;
    support::scripted_layer waits{"waits", log, {.before = {hawser::step::wait(20ms)}}};
    auto const line = compose_in(scene.environment(), fallback{9}, borrow(waits));
    auto const out = try_execute(line, {.deadline = scene.start + 10ms}, [] { return 1; });
    CHECK(out.value() == 9);
}

TEST_CASE("fallback: stands in for nothing and for references too") {
    stage scene;
    int ran = 0;
    auto const nothing = compose_in(scene.environment(), fallback{[&] { ++ran; }});
    hawser::execute(nothing, [] { throw 1; });
    CHECK(ran == 1);

    static int spare = 3;
    auto const reference =
        compose_in(scene.environment(), fallback{[]() -> int& { return spare; }});
    CHECK(&hawser::execute(reference, []() -> int& { throw 1; }) == &spare);
}

TEST_CASE("fallback: the alternative need not copy") {
    stage scene;
    auto const line = compose_in(scene.environment(),
                                 fallback{[held = std::make_unique<int>(4)] { return *held; }});
    CHECK(hawser::execute(line, fail) == 4);
}

TEST_CASE("fallback: a name out of range is refused when it is made") {
    CHECK_THROWS_WITH((fallback{9, hawser::fallback_options{.name = nullptr}}),
                      Contains("fallback: name"));
}
