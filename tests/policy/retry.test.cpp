// SPDX-License-Identifier: BSL-1.0
//
// What the header of retry promises, sentence by sentence.
#include <hawser/hawser.hpp>
#include <hawser/policy/retry.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/stage.hpp"

#include <stdexcept>
#include <stop_token>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using hawser::compose_in;
using hawser::errc;
using hawser::no_budget;
using hawser::outcome;
using hawser::retry;
using hawser::step;
using hawser::try_execute;
using hawser::verdict;
using hawser::testing::fixed_random;
using lines = support::trace_of::lines;
using support::stage;
namespace backoff = hawser::backoff;
namespace jitter = hawser::jitter;

namespace {

struct reply {
    int status = 200;
    hawser::duration retry_after = hawser::duration::min();  ///< Says nothing.
};

/// `attempts`, each after 10 ms.
auto steady(std::uint32_t attempts) {
    return retry{{.max_attempts = attempts}, backoff::constant{10ms}, jitter::none{}, no_budget{}};
}

int fail() { throw std::runtime_error{"down"}; }

/// Fails so many times, and then returns how often it was called.
struct fails_first {
    int failures;
    int calls = 0;
    int operator()() { return ++calls <= failures ? fail() : calls; }
};

/// Refuses its first asks as scripted.
struct refusing {
    support::hook_log log{};
    support::scripted_layer layer;
    explicit refusing(std::vector<step> answers) : layer{"inner", log, {std::move(answers), {}}} {}
};

}  // namespace

template <>
struct hawser::outcome_traits<reply> {
    static verdict classify(reply const& r) noexcept {
        return r.status < 500 ? verdict::success : verdict::failure;
    }
};

TEST_CASE("retry: tries as often as it is told, the first time included") {
    for (std::uint32_t const attempts : {1U, 2U, 3U, 7U}) {
        stage scene;
        auto const line = compose_in(scene.environment(), steady(attempts));
        fails_first always{100};
        auto const out = try_execute(line, always);
        CHECK(always.calls == static_cast<int>(attempts));
        CHECK(out.origin().attempts == attempts);
        CHECK(scene.elapsed() == 10ms * (attempts - 1));
    }
}

TEST_CASE("retry: ends with the first success") {
    stage scene;
    auto const line = compose_in(scene.environment(), steady(5));
    CHECK(hawser::execute(line, fails_first{2}) == 3);
    CHECK(scene.trace.seen() ==
          lines{"attempt 1", "attempt 1 ended: failure", "retry again in 10ms by backoff",
                "attempt 2", "attempt 2 ended: failure", "retry again in 10ms by backoff",
                "attempt 3", "attempt 3 ended: success", "call ended: success"});
}

TEST_CASE("retry: ends with the outcome of the last attempt, and says that it gave up") {
    stage scene;
    auto const line = compose_in(scene.environment(), steady(2));
    int calls = 0;
    auto const out =
        try_execute(line, [&]() -> int { throw std::runtime_error{std::to_string(++calls)}; });
    CHECK_THROWS_WITH((void)out.value(), "2");
    CHECK(out.earlier().empty());
    CHECK(scene.trace.seen() == lines{"attempt 1", "attempt 1 ended: failure",
                                      "retry again in 10ms by backoff", "attempt 2",
                                      "attempt 2 ended: failure", "retry gave up: max_attempts",
                                      "call ended: failure"});
}

TEST_CASE("retry: by default backs off by full jitter under 100 ms, doubling, up to 10 s") {
    stage scene;
    auto const line =
        compose_in(scene.environment(), retry{{.max_attempts = 10}, no_budget{}, fixed_random{}});
    std::vector<hawser::duration> waits;
    auto last = scene.time.now();
    (void)try_execute(line, [&] {
        waits.push_back(scene.time.now() - std::exchange(last, scene.time.now()));
        throw 1;
    });
    CHECK(waits == std::vector<hawser::duration>{0ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms,
                                                 6400ms, 10s, 10s});
}

