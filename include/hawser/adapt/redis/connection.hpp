// SPDX-License-Identifier: BSL-1.0
//
// A connection to a Redis server that keeps its deadlines: by hiredis, which speaks the protocol.
//
// hiredis waits in each read and write anew, so a server that dribbles is waited for without end,
// and its write to a broken connection ends the process by SIGPIPE. Here hiredis connects, formats
// and parses, and this class waits: once, for everything that a command takes.
#ifndef HAWSER_ADAPT_REDIS_CONNECTION_HPP
#define HAWSER_ADAPT_REDIS_CONNECTION_HPP

#include <hawser/base/clock.hpp>
#include <hawser/base/time.hpp>

#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace hawser::inline v0 {

/// Where a Redis server is, and who one is there.
struct redis_endpoint {
    /// An address, or a name. A name is looked up by the system, which no deadline of ours ends:
    /// say an address where that matters. Of several addresses the first is used.
    std::string host = "127.0.0.1";

    std::uint16_t port = 6379;

    /// A Unix socket to use in place of host and port, unless empty.
    std::string path{};

    std::string username{};  ///< For AUTH; may be empty beside a password.
    std::string password{};  ///< No AUTH if empty.

    std::uint32_t database = 0;  ///< For SELECT, unless zero.
};

struct redis_reply_deleter {
    void operator()(redisReply* reply) const noexcept { ::freeReplyObject(reply); }
};
/// What a server answered, errors included; empty if it did not.
using redis_reply = std::unique_ptr<redisReply, redis_reply_deleter>;

/// Whether a reply is an error, and one that begins with `code`.
[[nodiscard]] inline bool is_redis_error(redis_reply const& reply, std::string_view code = {}) {
    return reply && reply->type == REDIS_REPLY_ERROR &&
           std::string_view{reply->str, reply->len}.substr(0, code.size()) == code;
}

/// A script, by its text, and the name under which servers keep it once one has told.
struct redis_script {
    std::string_view text;
    std::string sha{};
};

/// One connection, closed at first. After an answer that did not come in time it is closed again:
/// the answer would be taken for that of the next command.
///
/// An answer of over a million elements is none: the connection is closed.
///
/// Thread safety: none. Not for use by a process forked from the one that opened it.
/// Cost:          a round trip for a command, two for the first of a script. Allocates.
class redis_connection {
public:
    explicit redis_connection(redis_endpoint endpoint) : endpoint_{std::move(endpoint)} {
        why_.reserve(why_max);
    }

    [[nodiscard]] bool is_open() const noexcept { return context_ != nullptr; }
    void close() noexcept { context_.reset(); }

    /// Closes for an error that the server answered with, which `why` then tells.
    void give_up(redis_reply const& error) noexcept {
        fail(is_redis_error(error) ? error->str : "an answer of another shape");
    }

    /// Why the last `open` or command failed; empty if none did.
    [[nodiscard]] std::string const& why() const noexcept { return why_; }

