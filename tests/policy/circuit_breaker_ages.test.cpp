// SPDX-License-Identifier: BSL-1.0
//
// Calls that outlive the age of the breaker that admitted them, and the probes of an episode.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"
#include "support/unwound.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::breaker_state;
using hawser::circuit_breaker;
using hawser::circuit_breaker_options;
using hawser::compose_in;
using hawser::errc;
using hawser::try_execute;
using hawser::verdict;
using support::stage;

// One call, one vote: the right to it moves, and does not copy.
using permit = circuit_breaker::permit;
static_assert(!std::is_copy_constructible_v<permit> && !std::is_copy_assignable_v<permit>);
static_assert(std::is_nothrow_move_constructible_v<permit>);
static_assert(!std::is_copy_constructible_v<hawser::breaker_ticket>);
static_assert(!std::is_copy_assignable_v<hawser::breaker_ticket>);

namespace {

/// Opens at the second failure of two calls, for 5, 10, 20 s in a row.
constexpr circuit_breaker_options quick{
    .window = 10, .minimum_calls = 2, .open_for = 5s, .jitter = 0, .probes = 3};

int fail() { throw std::runtime_error{"down"}; }
int good() { return 1; }

/// A breaker, how to call it, and its permits.
struct stand {
    stage scene{};
    circuit_breaker breaker;
    explicit stand(circuit_breaker_options const& options = quick) : breaker{options} {}

    auto line() { return compose_in(scene.environment(), borrow(breaker)); }
    auto lend() { return breaker.try_acquire(scene.time.now()); }
    auto snapshot() { return breaker.snapshot(scene.time.now()); }
    void report(permit& cast, verdict health) {
        cast.report({.health = health}, [this]() noexcept { return scene.time.now(); });
    }
    void end(int times, int (*how)()) {
        for (; times > 0; --times) (void)try_execute(line(), how);
    }
    /// Opens, and waits until a probe may go.
    void await_probes() {
        end(2, fail);
        REQUIRE(breaker.state() == breaker_state::open);
        scene.time.advance(snapshot().retry_after);
    }
};

/// A breaker in its seventh generation, with two calls out of each of three ages before, and one
/// probe of its own.
struct aged : stand {
    std::vector<permit> late{};
    permit probe{};

    aged() {
        for (int age = 0; age < 3; ++age) {
            late.push_back(lend());
            late.push_back(lend());
            end(2, fail);  // The second is refused where one failure is enough.
            REQUIRE(breaker.state() == breaker_state::open);
            scene.time.advance(snapshot().retry_after);
        }
        probe = lend();
        REQUIRE(probe.generation() == 7);
    }
    void close() {
        report(probe, verdict::success);
        end(2, good);
        REQUIRE(breaker.state() == breaker_state::closed);
    }
    void open() {
        report(probe, verdict::failure);
        REQUIRE(breaker.state() == breaker_state::open);
    }
    /// Ends the call at `place` as the digit says, and says whether that is a vote.
    bool end_late(std::size_t place, unsigned how) {
        if (how == 2) return late[place] = {}, false;
        report(late[place], how == 0 ? verdict::success : verdict::failure);
        return true;
    }
};

void check_same(aged& on, std::array<std::size_t, 6> const& order, unsigned fates) {
    auto const before = on.snapshot();
    std::uint64_t votes = 0;
    for (auto const place : order) {
        votes += on.end_late(place, fates % 3);
        fates /= 3;
    }
    auto const after = on.snapshot();
    bool const same = after.state == before.state && after.generation == before.generation &&
                      after.probes_out == before.probes_out && after.calls == before.calls &&
                      after.consecutive_opens == before.consecutive_opens &&
                      after.retry_after == before.retry_after && after.rules == before.rules;
    if (!same) FAIL("state has moved");
    if (after.stale != before.stale + votes) FAIL("stale votes are not counted");
}

}  // namespace

