// SPDX-License-Identifier: BSL-1.0
//
// Calls in Asio: the caller is suspended.
#include <hawser/adapt/asio/isolated.hpp>
#include <hawser/hawser.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"
#include "support/isolation.hpp"
#include "support/trace_of.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using hawser::borrow;
using hawser::errc;
using hawser::isolated;
using hawser::isolation_pool;
using support::entry;
using support::holding;
using support::ledger;

namespace {

/// What became of a call.
struct end {
    int completed = 0;
    int dropped = 0;
    std::optional<hawser::outcome<entry>> out;
    std::thread::id where;

    [[nodiscard]] errc code() const { return out ? out->code() : errc{}; }
};

class to_end {
public:
    using executor_type = asio::any_io_executor;
    using cancellation_slot_type = asio::cancellation_slot;

    to_end(end& at, executor_type executor, cancellation_slot_type slot = {})
        : at_{&at}, executor_{std::move(executor)}, slot_{slot} {}
    to_end(to_end&& other) noexcept
        : at_{std::exchange(other.at_, nullptr)}, executor_{other.executor_}, slot_{other.slot_} {}
    to_end& operator=(to_end&&) = delete;
    ~to_end() {
        if (at_ != nullptr) ++at_->dropped;
    }
    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }
    [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept { return slot_; }

    void operator()(hawser::outcome<entry> out) {
        auto& at = *std::exchange(at_, nullptr);
        ++at.completed;
        at.out.emplace(std::move(out));
        at.where = std::this_thread::get_id();
    }

private:
    end* at_;
    executor_type executor_;
    cancellation_slot_type slot_;
};

/// An operation that counts and stays until it is let go, whatever it is told.
struct stays {
    holding* held;
    ledger* results;

    entry operator()(auto& call) const {
        held->stay(call.stop_token());
        return entry{*results};
    }
};

auto make_line(hawser::testing::asio_time& time, hawser::circuit_breaker& breaker,
               isolation_pool& pool) {
    return hawser::compose_in(time.environment(), borrow(breaker), hawser::attempt_timeout{1s},
                              isolated{borrow(pool)});
}

/// One line, one thread and one place to wait, on a context that can be destroyed.
struct stand {
    holding held;
    ledger results;
    end first, second, third;
    std::stop_source caller;
    hawser::circuit_breaker breaker{{.failure_rate = 0.1, .minimum_calls = 1}};
    isolation_pool pool{{.threads = 1, .places = 1}, hawser::named{"search"}};
    std::optional<asio::io_context> io{std::in_place};
    std::optional<hawser::testing::asio_time> time{std::in_place, *io};

    decltype(make_line(*time, breaker, pool)) line = make_line(*time, breaker, pool);

    ~stand() { held.let_all_go(); }

    void call(end& to, asio::cancellation_slot slot = {}) { call(to, io->get_executor(), slot); }
    void call(end& to, asio::any_io_executor executor, asio::cancellation_slot slot = {}) {
        hawser::async_try_execute(line, io->get_executor(), {.stop = caller.get_token()},
                                  stays{&held, &results}, to_end{to, std::move(executor), slot});
    }
    /// Runs what comes from the pool until the call has ended.
    void await_end(end const& of) {
        while (of.completed == 0) {
            io->restart();
            io->run_one();
        }
    }
    /// Blocks until the pool has posted to the context, which is not run.
    void let_go_and_await_post() {
        held.let_go();
        support::await_idle(pool);
    }
};

}  // namespace

TEST_CASE("isolated: an asynchronous call completes on its caller's executor, and never inline") {
    stand on;
    on.held.let_go();
    on.call(on.first);
    support::await_idle(on.pool);
    CHECK(on.first.completed == 0);

    on.await_end(on.first);

    CHECK(on.first.out->has_value());
    CHECK(on.first.where == std::this_thread::get_id());
    CHECK(on.held.thread.load() != std::this_thread::get_id());
    CHECK(on.results.destroyed == 0);
    on.first.out.reset();
    CHECK(on.results.made == 1);
    CHECK(on.results.destroyed == 1);
}

TEST_CASE("isolated: an asynchronous call keeps its executor at work while it runs") {
    stand on;
    on.call(on.first);
    on.held.await_started(1);
    on.held.let_go();
    on.io->run();
    CHECK(on.first.completed == 1);
}

