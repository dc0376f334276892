// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/asio/channel.hpp>
#include <hawser/run/channel.hpp>

#include "support/catch.hpp"

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using boost::system::error_code;
using hawser::async_receive;
using hawser::async_send;
using hawser::channel;
using hawser::errc;
using hawser::transfer;

namespace {

error_code const done{};
error_code const aborted = asio::error::operation_aborted;
error_code const closed = make_error_code(errc::closed);

/// What operations ended with, in that order.
struct ends {
    std::vector<std::pair<error_code, int>> received;
    std::vector<std::pair<int, error_code>> sent;

    auto receive() {
        return [this](error_code error, int value) { received.emplace_back(error, value); };
    }
    auto send(int value) {
        return [this, value](error_code error) { sent.emplace_back(value, error); };
    }
};

struct fixture {
    explicit fixture(std::size_t capacity, std::size_t waiters = 100)
        : ints{{.capacity = capacity, .waiters = waiters}} {}

    channel<int> ints;
    asio::io_context context{1};
    ends seen;

    void send(int value) { async_send(ints, context.get_executor(), value, seen.send(value)); }
    void receive() { async_receive(ints, context.get_executor(), seen.receive()); }
    void run() {
        context.restart();
        context.run();
    }
    /// All that can be done without somebody else, of operations that wait.
    void poll() {
        context.restart();
        context.poll();
    }
};

using got = std::vector<std::pair<error_code, int>>;
using gone = std::vector<std::pair<int, error_code>>;

}  // namespace

TEST_CASE("async channel: what is there completes, and not inside the initiating function") {
    fixture at{2};
    at.send(1);
    at.send(2);
    CHECK(at.seen.sent.empty());
    at.run();
    CHECK(at.seen.sent == gone{{1, done}, {2, done}});

    at.receive();
    at.receive();
    CHECK(at.seen.received.empty());
    at.run();
    CHECK(at.seen.received == got{{done, 1}, {done, 2}});
}

TEST_CASE("async channel: a receive waits for a value, and keeps its context at work") {
    fixture at{1};
    at.receive();
    std::jthread const sender{[&] { CHECK(at.ints.send(7)); }};
    at.run();
    CHECK(at.seen.received == got{{done, 7}});
}

TEST_CASE("async channel: a send waits for room, and keeps its context at work") {
    fixture at{1};
    REQUIRE(at.ints.try_send(1));
    at.send(2);
    std::jthread const receiver{[&] { CHECK(*at.ints.receive() == 1); }};
    at.run();
    CHECK(at.seen.sent == gone{{2, done}});
    CHECK(*at.ints.try_receive() == 2);
}

TEST_CASE("async channel: who waits keeps its context at work until it has ended") {
    fixture at{1};
    at.receive();
    at.poll();
    CHECK_FALSE(at.context.stopped());
    REQUIRE(at.ints.try_send(1));
    at.poll();
    CHECK(at.context.stopped());
    REQUIRE(at.ints.try_send(2));
    at.send(3);
    at.poll();
    CHECK_FALSE(at.context.stopped());
    CHECK(*at.ints.try_receive() == 2);
    at.poll();
    CHECK(at.context.stopped());
}

TEST_CASE("async channel: sends that wait together go in in their order") {
    fixture at{1};
    for (int value = 1; value <= 5; ++value) at.send(value);
    at.poll();
    CHECK(at.seen.sent == gone{{1, done}});
    for (int value = 1; value <= 5; ++value) CHECK(*at.ints.try_receive() == value);
    at.run();
    CHECK(at.seen.sent.size() == 5);
}

TEST_CASE("async channel: nobody gets in before those that wait to send") {
    fixture at{1};
    at.send(1);
    at.send(2);
    CHECK(at.ints.try_send(3).what() == transfer::would_wait);
    CHECK(*at.ints.try_receive() == 1);
    CHECK(at.ints.try_send(3).what() == transfer::would_wait);
    CHECK(*at.ints.try_receive() == 2);
    CHECK(at.ints.try_send(3));
    at.run();
}

TEST_CASE("async channel: without capacity a value passes from hand to hand") {
    fixture at{0};
    at.send(1);
    at.poll();
    CHECK(at.seen.sent.empty());
    at.receive();
    at.run();
    CHECK(at.seen.sent == gone{{1, done}});
    CHECK(at.seen.received == got{{done, 1}});

    at.receive();
    at.poll();
    CHECK(at.ints.try_send(2));
    at.run();
    CHECK(at.seen.received == got{{done, 1}, {done, 2}});
}

