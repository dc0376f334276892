// SPDX-License-Identifier: BSL-1.0
//
// async_send and async_receive with any token, executor, allocator and handler.
#include <hawser/adapt/asio/channel.hpp>
#include <hawser/run/buffered_channel.hpp>
#include <hawser/run/channel.hpp>

#include "support/catch.hpp"

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using boost::system::error_code;
using hawser::async_receive;
using hawser::async_send;
using hawser::buffered_channel;
using hawser::channel;
using hawser::errc;

namespace {

/// What is allocated of one allocator, and what is called when something is.
struct account {
    int live = 0;
    int made = 0;
    std::function<void()> on_allocate = [] {};
};
template <class T>
struct counted {
    using value_type = T;
    explicit counted(account& in) : book{&in} {}
    template <class U>
    counted(counted<U> const& other) : book{other.book} {}
    T* allocate(std::size_t count) {
        ++book->live;
        ++book->made;
        book->on_allocate();
        return static_cast<T*>(::operator new(count * sizeof(T)));
    }
    void deallocate(T* memory, std::size_t) {
        --book->live;
        ::operator delete(memory);
    }
    bool operator==(counted const&) const = default;
    account* book;
};

struct length {
    std::uint64_t operator()(std::string const& text) const noexcept { return text.size(); }
};

}  // namespace

TEST_CASE("async channel: a future is kept on the executor that was given, and nowhere else") {
    asio::io_context io{1};
    channel<int> ints{{.capacity = 1}};
    auto first = async_receive(ints, io.get_executor(), asio::use_future);
    auto sent = async_send(ints, io.get_executor(), 1, asio::use_future);
    CHECK(first.wait_for(std::chrono::milliseconds{20}) == std::future_status::timeout);
    CHECK(sent.wait_for(std::chrono::milliseconds{0}) == std::future_status::timeout);
    CHECK(io.run() == 2);
    CHECK(first.get() == 1);
    sent.get();
}

TEST_CASE("async channel: an executor that can only be dispatched to is dispatched to") {
    channel<int> ints{{.capacity = 1}};
    asio::io_context mine, theirs;
    asio::any_completion_executor const erased{theirs.get_executor()};
    std::vector<int> seen;
    auto receive = [&] {
        async_receive(ints, mine.get_executor(),
                      asio::bind_executor(erased, [&](error_code error, int value) {
                          seen.push_back(error ? -1 : value);
                      }));
    };
    auto send = [&](int value) {
        async_send(ints, mine.get_executor(), value,
                   asio::bind_executor(erased, [&seen](error_code) { seen.push_back(0); }));
    };
    auto run = [&] {
        for (auto* context : {&mine, &theirs, &mine, &theirs}) {
            context->restart();
            context->poll();
        }
    };
    receive();
    run();
    send(1);
    CHECK(seen.empty());
    run();
    std::sort(seen.begin(), seen.end());
    CHECK(seen == std::vector{0, 1});
    send(2);
    send(3);
    run();
    CHECK(seen.size() == 3);
    CHECK(*ints.try_receive() == 2);
    run();
    CHECK(seen.size() == 4);
    receive();
    run();
    CHECK(seen.back() == 3);
}

TEST_CASE("async channel: a message that was passed on is destroyed with the context it went to") {
    channel<int> ints{{.capacity = 1}};
    auto const alive = std::make_shared<int>(0);
    asio::io_context mine;
    {
        asio::io_context theirs;
        asio::any_completion_executor const erased{theirs.get_executor()};
        async_receive(ints, mine.get_executor(),
                      asio::bind_executor(erased, [alive](error_code, int) { FAIL(); }));
        mine.poll();
        CHECK(ints.try_send(1));
        mine.restart();
        mine.poll();
    }
    CHECK(alive.use_count() == 1);
    CHECK(*ints.try_receive() == 1);
}

