// SPDX-License-Identifier: BSL-1.0
#include "http.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <future>
#include <utility>

namespace flaky {

namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

constexpr unsigned http_1_1 = 11;

void close(beast::tcp_stream& stream) noexcept {
    boost::system::error_code ignored;
    stream.socket().close(ignored);
}

asio::awaitable<http_reply> exchange(beast::tcp_stream& stream, beast::flat_buffer& buffer,
                                     std::string const& target) {
    http::request<http::empty_body> request{http::verb::get, target, http_1_1};
    request.set(http::field::host, "localhost");
    co_await http::async_write(stream, request, asio::use_awaitable);

    http::response<http::string_body> response;
    co_await http::async_read(stream, buffer, response, asio::use_awaitable);
    co_return http_reply{static_cast<int>(response.result_int()), std::move(response.body())};
}

}  // namespace

struct client_connection::state {
    beast::tcp_stream stream;
    endpoint server;
    beast::flat_buffer buffer{};
};

client_connection::client_connection(asio::any_io_executor const& executor, endpoint const& server)
    : state_{new state{beast::tcp_stream{executor}, server}} {}
client_connection::client_connection(client_connection&&) noexcept = default;
client_connection::~client_connection() = default;

bool client_connection::is_open() const noexcept { return state_->stream.socket().is_open(); }

asio::awaitable<http_reply> client_connection::get(std::string target, time_point expiry) {
    auto& [stream, server, buffer] = *state_;
    try {
        if (expiry == hawser::no_deadline)
            stream.expires_never();
        else
            stream.expires_at(expiry);
        if (!is_open()) {
            buffer.clear();
            co_await stream.async_connect(server, asio::use_awaitable);
            stream.socket().set_option(asio::ip::tcp::no_delay{true});
        }
        co_return co_await exchange(stream, buffer, target);
    } catch (...) {
        close(stream);  // Half an exchange may still be under way on it.
        throw;
    }
}

blocking_connection::blocking_connection(endpoint const& server)
    : connection_{context_.get_executor(), server} {}

http_reply blocking_connection::get(std::string target, time_point deadline) {
    auto reply =
        asio::co_spawn(context_, connection_.get(std::move(target), deadline), asio::use_future);
    context_.restart();
    context_.run();
    return reply.get();
}

connection_pool::connection_pool(asio::any_io_executor executor, endpoint const& server)
    : executor_{std::move(executor)}, server_{server} {}

client_connection connection_pool::take() {
    if (idle_.empty()) return {executor_, server_};
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
}

asio::awaitable<http_reply> connection_pool::get(std::string target, time_point expiry) {
    auto connection = take();
    auto reply = co_await connection.get(std::move(target), expiry);
    idle_.push_back(std::move(connection));
    co_return reply;
}

struct server_connection::state {
    beast::tcp_stream stream;
    beast::flat_buffer buffer{};
};

server_connection::server_connection(asio::ip::tcp::socket socket)
    : state_{new state{beast::tcp_stream{std::move(socket)}}} {}
server_connection::server_connection(server_connection&&) noexcept = default;
server_connection::~server_connection() = default;

asio::awaitable<std::optional<std::string>> server_connection::next_request() {
    http::request<http::empty_body> request;
    boost::system::error_code error;
    co_await http::async_read(state_->stream, state_->buffer, request,
                              asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return std::nullopt;
    co_return std::string{request.target()};
}

asio::awaitable<void> server_connection::reply(http_reply reply) {
    http::response<http::string_body> response{static_cast<http::status>(reply.status), http_1_1,
                                               std::move(reply.body)};
    response.prepare_payload();
    co_await http::async_write(state_->stream, response, asio::use_awaitable);
}

void server_connection::reset() {
    // A close that lingers for zero seconds sends RST instead of FIN.
    state_->stream.socket().set_option(asio::socket_base::linger{true, 0});
    close(state_->stream);
}

}  // namespace flaky
