// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/asio/co_channel.hpp>
#include <hawser/run/buffered_channel.hpp>
#include <hawser/run/channel.hpp>

#include "support/catch.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using hawser::channel;
using hawser::co_receive;
using hawser::co_send;
using hawser::transfer;

namespace {

asio::awaitable<void> sends(channel<std::string>& to, int count) {
    for (int value = 0; value != count; ++value) {
        auto text = std::to_string(value);
        auto const answer = co_await co_send(to, std::move(text));
        CHECK(answer);
    }
    to.close();
}

asio::awaitable<void> receives(channel<std::string>& from, std::vector<std::string>& into) {
    for (;;) {
        auto text = co_await co_receive(from);
        if (!text) {
            CHECK(text.what() == transfer::closed);
            co_return;
        }
        into.push_back(*std::move(text));
    }
}

asio::awaitable<void> spins(channel<std::string>& both, int& rounds, bool const& stop) {
    while (!stop) {
        (void)co_await co_send(both, std::string{});
        (void)co_await co_receive(both);
        ++rounds;
    }
}

asio::awaitable<void> receives_once(channel<std::string>& from, transfer& end) {
    auto const got = co_await co_receive(from);
    end = got.what();
}

asio::awaitable<void> sends_once(channel<std::string>& to, transfer& end) {
    auto const answer = co_await co_send(to, std::string{"late"});
    end = answer.what();
}

}  // namespace

TEST_CASE("co_channel: coroutines pass values on in their order, and end with close") {
    for (std::size_t const capacity : {0U, 1U, 7U, 1000U}) {
        channel<std::string> texts{{.capacity = capacity}};
        asio::io_context context{1};
        std::vector<std::string> seen;
        asio::co_spawn(context, receives(texts, seen), asio::detached);
        asio::co_spawn(context, sends(texts, 500), asio::detached);
        context.run();

        REQUIRE(seen.size() == 500);
        for (int value = 0; value != 500; ++value)
            CHECK(seen[static_cast<std::size_t>(value)] == std::to_string(value));
    }
}

TEST_CASE("co_channel: a thread feeds a coroutine") {
    channel<std::string> texts{{.capacity = 4}};
    asio::io_context context{1};
    std::vector<std::string> seen;
    asio::co_spawn(context, receives(texts, seen), asio::detached);
    std::jthread const feeds{[&] {
        for (int value = 0; value != 300; ++value) CHECK(texts.send(std::to_string(value)));
        texts.close();
    }};
    context.run();
    CHECK(seen.size() == 300);
}

TEST_CASE("co_channel: a coroutine that never has to wait lets others run") {
    channel<std::string> texts{{.capacity = 4}};
    asio::io_context context{1};
    int rounds = 0;
    bool stop = false;
    asio::co_spawn(context, spins(texts, rounds, stop), asio::detached);
    asio::post(context, [&] { stop = true; });
    context.run();
    CHECK(rounds <= 128);
}

TEST_CASE("co_channel: a cancelled wait ends as cancelled") {
    channel<std::string> texts{{.capacity = 1}};
    asio::io_context context{1};
    asio::cancellation_signal signal;
    auto end = transfer::done;
    asio::co_spawn(context, receives_once(texts, end),
                   asio::bind_cancellation_slot(signal.slot(), asio::detached));
    context.poll();
    signal.emit(asio::cancellation_type::terminal);
    context.run();
    CHECK(end == transfer::cancelled);
}

TEST_CASE("co_channel: a send that waits hears of the close") {
    channel<std::string> texts{{.capacity = 1}};
    REQUIRE(texts.try_send("first"));
    asio::io_context context{1};
    auto end = transfer::done;
    asio::co_spawn(context, sends_once(texts, end), asio::detached);
    context.poll();
    texts.close();
    context.run();
    CHECK(end == transfer::closed);
    CHECK(*texts.try_receive() == "first");
}

