// SPDX-License-Identifier: BSL-1.0
#include <hawser/breaker/breaker_machine.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <vector>

using namespace std::chrono_literals;
using hawser::breaker_cause;
using hawser::breaker_machine;
using hawser::breaker_state;
using hawser::breaker_ticket;
using hawser::errc;
using hawser::time_point;
using hawser::verdict;
using hawser::vote;
namespace trip = hawser::trip;
using default_machine = breaker_machine<trip::failure_rate>;

namespace {

constexpr time_point t0{1h};
constexpr vote success{verdict::success}, failure{verdict::failure}, neutral{verdict::neutral};

struct at {
    time_point when = t0;
    time_point operator()() const noexcept { return when; }
};

/// Makes `count` calls at `when`, one after the other, that all end the same way.
template <class Machine>
std::uint32_t call(Machine& breaker, std::uint32_t count, vote const& cast, time_point when = t0) {
    std::uint32_t admitted = 0;
    for (; count > 0; --count) {
        auto admission = breaker.try_acquire(at{when});
        admitted += bool{admission};
        breaker.report(admission.ticket, cast, at{when});
    }
    return admitted;
}

/// A breaker that has just turned half-open at `t0 + 5s`, its probes not asked for.
std::unique_ptr<default_machine> opened(hawser::circuit_breaker_options options = {}) {
    options.minimum_calls = 1;
    options.jitter = 0;
    auto breaker = std::make_unique<default_machine>(options);
    call(*breaker, 1, failure);
    return breaker;
}
constexpr time_point expiry = t0 + 5s;

}  // namespace

TEST_CASE("breaker_machine: trips at minimum_calls, not when its window is full") {
    default_machine breaker{{.window = 100, .minimum_calls = 20}};
    CHECK(call(breaker, 19, failure) == 19);
    CHECK(breaker.state() == breaker_state::closed);
    call(breaker, 1, failure);
    CHECK(breaker.state() == breaker_state::open);
}

TEST_CASE("breaker_machine: trips where a success completes minimum_calls") {
    default_machine breaker{{.failure_rate = 0.95, .minimum_calls = 20}};
    call(breaker, 19, failure);
    CHECK(breaker.state() == breaker_state::closed);
    call(breaker, 1, success);  // 19 of 20 are 0.95.
    CHECK(breaker.state() == breaker_state::open);
}