TEST_CASE("retry: by default the shortest wait is none, and three attempts are made") {
    stage scene;
    auto const line = compose_in(scene.environment(), retry{{}, fixed_random{0}});
    auto const out = try_execute(line, fail);
    CHECK(out.origin().attempts == 3);
    CHECK(scene.elapsed() == 0ms);
    CHECK(hawser::retry_options{}.max_attempts == 3);
}

TEST_CASE("retry: takes its parts in any order") {
    stage scene;
    hawser::retry_budget budget;
    auto const line =
        compose_in(scene.environment(),
                   retry{{.max_attempts = 2},
                         hawser::borrow(budget),
                         fixed_random{},
                         jitter::equal{},
                         hawser::retry_if{[](auto const& out) { return !out.has_value(); }},
                         backoff::linear{.base = 30ms}});
    (void)try_execute(line, fail);
    CHECK(scene.elapsed() == 30ms);
}

TEST_CASE("retry: a jittered backoff grows from the wait before it, and is not jittered twice") {
    stage scene;
    auto const line = compose_in(
        scene.environment(),
        retry{
            {.max_attempts = 4}, backoff::decorrelated{.base = 10ms}, no_budget{}, fixed_random{}});
    (void)try_execute(line, fail);
    CHECK(scene.elapsed() == 30ms + 90ms + 270ms);
}

// What is retried.

TEST_CASE("retry: failures are retried, as the result type says") {
    stage scene;
    auto const line = compose_in(scene.environment(), steady(3));
    CHECK(try_execute(line, [] { return reply{503}; }).origin().attempts == 3);
    CHECK(try_execute(line, [] { return reply{404}; }).origin().attempts == 1);
    CHECK(try_execute(line, [] {}).origin().attempts == 1);
}

TEST_CASE("retry: a timeout further in is retried") {
    stage scene;
    auto const line = compose_in(scene.environment(), steady(2), hawser::attempt_timeout{5ms});
    auto const out = try_execute(line, [&] {
        scene.time.advance(7ms);
        throw 1;
    });
    CHECK(out.origin().attempts == 2);
    auto const nested =
        try_execute(line, []() -> int { throw hawser::refused{{.code = errc::timed_out}}; });
    CHECK(nested.origin().attempts == 2);
}

TEST_CASE("retry: a refusal is asked again exactly when it says, and is no attempt") {
    stage scene;
    refusing inner{{step::refuse(errc::circuit_open, 70ms), step::proceed()}};
    auto const line = compose_in(scene.environment(), steady(3), hawser::borrow(inner.layer));
    // The layer's state is fresh in each round, so it refuses every time.
    auto const out = try_execute(line, [] { return 1; });
    CHECK(out.code() == errc::circuit_open);
    CHECK(out.origin().attempts == 0);
    CHECK(scene.elapsed() == 140ms);
    CHECK(scene.trace.seen() ==
          lines{"inner refused: circuit open", "retry again in 70ms by refusal",
                "inner refused: circuit open", "retry again in 70ms by refusal",
                "inner refused: circuit open", "retry gave up: max_attempts",
                "call ended: neutral, circuit open"});
}

TEST_CASE("retry: refusals that time may lift are retried, others are passed on") {
    auto const rounds = [](errc code) {
        stage scene;
        refusing inner{{step::refuse(code, 1ms)}};
        auto const line = compose_in(scene.environment(), steady(3), hawser::borrow(inner.layer));
        (void)try_execute(line, [] {});
        return std::count(inner.log.begin(), inner.log.end(), "inner before 1");
    };
    for (auto const code : {errc::circuit_open, errc::probes_full, errc::rate_limited,
                            errc::bulkhead_full, errc::overloaded}) {
        INFO(to_string(code));
        CHECK(rounds(code) == 3);
    }
    for (auto const code : {errc::isolated, errc::cancelled, errc::not_permitted, errc::closed,
                            errc::too_large, errc::conflict, errc::timed_out}) {
        INFO(to_string(code));
        CHECK(rounds(code) == 1);
    }
}

