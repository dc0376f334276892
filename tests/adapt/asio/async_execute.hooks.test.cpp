// SPDX-License-Identifier: BSL-1.0
//
// User code of any policy that throws in an asynchronous call: what it throws leaves the call, and
// makes no success, and no failure, a case for a fallback. And pipelines that are operations of
// others.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/policy/circuit_breaker.hpp>
#include <hawser/policy/fallback.hpp>
#include <hawser/policy/retry.hpp>
#include <hawser/policy/timeout.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using namespace support;
using hawser::verdict;
using reply = std::tuple<error_code, int>;
using outcome = hawser::outcome<reply>;

/// The hooks of every policy, of which a test replaces one.
struct hooks {
    std::function<bool(outcome const&)> handles = [](auto const& out) {
        return out.classify() == verdict::failure;
    };
    std::function<bool(outcome const&)> retries = handles;
    std::function<bool(outcome const&)> aborts = [](auto const&) { return false; };
    std::function<std::optional<hawser::duration>(outcome const&)> delays = [](auto const&) {
        return std::optional<hawser::duration>{1ms};
    };
    std::function<verdict(outcome const&)> votes = [](auto const& out) { return out.classify(); };
};

/// What became of a call that succeeds or fails, and how often the fallback was asked for 9.
struct seen {
    std::string result;
    int stand_ins = 0;
    bool degraded = false;
    friend bool operator==(seen const&, seen const&) = default;
};

static seen call(hooks const& with, bool fails) {
    asio::io_context io;
    hawser::testing::asio_time time{io};
    dependency remote{io.get_executor()};
    hawser::basic_circuit_breaker breaker{hawser::circuit_breaker_options{},
                                          hawser::votes_by{with.votes}};
    seen got;
    auto const line =
        hawser::compose_in(time.environment(), hawser::fallback{[&] {
                               return ++got.stand_ins, reply{error_code{}, 9};
                           }},
                           hawser::fallback{[&] {
                                                return ++got.stand_ins, reply{error_code{}, 9};
                                            },
                                            with.handles},
                           hawser::retry{{.max_attempts = 2},
                                         hawser::retry_if{with.retries},
                                         hawser::abort_if{with.aborts},
                                         hawser::delay_from{with.delays}},
                           hawser::borrow(breaker), hawser::attempt_timeout{1s});
    std::optional<outcome> out;
    remote.next = dependency::manner::answers_inline;
    if (fails) remote.inline_code = asio::error::connection_reset;
    hawser::async_try_execute(line, io.get_executor(), request{&remote},
                              [&](outcome ended) { out.emplace(std::move(ended)); });
    time.run();
    got.degraded = out->origin().degraded;
    try {
        got.result = std::to_string(std::get<1>(out->value()));
    } catch (std::exception const& e) {
        got.result = e.what();
    }
    return got;
}

/// Throws in place of any answer.
struct throws {
    [[noreturn]] bool operator()(outcome const&) const { throw std::logic_error{"hook"}; }
};

TEST_CASE("async_execute: a fallback stands in for a failure where every hook answers") {
    CHECK(call({}, true) == seen{"9", 1, true});
    CHECK(call({}, false) == seen{"1", 0, false});
}

TEST_CASE("async_execute: no hook that throws makes a call the business of a fallback") {
    seen const thrown{"hook", 0, false}, success{"1", 0, false};
    SECTION("the fallback's own predicate") {
        CHECK(call({.handles = throws{}}, true) == thrown);
        CHECK(call({.handles = throws{}}, false) == thrown);
    }
    SECTION("retry_if") {
        hooks with;
        with.retries = throws{};
        CHECK(call(with, true) == thrown);
        CHECK(call(with, false) == thrown);
    }
    SECTION("abort_if, of which a success hears nothing") {
        hooks with;
        with.aborts = throws{};
        CHECK(call(with, true) == thrown);
        CHECK(call(with, false) == success);
    }
    SECTION("delay_from, of which a success hears nothing") {
        hooks with;
        with.delays = [](auto const&) -> std::optional<hawser::duration> {
            throw std::logic_error{"hook"};
        };
        CHECK(call(with, true) == thrown);
        CHECK(call(with, false) == success);
    }
    SECTION("a breaker's classifier") {
        hooks with;
        with.votes = [](auto const&) -> verdict { throw std::logic_error{"hook"}; };
        CHECK(call(with, true) == thrown);
        CHECK(call(with, false) == thrown);
    }
}

/// A pipeline as the operation of another, on the facts of the call that it is part of.
template <class Line>
struct nested_request {
    Line const* line;
    asio::any_io_executor executor;
    dependency* to;

    template <class Call, class Token>
    auto operator()(Call& call, Token&& token) const {
        return hawser::async_execute(*line, executor, call.nested(), request{to},
                                     std::forward<Token>(token));
    }
};

TEST_CASE("async_execute: an allowance bounds the attempts of a call and those nested in it") {
    asio::io_context io;
    hawser::testing::asio_time time{io};
    auto const line = [&](std::uint32_t attempts) {
        return hawser::compose_in(time.environment(), hawser::total_timeout{1h},
                                  hawser::retry{{.max_attempts = attempts},
                                                hawser::backoff::constant{10ms},
                                                hawser::jitter::none{},
                                                hawser::no_budget{}});
    };
    auto const outer = line(3), inner = line(4);
    auto const wire = [&](hawser::call_facts<> const& facts) {
        dependency remote{io.get_executor()};
        remote.next = dependency::manner::answers_inline;
        remote.inline_code = asio::error::connection_reset;
        receipt got;
        hawser::async_execute(outer, io.get_executor(), facts,
                              nested_request<decltype(inner)>{&inner, io.get_executor(), &remote},
                              to_receipt{got, io.get_executor()});
        time.run();
        CHECK(got.completed == 1);
        return remote.starts;
    };
    CHECK(wire({}) == 12);
    for (std::uint32_t const bound : {1U, 2U, 5U, 11U, 20U}) {
        hawser::attempt_allowance allowance{bound};
        CHECK(wire({.allowance = &allowance}) == static_cast<int>(std::min(bound, 12U)));
    }
    CHECK(wire({.deadline = time.now() + 35ms}) == 4);  // At 0, 10, 20 and 30 ms.
}
