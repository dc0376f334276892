// SPDX-License-Identifier: BSL-1.0
#include "server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace flaky {
namespace {

constexpr char prefix[] = "/price/";
constexpr int ok = 200, service_unavailable = 503;

/// Any price will do, as long as the client can tell it from an error.
std::string price_of(request_id const& request) {
    return std::to_string(100 + request.call % 25) + ".50";
}

}  // namespace

std::string target_of(request_id const& request) {
    return prefix + std::to_string(request.call) + "/" + std::to_string(request.attempt);
}

request_id request_of(std::string const& target) noexcept {
    request_id request;
    auto const end = target.data() + target.size();
    auto const from = target.data() + std::min(target.size(), sizeof prefix - 1);
    auto const call = std::from_chars(from, end, request.call);
    if (call.ptr != end) std::from_chars(call.ptr + 1, end, request.attempt);
    return request;
}

server::server(fault_script const& script, meter& counts, std::uint16_t port)
    : script_{script},
      counts_{counts},
      acceptor_{context_, {asio::ip::address_v4::loopback(), port}} {
    asio::co_spawn(context_, accept(), asio::detached);
    thread_ = std::thread{[this] { context_.run(); }};
}

server::~server() {
    context_.stop();
    thread_.join();  // What hangs is destroyed with the context.
}

asio::awaitable<void> server::accept() {
    for (;;) {
        auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
        socket.set_option(asio::ip::tcp::no_delay{true});
        asio::co_spawn(context_, serve(server_connection{std::move(socket)}), asio::detached);
    }
}

asio::awaitable<void> server::serve(server_connection peer) {
    asio::steady_timer timer{context_};
    while (auto const target = co_await peer.next_request()) {
        auto const now = std::chrono::steady_clock::now();
        counts_.reached_server(now);
        auto const request = request_of(*target);
        auto const fault = script_.decide(request, now - counts_.start());
        if (fault.kind == fault_kind::reset) co_return peer.reset();
        if (fault.kind == fault_kind::hang) {
            co_await peer.next_request();  // Which never comes: until the client closes.
            co_return;
        }
        timer.expires_after(fault.latency);
        co_await timer.async_wait(asio::use_awaitable);
        auto const failed = fault.kind == fault_kind::error;
        auto reply = failed ? http_reply{service_unavailable, "try again later"}
                            : http_reply{ok, price_of(request)};
        co_await peer.reply(std::move(reply));
    }
}

}  // namespace flaky