TEST_CASE("breaker_machine: after 10,000 successes, failures trip within the window") {
    default_machine breaker{{.failure_rate = 0.5, .window = 100}};
    call(breaker, 10'000, success);
    call(breaker, 49, failure);
    CHECK(breaker.state() == breaker_state::closed);
    call(breaker, 1, failure);
    CHECK(breaker.state() == breaker_state::open);
}

TEST_CASE("breaker_machine: an equal rate trips, for every rate that is a decimal fraction") {
    for (std::uint32_t percent = 1; percent <= 100; ++percent) {
        default_machine breaker{{.failure_rate = percent / 100.0, .minimum_calls = 100}};
        call(breaker, 100 - percent, success);
        call(breaker, percent, failure);
        CHECK(breaker.state() == breaker_state::open);
    }
}

TEST_CASE("breaker_machine: a closed breaker reads no clock for successes") {
    default_machine breaker{{}};
    auto const forbidden = []() noexcept -> time_point { std::abort(); };
    for (int i = 0; i < 1'000; ++i) {
        auto admission = breaker.try_acquire(forbidden);
        breaker.report(admission.ticket, success, forbidden);
    }
    CHECK(breaker.snapshot(t0).rules[0].calls == 100);
}

TEST_CASE("breaker_machine: refuses with the exact time that is left and its name") {
    default_machine breaker{{.minimum_calls = 1, .jitter = 0, .name = "prices"}};
    call(breaker, 1, failure);
    auto const refused = breaker.try_acquire(at{t0 + 2s});
    CHECK(refused.why == hawser::refusal{errc::circuit_open, 3s, breaker.name()});
    CHECK(std::string{refused.why.policy} == "prices");
    CHECK_FALSE(refused.ticket);
    CHECK_FALSE(breaker.try_acquire(at{expiry - 1ns}));
    CHECK(breaker.try_acquire(at{expiry}));
}

TEST_CASE("breaker_machine: late failures do not extend the open time") {
    default_machine breaker{{.minimum_calls = 1, .jitter = 0}};
    std::vector<breaker_ticket> late;
    for (int i = 0; i < 10; ++i) late.push_back(breaker.try_acquire(at{}).ticket);
    call(breaker, 1, failure);
    for (auto& ticket : late) breaker.report(ticket, failure, at{t0 + 4s});
    CHECK(breaker.snapshot(t0 + 4s).retry_after == 1s);
    CHECK(breaker.snapshot(t0 + 4s).stale == 10);
    CHECK(breaker.try_acquire(at{expiry}));
}

TEST_CASE("breaker_machine: a late success of an earlier generation does not close") {
    default_machine breaker{{.minimum_calls = 1, .jitter = 0}};
    std::vector<breaker_ticket> late;
    for (int i = 0; i < 10; ++i) late.push_back(breaker.try_acquire(at{}).ticket);
    call(breaker, 1, failure);
    auto const probe = breaker.try_acquire(at{expiry});
    REQUIRE(probe.ticket.is_probe());
    for (auto& ticket : late) breaker.report(ticket, success, at{expiry});
    CHECK(breaker.state() == breaker_state::half_open);
}

TEST_CASE("breaker_machine: a late release of an earlier generation adds no probe") {
    default_machine breaker{{.minimum_calls = 1, .jitter = 0}};
    std::vector<breaker_ticket> late;
    for (int i = 0; i < 10; ++i) late.push_back(breaker.try_acquire(at{}).ticket);
    call(breaker, 1, failure);
    std::vector<breaker_ticket> probes;
    for (int i = 0; i < 3; ++i) probes.push_back(breaker.try_acquire(at{expiry}).ticket);
    for (auto& ticket : late) breaker.abandon(ticket);
    CHECK(breaker.try_acquire(at{expiry}).why.code == errc::probes_full);
    CHECK(breaker.snapshot(expiry).probes_out == 3);
}

TEST_CASE("breaker_machine: a probe's vote does not survive its episode") {
    auto breaker = opened();
    auto slow = breaker->try_acquire(at{expiry}).ticket;
    call(*breaker, 1, failure, expiry);                         // Reopens, for 10 s.
    auto next = breaker->try_acquire(at{expiry + 10s}).ticket;  // A new episode.
    REQUIRE(next.is_probe());
    breaker->report(slow, failure, at{expiry + 10s});
    CHECK(breaker->state() == breaker_state::half_open);
    CHECK(breaker->snapshot(expiry + 10s).probes_out == 1);
}

TEST_CASE("breaker_machine: probes_full is its own reason, and says nothing of time") {
    auto breaker = opened({.probes = 1});
    REQUIRE(breaker->try_acquire(at{expiry}));  // Its ticket is dropped; its slot is not.
    CHECK(breaker->try_acquire(at{expiry}).why ==
          hawser::refusal{errc::probes_full, 0s, breaker->name()});
    CHECK(breaker->snapshot(expiry).refused_probes_full == 1);
}

TEST_CASE("breaker_machine: a probe that ends without a verdict leaves its slot to the next") {
    auto breaker = opened({.probes = 1});
    auto probe = breaker->try_acquire(at{expiry}).ticket;
    SECTION("reported as neutral, as when an inner limiter throttled it") {
        breaker->report(probe, neutral, at{expiry});
    }
    SECTION("abandoned") { breaker->abandon(probe); }
    CHECK_FALSE(probe);
    CHECK(breaker->state() == breaker_state::half_open);
    CHECK(breaker->try_acquire(at{expiry}).ticket.is_probe());
}

TEST_CASE("breaker_machine: a hung probe loses its slot after its lease, and its vote") {
    auto breaker = opened({.probes = 1, .probe_lease = 2s});
    auto hung = breaker->try_acquire(at{expiry}).ticket;
    CHECK_FALSE(breaker->try_acquire(at{expiry + 2s - 1ns}));
    auto next = breaker->try_acquire(at{expiry + 2s});
    REQUIRE(next.ticket.is_probe());
    breaker->report(hung, success, at{expiry + 2s});
    CHECK(breaker->state() == breaker_state::half_open);
    CHECK(breaker->snapshot(expiry + 2s).stale == 1);
    breaker->report(next.ticket, success, at{expiry + 2s});
    CHECK(breaker->state() == breaker_state::closed);
}

TEST_CASE("breaker_machine: a late probe whose slot nobody wanted still votes") {
    auto breaker = opened({.probes = 1, .probe_lease = 2s});
    auto probe = breaker->try_acquire(at{expiry}).ticket;
    breaker->report(probe, success, at{expiry + 1h});
    CHECK(breaker->state() == breaker_state::closed);
}

TEST_CASE("breaker_machine: decides an episode as soon as the votes settle it") {
    SECTION("passed: 2 of 4 are enough") {
        auto breaker = opened({.probes = 4, .probe_success_rate = 0.5});
        call(*breaker, 2, success, expiry);
        CHECK(breaker->state() == breaker_state::closed);
    }
    SECTION("failed: 3 of 4 cannot be reached any more") {
        auto breaker = opened({.probes = 4, .probe_success_rate = 0.75});
        call(*breaker, 1, failure, expiry);
        CHECK(breaker->state() == breaker_state::half_open);
        call(*breaker, 1, failure, expiry);
        CHECK(breaker->state() == breaker_state::open);
    }
}

TEST_CASE("breaker_machine: never has more probes out than votes it still wants") {
    auto breaker = opened({.probes = 3});
    call(*breaker, 1, success, expiry);
    auto const first = breaker->try_acquire(at{expiry}), second = breaker->try_acquire(at{expiry});
    CHECK(first);
    CHECK(second);
    CHECK_FALSE(breaker->try_acquire(at{expiry}));
}

TEST_CASE("breaker_machine: probes_at_once is a tighter cap than probes") {
    auto breaker = opened({.probes = 3, .probes_at_once = 1});
    auto probe = breaker->try_acquire(at{expiry});
    CHECK_FALSE(breaker->try_acquire(at{expiry}));
    breaker->report(probe.ticket, success, at{expiry});
    CHECK(breaker->try_acquire(at{expiry}));
}

TEST_CASE("breaker_machine: openings in a row wait longer, up to the cap") {
    auto breaker = opened({.open_for = 5s, .open_for_max = 30s});
    auto now = t0;
    for (auto const wait : {5s, 10s, 20s, 30s, 30s}) {
        CHECK(breaker->snapshot(now).retry_after == wait);
        now += wait;
        call(*breaker, 1, failure, now);  // The first probe fails.
    }
}

TEST_CASE("breaker_machine: healthy time takes openings off the row, one at a time") {
    auto const [healthy, wait] = GENERATE(table<hawser::duration, hawser::duration>(
        {{0s, 20s}, {59s, 20s}, {60s, 10s}, {119s, 10s}, {120s, 5s}, {1h, 5s}}));
    auto breaker = opened({.probes = 1});  // One opening: 5 s.
    call(*breaker, 1, failure, expiry);    // The second in a row: 10 s.
    auto const closed = expiry + 10s;
    call(*breaker, 1, success, closed);
    REQUIRE(breaker->state() == breaker_state::closed);
    call(*breaker, 1, failure, closed + healthy);
    CHECK(breaker->snapshot(closed + healthy).retry_after == wait);
}

TEST_CASE("breaker_machine: a hint lengthens the wait, no further than the cap") {
    auto const [hint, wait] = GENERATE(table<hawser::duration, hawser::duration>(
        {{0s, 5s}, {1s, 5s}, {12s, 12s}, {24h, 60s}, {hawser::never, 60s}, {-1s, 5s}}));
    default_machine breaker{{.minimum_calls = 1, .jitter = 0}};
    call(breaker, 1, vote{verdict::failure, false, hint});
    CHECK(breaker.snapshot(t0).retry_after == wait);
}

TEST_CASE("breaker_machine: breakers that open together ask again apart, at the cap too") {
    hawser::duration const cap = GENERATE(5s, 60s);
    std::set<hawser::duration> waits;
    for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
        default_machine breaker{{.minimum_calls = 1, .open_for_max = cap}, seed};
        call(breaker, 1, vote{verdict::failure, false, cap});
        waits.insert(breaker.snapshot(t0).retry_after);
    }
    CHECK(waits.size() > 990);
    CHECK(*waits.begin() >= cap);
    CHECK(*waits.begin() < cap + cap / 200);
    CHECK(*waits.rbegin() <= cap + cap / 10);
    CHECK(*waits.rbegin() > cap + cap / 10 - cap / 200);
}

