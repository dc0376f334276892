// SPDX-License-Identifier: BSL-1.0
//
// Plain calls: the caller is a thread. isolated.async.test.cpp has the calls in Asio.
#include <hawser/adapt/asio/isolated.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/isolation.hpp"
#include "support/stage.hpp"
#include "support/unwound.hpp"

#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::errc;
using hawser::isolated;
using hawser::isolation_pool;
using hawser::try_execute;
using support::entry;
using support::holding;
using support::ledger;
using support::stage;

namespace {

/// One thread and one place to wait, in a scene.
struct stand {
    stage scene;
    holding held;
    ledger results;
    std::atomic<int> runs{0};  ///< Of operations that only count.
    std::vector<std::jthread> callers;
    isolation_pool pool{{.threads = 1, .places = 1}, hawser::named{"search"}};

    ~stand() {
        scene.on_wait = nullptr;
        held.let_all_go();
        callers.clear();
    }
    auto line(auto&&... outer) {
        return hawser::compose_in(scene.environment(), std::forward<decltype(outer)>(outer)...,
                                  isolated{borrow(pool)});
    }
    /// An operation that stays until it is let go, whatever it is told.
    auto stays() {
        return [this](auto& call) {
            held.stay(call.stop_token());
            return entry{results};
        };
    }
    auto counts() {
        return [at = &runs] { ++*at; };
    }
    /// From another thread: a call that stays on the one thread of the pool.
    void occupy() {
        callers.emplace_back([this] {
            (void)try_execute(hawser::compose(isolated{borrow(pool)}),
                              [at = &held] { at->stay(); });
        });
        held.await_started(1);
    }
    /// Likewise: a call that finds no thread, and waits.
    void queue() {
        callers.emplace_back(
            [this] { (void)try_execute(hawser::compose(isolated{borrow(pool)}), counts()); });
        support::await_pool(pool, [](auto const& now) { return now.waiting == 1; });
    }
    /// Runs `then` when a caller begins to wait: for its deadline, or whatever ends that.
    void when_waiting(std::function<void()> then) { scene.on_wait = std::move(then); }
};

/// The environment of threads that oversleep: at their deadline the result has arrived, and they
/// see only the time.
struct oversleeping {
    stand* on;
    mutable hawser::null_sink none{};

    [[nodiscard]] hawser::time_point now() const noexcept { return on->scene.time.now(); }
    [[nodiscard]] hawser::null_sink& sink() const noexcept { return none; }
    hawser::wake_reason park(hawser::parking_spot& spot, hawser::time_point until,
                             std::stop_token const&) const {
        spot.await_wake();
        on->scene.time.set(until);
        return hawser::wake_reason::time;
    }
};

}  // namespace

TEST_CASE("isolated: the operation runs on a thread of the pool, and its result comes back") {
    stand on;
    auto const line = on.line();

    auto const where = hawser::execute(line, [] { return std::this_thread::get_id(); });
    CHECK(where != std::this_thread::get_id());
    CHECK(hawser::execute(line, [] { return std::make_unique<int>(7); }).operator*() == 7);
    auto const nothing = try_execute(line, [] {});
    CHECK(nothing.has_value());
    CHECK(nothing.origin().attempts == 1);
}

TEST_CASE("isolated: what the operation throws is rethrown where the call was made") {
    stand on;
    auto const line = on.line();

    CHECK_THROWS_WITH(hawser::execute(line, []() -> int { throw std::runtime_error{"broken"}; }),
                      "broken");
    auto const passed = try_execute(line, []() -> int {
        throw hawser::refused{{errc::conflict, 2s, "store"}};
    });
    CHECK(*passed.why() == hawser::refusal{errc::conflict, 2s, "store"});
}

