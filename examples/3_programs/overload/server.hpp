// SPDX-License-Identifier: BSL-1.0
//
// The server: workers and the queue before them, in virtual time.
//
//     ask --> queue, in order --> worker --> the caller, or nobody if it has left
//        \--> turned away where the queue is full
#ifndef OVERLOAD_SERVER_HPP
#define OVERLOAD_SERVER_HPP

#include "world.hpp"

#include <hawser/testing/asio_time.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace overload {

/// A request, from when it is sent until the server is through with it.
class request {
public:
    explicit request(std::uint64_t number) noexcept : number_{number} {}
    request(request const&) = delete;
    request& operator=(request const&) = delete;
    virtual ~request() = default;

    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

    /// Tells the caller, if it is still there.
    virtual void answer(boost::system::error_code said) = 0;

private:
    std::uint64_t number_;
};

/// A request whose caller is an Asio handler. A caller that cancels has left at once, and the
/// request stays.
template <class Handler>
class request_of final : public request {
    using executor_type =
        boost::asio::associated_executor_t<Handler, boost::asio::io_context::executor_type>;

public:
    request_of(std::uint64_t number, Handler&& caller, boost::asio::io_context& io)
        : request{number},
          executor_{boost::asio::get_associated_executor(caller, io.get_executor())},
          slot_{boost::asio::get_associated_cancellation_slot(caller)},
          caller_{std::move(caller)} {
        if (slot_.is_connected())
            slot_.assign([this](boost::asio::cancellation_type) {
                tell(boost::asio::error::operation_aborted);
            });
    }
    ~request_of() override {
        if (caller_ && slot_.is_connected()) slot_.clear();
    }

    void answer(boost::system::error_code said) override {
        if (caller_ && slot_.is_connected()) slot_.clear();
        tell(said);
    }

private:
    void tell(boost::system::error_code said) {
        if (!caller_) return;
        boost::asio::post(executor_, [caller = std::move(*caller_), slot = slot_, said]() mutable {
            if (slot.is_connected()) slot.clear();
            std::move(caller)(said);
        });
        caller_.reset();
    }

    executor_type executor_;
    boost::asio::associated_cancellation_slot_t<Handler> slot_;
    std::optional<Handler> caller_;  ///< Empty once it knows.
};

/// Where requests wait and are worked on. For one thread, that of `time`.
class server {
public:
    server(boost::asio::io_context& io, hawser::testing::asio_time& time, scene const& played);
    server(server const&) = delete;
    server& operator=(server const&) = delete;
    ~server();

    /// Sends request `number`, which takes the same work whoever asks for it, and when. Completes
    /// with no error when it is served, and with `connection_refused` when it is turned away.
    template <class Token>
    auto ask(std::uint64_t number, Token&& token) {
        auto const initiate = [this, number](auto&& handler) {
            using handler_type = std::decay_t<decltype(handler)>;
            take(std::make_unique<request_of<handler_type>>(number, std::move(handler), io_));
        };
        return boost::asio::async_initiate<Token, void(boost::system::error_code)>(initiate, token);
    }

    /// Requests that wait or are worked on, whether or not anybody waits for them.
    [[nodiscard]] std::size_t inside() const noexcept { return queue_.size() + busy_; }

private:
    class worker;

    void take(std::unique_ptr<request> next);
    void serve();
    [[nodiscard]] duration work_of(std::uint64_t number) const noexcept;

    boost::asio::io_context& io_;
    hawser::testing::asio_time& time_;
    hawser::testing::manual_deadlines& deadlines_;
    scene const& played_;
    time_point start_;
    std::deque<std::unique_ptr<request>> queue_;
    std::vector<std::unique_ptr<worker>> workers_;
    std::vector<worker*> idle_;
    std::size_t busy_ = 0;
};

}  // namespace overload
#endif  // OVERLOAD_SERVER_HPP