TEST_CASE("isolated: an asynchronous call is let go at its deadline, and its operation told") {
    stand on;
    on.call(on.first);
    on.held.await_started(1);

    on.time->advance(1s);

    CHECK(on.first.completed == 1);
    CHECK(*on.first.out->why() == hawser::refusal{errc::timed_out, {}, "attempt_timeout"});
    CHECK(on.first.out->origin().attempts == 1);
    CHECK(on.breaker.state() == hawser::breaker_state::open);
    CHECK(on.held.inside == 1);
    CHECK(on.pool.snapshot().behind == 1);

    on.held.let_go();
    on.pool.stop();
    CHECK(on.held.told == 1);
    CHECK(on.results.destroyed == 1);
    CHECK(on.results.where.load() == on.held.thread.load());
}

TEST_CASE("isolated: an asynchronous call that is cancelled is let go at once") {
    stand on;
    asio::cancellation_signal signal;
    on.call(on.first, signal.slot());
    on.call(on.second);
    on.held.await_started(1);

    signal.emit(asio::cancellation_type::terminal);
    on.caller.request_stop();
    CHECK(on.first.completed == 0);
    on.time->poll();

    CHECK(on.first.code() == errc::cancelled);
    CHECK(on.second.code() == errc::cancelled);
    CHECK(on.second.out->origin().attempts == 0);
    CHECK(on.breaker.state() == hawser::breaker_state::closed);
    on.held.let_all_go();
    on.pool.stop();
    CHECK(on.held.told == 1);
    CHECK(on.held.started == 1);
}

TEST_CASE("isolated: an asynchronous call that finds the queue full is refused, and not inline") {
    stand on;
    on.call(on.first);
    on.held.await_started(1);
    on.call(on.second);
    on.call(on.third);
    CHECK(on.third.completed == 0);

    on.time->poll();

    REQUIRE(on.third.completed == 1);
    CHECK(*on.third.out->why() == hawser::refusal{errc::bulkhead_full, 0ms, "search"});
    CHECK(on.third.out->origin().attempts == 0);
    CHECK(on.breaker.state() == hawser::breaker_state::closed);
    CHECK(on.first.completed + on.second.completed == 0);
}

TEST_CASE("isolated: an asynchronous call that waits when its deadline comes is never run") {
    stand on;
    on.call(on.first);
    on.held.await_started(1);
    on.call(on.second);
    CHECK(on.pool.snapshot().waiting == 1);

    on.time->advance(1s);

    CHECK(on.second.code() == errc::timed_out);
    CHECK(on.second.out->origin().attempts == 0);
    CHECK(on.pool.snapshot().waiting == 0);
    on.held.let_all_go();
    on.pool.stop();
    CHECK(on.held.started == 1);
}

TEST_CASE("isolated: a result that has been posted when the caller cancels is kept") {
    stand on;
    asio::cancellation_signal signal;
    on.call(on.first, signal.slot());
    on.let_go_and_await_post();
    signal.emit(asio::cancellation_type::terminal);

    on.await_end(on.first);

    CHECK(on.first.out->has_value());
}

TEST_CASE("isolated: an asynchronous call that waits when the pool is closed is refused") {
    stand on;
    on.call(on.first);
    on.held.await_started(1);
    on.call(on.second);

    on.pool.close();
    on.time->poll();

    REQUIRE(on.second.completed == 1);
    CHECK(*on.second.out->why() == hawser::refusal{errc::closed, hawser::never, "search"});
    on.held.let_go();
    on.await_end(on.first);
    CHECK(on.first.out->has_value());
}

TEST_CASE("isolated: a context that is destroyed takes its calls with it, and what runs runs on") {
    stand on;
    on.call(on.first);
    on.held.await_started(1);
    on.call(on.second);

    on.io.reset();

    CHECK((on.first.dropped == 1 && on.second.dropped == 1));
    CHECK(on.pool.snapshot().behind == 1);
    CHECK(on.pool.snapshot().waiting == 0);
    on.held.let_all_go();
    on.pool.stop();
    CHECK(on.held.started == 1);
    CHECK(on.held.told == 1);
    CHECK(on.results.destroyed == 1);
    CHECK(on.first.completed + on.second.completed == 0);
}

