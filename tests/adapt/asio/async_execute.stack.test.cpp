// SPDX-License-Identifier: BSL-1.0
//
// A million attempts of one call that end at once, in each way an operation can: recursion would
// overflow any stack. And what becomes of the results on the way.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/policy/retry.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

using namespace std::chrono_literals;
using namespace support;

/// A result that is a failure, and is counted as long as it exists.
class counted {
public:
    static inline int alive = 0, made = 0;
    counted() { ++alive, ++made; }
    counted(counted&&) noexcept { ++alive; }
    counted& operator=(counted&&) noexcept = default;
    ~counted() { --alive; }
};

template <>
struct hawser::outcome_traits<counted> {
    static verdict classify(counted const&) noexcept { return verdict::failure; }
};

struct stand {
    asio::io_context io;
    hawser::testing::asio_time time{io};
    dependency remote{io.get_executor()};
    receipt got;

    auto line(std::uint32_t attempts, hawser::duration wait) {
        return hawser::compose_in(
            time.environment(),
            hawser::retry{
                {.max_attempts = attempts},
                hawser::backoff::linear{.base = std::max<hawser::duration>(wait, 1ns), .step = 0s},
                hawser::jitter::full{},
                hawser::testing::fixed_random{wait > 0s ? ~std::uint64_t{0} : 0},
                hawser::no_budget{}});
    }
};

static constexpr int million = 1'000'000;

TEST_CASE("async_execute: a million attempts that end where they start do not grow the stack") {
    stand on;
    auto const line = on.line(million, 0s);
    on.remote.next = dependency::manner::answers_inline;
    on.remote.inline_code = asio::error::connection_reset;
    hawser::async_execute(line, on.io.get_executor(), request{&on.remote},
                          to_receipt{on.got, on.io.get_executor()});
    on.time.run();
    CHECK(on.remote.starts == million);
    CHECK(on.got.code == asio::error::connection_reset);
}

/// Ends inside `dispatch`, which on a thread of the context is at once.
struct dispatched {
    asio::io_context* io;
    int* starts;

    template <class Call, class Token>
    auto operator()(Call&, Token&& token) const {
        return asio::async_initiate<Token, void(error_code, int)>(
            [](auto handler, asio::io_context* on, int count) {
                asio::dispatch(*on, [to = std::move(handler), count]() mutable {
                    std::move(to)(error_code{asio::error::connection_reset}, count);
                });
            },
            token, io, ++*starts);
    }
};

TEST_CASE("async_execute: a million attempts that an executor runs inline do not grow the stack") {
    stand on;
    auto const line = on.line(million, 0s);
    int starts = 0;
    hawser::async_execute(line, on.io.get_executor(), dispatched{&on.io, &starts},
                          to_receipt{on.got, on.io.get_executor()});
    on.time.run();
    CHECK(starts == million);
    CHECK(on.got.value == million);
}

/// Calls a coroutine that returns a result at once, and checks that it did so often.
template <class Line>
static void run_coroutine(stand& on, Line const& line, int attempts) {
    counted::alive = counted::made = 0;
    {
        std::optional<hawser::outcome<counted>> got;
        auto const op = []() -> asio::awaitable<counted> { co_return counted{}; };
        hawser::async_try_execute(
            line, on.io.get_executor(), op,
            [&](hawser::outcome<counted> out) { got.emplace(std::move(out)); });
        for (on.time.poll(); !got; on.time.advance(10ms)) REQUIRE(counted::alive == 0);
        CHECK(counted::made == attempts);
        CHECK(got->has_value());
    }
    CHECK(counted::alive == 0);
}

TEST_CASE("async_execute: a million coroutines that return at once do not grow the stack") {
    stand on;
    auto const line = on.line(million, 0s);
    run_coroutine(on, line, million);
}

TEST_CASE("async_execute: every discarded result is destroyed before the wait, and none leaks") {
    stand on;
    auto const line = on.line(5, 10ms);
    run_coroutine(on, line, 5);
}
