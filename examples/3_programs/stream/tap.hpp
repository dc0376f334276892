// SPDX-License-Identifier: BSL-1.0
//
// The tap: what the channel's watermarks turn off and on, and the reader looks at before it reads.
//
//     reader's thread:  send --> high mark --> off
//     sink's thread:    receive --> low mark --> on, and a message to the reader's executor
#ifndef STREAM_TAP_HPP
#define STREAM_TAP_HPP

#include <hawser/base/time.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>

namespace stream {

/// Thread safety: all but `until_on`, which is the reader's, are called on any thread.
class tap {
public:
    explicit tap(boost::asio::io_context& reader)
        : reader_{reader}, on_{reader, hawser::time_point::max()} {}

    void turn(bool off) noexcept {
        off_ = off;
        if (!off) wake();
    }

    /// On for good, whatever is still turned: when nobody takes out what would turn it on.
    void give_up() noexcept {
        given_up_ = true;
        wake();
    }
    [[nodiscard]] bool is_off() const noexcept { return off_ && !given_up_; }

    /// A message that it is on cannot come between the look and the wait: it runs where this runs.
    boost::asio::awaitable<void> until_on() {
        while (is_off()) {
            boost::system::error_code cancelled;
            auto token = boost::asio::redirect_error(boost::asio::use_awaitable, cancelled);
            co_await on_.async_wait(token);
        }
    }

private:
    void wake() noexcept {
        boost::asio::post(reader_, [this] { on_.cancel(); });
    }

    boost::asio::io_context& reader_;
    boost::asio::steady_timer on_;  ///< Never due: it is cancelled to wake the reader.
    std::atomic<bool> off_{false}, given_up_{false};
};

/// What the channel calls when a watermark is crossed.
struct turns {
    tap& socket;
    void operator()(bool is_high) const noexcept { socket.turn(is_high); }
};

}  // namespace stream
#endif  // STREAM_TAP_HPP