TEST_CASE("breaker_machine: the same seed opens for the same times") {
    default_machine one{{.minimum_calls = 1}, 7}, two{{.minimum_calls = 1}, 7};
    call(one, 1, failure);
    call(two, 1, failure);
    CHECK(one.snapshot(t0).retry_after == two.snapshot(t0).retry_after);
}

TEST_CASE("breaker_machine: waits that no clock can hold saturate") {
    default_machine breaker{{.minimum_calls = 1,
                             .open_for = hawser::never,
                             .open_for_max = hawser::never,
                             .open_for_factor = 1e300,
                             .jitter = 1}};
    call(breaker, 1, failure);
    CHECK(breaker.try_acquire(at{}).why.retry_after == hawser::never);
    CHECK_FALSE(breaker.try_acquire(at{time_point::max() - 1ns}));
}

TEST_CASE("breaker_machine: isolated refuses for ever, and lets a command alone end it") {
    default_machine breaker{{}};
    CHECK(breaker.isolate(t0));
    CHECK(breaker.try_acquire(at{t0 + 24h}).why ==
          hawser::refusal{errc::isolated, hawser::never, breaker.name()});
    CHECK(breaker.snapshot(t0).retry_after == hawser::never);
    CHECK(breaker.reset(t0));
    CHECK(breaker.try_acquire(at{}));
}

