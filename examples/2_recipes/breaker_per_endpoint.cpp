// SPDX-License-Identifier: BSL-1.0
//
// How do plain and asynchronous calls share one breaker for each endpoint?
//
// Output:
//     b.example is closed
//     a.example is open
//     the asynchronous call: circuit open
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdio>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;

// [endpoints]
/// A breaker does not move and is named after its endpoint, so both are made in one place.
struct endpoint {
    explicit endpoint(std::string name) : address{std::move(name)} {}

    std::string address;
    hawser::circuit_breaker breaker{{.minimum_calls = 2, .open_for = 30s, .name = address.c_str()}};
};

/// The endpoints by address. They stay where they are, for as long as this lives.
class endpoints {
public:
    endpoint& at(std::string const& address) {
        std::lock_guard const lock{mutex_};
        return known_.try_emplace(address, address).first->second;
    }

private:
    std::mutex mutex_;
    std::map<std::string, endpoint> known_;
};
// [/endpoints]

}  // namespace

int main() {
    endpoints known;

    // [sync]
    auto const ask = [&](std::string const& address) {
        auto const line = hawser::compose(hawser::borrow(known.at(address).breaker));
        (void)hawser::try_execute(line, [&] {
            if (address == "a.example") throw std::runtime_error{"it does not answer"};
        });
    };
    // [/sync]
    for (int i = 0; i != 2; ++i) ask("a.example"), ask("b.example");
    for (auto const* address : {"b.example", "a.example"})
        std::printf("%s is %s\n", address, to_string(known.at(address).breaker.state()));

    // [async]
    boost::asio::io_context io;
    boost::asio::steady_timer timer{io};
    auto const line = hawser::compose(hawser::borrow(known.at("a.example").breaker));
    auto const wait = [&](auto&, auto&& token) {
        return timer.async_wait(std::forward<decltype(token)>(token));
    };
    boost::system::error_code got;
    hawser::async_execute(line, io.get_executor(), wait,
                          [&](boost::system::error_code error) { got = error; });
    io.run();
    // [/async]
    std::printf("the asynchronous call: %s\n", got.message().c_str());
    return got == hawser::errc::circuit_open ? 0 : 1;
}