TEST_CASE("retry: a refusal that names no time is asked again after a backoff") {
    stage scene;
    refusing inner{{step::refuse(errc::probes_full)}};
    auto const line = compose_in(scene.environment(), steady(2), hawser::borrow(inner.layer));
    (void)try_execute(line, [] {});
    CHECK(scene.elapsed() == 10ms);
}

TEST_CASE("retry: a refusal is waited for up to the limit, and passed on above it") {
    auto const waited = [](hawser::duration asks, hawser::duration limit) {
        stage scene;
        refusing inner{{step::refuse(errc::circuit_open, asks)}};
        auto const line =
            compose_in(scene.environment(), retry{{.max_attempts = 2, .refusal_wait_max = limit}},
                       hawser::borrow(inner.layer));
        (void)try_execute(line, [] {});
        return scene.elapsed();
    };
    CHECK(waited(10s, 10s) == 10s);
    CHECK(waited(10s + 1ns, 10s) == 0s);
    CHECK(hawser::retry_options{}.refusal_wait_max == 10s);
    CHECK(waited(hawser::never, 1h) == 0s);
}

TEST_CASE("retry: a limit of zero passes on every refusal") {
    stage scene;
    refusing inner{{step::refuse(errc::probes_full)}};
    auto const line = compose_in(scene.environment(), retry{{.refusal_wait_max = 0s}},
                                 hawser::borrow(inner.layer));
    (void)try_execute(line, [] {});
    CHECK(inner.log.size() == 1);
}

TEST_CASE("retry: what the caller cancelled is never retried") {
    stage scene;
    auto const line = compose_in(scene.environment(), steady(3));
    std::stop_source caller;
    auto const out = try_execute(line, {.stop = caller.get_token()}, [&]() -> int {
        caller.request_stop();
        return fail();
    });
    CHECK(out.origin().attempts == 1);
    CHECK(scene.trace.count("retry gave up: stopped") == 1);

    auto const said =
        try_execute(line, []() -> int { throw hawser::refused{{.code = errc::cancelled}}; });
    CHECK(said.origin().attempts == 1);
}

TEST_CASE("retry: a cancel in the backoff ends the call at once") {
    stage scene;
    std::stop_source caller;
    scene.on_wait = [&] { caller.request_stop(); };
    hawser::retry_budget budget{{.ratio = 0, .floor = 1, .per = 1h, .capacity = 1}};
    auto const line =
        compose_in(scene.environment(), retry{{.max_attempts = 3}, hawser::borrow(budget)});
    auto const out = try_execute(line, {.stop = caller.get_token()}, fail);
    CHECK(out.code() == errc::cancelled);
    CHECK(out.origin().attempts == 1);
    CHECK(budget.available(scene.time.now()) == 1);  // The token is back.
}

TEST_CASE("retry: what is being stopped from outside is never retried") {
    stage scene;
    auto const line = compose_in(scene.environment(), hawser::total_timeout{5ms}, steady(3));
    auto const out = try_execute(line, [&] {
        scene.time.advance(6ms);
        throw 1;
    });
    CHECK(out.origin().attempts == 1);
    CHECK(scene.trace.count("retry gave up: stopped") == 1);
}

// Predicates.

TEST_CASE("retry_if: says what is retried, in place of the default") {
    stage scene;
    auto const only_429 = [](auto const& out) {
        return out.has_value() && out.value().status == 429;
    };
    auto const line =
        compose_in(scene.environment(),
                   retry{{.max_attempts = 3}, backoff::none{}, hawser::retry_if{only_429}});
    CHECK(try_execute(line, [] { return reply{429}; }).origin().attempts == 3);
    CHECK(try_execute(line, [] { return reply{503}; }).origin().attempts == 1);
    CHECK(try_execute(line, []() -> reply { throw 1; }).origin().attempts == 1);
}