TEST_CASE("breaker_machine: disabled admits all and counts none") {
    default_machine breaker{{.minimum_calls = 1}};
    breaker.disable(t0);
    CHECK(call(breaker, 100, failure) == 100);
    CHECK(breaker.snapshot(t0).calls == 0);
    CHECK(breaker.snapshot(t0).stale == 0);
}

TEST_CASE("breaker_machine: metrics_only counts, and notes trips at most once in open_for") {
    default_machine breaker{{.minimum_calls = 10}};
    breaker.observe(t0);
    CHECK(call(breaker, 100, failure, t0) == 100);
    CHECK(breaker.snapshot(t0).would_have_tripped == 1);
    CHECK(call(breaker, 100, failure, t0 + 5s) == 100);
    CHECK(breaker.snapshot(t0).would_have_tripped == 2);
    CHECK(breaker.snapshot(t0).calls == 200);
    CHECK(breaker.state() == breaker_state::metrics_only);
}

TEST_CASE("breaker_machine: a second report, of a ticket or of its shell, does nothing") {
    default_machine breaker{{}};
    auto ticket = breaker.try_acquire(at{}).ticket;
    auto moved = std::move(ticket);
    breaker.report(ticket, failure, at{});  // NOLINT(bugprone-use-after-move): the promise.
    CHECK(breaker.snapshot(t0).calls == 0);
    breaker.report(moved, success, at{});
    breaker.report(moved, failure, at{});
    CHECK(breaker.snapshot(t0).calls == 1);
    CHECK(breaker.snapshot(t0).stale == 0);
}