TEST_CASE("isolated: refusals and stand-ins of inner layers come with where they came from") {
    stand on;
    hawser::rate_limit limit{{.rate = 1, .burst = 1}};
    auto const refuses =
        hawser::compose_in(on.scene.environment(), isolated{borrow(on.pool)}, borrow(limit));
    CHECK(try_execute(refuses, [] { return 1; }).has_value());
    auto const refused = try_execute(refuses, [] { return 1; });
    CHECK(*refused.why() == hawser::refusal{errc::rate_limited, 1s, "rate_limit"});
    CHECK(refused.origin().attempts == 0);

    auto const falls_back =
        hawser::compose_in(on.scene.environment(), isolated{borrow(on.pool)}, hawser::fallback{7});
    auto const other = try_execute(falls_back, []() -> int { throw 1; });
    CHECK(other.value() == 7);
    CHECK(other.origin().degraded);
    CHECK(std::string{other.origin().source} == "fallback");
    CHECK(other.origin().attempts == 1);
    CHECK(other.earlier().size() == 1);
}

TEST_CASE("isolated: a caller is let go at its deadline, whatever the operation does") {
    stand on;
    auto const line = on.line(hawser::attempt_timeout{50ms});
    on.when_waiting([&] { on.held.await_started(1); });

    auto const out = try_execute(line, on.stays());

    CHECK(*out.why() == hawser::refusal{errc::timed_out, {}, "attempt_timeout"});
    CHECK(out.origin().attempts == 1);
    CHECK(on.scene.elapsed() == 50ms);
    CHECK(on.held.inside == 1);
    auto const now = on.pool.snapshot();
    CHECK((now.running == 1 && now.behind == 1));
}

TEST_CASE("isolated: a caller is let go at its own deadline, in real time") {
    stand on;
    auto const line = hawser::compose(isolated{borrow(on.pool)});
    auto const deadline = hawser::steady_clock_source{}.now() + 20ms;

    auto const out = try_execute(line, {.deadline = deadline}, on.stays());

    CHECK(out.code() == errc::timed_out);
    CHECK(hawser::steady_clock_source{}.now() >= deadline);
}

TEST_CASE("isolated: an operation whose caller has gone is told to stop, and runs on") {
    stand on;
    auto const line = on.line(hawser::attempt_timeout{50ms});
    on.when_waiting([&] { on.held.await_started(1); });
    CHECK(try_execute(line, on.stays()).code() == errc::timed_out);
    CHECK(on.held.told == 0);

    on.held.let_go();

    support::await_idle(on.pool);
    CHECK(on.held.told == 1);
    CHECK(on.pool.snapshot().behind == 0);
}

TEST_CASE("isolated: a result that nobody awaits is destroyed on the pool's thread, once") {
    stand on;
    auto const line = on.line(hawser::attempt_timeout{50ms});
    on.when_waiting([&] { on.held.await_started(1); });
    CHECK(try_execute(line, on.stays()).code() == errc::timed_out);

    on.held.let_go();
    on.pool.stop();

    CHECK(on.results.made == 1);
    CHECK(on.results.destroyed == 1);
    CHECK(on.results.where.load() == on.held.thread.load());
}

TEST_CASE("isolated: a result that is in time is destroyed by its caller, once") {
    stand on;
    {
        on.held.let_go();
        auto const out = try_execute(on.line(), on.stays());
        CHECK(out.has_value());
        CHECK(on.results.destroyed == 0);
    }
    CHECK(on.results.made == 1);
    CHECK(on.results.destroyed == 1);
    CHECK(on.results.where.load() == std::this_thread::get_id());
}

TEST_CASE("isolated: a result that has arrived when the deadline comes is kept") {
    stand on;
    on.held.let_go();
    auto const line = hawser::compose_in(oversleeping{&on}, hawser::attempt_timeout{50ms},
                                         isolated{borrow(on.pool)});
    {
        auto const out = try_execute(line, on.stays());
        CHECK(out.has_value());
        CHECK(out.origin().late);
    }
    CHECK(on.results.destroyed == 1);
}

TEST_CASE("isolated: a caller that stops is let go at once") {
    stand on;
    auto const line = on.line();
    std::stop_source caller;
    on.when_waiting([&] {
        on.held.await_started(1);
        caller.request_stop();
    });

    auto const out = try_execute(line, {.stop = caller.get_token()}, on.stays());

    CHECK(out.code() == errc::cancelled);
    CHECK(on.held.inside == 1);
    on.held.let_go();
    support::await_idle(on.pool);
    CHECK(on.held.told == 1);
}