    /// Connects, and says who it is. False if that is not done by `deadline`.
    bool open(time_point deadline) {
        close();
        why_.clear();
        auto const& to = endpoint_;
        context_.reset(to.path.empty() ? ::redisConnectNonBlock(to.host.c_str(), to.port)
                                       : ::redisConnectUnixNonBlock(to.path.c_str()));
        if (!context_) return fail("out of memory");
        if (context_->err != 0) return fail(context_->errstr);
        context_->reader->fn = bounded(context_->reader->fn);
        if (!wait_for(POLLOUT, deadline)) return false;
        int error = 0;
        socklen_t size = sizeof error;
        if (::getsockopt(context_->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
        if (error != 0) return fail(error);
        if (!to.password.empty()) {
            auto const answer = to.username.empty()
                                    ? command({"AUTH", to.password}, deadline)
                                    : command({"AUTH", to.username, to.password}, deadline);
            if (!accepted(answer)) return false;
        }
        return to.database == 0 ||
               accepted(command({"SELECT", std::to_string(to.database)}, deadline));
    }

    /// Sends a command and waits for the answer, which may be an error. None by `deadline`, or on
    /// a broken connection: the server may have carried it out, or still will.
    redis_reply command(std::span<std::string_view const> words, time_point deadline) {
        try {
            return context_ && send(words, deadline) ? receive(deadline) : redis_reply{};
        } catch (...) {  // Out of memory, and perhaps half of the command is sent.
            close();
            throw;
        }
    }
    redis_reply command(std::initializer_list<std::string_view> words, time_point deadline) {
        return command(std::span{words.begin(), words.size()}, deadline);
    }

    /// Runs a script by its name, and by its text where the server does not know it, as after a
    /// restart. The first `keys` of `words` are keys. Answers as `command`.
    redis_reply evaluate(redis_script& script, std::span<std::string_view const> words,
                         std::size_t keys, time_point deadline) {
        if (script.sha.empty()) {
            auto loaded = command({"SCRIPT", "LOAD", script.text}, deadline);
            if (!loaded || loaded->type != REDIS_REPLY_STRING) return loaded;
            script.sha.assign(loaded->str, loaded->len);
        }
        auto const count = std::to_string(keys);
        evaluated_.assign({"EVALSHA", script.sha, count});
        evaluated_.insert(evaluated_.end(), words.begin(), words.end());
        auto reply = command(evaluated_, deadline);
        if (!is_redis_error(reply, "NOSCRIPT")) return reply;
        evaluated_[0] = "EVAL";
        evaluated_[1] = script.text;
        return command(evaluated_, deadline);
    }

private:
    struct context_deleter {
        void operator()(redisContext* context) const noexcept { ::redisFree(context); }
    };

    bool fail(char const* why) noexcept {
        why_.assign(why, ::strnlen(why, why_max));  // Before the context that may hold it is gone.
        close();
        return false;
    }
    bool fail(int error) { return fail(std::generic_category().message(error).c_str()); }

    /// hiredis makes room for as many elements as an answer claims to have, before they are there.
    /// For two thousand million that takes it four seconds, whatever the deadline.
    static redisReplyObjectFunctions* bounded(redisReplyObjectFunctions const* functions) {
        static auto const original = *functions;
        static auto with_bound = [] {
            auto changed = original;
            changed.createArray = [](redisReadTask const* task, auto elements) -> void* {
                constexpr decltype(elements) elements_max = 1 << 20;
                return elements > elements_max ? nullptr : original.createArray(task, elements);
            };
            return changed;
        }();
        return &with_bound;
    }

    bool accepted(redis_reply const& reply) {
        if (reply && reply->type != REDIS_REPLY_ERROR) return true;
        return reply ? fail(reply->str) : false;
    }

    /// Whether the socket is ready, or broken, before the deadline.
    bool wait_for(short what, time_point deadline) {
        for (;;) {
            auto const left = time_between(steady_clock_source{}.now(), deadline);
            // Rounded up: poll would return a little early, again and again.
            auto const ms = std::clamp<std::int64_t>(
                std::chrono::ceil<std::chrono::milliseconds>(std::min<duration>(left, day)).count(),
                0, std::numeric_limits<int>::max());
            pollfd socket{context_->fd, what, 0};
            auto const ready =
                left > duration::zero() ? ::poll(&socket, 1, static_cast<int>(ms)) : 0;
            if (ready > 0) return true;
            if (ready < 0 && errno != EINTR) return fail(errno);
            if (ready == 0 && left <= duration::zero()) return fail("no answer in time");
        }
    }

    bool send(std::span<std::string_view const> words, time_point deadline) {
        starts_.clear();
        sizes_.clear();
        for (auto const& word : words) {
            starts_.push_back(word.data() != nullptr ? word.data() : "");
            sizes_.push_back(word.size());
        }
        char* text = nullptr;
        auto const size = ::redisFormatCommandArgv(&text, static_cast<int>(words.size()),
                                                   starts_.data(), sizes_.data());
        if (size < 0) return fail("out of memory");
        std::unique_ptr<char, void (*)(char*)> const command{text, &::redisFreeCommand};
        for (std::size_t sent = 0, all = static_cast<std::size_t>(size); sent != all;) {
            // A connection that the server closed is an error here, and no signal.
            auto const more = ::send(context_->fd, text + sent, all - sent, MSG_NOSIGNAL);
            if (more >= 0)
                sent += static_cast<std::size_t>(more);
            else if (errno == EAGAIN || errno == EWOULDBLOCK) {
                if (!wait_for(POLLOUT, deadline)) return false;
            } else if (errno != EINTR)
                return fail(errno);
        }
        return true;
    }

    redis_reply receive(time_point deadline) {
        for (;;) {
            void* reply = nullptr;
            if (::redisGetReplyFromReader(context_.get(), &reply) != REDIS_OK) break;
            if (reply != nullptr) return redis_reply{static_cast<redisReply*>(reply)};
            if (!wait_for(POLLIN, deadline)) return {};
            if (::redisBufferRead(context_.get()) != REDIS_OK) break;
        }
        fail(context_->errstr);
        return {};
    }

    static constexpr std::size_t why_max = 127;              ///< As hiredis has it.
    static constexpr duration day = std::chrono::hours{24};  ///< What poll can wait for at once.

    redis_endpoint endpoint_;
    std::unique_ptr<redisContext, context_deleter> context_;
    std::string why_;
    std::vector<std::string_view> evaluated_;
    std::vector<char const*> starts_;
    std::vector<std::size_t> sizes_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_REDIS_CONNECTION_HPP