TEST_CASE("retry_if: is asked of refusals too") {
    stage scene;
    refusing inner{{step::refuse(errc::conflict, 3ms)}};
    auto const line = compose_in(scene.environment(),
                                 retry{{.max_attempts = 3}, hawser::retry_if{[](auto const& out) {
                                           return out.code() == errc::conflict;
                                       }}},
                                 hawser::borrow(inner.layer));
    (void)try_execute(line, [] {});
    CHECK(inner.log.size() == 3);
    CHECK(scene.elapsed() == 6ms);
}

TEST_CASE("retry_if: a refusal that no wait lifts is not waited for, whatever the predicate says") {
    stage scene;
    refusing inner{{step::refuse(errc::isolated, hawser::never)}};
    auto const line =
        compose_in(scene.environment(),
                   retry{{.max_attempts = 3}, hawser::retry_if{[](auto const&) { return true; }}},
                   hawser::borrow(inner.layer));
    (void)try_execute(line, [] {});
    CHECK(inner.log.size() == 1);
}

TEST_CASE("retry_if: is not asked when the caller stops") {
    stage scene;
    int asked = 0;
    auto const line = compose_in(scene.environment(),
                                 retry{{.max_attempts = 3}, hawser::retry_if{[&](auto const&) {
                                           ++asked;
                                           return true;
                                       }}});
    std::stop_source caller;
    auto const out = try_execute(line, {.stop = caller.get_token()}, [&]() -> int {
        caller.request_stop();
        return fail();
    });
    CHECK(asked == 0);
    CHECK(out.exception() != nullptr);
    CHECK(scene.trace.count("retry gave up: stopped") == 1);
}

TEST_CASE("abort_if: stops at once, whatever else speaks for a retry") {
    stage scene;
    auto const line = compose_in(scene.environment(),
                                 retry{{.max_attempts = 3}, hawser::abort_if{[](auto const& out) {
                                           return out.has_value() && out.value().status == 501;
                                       }}});
    CHECK(try_execute(line, [] { return reply{501}; }).origin().attempts == 1);
    CHECK(scene.trace.count("retry gave up: aborted") == 1);
    CHECK(try_execute(line, [] { return reply{503}; }).origin().attempts == 3);
}

TEST_CASE("abort_if: is asked of what would be retried, not of successes") {
    stage scene;
    int asked = 0;
    auto const line = compose_in(scene.environment(), retry{{}, hawser::abort_if{[&](auto const&) {
                                                                ++asked;
                                                                return true;
                                                            }}});
    CHECK(hawser::execute(line, [] { return 1; }) == 1);
    CHECK(asked == 0);
}

TEST_CASE("retry: what a predicate throws is the outcome, and is not retried") {
    stage scene;
    auto const thrower = [](auto const&) -> bool { throw std::logic_error{"predicate"}; };
    SECTION("retry_if") {
        auto const line = compose_in(scene.environment(), retry{{}, hawser::retry_if{thrower}});
        CHECK_THROWS_AS(hawser::execute(line, fail), std::logic_error);
    }
    SECTION("abort_if") {
        auto const line = compose_in(scene.environment(), retry{{}, hawser::abort_if{thrower}});
        CHECK_THROWS_AS(hawser::execute(line, fail), std::logic_error);
    }
    SECTION("delay_from") {
        auto const line = compose_in(
            scene.environment(),
            retry{{}, hawser::delay_from{[](auto const&) -> std::optional<hawser::duration> {
                      throw std::logic_error{"predicate"};
                  }}});
        CHECK_THROWS_AS(hawser::execute(line, fail), std::logic_error);
    }
    CHECK(scene.trace.count("retry predicate threw") == 1);
    CHECK(scene.trace.count("attempt 2") == 0);
}