TEST_CASE("async channel: strands of a thread pool, and an erased executor") {
    channel<int> ints{{.capacity = 3}};
    asio::thread_pool pool{2};
    asio::any_io_executor const from = asio::make_strand(pool), to = asio::make_strand(pool);
    auto sum = std::make_shared<int>(0);
    std::promise<void> done;
    std::function<void(error_code, int)> receive = [&](error_code error, int value) {
        if (error) return done.set_value();
        *sum += value;
        async_receive(ints, from, [&](error_code e, int v) { receive(e, v); });
    };
    int next = 0;
    std::function<void(error_code)> send = [&](error_code) {
        if (++next > 500) return ints.close();
        async_send(ints, to, next, [&](error_code e) { send(e); });
    };
    async_receive(ints, from, [&](error_code e, int v) { receive(e, v); });
    async_send(ints, to, 0, [&](error_code e) { send(e); });
    done.get_future().wait();
    pool.join();
    CHECK(*sum == 500 * 501 / 2);
}

TEST_CASE("async channel: a deferred operation starts when it is called, also more than once") {
    channel<std::string> texts{{.capacity = 3}};
    asio::io_context context;
    auto const send = async_send(texts, context.get_executor(), "again", asio::deferred);
    CHECK(texts.size() == 0);
    int sent = 0;
    auto count = [&](error_code error) { sent += !error; };
    send(count);
    send(count);
    auto receive = async_receive(texts, context.get_executor(), asio::deferred);
    std::string seen;
    std::move(receive)([&](error_code, std::string text) { seen = std::move(text); });
    context.run();
    CHECK(sent == 2);
    CHECK(seen == "again");
    CHECK(*texts.try_receive() == "again");
}

TEST_CASE("async channel: as_tuple tells of errors and values") {
    channel<int> ints{{.capacity = 1}};
    asio::io_context context;
    std::vector<std::tuple<error_code, int>> ends;
    auto const note = asio::as_tuple([&](std::tuple<error_code, int> end) { ends.push_back(end); });
    async_receive(ints, context.get_executor(), note);
    CHECK(ints.try_send(4));
    context.run();
    ints.close();
    async_receive(ints, context.get_executor(), note);
    context.restart();
    context.run();
    REQUIRE(ends.size() == 2);
    CHECK(ends[0] == std::tuple{error_code{}, 4});
    CHECK(ends[1] == std::tuple{make_error_code(errc::closed), 0});
}

TEST_CASE("async channel: the block is the handler's allocator's, and free before it runs") {
    channel<int> ints{{.capacity = 1}};
    asio::io_context context;
    account book;
    int live_inside = -1;
    async_receive(ints, context.get_executor(),
                  asio::bind_allocator(counted<char>{book},
                                       [&](error_code, int) { live_inside = book.live; }));
    CHECK(book.live == 1);
    REQUIRE(ints.try_send(1));
    context.run();
    CHECK(live_inside == 0);
    CHECK(book.live == 0);
    CHECK(book.made == 1);  // What is sent from other threads is not the handler's.
}

