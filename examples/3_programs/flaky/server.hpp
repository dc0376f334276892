// SPDX-License-Identifier: BSL-1.0
//
// The server: answers `GET /price/<call>/<attempt>` on loopback as the script says.
#ifndef FLAKY_SERVER_HPP
#define FLAKY_SERVER_HPP

#include "http.hpp"
#include "meter.hpp"
#include "script.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <thread>

namespace flaky {

/// What a request asks for, as the server reads it.
[[nodiscard]] std::string target_of(request_id const& request);
[[nodiscard]] request_id request_of(std::string const& target) noexcept;

/// Serves from its construction to its destruction, on a thread of its own.
class server {
public:
    /// Throws `boost::system::system_error` if the port is taken.
    server(fault_script const& script, meter& counts, std::uint16_t port);
    server(server const&) = delete;
    server& operator=(server const&) = delete;
    ~server();

    [[nodiscard]] endpoint address() const { return acceptor_.local_endpoint(); }

private:
    asio::awaitable<void> accept();
    asio::awaitable<void> serve(server_connection peer);

    fault_script const& script_;
    meter& counts_;
    asio::io_context context_{1};
    asio::ip::tcp::acceptor acceptor_;
    std::thread thread_;
};

}  // namespace flaky
#endif  // FLAKY_SERVER_HPP
