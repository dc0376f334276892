// SPDX-License-Identifier: BSL-1.0
//
// How do asynchronous operations pass through the same policies?
//
// Output:
//     callback: attempt 1
//     callback: attempt 2
//     callback: Success
//     coroutine: attempt 1
//     coroutine: attempt 2
//     coroutine: 4.50
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>

namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

/// The supplier hangs at first; its second answer comes at once.
hawser::duration time_to_answer(std::uint32_t attempt) { return attempt == 1 ? 1h : 1ms; }

// [coroutine]
template <class Line>
asio::awaitable<void> shop(Line const& line, double& price) {
    auto const executor = co_await asio::this_coro::executor;
    auto const ask = [executor](auto& call) -> asio::awaitable<double> {
        std::printf("coroutine: attempt %u\n", call.attempt());
        asio::steady_timer answer{executor, time_to_answer(call.attempt())};
        co_await answer.async_wait(asio::use_awaitable);
        co_return 4.50;
    };
    price = co_await hawser::async_execute(line, executor, ask, asio::use_awaitable);
    std::printf("coroutine: %.2f\n", price);
}
// [/coroutine]

}  // namespace

int main() {
    asio::io_context io;

    // [line]
    auto const line = hawser::compose(hawser::retry{}, hawser::attempt_timeout{20ms});
    // [/line]

    // [callback]
    asio::steady_timer answer{io};
    auto const ask = [&answer](auto& call, auto&& token) {
        std::printf("callback: attempt %u\n", call.attempt());
        answer.expires_after(time_to_answer(call.attempt()));
        return answer.async_wait(std::forward<decltype(token)>(token));
    };
    bool answered = false;
    hawser::async_execute(line, io.get_executor(), ask, [&](boost::system::error_code error) {
        std::printf("callback: %s\n", error.message().c_str());
        answered = !error.failed();
    });
    io.run();
    // [/callback]

    double price = 0;
    io.restart();
    asio::co_spawn(io, shop(line, price), asio::detached);
    io.run();
    return answered && price == 4.50 ? 0 : 1;
}
