// SPDX-License-Identifier: BSL-1.0
//
// What goes wrong with retries and deadlines in the field, in asynchronous calls.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/base/random.hpp>
#include <hawser/policy/circuit_breaker.hpp>
#include <hawser/policy/retry.hpp>
#include <hawser/policy/timeout.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"
#include "support/matrix.hpp"
#include "support/trace_of.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <optional>
#include <variant>

using namespace std::chrono_literals;
using namespace support;
using manner = dependency::manner;
using hawser::duration;
using hawser::never;
using hawser::no_deadline;
namespace backoff = hawser::backoff;

/// One type for every backoff, so that there is one pipeline to compile.
struct any_backoff {
    std::variant<backoff::none, backoff::constant, backoff::linear, backoff::exponential,
                 backoff::fibonacci, backoff::decorrelated>
        is;
    static constexpr bool jittered = true;
    void validate() const {
        std::visit([](auto const& one) { one.validate(); }, is);
    }
    duration operator()(std::uint32_t failures, duration before,
                        std::uint64_t random) const noexcept {
        return std::visit([&](auto const& one) { return one(failures, before, random); }, is);
    }
};

/// A request of which the first few do not get as far as the dependency.
struct unsure_request {
    dependency* to;
    int* not_sent;

    template <class Call, class Token>
    auto operator()(Call& call, Token&& token) const {
        if (*not_sent > 0 && (*not_sent)-- > 0) call.mark_not_sent();
        return request{to}(call, std::forward<Token>(token));
    }
};

using result = hawser::outcome<std::tuple<error_code, int>>;

struct stand {
    trace_of trace;
    asio::cancellation_signal signal;
    hawser::retry_budget budget;
    hawser::circuit_breaker outer, inner;
    told_gate gate;
    std::optional<asio::io_context> context{std::in_place};
    asio::io_context& io = *context;
    hawser::testing::asio_time time{io};
    dependency remote{io.get_executor()};
    std::optional<result> got;
    int not_sent = 0;
    hawser::time_point const start_time = time.now();

    explicit stand(hawser::retry_budget_options const& tokens = {.floor = 1000, .capacity = 1000},
                   hawser::circuit_breaker_options const& breakers = {.minimum_calls = 100})
        : budget{tokens}, outer{breakers}, inner{breakers} {
        remote.inline_code = asio::error::connection_reset;
    }

    auto line(hawser::retry_options const& options, any_backoff waits, duration total = never,
              duration attempt = {}) {
        return hawser::compose_in(
            time.environment(trace), hawser::total_timeout{total}, hawser::borrow(outer),
            hawser::retry{options, waits, hawser::borrow(budget)}, hawser::borrow(inner),
            hawser::borrow(gate), hawser::attempt_timeout{attempt > 0s ? attempt : total - 1ns});
    }
    template <class Line>
    void start(Line const& line, hawser::time_point deadline = no_deadline) {
        got.reset();
        hawser::async_try_execute(
            line, io.get_executor(), {.deadline = deadline}, unsure_request{&remote, &not_sent},
            asio::bind_cancellation_slot(signal.slot(),
                                         [this](result out) { got.emplace(std::move(out)); }));
        time.poll();
    }
    void fail() {
        remote.fail();
        time.poll();
    }
    duration elapsed() const { return time.now() - start_time; }
    bool failed() const {
        return got && got->has_value() &&
               std::get<0>(got->value()) == asio::error::connection_reset;
    }
};

TEST_CASE("async_execute: attempts on the wire are as many as were said, for one, two and n") {
    for (std::uint32_t const attempts : {1U, 2U, 3U, 20U}) {
        stand on;
        auto const line = on.line({.max_attempts = attempts}, {backoff::constant{10ms}});
        on.remote.next = manner::answers_inline;
        on.start(line);
        on.time.run();
        CHECK(on.failed());
        CHECK(on.remote.starts == static_cast<int>(attempts));
        CHECK(on.got->origin().attempts == attempts);
        CHECK(on.elapsed() == 10ms * (attempts - 1));
    }
}