TEST_CASE("threw: is true of exceptions of a type and those derived from it") {
    stage scene;
    auto const line =
        compose_in(scene.environment(), retry{{.max_attempts = 2},
                                              backoff::none{},
                                              hawser::retry_if{hawser::threw<std::runtime_error>}});
    auto const attempts = [&](auto operation) {
        return try_execute(line, operation).origin().attempts;
    };
    CHECK(attempts([]() -> reply { throw std::runtime_error{""}; }) == 2);
    CHECK(attempts([]() -> reply { throw std::system_error{std::error_code{}}; }) == 2);
    CHECK(attempts([]() -> reply { throw std::logic_error{""}; }) == 1);
    CHECK(attempts([]() -> reply { throw 5; }) == 1);
    CHECK(attempts([] { return reply{503}; }) == 1);
}

// Time.

TEST_CASE("retry: a wait that would not end before the deadline is not begun") {
    for (auto const& [left, attempts] :
         {std::pair{9ms, 1U}, {10ms, 1U}, {11ms, 2U}, {20ms, 2U}, {21ms, 3U}}) {
        stage scene;
        auto const line = compose_in(scene.environment(), steady(9));
        auto const out = try_execute(line, {.deadline = scene.start + left}, fail);
        CHECK(out.origin().attempts == attempts);
        CHECK(out.exception() != nullptr);
        CHECK(scene.elapsed() < left);
        CHECK(scene.trace.count("retry gave up: deadline") == 1);
    }
}

TEST_CASE("retry: total_duration is the time in which the last attempt must begin") {
    stage scene;
    auto const line =
        compose_in(scene.environment(), retry{{.max_attempts = 99, .total_duration = 25ms},
                                              backoff::constant{10ms},
                                              jitter::none{},
                                              no_budget{}});
    auto const out = try_execute(line, [&] {
        scene.time.advance(1ms);
        throw 1;
    });
    // Attempts begin at 0, 11 and 22 ms; the next would at 33 ms.
    CHECK(out.origin().attempts == 3);
    CHECK(scene.trace.count("retry gave up: total_duration") == 1);
}

TEST_CASE("retry: total_duration limits each call, not the retry's life") {
    stage scene;
    auto const line =
        compose_in(scene.environment(), retry{{.max_attempts = 2, .total_duration = 25ms},
                                              backoff::constant{10ms},
                                              jitter::none{},
                                              no_budget{}});
    for (int i = 0; i < 5; ++i) CHECK(try_execute(line, fail).origin().attempts == 2);
}

// Hints.

namespace {

auto named_delay() {
    return hawser::delay_from{
        [](outcome<reply> const& out) -> std::optional<hawser::duration> {
            if (!out.has_value() || out.value().retry_after == hawser::duration::min()) return {};
            return out.value().retry_after;
        },
        hawser::hint_policy{.cap = 1min, .spread = 0.5}};
}

}  // namespace

TEST_CASE("delay_from: takes the delay that the outcome names, spread upwards only") {
    auto const waited = [](std::uint64_t random) {
        stage scene;
        auto const line = compose_in(
            scene.environment(),
            retry{{.max_attempts = 2}, no_budget{}, named_delay(), fixed_random{random}});
        (void)try_execute(line, [] { return reply{503, 2s}; });
        CHECK(scene.trace.count("retry again in " + support::text_of(scene.elapsed()) +
                                " by retry_after") == 1);
        return scene.elapsed();
    };
    CHECK(waited(0) == 2s);
    CHECK(waited(~std::uint64_t{0}) == 3s);
}

TEST_CASE("delay_from: an outcome that names none is left to the backoff") {
    stage scene;
    auto const line = compose_in(scene.environment(), retry{{.max_attempts = 2},
                                                            backoff::constant{10ms},
                                                            jitter::none{},
                                                            no_budget{},
                                                            named_delay()});
    (void)try_execute(line, [] { return reply{503}; });
    CHECK(scene.elapsed() == 10ms);
}

