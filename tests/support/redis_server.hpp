// SPDX-License-Identifier: BSL-1.0
//
// A Redis server of the test's own: on a free port of loopback, in a folder of its own, gone with
// the object. And other programs of the test's own, that run beside it.
#ifndef HAWSER_TESTS_SUPPORT_REDIS_SERVER_HPP
#define HAWSER_TESTS_SUPPORT_REDIS_SERVER_HPP

#include <hawser/adapt/redis/connection.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace support {

/// Exit code of a test program that cannot run here, as CMake knows it.
inline constexpr int skipped = 77;

/// Waits until the time of another machine, the server, has moved on.
inline void pass(hawser::duration time) { std::this_thread::sleep_for(time); }

/// A process that this one started, and ends.
class child_process {
public:
    /// Runs a program; what it writes goes to `output`, or nowhere.
    child_process(std::vector<std::string> arguments, int output = -1) {
        std::vector<char*> words;
        for (auto& argument : arguments) words.push_back(argument.data());
        words.push_back(nullptr);
        auto const parent = ::getpid();
        id_ = ::fork();
        if (id_ < 0) throw std::runtime_error{"fork failed"};
        if (id_ != 0) return;
        // A test that crashes leaves nothing running.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(127);
        ::dup2(output >= 0 ? output : ::open("/dev/null", O_WRONLY), STDOUT_FILENO);
        ::execvp(words[0], words.data());
        ::_exit(127);
    }
    child_process(child_process&& other) noexcept : id_{std::exchange(other.id_, -1)} {}
    child_process& operator=(child_process&&) = delete;
    ~child_process() { end(SIGKILL); }

    void signal(int number) const {
        if (id_ > 0) ::kill(id_, number);
    }
    /// Waits for it to end by itself, and gives its exit code; -1 if it was killed.
    int wait() {
        int status = 0;
        if (id_ > 0) ::waitpid(std::exchange(id_, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    void end(int number) {
        signal(number);
        wait();
    }
    [[nodiscard]] bool has_ended() {
        if (id_ > 0 && ::waitpid(id_, nullptr, WNOHANG) == id_) id_ = -1;
        return id_ <= 0;
    }

private:
    pid_t id_ = -1;
};

/// A port on which nothing listens. Another program may take it before the caller does.
inline std::uint16_t free_port() {
    auto const socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    bool const bound = ::bind(socket, reinterpret_cast<sockaddr*>(&at), size) == 0 &&
                       ::getsockname(socket, reinterpret_cast<sockaddr*>(&at), &size) == 0;
    ::close(socket);
    if (!bound) throw std::runtime_error{"no port is free"};
    return ntohs(at.sin_port);
}

/// Runs from its construction on. Keeps its data only if told to. Where redis-server is not
/// installed, the program ends as one that was skipped.
class redis_server {
public:
    explicit redis_server(std::vector<std::string> more = {}) : more_{std::move(more)} {
        if (std::system("command -v redis-server >/dev/null") != 0) {
            std::puts("skipped: redis-server is not installed");
            std::fflush(stdout);
            std::_Exit(skipped);
        }
        auto pattern = (std::filesystem::temp_directory_path() / "hawser-redis-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"no folder"};
        folder_ = pattern;
        for (int attempt = 0;; ++attempt) {
            port_ = free_port();
            if (try_start()) return;
            if (attempt == 4) throw std::runtime_error{"redis-server does not start"};
        }
    }
    redis_server(redis_server const&) = delete;
    redis_server& operator=(redis_server const&) = delete;
    ~redis_server() {
        kill();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] hawser::redis_endpoint endpoint() const { return {.port = port_}; }

    void kill() { running_.clear(); }
    /// Starts it again where it was.
    void start() {
        if (!try_start()) throw std::runtime_error{"redis-server does not start again"};
    }
    /// It keeps its connections, and answers nothing until `resume`.
    void pause() { running_.front().signal(SIGSTOP); }
    void resume() { running_.front().signal(SIGCONT); }

    /// What it answers to a command, in words.
    std::string tell(std::vector<std::string_view> const& words) const {
        auto const deadline = hawser::steady_clock_source{}.now() + std::chrono::seconds{10};
        hawser::redis_connection connection{endpoint()};
        if (!connection.open(deadline)) return connection.why();
        auto const reply = connection.command(words, deadline);
        if (!reply) return connection.why();
        return reply->type == REDIS_REPLY_INTEGER ? std::to_string(reply->integer)
               : reply->str != nullptr            ? std::string{reply->str, reply->len}
                                                  : std::string{};
    }

private:
    bool try_start() {
        std::vector<std::string> arguments{"redis-server", "--port",    std::to_string(port_),
                                           "--bind",       "127.0.0.1", "--dir",
                                           folder_,        "--save",    ""};
        arguments.insert(arguments.end(), more_.begin(), more_.end());
        running_.clear();
        running_.emplace_back(arguments);
        for (int i = 0; i != 2'000 && !running_.front().has_ended(); ++i) {
            auto const answer = tell({"PING"});
            if (answer == "PONG" || answer.substr(0, 6) == "NOAUTH") return true;
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
        }
        return false;
    }

    std::vector<std::string> more_;
    std::string folder_;
    std::uint16_t port_ = 0;
    std::vector<child_process> running_;
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_REDIS_SERVER_HPP