TEST_CASE("async_execute: no retry outlives a limit, whatever the backoff") {
    any_backoff const all[] = {{backoff::constant{7ms}},
                               {backoff::linear{.base = 1ms, .step = 3ms}},
                               {backoff::exponential{.base = 1ms, .factor = 1e300, .cap = never}},
                               {backoff::fibonacci{.base = 1ms}},
                               {backoff::decorrelated{.base = 1ms}}};
    for (std::size_t i = 0; i < std::size(all) * 20; ++i) {
        stand on;
        auto const limit = 1ms + hawser::part_of(300ms, hawser::random_at(20261121, i));
        bool const by_facts = i % 2 == 0;
        auto const line =
            on.line({.max_attempts = 1000}, all[i % std::size(all)], by_facts ? never : limit);
        on.remote.next = manner::answers_inline;
        on.start(line, by_facts ? on.start_time + limit : no_deadline);
        on.time.run();
        REQUIRE(on.failed());
        REQUIRE(on.elapsed() < limit);
    }
}

TEST_CASE("async_execute: a wait of centuries neither overflows nor makes a storm") {
    stand on;
    SECTION("and a cancel ends it") {
        auto const line = on.line({}, {backoff::constant{never - 1ns}});
        on.start(line);
        on.fail();
        on.time.advance(24h * 365);
        CHECK(on.remote.starts == 1);
        CHECK_FALSE(on.got);
        on.signal.emit(asio::cancellation_type::terminal);
        on.time.poll();
        CHECK(on.got->code() == hawser::errc::cancelled);
        CHECK(on.budget.available(on.time.now()) == 1000);
    }
    SECTION("and one without end is not begun") {
        auto const line = on.line({}, {backoff::constant{never}});
        on.start(line);
        on.fail();
        CHECK(on.failed());
        CHECK(on.trace.count("retry gave up: endless_wait") == 1);
    }
}

TEST_CASE("async_execute: an attempt that was not sent is repeated once at once, for free") {
    stand on{{.ratio = 0, .floor = 1, .per = 1h, .capacity = 1}};
    auto const line = on.line({.max_attempts = 2}, {backoff::constant{10ms}});
    on.not_sent = 2;
    on.remote.next = manner::answers_inline;
    on.start(line);
    CHECK(on.remote.starts == 2);
    on.time.run();
    CHECK(on.remote.starts == 3);
    CHECK(on.trace.count("retry again in 0ms by transparent") == 1);
    CHECK(on.budget.available(on.time.now()) == 0);
}

TEST_CASE("async_execute: a breaker that opens inside a retry is waited for exactly, or not") {
    stand on{{.ratio = 0, .floor = 1, .per = 1h, .capacity = 1},
             {.window = 1, .minimum_calls = 1, .open_for = 1s, .jitter = 0, .probes = 1}};
    on.outer.disable(on.time.now());
    auto const left = [&] { return on.budget.available(on.time.now()); };
    SECTION("waited for, and paid for once") {
        auto const line = on.line({.max_attempts = 4}, {backoff::constant{10ms}});
        on.start(line);
        on.fail();
        on.time.advance(999ms);
        CHECK(on.remote.starts == 1);
        on.time.advance(1ms);
        CHECK(on.remote.starts == 2);
        on.remote.succeed(3);
        on.time.run();
        CHECK(std::get<1>(on.got->value()) == 3);
        CHECK(left() == 0);
    }
    SECTION("passed on, because it asks for too long, and the token comes back") {
        auto const line =
            on.line({.max_attempts = 4, .refusal_wait_max = 0s}, {backoff::constant{10ms}});
        on.start(line);
        on.fail();
        on.time.run();
        CHECK(on.got->code() == hawser::errc::circuit_open);
        CHECK(on.elapsed() == 10ms);
        CHECK(left() == 1);
    }
    SECTION("passed on, because there is no time, and the token comes back") {
        auto const line = on.line({.max_attempts = 4}, {backoff::constant{10ms}}, 500ms);
        on.start(line);
        on.fail();
        on.time.run();
        CHECK(on.got->code() == hawser::errc::circuit_open);
        CHECK(on.elapsed() == 10ms);
        CHECK(left() == 1);
    }
}