TEST_CASE("isolated: a result on its way to a context that is destroyed goes with it") {
    stand on;
    on.call(on.first);
    on.let_go_and_await_post();

    on.io.reset();

    CHECK(on.first.completed == 0);
    CHECK(on.first.dropped == 1);
    CHECK(on.results.made == 1);
    CHECK(on.results.destroyed == 1);
}

TEST_CASE("isolated: calls on a strand go with their context, whichever service goes first") {
    for (bool const strand_first : {true, false})
        for (bool const posted : {true, false}) {
            stand on;
            std::optional<asio::strand<asio::io_context::executor_type>> strand;
            if (strand_first) strand.emplace(on.io->get_executor());
            on.call(on.second);  // Makes the service that tells the calls.
            on.held.await_started(1);
            if (!strand_first) strand.emplace(on.io->get_executor());
            on.call(on.first, *strand);
            on.held.let_go();
            on.held.await_started(2);
            if (posted) on.let_go_and_await_post();

            strand.reset();
            on.io.reset();

            on.held.let_all_go();
            on.pool.stop();
            CHECK((on.first.dropped == 1 && on.second.dropped == 1));
            CHECK(on.results.made == 2);
            CHECK(on.results.destroyed == 2);
        }
}

TEST_CASE("isolated: each attempt of an asynchronous call is told of once, and the call too") {
    asio::io_context io;
    hawser::testing::asio_time time{io};
    support::trace_of trace;
    isolation_pool pool{{.threads = 1}};
    auto const line = hawser::compose_in(time.environment(trace), isolated{borrow(pool)});
    hawser::async_execute(
        line, io.get_executor(), [] {}, [](std::exception_ptr) {});
    io.run();
    CHECK(trace.take() ==
          std::vector<std::string>{"attempt 1", "attempt 1 ended: success", "call ended: success"});
}

TEST_CASE("isolated: a coroutine awaits a call, its result and what it throws") {
    asio::io_context io;
    isolation_pool pool{{.threads = 1}};
    auto const line = hawser::compose(
        hawser::retry{{.max_attempts = 2}, hawser::no_budget{}, hawser::backoff::constant{1us}},
        isolated{borrow(pool)});
    int value = 0;
    std::string thrown;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            auto const executor = io.get_executor();
            auto second = [](auto& call) {
                if (call.attempt() == 1) throw std::runtime_error{"first"};
                return 7;
            };
            value = co_await hawser::async_execute(line, executor, second, asio::use_awaitable);
            auto never = []() -> int { throw std::runtime_error{"broken"}; };
            try {
                (void)co_await hawser::async_execute(line, executor, never, asio::use_awaitable);
            } catch (std::runtime_error const& error) {
                thrown = error.what();
            }
        },
        asio::detached);
    io.run();
    CHECK(value == 7);
    CHECK(thrown == "broken");
}

TEST_CASE("isolated: what copying an operation refuses, an asynchronous call too ends with") {
    struct refusing {
        refusing() = default;
        refusing(refusing&&) = default;
        refusing(refusing const&) { throw hawser::refused{{errc::rate_limited, 5ms, "copy"}}; }
        int operator()() const { return 1; }
    };
    asio::io_context io;
    isolation_pool pool{{.threads = 1}};
    auto const line = hawser::compose(
        hawser::retry{{.max_attempts = 2}, hawser::backoff::constant{1us}}, isolated{borrow(pool)});
    auto code = errc{};
    hawser::async_try_execute(line, io.get_executor(), refusing{},
                              [&](hawser::outcome<int> out) { code = out.code(); });
    io.run();
    CHECK(code == errc::rate_limited);
}

TEST_CASE("isolated: a coroutine that is destroyed while it awaits leaves nothing that dangles") {
    stand on;
    auto gone = std::make_shared<int>();
    std::weak_ptr<int> const seen = gone;
    asio::co_spawn(
        *on.io,
        [](stand& at, std::shared_ptr<int>) -> asio::awaitable<void> {
            auto const executor = at.io->get_executor();
            stays op{&at.held, &at.results};
            (void)co_await hawser::async_try_execute(at.line, executor, op, asio::use_awaitable);
        }(on, std::move(gone)),
        asio::detached);
    on.time->poll();
    on.held.await_started(1);

    on.io.reset();

    CHECK(seen.expired());
    on.held.let_go();
    on.pool.stop();
    CHECK(on.held.told == 1);
    CHECK(on.results.destroyed == 1);
}