TEST_CASE("circuit_breaker: calls of three ages before end in every order, and move nothing") {
    auto const now = GENERATE(breaker_state::half_open, breaker_state::open, breaker_state::closed);
    std::array<std::size_t, 6> order{};
    std::iota(order.begin(), order.end(), std::size_t{0});
    unsigned drawn = 0;
    do {
        for (int i = 0; i < 4; ++i) {
            aged on;
            if (now == breaker_state::open) on.open();
            if (now == breaker_state::closed) on.close();
            check_same(on, order, drawn = (drawn + 271) % 729);  // All 3^6 fates, in turn.
            if (now == breaker_state::half_open) on.close();
        }
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("circuit_breaker: a call of an earlier age frees no slot, however it ends") {
    stand on{{.window = 10, .minimum_calls = 2, .jitter = 0, .probes = 3, .probes_at_once = 2}};
    auto const line = on.line();
    std::vector<permit> probes;
    std::stop_source caller;
    auto const meanwhile = [&] {
        on.await_probes();
        for (int i = 0; i < 2; ++i) probes.push_back(on.lend());
    };
    SECTION("cancelled") {
        (void)try_execute(line, {.stop = caller.get_token()}, [&] {
            meanwhile();
            caller.request_stop();
            return fail();
        });
    }
    SECTION("out of time") {
        (void)try_execute(line, {.deadline = on.scene.start + 1s}, [&] {
            meanwhile();
            return fail();
        });
    }
    SECTION("unwound") {
        CHECK(support::unwound([&] {
            (void)try_execute(line, [&] {
                meanwhile();
                support::unwind_here();
            });
        }));
    }
    SECTION("refused by a breaker further in") {
        (void)try_execute(line, [&] {
            meanwhile();
            return hawser::execute(line, good);
        });
    }
    CHECK(on.snapshot().probes_out == 2);
    CHECK(try_execute(line, good).code() == errc::probes_full);
}

TEST_CASE("circuit_breaker: a probe of an earlier episode frees no slot and casts no vote") {
    auto const how = GENERATE(0, 1, 2);
    stand on{{.window = 10, .minimum_calls = 2, .jitter = 0, .probes = 2}};
    auto const line = on.line();
    on.await_probes();
    std::vector<permit> probes;
    std::stop_source caller;
    (void)try_execute(line, {.stop = caller.get_token()}, [&] {
        REQUIRE(on.snapshot().probes_out == 1);
        on.end(1, fail);
        REQUIRE(on.breaker.state() == breaker_state::open);
        on.scene.time.advance(10s);
        for (int i = 0; i < 2; ++i) probes.push_back(on.lend());
        if (how == 0) caller.request_stop();
        return how == 1 ? good() : fail();
    });
    CHECK(on.breaker.state() == breaker_state::half_open);
    CHECK(on.snapshot().probes_out == 2);
    CHECK_FALSE(on.lend());
    for (auto& probe : probes) on.report(probe, verdict::success);
    CHECK(on.breaker.state() == breaker_state::closed);
}

TEST_CASE("circuit_breaker: an episode is decided by the first vote that settles it") {
    stand on{{.window = 10,
              .minimum_calls = 2,
              .jitter = 0,
              .probes = 4,
              .probe_success_rate = GENERATE(0.5, 0.75)}};
    on.await_probes();
    SECTION("failed: one vote more than the rate allows") {
        on.end(1, fail);
        CHECK(on.breaker.state() == breaker_state::half_open);
        on.end(1, fail);
        auto const three_needed = on.breaker.state() == breaker_state::open;
        if (!three_needed) on.end(1, fail);
        CHECK(on.breaker.state() == breaker_state::open);
        CHECK(on.snapshot().retry_after == 10s);
    }
    SECTION("passed: with no vote more than the rate asks for") {
        on.end(2, good);
        auto const two_needed = on.breaker.state() == breaker_state::closed;
        if (!two_needed) on.end(1, good);
        CHECK(on.breaker.state() == breaker_state::closed);
    }
}

TEST_CASE("circuit_breaker: probes in flight are never more than the votes still wanted") {
    stand on;
    auto const line = on.line();
    on.await_probes();
    on.end(1, good);  // Two more are wanted.
    CHECK(hawser::execute(line, [&] {
              CHECK(hawser::execute(line, [&] {
                        CHECK(on.snapshot().probes_out == 2);
                        CHECK(try_execute(line, good).code() == errc::probes_full);
                        return 1;
                    }) == 1);
              CHECK(try_execute(line, good).code() == errc::probes_full);
              return 1;
          }) == 1);
    CHECK(on.breaker.state() == breaker_state::closed);
}
