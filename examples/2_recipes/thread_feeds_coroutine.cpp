// SPDX-License-Identifier: BSL-1.0
//
// How does a thread that blocks hand work to coroutines, without outrunning them?
//
// Output:
//     7 orders placed, the channel held 2 at most
//     the desk is closed: closed
#include <hawser/adapt/asio/co_channel.hpp>
#include <hawser/run/channel.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <thread>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

struct order {
    std::string article;
    int count = 0;
};
using desk = hawser::channel<order>;

/// Takes its time with each order, and its thread does other things meanwhile.
asio::awaitable<void> place(order const& next, int& placed) {
    asio::steady_timer timer{co_await asio::this_coro::executor, 1ms};
    co_await timer.async_wait(asio::use_awaitable);
    placed += next.count;
}

// [coroutine]
asio::awaitable<void> place_orders(desk& orders, int& placed) {
    while (auto next = co_await hawser::co_receive(orders)) co_await place(*next, placed);
    // The channel is closed, and every order that was in it has been placed.
}
// [/coroutine]

}  // namespace

int main() {
    int placed = 0;
    std::size_t most = 0;
    auto late = hawser::transfer::done;

    // [thread]
    desk orders{{.capacity = 2}};
    asio::io_context context{1};
    asio::co_spawn(context, place_orders(orders, placed), asio::detached);

    std::jthread reader{[&] {
        for (auto const* article : {"nails", "screws", "glue", "rope", "tar", "oakum", "pitch"}) {
            // Waits while there are two already: a reader that is faster is held back here.
            auto const taken = orders.send({article, 1});
            if (!taken) return;
            most = std::max(most, orders.size());
        }
        orders.close();
        late = orders.send({"paint", 1}).what();
    }};
    context.run();
    // [/thread]

    reader.join();
    std::printf("%d orders placed, the channel held %zu at most\n", placed, most);
    std::printf("the desk is closed: %s\n", to_string(late));
    return placed == 7 && most <= 2 && late == hawser::transfer::closed ? 0 : 1;
}