// The four of Boost.Asio 1.81's channel.

TEST_CASE("async channel: close leaves buffered values to be received") {
    fixture at{16};
    for (int value = 1; value <= 3; ++value) at.send(value);
    at.run();
    at.ints.close();

    for (int receive = 0; receive != 4; ++receive) at.receive();
    at.run();
    CHECK(at.seen.received == got{{done, 1}, {done, 2}, {done, 3}, {closed, 0}});
}

TEST_CASE("async channel: close completes the sends that wait, with closed") {
    fixture at{1};
    at.send(1);
    at.send(2);
    at.poll();
    at.ints.close();
    at.run();
    CHECK(at.seen.sent == gone{{1, done}, {2, closed}});
    CHECK(*at.ints.try_receive() == 1);
    CHECK(at.ints.try_receive().what() == transfer::closed);
}

TEST_CASE("async channel: a send that nobody received after close reports no success") {
    fixture at{0};
    asio::cancellation_signal signal;
    async_send(at.ints, at.context.get_executor(), 1,
               asio::bind_cancellation_slot(signal.slot(), at.seen.send(1)));
    at.poll();
    at.ints.close();
    signal.emit(asio::cancellation_type::terminal);
    at.run();
    CHECK(at.seen.sent == gone{{1, closed}});
}

TEST_CASE("async channel: try_send right after a cancelled receive works") {
    fixture at{16};
    asio::cancellation_signal signal;
    async_receive(at.ints, at.context.get_executor(),
                  asio::bind_cancellation_slot(signal.slot(), at.seen.receive()));
    signal.emit(asio::cancellation_type::total);
    CHECK(at.ints.try_send(1));
    at.run();
    CHECK(at.seen.received == got{{aborted, 0}});
    CHECK(*at.ints.try_receive() == 1);
}

// Cancellation.

TEST_CASE("async channel: a cancelled send has not sent") {
    fixture at{1};
    REQUIRE(at.ints.try_send(1));
    asio::cancellation_signal signal;
    async_send(at.ints, at.context.get_executor(), 2,
               asio::bind_cancellation_slot(signal.slot(), at.seen.send(2)));
    at.poll();
    signal.emit(asio::cancellation_type::partial);
    at.run();
    CHECK(at.seen.sent == gone{{2, aborted}});
    CHECK(*at.ints.try_receive() == 1);
    CHECK(at.ints.try_receive().what() == transfer::would_wait);
}

TEST_CASE("async channel: a send whose value was taken before the cancel succeeds") {
    fixture at{1};
    REQUIRE(at.ints.try_send(1));
    asio::cancellation_signal signal;
    async_send(at.ints, at.context.get_executor(), 2,
               asio::bind_cancellation_slot(signal.slot(), at.seen.send(2)));
    at.poll();
    CHECK(*at.ints.try_receive() == 1);
    signal.emit(asio::cancellation_type::terminal);
    at.run();
    CHECK(at.seen.sent == gone{{2, done}});
    CHECK(*at.ints.try_receive() == 2);
}

TEST_CASE("async channel: a receive that is cancelled when it was told of a value leaves it") {
    fixture at{4};
    asio::cancellation_signal signal;
    async_receive(at.ints, at.context.get_executor(),
                  asio::bind_cancellation_slot(signal.slot(), at.seen.receive()));
    at.poll();
    REQUIRE(at.ints.try_send(1));
    signal.emit(asio::cancellation_type::terminal);
    at.run();
    CHECK(at.seen.received == got{{aborted, 0}});
    CHECK(*at.ints.try_receive() == 1);
}

TEST_CASE("async channel: what a cancelled receive was told of, the next is told of") {
    fixture at{4};
    asio::cancellation_signal signal;
    async_receive(at.ints, at.context.get_executor(),
                  asio::bind_cancellation_slot(signal.slot(), at.seen.receive()));
    at.receive();
    at.poll();
    REQUIRE(at.ints.try_send(1));
    signal.emit(asio::cancellation_type::terminal);
    at.run();
    CHECK(at.seen.received == got{{aborted, 0}, {done, 1}});
}

