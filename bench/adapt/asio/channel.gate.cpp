// SPDX-License-Identifier: BSL-1.0
//
// What does a value cost from one coroutine to another? A is two awaited posts, which is what two
// coroutines pay that take turns, or Asio's own channel; B is a channel of ours, capacity 1024.
#include <hawser/adapt/asio/channel.hpp>
#include <hawser/adapt/asio/co_channel.hpp>

#include "support/gate.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

namespace asio = boost::asio;
using asio::use_awaitable;
using value = std::uint64_t;
using ours = hawser::channel<value>;
using theirs = asio::experimental::concurrent_channel<void(boost::system::error_code, value)>;

/// A row's code passes so many.
constexpr value count = 2'000;
constexpr std::size_t capacity = 1024;

value total;

void expect_all() {
    if (total == count * (count - 1) / 2) return;
    std::printf("not what was sent\n");
    std::exit(2);
}

asio::awaitable<void> posts() {
    auto const executor = co_await asio::this_coro::executor;
    for (value each = 0; each != count; ++each) {
        co_await asio::post(executor, use_awaitable);
        co_await asio::post(executor, use_awaitable);
    }
}

asio::awaitable<void> sends(ours& to) {
    auto const executor = co_await asio::this_coro::executor;
    for (value each = 0; each != count; ++each)
        co_await hawser::async_send(to, executor, each, use_awaitable);
}
asio::awaitable<void> receives(ours& from) {
    auto const executor = co_await asio::this_coro::executor;
    value sum = 0;
    for (value each = 0; each != count; ++each)
        sum += co_await hawser::async_receive(from, executor, use_awaitable);
    total = sum;
}

asio::awaitable<void> co_sends(ours& to) {
    for (value each = 0; each != count; ++each)
        if (!co_await hawser::co_send(to, each)) co_return;
}
asio::awaitable<void> co_receives(ours& from) {
    value sum = 0;
    for (value each = 0; each != count; ++each) {
        auto const got = co_await hawser::co_receive(from);
        sum += *got;
    }
    total = sum;
}

asio::awaitable<void> sends_theirs(theirs& to) {
    for (value each = 0; each != count; ++each) co_await to.async_send({}, each, use_awaitable);
}
asio::awaitable<void> receives_theirs(theirs& from) {
    value sum = 0;
    for (value each = 0; each != count; ++each) sum += co_await from.async_receive(use_awaitable);
    total = sum;
}

/// Both coroutines on one thread.
template <class Receiver, class Sender>
auto on_one_thread(Receiver receiver, Sender sender, std::size_t places = capacity) {
    return [=] {
        total = 0;
        asio::io_context context{1};
        ours values{{.capacity = places}};
        asio::co_spawn(context, receiver(values), asio::detached);
        asio::co_spawn(context, sender(values), asio::detached);
        context.run();
        expect_all();
    };
}

/// On a pool of two threads.
template <class Receiver, class Sender>
auto on_a_pool(Receiver receiver, Sender sender) {
    return [=] {
        total = 0;
        asio::thread_pool pool{2};
        ours values{{.capacity = capacity}};
        asio::co_spawn(pool, receiver(values), asio::detached);
        asio::co_spawn(pool, sender(values), asio::detached);
        pool.join();
        expect_all();
    };
}

}  // namespace

int main(int argc, char** argv) {
    support::gate gate{argc, argv};
    auto const two_posts = [] {
        asio::io_context context{1};
        asio::co_spawn(context, posts(), asio::detached);
        context.run();
    };
    auto const calls = static_cast<double>(count);
    gate.at_most_times("async_*, two awaited posts", two_posts, on_one_thread(receives, sends), 1.5,
                       calls);
    gate.at_most_times("async_* without capacity, two awaited posts", two_posts,
                       on_one_thread(receives, sends, 0), 1.5, calls);
    gate.at_most_times("co_*, two awaited posts", two_posts, on_one_thread(co_receives, co_sends),
                       0.5, calls);

    auto const asio_alone = [] {
        total = 0;
        asio::io_context context{1};
        theirs values{context, capacity};
        asio::co_spawn(context, receives_theirs(values), asio::detached);
        asio::co_spawn(context, sends_theirs(values), asio::detached);
        context.run();
        expect_all();
    };
    gate.beside("one thread: async_*, Asio's own channel", asio_alone,
                on_one_thread(receives, sends), calls);
    gate.at_most_times("one thread: co_*, Asio's own channel", asio_alone,
                       on_one_thread(co_receives, co_sends), 1.0, calls);

    auto const asio_on_a_pool = [] {
        total = 0;
        asio::thread_pool pool{2};
        theirs values{pool, capacity};
        asio::co_spawn(pool, receives_theirs(values), asio::detached);
        asio::co_spawn(pool, sends_theirs(values), asio::detached);
        pool.join();
        expect_all();
    };
    gate.beside("two threads: async_*, Asio's own channel", asio_on_a_pool,
                on_a_pool(receives, sends), calls);
    gate.at_most_times("two threads: co_*, Asio's own channel", asio_on_a_pool,
                       on_a_pool(co_receives, co_sends), 1.0, calls);
    return gate.verdict();
}
