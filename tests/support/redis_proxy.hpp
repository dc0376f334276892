// SPDX-License-Identifier: BSL-1.0
//
// Stands between a client and a Redis server, and loses what it is told to lose.
#ifndef HAWSER_TESTS_SUPPORT_REDIS_PROXY_HPP
#define HAWSER_TESTS_SUPPORT_REDIS_PROXY_HPP

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>

namespace support {

/// Serves one client at a time, on a port of its own.
class redis_proxy {
public:
    enum class fault {
        none,
        lose_reply,    ///< The server decides; its answer is lost and the connection breaks.
        hold_request,  ///< The request stays on the way, and the connection breaks.
        dribble,       ///< The answer arrives a byte at a time, and never all of it.
    };

    explicit redis_proxy(std::uint16_t server) : server_{server} {
        listening_ = ::socket(AF_INET, SOCK_STREAM, 0);
        auto at = address(0);
        socklen_t size = sizeof at;
        if (::bind(listening_, reinterpret_cast<sockaddr*>(&at), size) != 0 ||
            ::listen(listening_, 16) != 0 ||
            ::getsockname(listening_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
            throw std::runtime_error{"the proxy cannot listen"};
        port_ = ntohs(at.sin_port);
        thread_ = std::jthread{[this](std::stop_token const& stop) { run(stop); }};
    }
    ~redis_proxy() {
        thread_.request_stop();
        thread_.join();
        ::close(listening_);
        if (held_socket_ >= 0) ::close(held_socket_);
    }

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

    /// What happens to the next request for a script.
    void next(fault what) noexcept { fault_ = what; }
    [[nodiscard]] bool has_happened() const noexcept { return fault_ == fault::none; }

    /// The request that was held arrives after all; returns what the server says to it.
    std::string let_go() {
        send_all(held_socket_, held_);
        std::array<char, 4096> buffer{};
        auto const size = ::recv(held_socket_, buffer.data(), buffer.size(), 0);
        return {buffer.data(), static_cast<std::size_t>(size > 0 ? size : 0)};
    }

private:
    static sockaddr_in address(std::uint16_t port) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        at.sin_port = htons(port);
        return at;
    }
    static void send_all(int socket, std::string const& text) {
        for (std::size_t sent = 0; sent < text.size();) {
            auto const more = ::send(socket, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
            if (more <= 0) return;
            sent += static_cast<std::size_t>(more);
        }
    }
    static bool is_ready(int socket) {
        pollfd one{socket, POLLIN, 0};
        return ::poll(&one, 1, 5) > 0;
    }
    static bool receive(int socket, std::string& text) {
        std::array<char, 65536> buffer{};
        auto const size = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (size <= 0) return false;
        text.assign(buffer.data(), static_cast<std::size_t>(size));
        return true;
    }

    void run(std::stop_token const& stop) {
        while (!stop.stop_requested()) {
            if (!is_ready(listening_)) continue;
            auto const client = ::accept(listening_, nullptr, nullptr);
            auto const server = ::socket(AF_INET, SOCK_STREAM, 0);
            auto const at = address(server_);
            if (::connect(server, reinterpret_cast<sockaddr const*>(&at), sizeof at) == 0)
                serve(client, server, stop);
            ::close(client);
            if (server != held_socket_) ::close(server);
        }
    }
    void serve(int client, int server, std::stop_token const& stop) {
        bool is_script = false;
        for (std::string text; !stop.stop_requested();) {
            std::array<pollfd, 2> both{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
            if (::poll(both.data(), both.size(), 5) <= 0) continue;
            if (both[0].revents != 0) {
                if (!receive(client, text)) return;
                is_script = text.find("EVAL") != std::string::npos;
                if (is_script && fault_ == fault::hold_request) {
                    held_ = text;
                    held_socket_ = server;
                    fault_ = fault::none;
                    return;
                }
                send_all(server, text);
            }
            if (both[1].revents != 0) {
                if (!receive(server, text)) return;
                if (is_script && fault_ == fault::dribble) return dribble(client, text, stop);
                if (is_script && fault_.exchange(fault::none) == fault::lose_reply) return;
                send_all(client, text);
            }
        }
    }
    void dribble(int client, std::string const& text, std::stop_token const& stop) {
        fault_ = fault::none;
        for (std::size_t i = 0; i + 2 < text.size() && !stop.stop_requested(); ++i) {
            send_all(client, text.substr(i, 1));
            if (is_ready(client)) return;  // Waits a little, and sees the client leave.
        }
    }

    std::uint16_t const server_;
    std::uint16_t port_ = 0;
    int listening_ = -1;
    std::atomic<fault> fault_{fault::none};
    std::string held_;
    std::atomic<int> held_socket_{-1};
    std::jthread thread_;
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_REDIS_PROXY_HPP