TEST_CASE("delay_from: never says not to come again, and so does a delay past the deadline") {
    stage scene;
    auto const line =
        compose_in(scene.environment(), retry{{.max_attempts = 3}, no_budget{}, named_delay()});
    CHECK(try_execute(line, [] { return reply{503, hawser::never}; }).origin().attempts == 1);
    CHECK(try_execute(line, {.deadline = scene.start + 1s},
                      [] {
                          return reply{503, 2s};
                      })
              .origin()
              .attempts == 1);
    CHECK(scene.elapsed() == 0s);
}

TEST_CASE("delay_from: hours that a server asks for are capped, and a past time means at once") {
    stage scene;
    auto const line =
        compose_in(scene.environment(),
                   retry{{.max_attempts = 2}, no_budget{}, named_delay(), fixed_random{0}});
    (void)try_execute(line, [] { return reply{503, 24h}; });
    CHECK(scene.elapsed() == 1min);
    (void)try_execute(line, [] { return reply{503, -5s}; });
    CHECK(scene.elapsed() == 1min);
}

// Requests that were not sent.

TEST_CASE("retry: an attempt that was not sent is repeated once at once, uncounted and for free") {
    stage scene;
    hawser::retry_budget budget{{.ratio = 0, .floor = 1, .per = 1h, .capacity = 1}};
    auto const line = compose_in(
        scene.environment(),
        retry{
            {.max_attempts = 2}, backoff::constant{10ms}, jitter::none{}, hawser::borrow(budget)});
    int calls = 0;
    (void)try_execute(line, [&](auto& call) {
        ++calls;
        call.mark_not_sent();
        throw 1;
    });
    CHECK(calls == 3);
    CHECK(scene.elapsed() == 10ms);
    CHECK(budget.available(scene.time.now()) == 0);
    CHECK(scene.trace.seen() == lines{"attempt 1", "attempt 1 ended: failure",
                                      "retry again in 0ms by transparent", "attempt 2",
                                      "attempt 2 ended: failure", "retry again in 10ms by backoff",
                                      "attempt 3", "attempt 3 ended: failure",
                                      "retry gave up: max_attempts", "call ended: failure"});
}

TEST_CASE("retry: an attempt that was not sent is not repeated past the allowance") {
    stage scene;
    auto const line = compose_in(scene.environment(), steady(3));
    hawser::attempt_allowance one{1};
    auto const out = try_execute(line, {.allowance = &one}, [](auto& call) -> int {
        call.mark_not_sent();
        return fail();
    });
    CHECK(out.origin().attempts == 1);
    CHECK(out.exception() != nullptr);
    CHECK(scene.trace.count("retry gave up: allowance") == 1);
}

// The budget.

TEST_CASE("retry: without a token there is no retry, and no wait") {
    stage scene;
    hawser::retry_budget budget{{.ratio = 0, .floor = 1, .per = 1h, .capacity = 1}};
    auto const line = compose_in(
        scene.environment(),
        retry{
            {.max_attempts = 9}, backoff::constant{10ms}, jitter::none{}, hawser::borrow(budget)});
    CHECK(try_execute(line, fail).origin().attempts == 2);
    CHECK(scene.elapsed() == 10ms);
    CHECK(try_execute(line, fail).origin().attempts == 1);
    CHECK(scene.elapsed() == 10ms);
    CHECK(scene.trace.count("retry gave up: budget") == 2);
}

TEST_CASE("retry: a token comes back when its wait does not end in an attempt") {
    stage scene;
    hawser::retry_budget budget{{.ratio = 0, .floor = 1, .per = 1h, .capacity = 1}};
    auto const left = [&] { return budget.available(scene.time.now()); };
    SECTION("because it would not fit: none is taken") {
        auto const line =
            compose_in(scene.environment(),
                       retry{{}, backoff::constant{1min}, jitter::none{}, hawser::borrow(budget)});
        (void)try_execute(line, {.deadline = scene.start + 1s}, fail);
    }
    SECTION("because of the allowance: none is taken") {
        auto const line = compose_in(scene.environment(), retry{{}, hawser::borrow(budget)});
        hawser::attempt_allowance one{1};
        (void)try_execute(line, {.allowance = &one}, fail);
    }
    CHECK(left() == 1);
}

