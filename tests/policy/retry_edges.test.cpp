// SPDX-License-Identifier: BSL-1.0
//
// Where the parts of a retry meet: why it gives up, waits that are none, and durations at the ends
// of their ranges.
#include <hawser/hawser.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/matrix.hpp"
#include "support/policies.hpp"
#include "support/stage.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::compose_in;
using hawser::duration;
using hawser::errc;
using hawser::never;
using hawser::no_budget;
using hawser::retry;
using hawser::step;
using hawser::try_execute;
using hawser::testing::fixed_random;
using support::stage;
namespace backoff = hawser::backoff;
namespace jitter = hawser::jitter;

namespace {

/// Answers always the same, whatever it is.
template <bool Jittered = false>
struct told_backoff {
    duration answer;
    static constexpr bool jittered = Jittered;
    void validate() const noexcept {}
    duration operator()(std::uint32_t, duration, std::uint64_t) const noexcept { return answer; }
};

int fail() { throw std::runtime_error{"down"}; }

auto hint_of(duration delay) {
    return hawser::delay_from{[delay](auto const&) { return std::optional{delay}; }};
}

}  // namespace

// Why it gives up.

TEST_CASE("retry: gives up for an endless wait where its backoff says never, whatever the jitter") {
    auto const check = [](auto spread) {
        stage scene;
        auto const line =
            compose_in(scene.environment(), retry{{.max_attempts = 5, .total_duration = 1h},
                                                  told_backoff<>{never},
                                                  spread,
                                                  no_budget{},
                                                  fixed_random{1}});
        CHECK(try_execute(line, {.deadline = scene.start + 1h}, fail).origin().attempts == 1);
        CHECK(scene.waits == 0);
        CHECK(scene.trace.count("retry gave up: endless_wait") == 1);
    };
    check(jitter::none{});
    check(jitter::full{});
    check(jitter::equal{});
    check(jitter::proportional{1});
}

TEST_CASE("retry: gives up for an endless wait where a refusal that is to be retried says never") {
    stage scene;
    support::told_gate gate;
    gate.answer = step::refuse(errc::isolated, never);
    auto const line = compose_in(
        scene.environment(),
        retry{{.refusal_wait_max = never}, hawser::retry_if{[](auto const&) { return true; }}},
        borrow(gate));
    CHECK(try_execute(line, [] {}).code() == errc::isolated);
    CHECK(scene.trace.count("retry gave up: endless_wait") == 1);
}

TEST_CASE("retry: names the other side's stop, a deadline and its own duration for what they are") {
    auto const reason = [](duration hint, duration total, duration deadline) {
        stage scene;
        auto const line = compose_in(scene.environment(),
                                     retry{{.total_duration = total}, no_budget{}, hint_of(hint)});
        auto const limit = hawser::add_saturating(scene.start, deadline);
        CHECK(try_execute(line, {.deadline = limit}, fail).origin().attempts == 1);
        CHECK(scene.waits == 0);
        return scene.trace.seen().at(2);
    };
    CHECK(reason(never, never, never) == "retry gave up: aborted");
    CHECK(reason(2s, never, 1s) == "retry gave up: deadline");
    CHECK(reason(2s, 1s, never) == "retry gave up: total_duration");
}

TEST_CASE("retry: gives up as aborted where the source of its delay throws") {
    stage scene;
    auto const line = compose_in(
        scene.environment(),
        retry{{}, hawser::delay_from{[](auto const&) -> std::optional<duration> { throw 1; }}});
    CHECK_THROWS_AS(hawser::execute(line, fail), int);
    CHECK(scene.trace.count("retry gave up: aborted") == 1);
}

// How long it waits.

TEST_CASE("retry: no jitter makes a wait longer than the cap of its backoff") {
    auto const waited = [](auto asks) {
        stage scene;
        auto const line = compose_in(
            scene.environment(),
            retry{{.max_attempts = 2}, asks, jitter::proportional{1}, no_budget{}, fixed_random{}});
        (void)try_execute(line, fail);
        return scene.elapsed();
    };
    CHECK(waited(backoff::exponential{.base = 3s, .cap = 4s}) == 4s);
    CHECK(waited(backoff::linear{.base = 3s, .cap = 7s}) == 6s);
    CHECK(waited(backoff::fibonacci{.base = 3s, .cap = 3s}) == 3s);
    CHECK(waited(backoff::constant{3s}) == 6s);  // Has no cap.
}

