// SPDX-License-Identifier: BSL-1.0
//
// Listens where a Redis server would, and answers everything with what the test says.
#ifndef HAWSER_TESTS_SUPPORT_REDIS_IMPOSTOR_HPP
#define HAWSER_TESTS_SUPPORT_REDIS_IMPOSTOR_HPP

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace support {

/// Serves one client at a time, on a port of its own: `answer` to each request, but to one that
/// loads a script a name for it.
class redis_impostor {
public:
    explicit redis_impostor(std::string answer) : answer_{std::move(answer)} {
        listening_ = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        if (::bind(listening_, reinterpret_cast<sockaddr*>(&at), size) != 0 ||
            ::listen(listening_, 16) != 0 ||
            ::getsockname(listening_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
            throw std::runtime_error{"the impostor cannot listen"};
        port_ = ntohs(at.sin_port);
        thread_ = std::jthread{[this](std::stop_token const& stop) { run(stop); }};
    }
    redis_impostor(redis_impostor const&) = delete;
    redis_impostor& operator=(redis_impostor const&) = delete;
    ~redis_impostor() {
        thread_.request_stop();
        thread_.join();
        ::close(listening_);
    }

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    static bool is_ready(int socket) {
        pollfd one{socket, POLLIN, 0};
        return ::poll(&one, 1, 5) > 0;
    }
    void run(std::stop_token const& stop) {
        while (!stop.stop_requested()) {
            if (!is_ready(listening_)) continue;
            auto const client = ::accept(listening_, nullptr, nullptr);
            serve(client, stop);
            ::close(client);
        }
    }
    void serve(int client, std::stop_token const& stop) {
        std::array<char, 65536> buffer{};
        std::string const name = "$40\r\n" + std::string(40, 'a') + "\r\n";
        while (!stop.stop_requested()) {
            if (!is_ready(client)) continue;
            auto const size = ::recv(client, buffer.data(), buffer.size(), 0);
            if (size <= 0) return;
            std::string const asked{buffer.data(), static_cast<std::size_t>(size)};
            auto const& said = asked.find("LOAD") != std::string::npos ? name : answer_;
            ::send(client, said.data(), said.size(), MSG_NOSIGNAL);
        }
    }

    std::string const answer_;
    std::uint16_t port_ = 0;
    int listening_ = -1;
    std::jthread thread_;
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_REDIS_IMPOSTOR_HPP