TEST_CASE("breaker_machine: 1000 neutral calls neither trip nor leak") {
    auto breaker = opened();
    CHECK(call(*breaker, 1'000, neutral, expiry) == 1'000);
    CHECK(breaker->snapshot(expiry).probes_out == 0);
    breaker->reset(expiry);
    CHECK(call(*breaker, 1'000, neutral, expiry) == 1'000);
    CHECK(breaker->snapshot(expiry).calls == 1);  // The failure that opened it.
}

TEST_CASE("breaker_machine: the journal tells what happened and why, in one chain") {
    default_machine breaker{{.minimum_calls = 4, .jitter = 0, .probes = 2}};
    CHECK_FALSE(breaker.transitions_pending());
    call(breaker, 2, success);
    call(breaker, 2, failure);
    CHECK(breaker.transitions_pending());
    call(breaker, 2, success, expiry);
    call(breaker, 1, success, expiry);
    breaker.isolate(t0 + 1min);

    std::vector<hawser::breaker_transition> steps(4);
    for (auto& step : steps) REQUIRE(breaker.pop_transition(step));
    CHECK_FALSE(breaker.transitions_pending());
    CHECK(steps[0].cause == breaker_cause::tripped);
    CHECK(steps[0].why == hawser::rule_reading{"failure_rate", 4, 2, 0.5});
    CHECK(steps[0].open_for == 5s);
    CHECK(steps[0].consecutive_opens == 1);
    CHECK(steps[1].cause == breaker_cause::wait_elapsed);
    CHECK(steps[1].at == expiry);
    CHECK(steps[2].cause == breaker_cause::probes_passed);
    CHECK(steps[2].why == hawser::rule_reading{"probes", 2, 0, 0});
    CHECK(steps[3].cause == breaker_cause::isolate_command);
    CHECK(steps[3].why.calls == 1);
    for (std::size_t i = 1; i < steps.size(); ++i) {
        CHECK(steps[i].from == steps[i - 1].to);
        CHECK(steps[i].generation == steps[i - 1].generation + 1);
    }
}

TEST_CASE("breaker_machine: a journal that nobody reads keeps the newest, and counts the rest") {
    default_machine breaker{{}};
    for (int i = 0; i < 20; ++i) breaker.reset(t0);
    CHECK(breaker.dropped_transitions() == 4);
    hawser::breaker_transition step;
    REQUIRE(breaker.pop_transition(step));
    CHECK(step.generation == 6);
}

TEST_CASE("breaker_machine: reconfigure keeps state, tickets and what both windows know") {
    default_machine breaker{{.window = 100, .minimum_calls = 100}};
    auto under_way = breaker.try_acquire(at{}).ticket;
    call(breaker, 40, failure);
    call(breaker, 10, success);
    breaker.reconfigure({.window = 20, .minimum_calls = 20}, t0);
    CHECK(breaker.snapshot(t0).rules[0] == hawser::rule_reading{"failure_rate", 20, 10, 0.5});
    CHECK(breaker.generation() == 1);
    breaker.report(under_way, failure, at{});  // 11 of 20.
    CHECK(breaker.state() == breaker_state::open);
}

TEST_CASE("breaker_machine: a reconfiguration with a bad option throws and changes nothing") {
    default_machine breaker{{.minimum_calls = 1}};
    CHECK_THROWS_AS(breaker.reconfigure({.failure_rate = 2}, t0), std::invalid_argument);
    call(breaker, 1, failure);
    CHECK(breaker.state() == breaker_state::open);
}

TEST_CASE("breaker_machine: more probe slots can be given while probes are out") {
    auto breaker = opened({.probes = 1});
    auto out = breaker->try_acquire(at{expiry}).ticket;
    breaker->reconfigure({.minimum_calls = 1, .probes = 64}, expiry);
    std::vector<breaker_ticket> more;
    for (int i = 0; i < 63; ++i) more.push_back(breaker->try_acquire(at{expiry}).ticket);
    CHECK(more.back().is_probe());
    CHECK_FALSE(breaker->try_acquire(at{expiry}));
    breaker->report(out, success, at{expiry});
    for (auto& ticket : more) breaker->report(ticket, success, at{expiry});
    CHECK(breaker->state() == breaker_state::closed);
}

TEST_CASE("breaker_machine: a success writes one line, and it is not the line that all read") {
    default_machine breaker{{}};
    call(breaker, 200, success);
    auto ticket = breaker.try_acquire(at{}).ticket;
    using bytes = std::array<unsigned char, sizeof breaker>;
    auto const copy = [&] {
        auto image = std::make_unique<bytes>();
        std::memcpy(image->data(), static_cast<void const*>(&breaker), sizeof breaker);
        return image;
    };

    auto const before = copy();
    breaker.report(ticket, success, at{});
    auto const after = copy();

    std::set<std::size_t> lines;
    for (std::size_t i = 0; i < before->size(); ++i)
        if ((*before)[i] != (*after)[i]) lines.insert(i / 64);
    CHECK(lines.size() == 1);
    CHECK(*lines.begin() > 0);  // The state word opens the object, which is aligned to lines.
    CHECK(reinterpret_cast<std::uintptr_t>(&breaker) % 64 == 0);
}

TEST_CASE("breaker_machine: any of several rules opens it, and the journal names the one") {
    using machine = breaker_machine<trip::failure_rate, trip::consecutive_failures>;
    machine breaker{{}, trip::failure_rate{.minimum_calls = 100}, {.count = 3}};
    call(breaker, 50, success);
    call(breaker, 2, failure);
    call(breaker, 1, success);
    call(breaker, 2, failure);
    CHECK(breaker.state() == breaker_state::closed);
    call(breaker, 1, failure);
    hawser::breaker_transition step;
    REQUIRE(breaker.pop_transition(step));
    CHECK(step.why == hawser::rule_reading{"consecutive_failures", 3, 3, 3});
}

TEST_CASE("breaker_machine: slow successes open it, and slow probes do not close it") {
    breaker_machine<trip::slow_rate> breaker{
        {.jitter = 0, .probes = 1},
        trip::slow_rate{.slower_than = 100ms, .rate = 1, .minimum_calls = 2}};
    auto const call_lasting = [&](hawser::duration length, time_point start) {
        auto admission = breaker.try_acquire(at{start});
        breaker.report(admission.ticket, success, at{start + length});
    };
    call_lasting(100ms, t0);  // Not slow.
    call_lasting(101ms, t0);
    CHECK(breaker.state() == breaker_state::closed);
    breaker.reset(t0);
    call_lasting(101ms, t0 - 101ms);
    call_lasting(101ms, t0 - 101ms);
    CHECK(breaker.state() == breaker_state::open);
    call_lasting(101ms, expiry);
    CHECK(breaker.state() == breaker_state::open);
    call_lasting(100ms, expiry + 101ms + 10s);
    CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("breaker_machine: the default lease is the longer of open_for and two slow calls") {
    auto const [slow, lease] =
        GENERATE(table<hawser::duration, hawser::duration>({{1s, 5s}, {4s, 8s}}));
    breaker_machine<trip::slow_rate, trip::consecutive_failures> breaker{
        {.jitter = 0, .probes = 1}, trip::slow_rate{.slower_than = slow}, {.count = 1}};
    call(breaker, 1, failure);
    REQUIRE(breaker.try_acquire(at{expiry}));
    CHECK_FALSE(breaker.try_acquire(at{expiry + lease - 1ns}));
    CHECK(breaker.try_acquire(at{expiry + lease}));
}

TEST_CASE("breaker_machine: a rule over time forgets failures as time goes by") {
    breaker_machine<trip::failure_rate_over_time> breaker{
        {}, trip::failure_rate_over_time{.window = 10s, .minimum_calls = 10, .buckets = 10}};
    call(breaker, 9, failure);
    CHECK(breaker.snapshot(t0 + 9s).rules[0].hits == 9);
    CHECK(breaker.snapshot(t0 + 10s).rules[0].hits == 0);
    call(breaker, 9, failure, t0 + 10s);
    CHECK(breaker.state() == breaker_state::closed);
    call(breaker, 1, failure, t0 + 11s);
    CHECK(breaker.state() == breaker_state::open);
}

TEST_CASE("breaker_machine: a rule over time counts from the first call after closing") {
    using machine = breaker_machine<trip::failure_rate_over_time>;
    machine breaker{{.jitter = 0, .probes = 1},
                    trip::failure_rate_over_time{.window = 10h, .minimum_calls = 2, .buckets = 1}};
    call(breaker, 1, success);
    call(breaker, 1, failure);
    call(breaker, 1, success, expiry);  // In the bucket in which it opened.
    REQUIRE(breaker.state() == breaker_state::closed);
    call(breaker, 10, success, expiry);
    CHECK(breaker.snapshot(expiry).rules[0].calls == 10);
    call(breaker, 9, failure, expiry);  // 9 of 19.
    CHECK(breaker.state() == breaker_state::closed);
    call(breaker, 1, failure, expiry);
    CHECK(breaker.state() == breaker_state::open);
}

TEST_CASE("breaker_machine: what happens while a call reads its clock is not overlooked") {
    // The clock is read after the look at the state and before the lock: the one place where a test
    // can step between them.
    default_machine breaker{{.minimum_calls = 1, .jitter = 0}};
    auto const meanwhile = [&](auto action) {
        return [action]() noexcept {
            action();
            return expiry;
        };
    };
    SECTION("a vote becomes stale") {
        auto ticket = breaker.try_acquire(at{}).ticket;
        breaker.report(ticket, failure, meanwhile([&] { breaker.reset(t0); }));
        CHECK(breaker.state() == breaker_state::closed);
        CHECK(breaker.snapshot(t0).stale == 1);
    }
    SECTION("an open breaker opens anew") {
        call(breaker, 1, failure);
        auto const refused = breaker.try_acquire(meanwhile([&] {
            breaker.reset(t0);
            call(breaker, 1, failure, expiry);
        }));
        CHECK(refused.why.retry_after == 5s);
    }
    SECTION("an open breaker is isolated") {
        call(breaker, 1, failure);
        auto const refused = breaker.try_acquire(meanwhile([&] { breaker.isolate(t0); }));
        CHECK(refused.why.code == errc::isolated);
    }
}

TEST_CASE("breaker_machine: a rule that wants every call gets none that does not count") {
    using machine = breaker_machine<trip::failure_rate_over_time>;
    hawser::circuit_breaker_options const options{.jitter = 0, .probes = 1};
    trip::failure_rate_over_time const rule{.minimum_calls = 1};
    machine breaker{options, rule};
    breaker.disable(t0);
    call(breaker, 10, success);
    CHECK(breaker.snapshot(t0).calls == 0);

    breaker.reset(t0);
    call(breaker, 1, failure);
    auto probe = breaker.try_acquire(at{expiry}).ticket;
    breaker.reconfigure(options, expiry, rule);
    breaker.report(probe, success, at{expiry});
    CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("breaker_machine: is_slow tells by the rules' limits, and reads no clock without one") {
    breaker_machine<trip::slow_rate> breaker{{}, trip::slow_rate{.slower_than = 1s}};
    auto const ticket = breaker.try_acquire(at{}).ticket;
    CHECK_FALSE(breaker.is_slow(ticket, at{t0 + 1s}));
    CHECK(breaker.is_slow(ticket, at{t0 + 1s + 1ns}));
    default_machine other{{}};
    CHECK_FALSE(other.is_slow(ticket, []() noexcept -> time_point { std::abort(); }));
}

TEST_CASE("breaker_machine: throws for options and rules that describe no breaker") {
    CHECK_THROWS_WITH(default_machine({.minimum_calls = 101}),
                      "circuit_breaker: minimum_calls is not in [1, window]");
    using machine = breaker_machine<trip::consecutive_failures>;
    CHECK_THROWS_WITH(machine({}, trip::consecutive_failures{0}),
                      "consecutive_failures: count is zero");
}