TEST_CASE("isolated: a full queue refuses at once, by the pool's name") {
    stand on;
    on.occupy();
    on.queue();
    on.when_waiting([] { FAIL("must not wait"); });

    auto const out = try_execute(on.line(), on.counts());

    CHECK(*out.why() == hawser::refusal{errc::bulkhead_full, 0ms, "search"});
    CHECK(out.origin().attempts == 0);
    CHECK(on.pool.snapshot().waiting == 1);
    CHECK(on.scene.trace.take() == std::vector<std::string>{"search refused: bulkhead full",
                                                            "call ended: neutral, bulkhead full"});
    on.held.let_all_go();
    support::await_idle(on.pool);
    CHECK(on.runs == 1);
}

TEST_CASE("isolated: a call that waits when its caller goes is never run, and leaves its place") {
    stand on;
    on.occupy();
    auto const line = on.line(hawser::attempt_timeout{50ms});
    std::stop_source caller;
    auto const op = on.counts();

    auto const late = try_execute(line, op);
    CHECK(late.code() == errc::timed_out);
    CHECK(late.origin().attempts == 0);
    CHECK(on.pool.snapshot().waiting == 0);

    on.when_waiting([&] { caller.request_stop(); });
    CHECK(try_execute(line, {.stop = caller.get_token()}, op).code() == errc::cancelled);
    CHECK(on.pool.snapshot().waiting == 0);

    on.held.let_all_go();
    on.pool.stop();
    CHECK(on.runs == 0);
    CHECK(on.scene.trace.count("attempt 1") == 0);
}

TEST_CASE("isolated: a call whose deadline has passed when a thread takes it is never run") {
    stand on;
    on.occupy();
    auto const line = on.line();
    on.scene.hold = true;  // The caller itself does not notice.
    on.when_waiting([&] {
        on.scene.time.advance(1s);
        on.held.let_all_go();
    });

    auto const out = try_execute(line, {.deadline = on.scene.start + 1s}, on.counts());

    CHECK(out.code() == errc::timed_out);
    CHECK(on.runs == 0);
}

TEST_CASE("isolated: the refusal of a full queue is no vote, and costs no retry budget") {
    stand on;
    on.occupy();
    on.queue();
    hawser::circuit_breaker breaker{{.failure_rate = 0.1, .minimum_calls = 1}};
    hawser::retry_budget budget{{.ratio = 0.5, .floor = 0, .capacity = 10}};
    auto const before = budget.available(on.scene.time.now());
    auto const line =
        on.line(hawser::retry{{.max_attempts = 3}, hawser::backoff::constant{1ms}, borrow(budget)},
                borrow(breaker));

    auto const out = try_execute(line, [] { return 1; });

    CHECK(out.code() == errc::bulkhead_full);
    CHECK(on.scene.trace.count("search refused: bulkhead full") == 3);
    CHECK(breaker.state() == hawser::breaker_state::closed);
    CHECK(budget.available(on.scene.time.now()) == before);
}

TEST_CASE("isolated: a timeout is a failure to the breaker outside of it") {
    stand on;
    hawser::circuit_breaker breaker{{.failure_rate = 0.1, .minimum_calls = 1}};
    auto const line = on.line(borrow(breaker), hawser::attempt_timeout{50ms});
    on.when_waiting([&] { on.held.await_started(1); });

    CHECK(try_execute(line, on.stays()).code() == errc::timed_out);

    CHECK(breaker.state() == hawser::breaker_state::open);
}

TEST_CASE("isolated: the caller's own deadline and stop are no vote outside of it") {
    stand on;
    hawser::circuit_breaker breaker{{.failure_rate = 0.1, .minimum_calls = 1}};
    auto const line = on.line(borrow(breaker));
    std::stop_source caller;
    auto const op = [] { return 1; };
    on.occupy();

    CHECK(try_execute(line, {.deadline = on.scene.start + 1s}, op).code() == errc::timed_out);
    on.when_waiting([&] { caller.request_stop(); });
    CHECK(try_execute(line, {.stop = caller.get_token()}, op).code() == errc::cancelled);

    CHECK(breaker.state() == hawser::breaker_state::closed);
}

