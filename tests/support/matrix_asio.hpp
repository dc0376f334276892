// SPDX-License-Identifier: BSL-1.0
//
// The stands on which the asynchronous cells of the contract matrix play: the operation is an
// initiating function and the caller a handler, or both are coroutines. What came of a call is
// written on the same receipt either way.
//
// The cases of both stand once, in tests/matrix/<policy>_asio.hpp: they name the mode
// HAWSER_MATRIX_MODE and its stand `mode_stand`, and whoever includes them chooses it by including
// support/matrix_callback.hpp or support/matrix_coroutine.hpp before.
#ifndef HAWSER_TESTS_SUPPORT_MATRIX_ASIO_HPP
#define HAWSER_TESTS_SUPPORT_MATRIX_ASIO_HPP

#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/matrix.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>

namespace support {

/// What a code stands for in these tests: a failure, and an operation that throws.
inline constexpr auto failed_code = asio::error::connection_reset;
inline constexpr auto thrown_code = asio::error::access_denied;

struct asio_stand {
    asio::cancellation_signal signal;
    trace_of trace;
    test_bulkhead outer{1};
    told_gate gate;
    receipt got;
    hawser::call_facts<> facts;
    std::optional<asio::io_context> io{std::in_place};
    hawser::testing::asio_time time{*io};
    std::optional<dependency> remote{std::in_place, io->get_executor()};
    hawser::time_point const start_time = time.now();

    auto environment() { return time.environment(trace); }
    auto elapsed() const { return time.now() - start_time; }
    void cancel() { signal.emit(asio::cancellation_type::terminal); }
    void succeed() {
        remote->succeed(7);
        time.run();
    }
    void fail() {
        remote->fail();
        time.poll();
    }
    void destroy_context() { io.reset(); }

    /// What became of the call.
    bool ended_with(error_code code, int value = 0) const {
        return got.completed == 1 && got.dropped == 0 && got.code == code && got.value == value;
    }
    bool succeeded() const { return ended_with({}, 7); }
    bool failed() const { return ended_with(failed_code); }
    bool was_cancelled() const { return ended_with(asio::error::operation_aborted); }
    bool was_refused(hawser::errc code) const { return ended_with(hawser::make_error_code(code)); }
    bool was_dropped() const { return got.completed == 0 && got.dropped == 1; }

    bool is_whole() const { return outer.is_whole() && gate.is_whole(); }
    /// How many lines of the trace say so.
    auto told(std::string const& what) const {
        auto const all = trace.seen();
        return std::count_if(all.begin(), all.end(), [&](auto const& line) {
            return line.find(what) != std::string::npos;
        });
    }
};

struct callback_stand : asio_stand {
    using result = std::tuple<error_code, int>;
    static result answer(int value) { return {error_code{}, value}; }

    void destroy_operation() { remote.reset(); }
    template <class Line>
    void start(Line const& line) {
        hawser::async_execute(line, io->get_executor(), facts, request{&*remote},
                              to_receipt{got, io->get_executor(), signal.slot()});
        time.poll();
    }
    /// The operation throws where it starts.
    template <class Line>
    void start_throwing(Line const& line) {
        remote->next = dependency::manner::throws_once;
        hawser::async_execute(line, io->get_executor(), facts, request{&*remote},
                              to_receipt{got, io->get_executor(), signal.slot()});
    }
    /// The completion has no place for an exception, which so leaves through the context.
    bool threw() {
        try {
            time.run();
        } catch (std::runtime_error const& e) {
            return std::string{e.what()} == "cannot start" && was_dropped();
        }
        return false;
    }
};

/// The operation of a coroutine.
struct asking {
    dependency* to;

    template <class Call>
    asio::awaitable<reply> operator()(Call& call) const {
        request const ask{to};
        auto const [code, value] = co_await ask(call, asio::as_tuple(asio::use_awaitable));
        if (code == failed_code) co_return reply{.failed = true};
        if (code == thrown_code) throw std::runtime_error{"down"};
        if (code) throw boost::system::system_error{code};
        co_return reply{.value = value};
    }
};

/// Writes on the receipt that a coroutine was destroyed, unless it came to its end.
struct frame_mark {
    receipt* at;
    bool ended = false;
    ~frame_mark() {
        if (!ended) ++at->dropped;
    }
};

struct coroutine_stand : asio_stand {
    using result = reply;
    static result answer(int value) { return {.value = value}; }

    void destroy_operation() {
        remote.reset();
        time.poll();  // A coroutine's frames are destroyed by a handler of its executor.
    }
    template <class Line>
    void start(Line const& line) {
        asio::co_spawn(*io, caller(line, *this),
                       asio::bind_cancellation_slot(signal.slot(), asio::detached));
        time.poll();
    }
    /// The operation throws when it is resumed, once the policies have let it start.
    template <class Line>
    void start_throwing(Line const& line) {
        start(line);
        while (remote->waiting() == 0 && elapsed() < std::chrono::seconds{10})
            time.advance(std::chrono::milliseconds{1});
        if (remote->waiting() != 0) remote->answer(thrown_code);
        time.poll();
    }
    bool threw() const { return ended_with(thrown_code); }

private:
    template <class Line>
    static asio::awaitable<void> caller(Line const& line, coroutine_stand& on) {
        frame_mark mark{&on.got};
        asking const op{&*on.remote};
        auto const executor = on.io->get_executor();
        try {
            auto const got =
                co_await hawser::async_execute(line, executor, on.facts, op, asio::use_awaitable);
            on.got.value = got.value;
            if (got.failed) on.got.code = failed_code;
        } catch (hawser::refused const& e) {
            on.got.code = hawser::make_error_code(e.code());
        } catch (boost::system::system_error const& e) {
            on.got.code = e.code();
        } catch (std::runtime_error const&) {
            on.got.code = thrown_code;
        }
        ++on.got.completed;
        mark.ended = true;
    }
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_MATRIX_ASIO_HPP