namespace {

/// Whether its place on the stack, or in a frame, was left once.
struct left_once {
    int& count;
    explicit left_once(int& in) : count{in} {}
    left_once(left_once const&) = delete;
    left_once& operator=(left_once const&) = delete;
    ~left_once() { ++count; }
};

asio::awaitable<void> waits_at(channel<std::string>& at, bool sends, int& left) {
    left_once const here{left};
    if (sends)
        (void)co_await co_send(at, std::string{"a text that is too long to be kept inside"});
    else
        (void)co_await co_receive(at);
}

// The texts are temporaries of the co_await expression: g++ 12 destroys some of those twice.
asio::awaitable<void> sends_temporaries(channel<std::string>& to, int count) {
    auto const executor = co_await asio::this_coro::executor;
    for (int value = 0; value != count; ++value) {
        co_await async_send(to, executor, std::string(40, 'a'), asio::use_awaitable);
        (void)co_await co_send(to, std::string(40, 'b'));
    }
    to.close();
}

asio::awaitable<void> first_of_two(channel<std::string>& one, channel<std::string>& other,
                                   std::string& into) {
    using namespace asio::experimental::awaitable_operators;
    auto const executor = co_await asio::this_coro::executor;
    auto first = async_receive(one, executor, asio::use_awaitable);
    auto second = async_receive(other, executor, asio::use_awaitable);
    auto const got = co_await (std::move(first) || std::move(second));
    into = got.index() == 0 ? std::get<0>(got) : std::get<1>(got);
}

}  // namespace

TEST_CASE("co_channel: of two receives of which one wins, the other takes no value") {
    for (int const before : {0, 1, 2}) {
        channel<std::string> one{{.capacity = 2}}, other{{.capacity = 2}};
        asio::io_context context{1};
        std::string got;
        if (before > 0) REQUIRE(one.try_send("one"));
        if (before > 1) REQUIRE(other.try_send("other"));
        asio::co_spawn(context, first_of_two(one, other, got), asio::detached);
        context.poll();
        if (before == 0) {
            REQUIRE(other.try_send("other"));
            REQUIRE(one.try_send("one"));
        }
        context.run();
        if (before != 1) {
            CHECK(one.size() + other.size() == 1);
            CHECK((got == "one" ? other : one).size() == 1);
        }
        CHECK((got == "one" || got == "other"));
    }
}

TEST_CASE("co_channel: values may be temporaries of the expression") {
    channel<std::string> texts{{.capacity = 3}};
    asio::io_context context{1};
    std::vector<std::string> seen;
    asio::co_spawn(context, sends_temporaries(texts, 200), asio::detached);
    asio::co_spawn(context, receives(texts, seen), asio::detached);
    context.run();
    REQUIRE(seen.size() == 400);
    for (std::size_t each = 0; each != 400; ++each)
        CHECK(seen[each] == std::string(40, each % 2 == 0 ? 'a' : 'b'));
}

TEST_CASE("co_channel: a coroutine that waits goes with its context, once") {
    for (bool const sends : {false, true})
        for (bool const told : {false, true}) {
            channel<std::string> texts{{.capacity = 1}};
            if (sends) REQUIRE(texts.try_send("first"));
            int left = 0;
            {
                asio::io_context context{1};
                asio::co_spawn(asio::make_strand(context), waits_at(texts, sends, left),
                               asio::detached);
                asio::co_spawn(context, waits_at(texts, sends, left), asio::detached);
                context.poll();
                if (told && sends) CHECK(*texts.try_receive() == "first");
                if (told && !sends) CHECK(texts.try_send("told"));
                CHECK(left == 0);
            }
            CHECK(left == 2);
            CHECK(texts.size() == (sends || told ? 1 : 0));
            auto const waiting = texts.core().waiting_now();
            CHECK(waiting.senders + waiting.receivers == 0);
        }
}

TEST_CASE("co_channel: a policy that rejects ends as on a thread") {
    hawser::buffered_channel<std::string, hawser::overflow::reject> texts{{.capacity = 1}};
    REQUIRE(texts.try_send("first"));
    asio::io_context context{1};
    auto end = transfer::done;
    auto sends = [&]() -> asio::awaitable<void> {
        auto text = std::string{"second"};
        auto const answer = co_await co_send(texts, std::move(text));
        end = answer.what();
    };
    asio::co_spawn(context, sends, asio::detached);
    context.run();
    CHECK(end == transfer::would_wait);
}

TEST_CASE("co_channel: what a merge throws is thrown in the coroutine") {
    auto throws = [](std::string&, std::string&) { throw std::runtime_error{"no"}; };
    hawser::buffered_channel<std::string, hawser::overflow::conflate<decltype(throws)>> texts{
        {.capacity = 1}, hawser::overflow::conflate{throws}};
    REQUIRE(texts.try_send("first"));
    asio::io_context context{1};
    bool caught = false;
    auto sends = [&]() -> asio::awaitable<void> {
        auto text = std::string{"second"};
        try {
            (void)co_await co_send(texts, std::move(text));
        } catch (std::runtime_error const&) {
            caught = true;
        }
    };
    asio::co_spawn(context, sends, asio::detached);
    context.run();
    CHECK(caught);
    CHECK(*texts.try_receive() == "first");
}