TEST_CASE("isolated: a retry outside starts a copy of the operation, while the last still runs") {
    stage scene;
    holding held;
    isolation_pool pool{{.threads = 2, .places = 0}};
    auto const line = hawser::compose_in(
        scene.environment(), hawser::retry{{.max_attempts = 2}, hawser::backoff::constant{1ms}},
        hawser::attempt_timeout{50ms}, isolated{borrow(pool)});
    scene.on_wait = [&] {
        if (scene.waits == 1) held.await_started(1);
        if (scene.waits == 3) scene.hold = true;  // The second attempt gets all the time it takes.
    };

    auto const out =
        try_execute(line, [&held, calls = 0, owned = std::string(100, 'x')](auto& call) mutable {
            if (call.attempt() == 1) held.stay();
            return std::to_string(++calls) + owned;
        });

    CHECK(out.value() == "1" + std::string(100, 'x'));
    CHECK(out.origin().attempts == 2);
    CHECK(held.inside == 1);
    held.let_go();
}

TEST_CASE("isolated: attempts inside and outside are counted through") {
    stand on;
    auto const none = hawser::backoff::constant{1ms};
    auto const line =
        hawser::compose_in(on.scene.environment(), hawser::retry{{.max_attempts = 2}, none},
                           isolated{borrow(on.pool)}, hawser::retry{{.max_attempts = 3}, none});
    CHECK(line.max_attempts() == 6);

    auto const out = try_execute(line, [](auto& call) -> std::uint32_t {
        if (call.attempt() < 5) throw 1;
        return call.attempt();
    });

    CHECK(out.value() == 5);
    CHECK(out.origin().attempts == 5);
}

TEST_CASE("isolated: an allowance bounds the attempts inside and outside together") {
    stand on;
    auto const none = hawser::backoff::constant{1ms};
    auto const line =
        hawser::compose_in(on.scene.environment(), hawser::retry{{.max_attempts = 3}, none},
                           isolated{borrow(on.pool)}, hawser::retry{{.max_attempts = 3}, none});
    hawser::attempt_allowance allowance{5};

    auto const out = try_execute(line, {.allowance = &allowance}, []() -> int { throw 1; });

    CHECK(out.exception() != nullptr);
    CHECK(out.origin().attempts == 5);
    CHECK(allowance.remaining() == 0);
}

TEST_CASE("isolated: what runs on behind its caller has no attempts left of an allowance") {
    stand on;
    on.when_waiting([&] { on.held.await_started(1); });
    hawser::attempt_allowance allowance{3};
    std::atomic<int> taken{0};

    auto const out = try_execute(on.line(hawser::total_timeout{50ms}), {.allowance = &allowance},
                                 [&](auto& call) {
                                     on.held.stay();
                                     taken += call.allowance()->try_take() ? 1 : 0;
                                 });
    on.held.let_go();
    on.pool.stop();

    CHECK(out.code() == errc::timed_out);
    CHECK(taken == 0);
    CHECK(allowance.remaining() == 2);
}

TEST_CASE("isolated: each attempt is told of once, and the call too") {
    stand on;
    CHECK(try_execute(
              on.line(hawser::retry{
                  {.max_attempts = 2}, hawser::backoff::constant{1ms}, hawser::jitter::none{}}),
              [](auto& call) {
                  if (call.attempt() == 1) throw 1;
              })
              .has_value());
    CHECK(on.scene.trace.take() == std::vector<std::string>{"attempt 1", "attempt 1 ended: failure",
                                                            "retry again in 1ms by backoff",
                                                            "attempt 2", "attempt 2 ended: success",
                                                            "call ended: success"});
}