TEST_CASE("retry: a backoff that is random already gets no jitter for a refusal either") {
    stage scene;
    support::told_gate gate;
    gate.answer = step::refuse(errc::probes_full);
    auto const line = compose_in(
        scene.environment(),
        retry{{.max_attempts = 2}, backoff::decorrelated{.base = 100ms}, fixed_random{0}},
        borrow(gate));
    (void)try_execute(line, [] {});
    CHECK(scene.elapsed() == 100ms);
}

TEST_CASE("retry: a negative delay, whoever names it, is no wait and no way past a limit") {
    for (auto const delay : {duration{-1}, duration{-1h}, duration::min()}) {
        auto const check = [&](auto... parts) {
            stage scene;
            support::told_gate gate;
            gate.answer = step::refuse(errc::rate_limited, delay);
            auto const line = compose_in(
                scene.environment(),
                retry{{.max_attempts = 4, .total_duration = 3ms}, no_budget{}, parts...});
            auto const out = try_execute(line, {.deadline = scene.start + 1s}, [&] {
                scene.time.advance(1ms);
                throw 1;
            });
            CHECK(out.origin().attempts == 3);  // The fourth would begin at 3 ms.
            CHECK(scene.waits == 0);
        };
        check(told_backoff<>{delay}, jitter::none{});
        check(told_backoff<>{delay}, jitter::full{});
        check(told_backoff<true>{delay});
        check(hint_of(delay), hawser::abort_if{[](auto const&) { return false; }});
    }
}

TEST_CASE("retry: an attempt that was not sent is not repeated past the total duration") {
    stage scene;
    auto const line =
        compose_in(scene.environment(), retry{{.total_duration = 25ms}, backoff::none{}});
    auto const out = try_execute(line, [&](auto& call) {
        scene.time.advance(25ms);
        call.mark_not_sent();
        throw 1;
    });
    CHECK(out.origin().attempts == 1);
    CHECK(scene.trace.count("retry gave up: total_duration") == 1);
}

TEST_CASE("retry_if: a refusal that asks for too long a wait is passed on, as by default") {
    auto const waited = [](duration asks, duration most) {
        stage scene;
        support::told_gate gate;
        gate.answer = step::refuse(errc::conflict, asks);
        auto const line = compose_in(scene.environment(),
                                     retry{{.max_attempts = 2, .refusal_wait_max = most},
                                           hawser::retry_if{[](auto const&) { return true; }},
                                           fixed_random{}},
                                     borrow(gate));
        CHECK(try_execute(line, [] {}).code() == errc::conflict);
        return scene.elapsed();
    };
    CHECK(waited(3s, 3s) == 3s);
    CHECK(waited(3s + 1ns, 3s) == 0s);
    CHECK(waited(0s, 3s) == 100ms);  // Names no time: a backoff.
    CHECK(waited(0s, 0s) == 0s);
}

// The ends of every range.

TEST_CASE("retry: the longest durations there are hold, and the shortest deadline ends it") {
    stage scene;
    auto const line = compose_in(
        scene.environment(),
        retry{{.max_attempts = 3, .total_duration = never - 1ns, .refusal_wait_max = never},
              backoff::none{},
              no_budget{}});
    CHECK(try_execute(line, fail).origin().attempts == 3);
    auto const attempts_by = [&](hawser::time_point deadline) {
        return try_execute(line, {.deadline = deadline}, fail).origin().attempts;
    };
    CHECK(attempts_by(hawser::time_point::max()) == 3);
    CHECK(attempts_by(hawser::time_point::max() - 1ns) == 3);
    CHECK(attempts_by(hawser::time_point::min()) == 0);
    CHECK(attempts_by(scene.start) == 0);
    CHECK(attempts_by(scene.start + 1ns) == 3);
}

TEST_CASE("retry: no attempt begins past a limit, however long attempts take and waits are") {
    stage scene;
    hawser::seeded_random random{20261121};
    auto const upto = [&](duration most) { return hawser::part_of(most, random()); };
    for (int i = 0; i < 500; ++i) {
        duration const limit = 1ms + upto(500ms), total = 1ms + upto(500ms);
        auto const line =
            compose_in(scene.environment(), retry{{.max_attempts = 1000, .total_duration = total},
                                                  backoff::exponential{.base = 1ms + upto(50ms)},
                                                  no_budget{},
                                                  hawser::seeded_random{random()}});
        auto const begin = scene.time.now(), last = begin + std::min(limit, total);
        auto const out = try_execute(line, {.deadline = begin + limit}, [&] {
            REQUIRE(scene.time.now() < last);
            scene.time.advance(upto(20ms));
            throw 1;
        });
        REQUIRE(out.exception() != nullptr);
        REQUIRE(scene.time.now() < last + 20ms);
    }
}
