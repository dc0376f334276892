// SPDX-License-Identifier: BSL-1.0
//
// HTTP as far as this program needs it. All of Boost.Beast is behind this header, in http.cpp.
#ifndef FLAKY_HTTP_HPP
#define FLAKY_HTTP_HPP

#include "script.hpp"

#include <hawser/base/outcome_traits.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flaky {

namespace asio = boost::asio;
using endpoint = asio::ip::tcp::endpoint;

struct http_reply {
    int status = 0;
    std::string body;
};

/// One connection to the server, opened when it is first used and again after an error.
class client_connection {
public:
    client_connection(asio::any_io_executor const& executor, endpoint const& server);
    client_connection(client_connection&&) noexcept;
    ~client_connection();

    /// Asks for `target`. Throws `boost::system::system_error`, and closes the connection, if there
    /// is no answer: also when it is cancelled, and when `expiry` comes first.
    asio::awaitable<http_reply> get(std::string target, time_point expiry = hawser::no_deadline);

    [[nodiscard]] bool is_open() const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// A connection for a thread that blocks: the same coroutine, run to its end on the spot.
class blocking_connection {
public:
    explicit blocking_connection(endpoint const& server);

    http_reply get(std::string target, time_point deadline);

private:
    asio::io_context context_{1};
    client_connection connection_;
};

/// Connections that coroutines share, each used by one at a time. Belongs to one thread.
class connection_pool {
public:
    connection_pool(asio::any_io_executor executor, endpoint const& server);

    asio::awaitable<http_reply> get(std::string target, time_point expiry = hawser::no_deadline);

private:
    client_connection take();

    asio::any_io_executor executor_;
    endpoint server_;
    std::vector<client_connection> idle_;
};

/// The server's end of a connection.
class server_connection {
public:
    explicit server_connection(asio::ip::tcp::socket socket);
    server_connection(server_connection&&) noexcept;
    ~server_connection();

    /// The target of the next request; nothing once the client has gone.
    asio::awaitable<std::optional<std::string>> next_request();
    asio::awaitable<void> reply(http_reply reply);
    /// Closes it as a crash does: the client sees "connection reset".
    void reset();

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace flaky

/// A 5xx is a failure of the server, though the exchange has worked.
template <>
struct hawser::outcome_traits<flaky::http_reply> {
    static verdict classify(flaky::http_reply const& reply) noexcept {
        return reply.status < 500 ? verdict::success : verdict::failure;
    }
};

#endif  // FLAKY_HTTP_HPP
