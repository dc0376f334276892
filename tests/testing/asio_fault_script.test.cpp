// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>
#include <hawser/testing/asio_fault_script.hpp>

#include "support/catch.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>

using namespace hawser;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// What an operation may use of its call.
struct bare_call {
    bool not_sent = false;
    void mark_not_sent() { not_sent = true; }
};

struct fixture {
    asio::io_context io;
    testing::asio_time time{io};
    time_point start = time.now();
    bare_call call;
    asio::cancellation_signal signal;

    // How the last operation ended.
    std::exception_ptr thrown;
    std::optional<boost::system::error_code> code;
    std::optional<int> value;
    duration took{};

    auto on_exception() {
        return asio::bind_cancellation_slot(signal.slot(), [this](std::exception_ptr e, int v) {
            thrown = e;
            value = v;
            took = time.now() - start;
        });
    }
    auto on_code() {
        return asio::bind_cancellation_slot(signal.slot(),
                                            [this](boost::system::error_code c, int v) {
                                                code = c;
                                                value = v;
                                                took = time.now() - start;
                                            });
    }
    boost::system::error_code thrown_code() const {
        try {
            if (thrown) std::rethrow_exception(thrown);
        } catch (boost::system::system_error const& error) {
            return error.code();
        }
        return {};
    }
};

}  // namespace

TEST_CASE_METHOD(fixture, "asio script: a turn completes when its time has come, never inline") {
    testing::script<int> script{time.time(), testing::returns(7).after(20ms), testing::returns(8)};
    auto const op = testing::asio_operation(script, time);

    op(call, on_exception());
    time.advance(19ms);
    CHECK_FALSE(value);
    time.advance(1ms);
    CHECK(value == 7);
    CHECK(took == 20ms);

    value.reset();
    op(call, on_exception());
    CHECK_FALSE(value);
    time.poll();
    CHECK(value == 8);
}

TEST_CASE_METHOD(fixture, "asio script: an operation that hangs ends when it is cancelled") {
    testing::script<int> script{time.time(), testing::hangs()};
    auto const op = testing::asio_operation(script, time);

    op(call, on_exception());
    time.advance(24h);
    CHECK_FALSE(value);

    signal.emit(asio::cancellation_type::terminal);
    time.poll();
    CHECK(value);
    CHECK(thrown_code() == asio::error::operation_aborted);
}

TEST_CASE_METHOD(fixture, "asio script: a cancel ends a turn at once, and its own end comes once") {
    testing::script<int> script{time.time(), testing::returns(7).after(20ms)};
    auto const op = testing::asio_code_operation(script, time);

    op(call, on_code());
    time.advance(5ms);
    signal.emit(asio::cancellation_type::terminal);
    signal.emit(asio::cancellation_type::terminal);
    time.run();

    CHECK(code == asio::error::operation_aborted);
    CHECK(took == 5ms);
}

TEST_CASE_METHOD(fixture,
                 "asio script: a cancel that comes while the end is on its way changes nothing") {
    testing::script<int> script{time.time(), testing::returns(7)};
    auto const op = testing::asio_operation(script, time);

    op(call, on_exception());
    signal.emit(asio::cancellation_type::terminal);
    time.run();

    CHECK(value == 7);
    CHECK(thrown == nullptr);
}

TEST_CASE_METHOD(fixture, "asio script: a turn may ignore a cancel") {
    testing::script<int> script{time.time(), testing::returns(7).after(20ms).ignoring_cancel()};
    auto const op = testing::asio_operation(script, time);

    op(call, on_exception());
    signal.emit(asio::cancellation_type::terminal);
    time.run();

    CHECK(value == 7);
    CHECK(took == 20ms);
}

TEST_CASE_METHOD(fixture, "asio script: errors come as codes where the completion has one") {
    testing::script<int> script{
        time.time(), testing::throws(boost::system::system_error{asio::error::connection_reset}),
        testing::refuses(errc::circuit_open), testing::throws(std::runtime_error{"other"})};
    auto const op = testing::asio_code_operation(script, time);

    op(call, on_code());
    time.poll();
    CHECK(code == asio::error::connection_reset);
    op(call, on_code());
    time.poll();
    CHECK(code == errc::circuit_open);
    op(call, on_code());
    CHECK_THROWS_AS(time.poll(), std::runtime_error);
}

TEST_CASE_METHOD(fixture,
                 "asio script: an attempt that was not sent says so; one too many throws") {
    testing::script<int> script{time.time(), testing::ok().not_sent()};
    auto const op = testing::asio_operation(script, time);

    op(call, on_exception());
    CHECK(call.not_sent);
    CHECK_THROWS_AS(op(call, on_exception()), testing::script_ended);
    time.poll();
}

TEST_CASE_METHOD(fixture, "asio script: a pipeline times out what hangs and tries again") {
    testing::script<int> script{time.time(), testing::hangs(), testing::returns(7).after(20ms)};
    auto const op = testing::asio_operation(script, time);
    auto const line =
        compose_in(time.environment(), retry{{}, backoff::none{}}, attempt_timeout{50ms});

    async_execute(line, io.get_executor(), op, on_exception());
    time.run();

    CHECK(thrown == nullptr);
    CHECK(value == 7);
    CHECK(took == 70ms);
    CHECK(script.finished());
}

TEST_CASE("asio script: what is under way when its context goes is destroyed, without a leak") {
    auto const alive = std::make_shared<int>();
    {
        asio::io_context io;
        testing::asio_time time{io};
        bare_call call;
        testing::script<void> script{time.time(), testing::hangs(), testing::ok()};
        auto const op = testing::asio_operation(script, time);
        op(call, [alive](std::exception_ptr) {});
        op(call, [alive](std::exception_ptr) {});
    }
    CHECK(alive.use_count() == 1);
}