TEST_CASE("async channel: a receive whose value went to another waits on") {
    fixture at{4};
    at.receive();
    at.poll();
    REQUIRE(at.ints.try_send(1));
    CHECK(*at.ints.try_receive() == 1);
    at.poll();
    CHECK(at.seen.received.empty());
    REQUIRE(at.ints.try_send(2));
    at.run();
    CHECK(at.seen.received == got{{done, 2}});
}

TEST_CASE("async channel: a cancel after the completion does nothing") {
    fixture at{1};
    asio::cancellation_signal signal;
    async_receive(at.ints, at.context.get_executor(),
                  asio::bind_cancellation_slot(signal.slot(), at.seen.receive()));
    at.poll();
    REQUIRE(at.ints.try_send(1));
    at.run();
    signal.emit(asio::cancellation_type::terminal);
    CHECK(at.seen.received == got{{done, 1}});
}

// Bounds and ends.

TEST_CASE("async channel: as many wait as may, and the rest is refused") {
    fixture at{1, 2};
    for (int receive = 0; receive != 3; ++receive) at.receive();
    at.poll();
    CHECK(at.seen.received == got{{make_error_code(errc::overloaded), 0}});
    at.ints.close();
    at.run();
    CHECK(at.seen.received.size() == 3);
}

TEST_CASE("async channel: a context that is destroyed takes waiting operations with it") {
    channel<int> ints{{.capacity = 1}};
    auto const alive = std::make_shared<int>(0);
    {
        asio::io_context context;
        async_receive(ints, context.get_executor(), [alive](error_code, int) { FAIL(); });
        context.poll();
        CHECK(alive.use_count() == 2);
    }
    CHECK(alive.use_count() == 1);
    CHECK(ints.try_send(1));
    {
        asio::io_context context;
        async_send(ints, context.get_executor(), 2, [alive](error_code) { FAIL(); });
        context.poll();
        CHECK(alive.use_count() == 2);
    }
    CHECK(alive.use_count() == 1);
    CHECK(*ints.try_receive() == 1);
    CHECK(ints.try_receive().what() == transfer::would_wait);
}

TEST_CASE("async channel: a receive destroyed when it was told of a value leaves it to the next") {
    fixture at{1};
    auto const alive = std::make_shared<int>(0);
    {
        asio::io_context context;
        async_receive(at.ints, context.get_executor(), [alive](error_code, int) { FAIL(); });
        at.receive();
        at.poll();
        REQUIRE(at.ints.try_send(1));  // Tells the first, whose context does not run any more.
    }
    CHECK(alive.use_count() == 1);
    at.run();
    CHECK(at.seen.received == got{{done, 1}});
}

// Tokens and executors.

TEST_CASE("async channel: values that only move, and that are strings") {
    asio::io_context context;
    channel<std::unique_ptr<std::string>> owned{{.capacity = 1}};
    std::string seen;
    async_receive(owned, context.get_executor(),
                  [&](error_code, std::unique_ptr<std::string> value) { seen = *value; });
    async_send(owned, context.get_executor(), std::make_unique<std::string>("moved"),
               [](error_code) {});
    context.run();
    CHECK(seen == "moved");
}

TEST_CASE("async channel: a future is fulfilled from another thread") {
    channel<int> ints{{.capacity = 1}};
    asio::io_context context;
    auto const work = asio::make_work_guard(context);
    std::jthread const runs{[&] { context.run(); }};
    auto received = async_receive(ints, context.get_executor(), asio::use_future);
    auto sent = async_send(ints, context.get_executor(), 5, asio::use_future);
    sent.get();
    CHECK(received.get() == 5);
    ints.close();
    auto none = async_receive(ints, context.get_executor(), asio::use_future);
    CHECK_THROWS_AS(none.get(), boost::system::system_error);
    context.stop();
}

TEST_CASE("async channel: a handler runs on the executor that it is bound to") {
    channel<int> ints{{.capacity = 1}};
    asio::io_context mine, theirs;
    auto const strand = asio::make_strand(theirs);
    bool inside = false;
    auto const note = [&](error_code, int) { inside = strand.running_in_this_thread(); };
    async_receive(ints, mine.get_executor(), asio::bind_executor(strand, note));
    CHECK(mine.poll() == 0);
    REQUIRE(ints.try_send(1));
    CHECK(mine.poll() == 0);
    theirs.run();
    CHECK(inside);
}