TEST_CASE("isolated: the operation knows the facts of its call") {
    stand on;
    auto const line = on.line(hawser::attempt_timeout{50ms});
    hawser::call_facts<int> facts;
    facts.key = 7;
    facts.operation = "find";
    facts.priority = 3;
    on.scene.hold = true;

    CHECK(try_execute(line, facts, [start = on.scene.start](auto& call) {
              return call.key() == 7 && std::string{call.facts().operation} == "find" &&
                     call.facts().priority == 3 && call.deadline() == start + 50ms &&
                     call.stop_token().stop_possible() && !call.stop_requested();
          }).value());
}

TEST_CASE("isolated: the operation is moved in where it runs once, and copied from an lvalue") {
    stand on;
    auto const line = on.line(hawser::attempt_timeout{50ms});
    on.scene.hold = true;
    auto number = std::make_unique<int>(7);
    CHECK(hawser::execute(line, [n = std::move(number)] { return *n; }) == 7);

    auto kept = [calls = 0]() mutable { return ++calls; };
    CHECK(hawser::execute(line, kept) == 1);
    CHECK(hawser::execute(line, kept) == 1);
}

TEST_CASE("isolated: the operation is gone when its caller hears of the result") {
    stand on;
    auto const line = on.line();
    for (int call = 0; call != 100; ++call) {
        auto owned = std::make_shared<int>(call);
        std::weak_ptr<int> const seen = owned;
        CHECK(hawser::execute(line, [own = std::move(owned)] { return *own; }) == call);
        CHECK(seen.expired());
    }
}

TEST_CASE("isolated: what copying an operation throws is the outcome of the call") {
    struct uncopyable {
        uncopyable() = default;
        uncopyable(uncopyable const&) { throw std::runtime_error{"no copy"}; }
        int operator()() const { return 1; }
    };
    stand on;
    uncopyable const op;
    CHECK_THROWS_WITH(hawser::execute(on.line(), op), "no copy");
    CHECK(hawser::execute(on.line(), [] { return 1; }) == 1);
}

TEST_CASE("isolated: the inner layers live as long as an operation runs in them") {
    stand on;
    on.when_waiting([&] { on.held.await_started(1); });
    {
        auto const line = hawser::compose_in(
            on.scene.environment(), hawser::total_timeout{50ms}, isolated{borrow(on.pool)},
            hawser::build<hawser::circuit_breaker>(hawser::circuit_breaker_options{}),
            hawser::retry{{.max_attempts = 2}});
        CHECK(try_execute(line, on.stays()).code() == errc::timed_out);
    }
    on.held.let_go();
    on.pool.stop();
    CHECK(on.results.destroyed == 1);
}

TEST_CASE("isolated: a caller that is unwound leaves nothing behind that dangles") {
    stand on;
    {
        auto const line = on.line();
        CHECK(support::unwound([&] { (void)try_execute(line, on.stays()); },
                               [&] { on.held.await_started(1); }));
        CHECK(support::unwound([&] { (void)try_execute(line, on.counts()); },
                               [&] {
                                   support::await_pool(
                                       on.pool, [](auto const& now) { return now.waiting == 1; });
                                   on.scene.await_waits(2);
                               }));
        auto const now = on.pool.snapshot();
        CHECK((now.behind == 1 && now.waiting == 0));
    }
    on.held.let_go();
    on.pool.stop();
    CHECK(on.held.told == 1);
    CHECK(on.results.destroyed == 1);
}

TEST_CASE("isolated: a closed pool refuses, and waiting does not help") {
    stand on;
    on.pool.close();
    auto const out = try_execute(on.line(hawser::retry{}), [] { return 1; });
    CHECK(*out.why() == hawser::refusal{errc::closed, hawser::never, "search"});
    CHECK(on.scene.trace.count("search refused: closed") == 1);
}

TEST_CASE("isolated: a pool may be shared by its layers, and is never null") {
    auto pool = std::make_shared<isolation_pool>(hawser::isolation_options{.threads = 1});
    auto const line = hawser::compose(isolated{pool});
    pool.reset();
    CHECK(hawser::execute(line, [] { return 7; }) == 7);
    CHECK_THROWS_AS(isolated{pool}, std::invalid_argument);
}