TEST_CASE("async channel: a handler that starts the next operation does not grow the stack") {
    channel<int> ints{{.capacity = 2}};
    asio::io_context context;
    struct loop {
        channel<int>& ints;
        asio::io_context& context;
        account book;
        std::uintptr_t lowest = UINTPTR_MAX, highest = 0;
        int rounds = 0, live_most = 0;

        void note() {
            char here;
            auto const at = reinterpret_cast<std::uintptr_t>(&here);
            lowest = std::min(lowest, at);
            highest = std::max(highest, at);
            live_most = std::max(live_most, book.live);
        }
        void receive() {
            async_receive(ints, context.get_executor(),
                          asio::bind_allocator(counted<char>{book}, [this](error_code error, int) {
                              note();
                              if (!error) receive();
                          }));
        }
        void send() {
            if (++rounds > 100'000) return ints.close();
            async_send(ints, context.get_executor(), rounds, [this](error_code) {
                note();
                send();
            });
        }
    };
    loop both{ints, context, {}};
    both.receive();
    both.send();
    context.run();
    CHECK(both.rounds == 100'001);
    CHECK(both.highest - both.lowest < 4'096);
    CHECK(both.live_most <= 2);
}

TEST_CASE("async channel: what a handler throws leaves through run, and the channel works on") {
    channel<int> ints{{.capacity = 1}};
    asio::io_context context;
    async_receive(ints, context.get_executor(),
                  [](error_code, int) { throw std::runtime_error{"mine"}; });
    async_send(ints, context.get_executor(), 1,
               [](error_code) { throw std::runtime_error{"mine"}; });
    CHECK_THROWS_AS(context.run(), std::runtime_error);
    CHECK_THROWS_AS(context.run(), std::runtime_error);
    CHECK(context.run() == 0);
    CHECK(ints.try_send(2));
    CHECK(*ints.try_receive() == 2);
}

TEST_CASE("async channel: a handler may be cancelled from inside itself, and of any type") {
    for (auto const type : {asio::cancellation_type::terminal, asio::cancellation_type::partial,
                            asio::cancellation_type::total, asio::cancellation_type::all}) {
        channel<int> ints{{.capacity = 1}};
        asio::io_context context;
        asio::cancellation_signal signal;
        error_code first, second;
        bool ended = false;
        async_receive(ints, context.get_executor(),
                      asio::bind_cancellation_slot(signal.slot(), [&](error_code error, int) {
                          first = error;
                          signal.emit(type);  // Nobody is there any more.
                          async_receive(ints, context.get_executor(),
                                        asio::bind_cancellation_slot(signal.slot(),
                                                                     [&](error_code inner, int) {
                                                                         second = inner;
                                                                         ended = true;
                                                                     }));
                          signal.emit(type);
                          signal.emit(type);
                      }));
        REQUIRE(ints.try_send(1));
        context.run();
        CHECK_FALSE(first);
        CHECK(ended);
        CHECK(second == asio::error::operation_aborted);
    }
}

TEST_CASE("async channel: a value too large is refused at once, also where others wait") {
    buffered_channel<std::string, hawser::overflow::block, length> texts{{.weight = 5}};
    asio::io_context context;
    std::vector<error_code> ends;
    auto note = [&](error_code error) { ends.push_back(error); };
    for (auto const* text : {"four", "xx", "too large", "y"})
        async_send(texts, context.get_executor(), text, note);
    context.poll();
    CHECK(ends == std::vector{error_code{}, make_error_code(errc::too_large)});
    CHECK(*texts.try_receive() == "four");
    context.restart();
    context.run();
    CHECK(ends.size() == 4);
    CHECK(*texts.try_receive() == "xx");
    CHECK(*texts.try_receive() == "y");
}

TEST_CASE("async channel: what a merge throws leaves async_send, which has sent nothing") {
    auto throws = [](std::string&, std::string&) { throw std::runtime_error{"no"}; };
    buffered_channel<std::string, hawser::overflow::conflate<decltype(throws)>, length> texts{
        {.capacity = 2, .weight = 6}, hawser::overflow::conflate{throws}};
    asio::io_context context;
    auto const alive = std::make_shared<int>(0);
    auto handler = [alive](error_code) { FAIL(); };
    SECTION("at once") {
        REQUIRE(texts.try_send("a"));
        REQUIRE(texts.try_send("b"));
        CHECK_THROWS_AS(async_send(texts, context.get_executor(), "c", handler),
                        std::runtime_error);
    }
    SECTION("when it was about to wait") {
        REQUIRE(texts.try_send("aaaa"));
        REQUIRE(texts.try_send("b"));
        account book;
        book.on_allocate = [&] {  // There is no room for its weight, and then only no place.
            CHECK(texts.try_receive());
            CHECK(texts.try_send("a"));
        };
        CHECK_THROWS_AS(async_send(texts, context.get_executor(), "cc",
                                   asio::bind_allocator(counted<char>{book}, handler)),
                        std::runtime_error);
        CHECK(book.live == 0);
    }
    CHECK(texts.size() == 2);
    CHECK(alive.use_count() == 2);
    CHECK(context.run() == 0);  // Nothing keeps it at work.
}