TEST_CASE("retry: calls that succeed at once earn tokens; those that needed a retry do not") {
    stage scene;
    hawser::retry_budget budget{{.ratio = 0.5, .floor = 0, .capacity = 10}};
    auto const line = compose_in(
        scene.environment(), retry{{.max_attempts = 2}, backoff::none{}, hawser::borrow(budget)});
    auto const left = [&] { return budget.available(scene.time.now()); };
    CHECK(left() == 1);
    hawser::execute(line, fails_first{1});
    CHECK(left() == 0);
    hawser::execute(line, [] {});
    CHECK(left() == 0);
    hawser::execute(line, [] {});
    CHECK(left() == 1);
    std::stop_source caller;
    caller.request_stop();
    for (int i = 0; i < 10; ++i) (void)try_execute(line, {.stop = caller.get_token()}, [] {});
    CHECK(left() == 1);  // Cancelled calls earn nothing.
}

TEST_CASE("retry: a budget may be shared, and owned together") {
    auto const budget = std::make_shared<hawser::retry_budget>(
        hawser::retry_budget_options{.ratio = 0, .floor = 1, .per = 1h, .capacity = 1});
    stage scene;
    auto const first = compose_in(scene.environment(), retry{{}, backoff::none{}, budget});
    auto const second = compose_in(scene.environment(), retry{{}, backoff::none{}, budget});
    CHECK(try_execute(first, fail).origin().attempts == 2);
    CHECK(try_execute(second, fail).origin().attempts == 1);
}

// Options.

TEST_CASE("retry: an option out of range is named when the retry is made") {
    CHECK_THROWS_WITH(retry{{.max_attempts = 0}}, Contains("retry: max_attempts"));
    CHECK_THROWS_WITH(retry{{.total_duration = 0s}}, Contains("retry: total_duration"));
    CHECK_THROWS_WITH(retry{{.total_duration = -1s}}, Contains("retry: total_duration"));
    CHECK_THROWS_WITH(retry{{.refusal_wait_max = -1ns}}, Contains("retry: refusal_wait_max"));
    CHECK_THROWS_WITH(retry{{.name = nullptr}}, Contains("retry: name"));
    CHECK_THROWS_AS((retry{{.max_attempts = 0}}), std::invalid_argument);
}

TEST_CASE("retry: a part out of range is named when the retry is made") {
    hawser::retry_options const any;
    CHECK_THROWS_WITH((retry{any, backoff::constant{0s}}), Contains("backoff::constant: delay"));
    CHECK_THROWS_WITH((retry{any, backoff::linear{.base = 0s}}), Contains("backoff::linear: base"));
    CHECK_THROWS_WITH((retry{any, backoff::exponential{.factor = 0.5}}),
                      Contains("backoff::exponential: factor"));
    CHECK_THROWS_WITH((retry{any, backoff::exponential{.cap = 1ms}}),
                      Contains("backoff::exponential: cap"));
    CHECK_THROWS_WITH((retry{any, jitter::proportional{2}}),
                      Contains("jitter::proportional: fraction"));
    auto const none = [](auto const&) { return std::optional<hawser::duration>{}; };
    CHECK_THROWS_WITH((retry{any, hawser::delay_from{none, {.cap = 0s}}}),
                      Contains("hint_policy: cap"));
}

TEST_CASE("retry: says its name and its bound") {
    retry const named{{.max_attempts = 7, .name = "quotes"}};
    CHECK(named.name() == std::string{"quotes"});
    CHECK(named.max_attempts() == 7);
    STATIC_REQUIRE(retry<>::role == hawser::layer_role::retry);
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<retry<>>);
    STATIC_REQUIRE(std::is_copy_constructible_v<retry<no_budget>>);
}