TEST_CASE("async_execute: a call destroyed while a layer inside its retry waits pays no token") {
    stand on{{.ratio = 0, .floor = 1, .per = 1h, .capacity = 1}};
    auto const line = on.line({}, {backoff::constant{10ms}});
    on.start(line);
    on.gate.answer = hawser::step::wait(20ms);
    on.fail();
    on.time.advance(15ms);
    CHECK(on.budget.available(on.time.now()) == 0);
    on.context.reset();
    CHECK((on.budget.available(on.time.now()) == 1 && on.gate.is_whole()));
}

TEST_CASE("async_execute: a storm of calls is bounded by the budget of their retries") {
    stand on{{.ratio = 0.2, .floor = 10, .per = 1s, .capacity = 100}};
    auto const line = on.line({.max_attempts = 5}, {backoff::none{}});
    on.remote.next = manner::answers_inline;
    on.outer.disable(on.time.now());
    on.inner.disable(on.time.now());
    int constexpr calls = 5'000;
    for (int i = 0; i < calls; ++i) {  // Half of them succeed at once; 1000 a second.
        on.trace.take();
        on.remote.inline_code =
            i % 2 == 0 ? error_code{asio::error::connection_reset} : error_code{};
        on.start(line);
        on.time.advance(1ms);
    }
    auto const allowed = 0.2 * calls / 2 + 10.0 * calls / 1000;
    CHECK(on.remote.starts <= calls + allowed + 100);
    CHECK(on.remote.starts >= calls + 0.9 * allowed);
}

TEST_CASE("async_execute: a breaker inside a retry counts attempts, one outside it calls") {
    stand on;
    auto const line = on.line({.max_attempts = 4}, {backoff::none{}});
    on.remote.next = manner::answers_inline;
    for (int i = 0; i < 5; ++i) on.start(line);
    CHECK(on.inner.snapshot(on.time.now()).calls == 20);
    CHECK(on.outer.snapshot(on.time.now()).calls == 5);
}

TEST_CASE("async_execute: of two timeouts over at one instant the outer one alone reports") {
    stand on;
    auto const line = on.line({}, {backoff::constant{10ms}}, 100ms, 50ms);
    on.start(line);
    on.time.advance(40ms);
    on.fail();
    on.time.run();  // The second attempt began at 50 ms.
    CHECK(on.elapsed() == 100ms);
    CHECK(*on.got->why() == hawser::refusal{hawser::errc::timed_out, {}, "total_timeout"});
    CHECK(on.remote.cancels.size() == 1);
    CHECK(on.trace.count("total_timeout fired: 100ms after 100ms cancelled") == 1);
    CHECK(on.trace.count("attempt_timeout fired: 50ms after 50ms cancelled") == 0);
    CHECK(on.trace.count("retry gave up: stopped") == 1);
}

TEST_CASE("async_execute: a success in spite of its timeout is marked late, and not retried") {
    stand on;
    auto const line = on.line({}, {backoff::constant{10ms}}, 100ms, 50ms);
    on.remote.next = manner::ignores_cancel;
    on.start(line);
    on.time.advance(60ms);
    on.remote.succeed(8);
    on.time.run();
    CHECK(std::get<1>(on.got->value()) == 8);
    CHECK(on.got->origin().late);
    CHECK(on.remote.starts == 1);
}

TEST_CASE("async_execute: a clock that jumps neither wedges a retry nor makes a storm of it") {
    auto const jump = GENERATE(duration{1h}, duration{-1h});
    stand on;
    auto const line = on.line({.max_attempts = 3}, {backoff::constant{10ms}}, never, 2h);
    on.start(line);
    on.time.time().advance(jump);
    on.fail();
    CHECK(on.remote.starts == 1);
    on.time.advance(10ms);
    CHECK(on.remote.starts == 2);
    on.fail();
    on.time.advance(10ms);
    on.fail();
    CHECK(on.failed());
    CHECK(on.elapsed() == jump + 20ms);
}
