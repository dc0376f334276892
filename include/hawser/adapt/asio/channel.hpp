// SPDX-License-Identifier: BSL-1.0
//
// async_send and async_receive: a channel's ends for suspended operations, with any token.
//
//     co_await async_send(jobs, executor, next, asio::use_awaitable);
//     auto job = co_await async_receive(jobs, executor, asio::use_awaitable);
#ifndef HAWSER_ADAPT_ASIO_CHANNEL_HPP
#define HAWSER_ADAPT_ASIO_CHANNEL_HPP

#include <hawser/adapt/asio/detail/call_block.hpp>
#include <hawser/adapt/asio/detail/channel_ends.hpp>
#include <hawser/adapt/asio/detail/handler_executor.hpp>
#include <hawser/run/basic_channel.hpp>
#include <hawser/run/channel.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>

#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

namespace detail {

/// A handler that is told of success later, on its executor, to which the message is posted.
template <class Handler>
class sent_message {
public:
    using allocator_type =
        boost::asio::associated_allocator_t<Handler, boost::asio::recycling_allocator<void>>;

    explicit sent_message(Handler&& handler) : handler_{std::move(handler)} {}

    [[nodiscard]] allocator_type get_allocator() const noexcept {
        return boost::asio::get_associated_allocator(handler_,
                                                     boost::asio::recycling_allocator<void>{});
    }
    void operator()() { std::move(handler_)(boost::system::error_code{}); }

protected:
    Handler handler_;
};
template <class Handler, class Executor>
class dispatched_sent_message : public sent_message<Handler> {
public:
    using executor_type = handler_executor_t<Handler, Executor>;
    dispatched_sent_message(Handler&& handler, Executor const& own)
        : sent_message<Handler>{std::move(handler)},
          executor_{handler_executor(this->handler_, own)} {}
    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }

private:
    executor_type executor_;
};

template <class Handler, class Executor>
void post_sent(Executor const& own, Handler&& handler) {
    if constexpr (takes_posts<handler_executor_t<Handler, Executor>>) {
        auto const target = handler_executor(handler, own);
        boost::asio::post(target, sent_message<Handler>{std::move(handler)});
    } else {
        boost::asio::post(own, dispatched_sent_message<Handler, Executor>{std::move(handler), own});
    }
}

/// Sends `value` if it need not wait.
template <class Core, class T>
[[nodiscard]] passage send_now(Core& core, T& value) {
    if (core.send_at_once(value)) return passage::done;
    auto const answer = core.send_by_lock(value, nullptr);
    return answer.result;
}

template <class Operation, class Allocator, class... Arguments>
void start_in_block(Allocator const& allocator, Arguments&&... arguments) {
    auto* const operation = make_in_block<Operation>(allocator, [&](void* memory) {
        return ::new (memory) Operation(std::forward<Arguments>(arguments)...);
    });
    operation->start();
}

template <class Channel, class Executor>
struct send_initiation {
    using executor_type = Executor;
    using value_type = typename Channel::value_type;
    [[nodiscard]] executor_type get_executor() const noexcept { return executor; }

    Channel& to;
    Executor executor;

    template <class Handler>
    void operator()(Handler&& handler, value_type value) const {
        using handler_type = std::decay_t<Handler>;
        if (send_now(to.core(), value) == passage::done)
            return post_sent(executor, handler_type(std::forward<Handler>(handler)));
        handler_type waiting(std::forward<Handler>(handler));
        start_in_block<send_op<Channel, handler_type, Executor>>(
            boost::asio::get_associated_allocator(waiting,
                                                  boost::asio::recycling_allocator<void>{}),
            to, executor, std::move(waiting), std::move(value));
    }
};

template <class Channel, class Executor>
struct receive_initiation {
    using executor_type = Executor;
    [[nodiscard]] executor_type get_executor() const noexcept { return executor; }

    Channel& from;
    Executor executor;

    template <class Handler>
    void operator()(Handler&& handler) const {
        using handler_type = std::decay_t<Handler>;
        handler_type waiting(std::forward<Handler>(handler));
        start_in_block<receive_op<Channel, handler_type, Executor>>(
            boost::asio::get_associated_allocator(waiting,
                                                  boost::asio::recycling_allocator<void>{}),
            from, executor, std::move(waiting));
    }
};

}  // namespace detail

/// Sends `value` into `to`, and completes `token` as `void(error_code)` once there was room for it.
///
/// Completion: on the handler's associated executor, by default `executor`, never inside this
/// function. Errors: `errc::closed`, `errc::overloaded` (as many wait as may, or the policy of a
/// `buffered_channel` refuses the value), `errc::too_large`, and `operation_aborted` after a
/// cancel; the value is gone with the operation then. A value that was taken before the cancel came
/// is sent, and the operation succeeds. What a merge throws is thrown by this function, or, where
/// that runs for a coroutine, by `run`: nothing is sent then, and the handler is destroyed.
///
/// Cancellation: through the handler's slot, of any type, emitted where its handlers run.
/// Lifetime:     `to` must live until the operation has completed or, with its context, been
///               destroyed; a sender that is destroyed so has sent nothing, or all of it. The
///               context of the handler's executor may be destroyed while others use the channel.
/// Threads:      may be called on any thread; the handler's executor must serialise if the
///               operation is cancelled.
/// Cost:         with room, a post; else a block from the handler's allocator, recycled by default,
///               and a post.
template <class T, class Core, class Environment, class Executor, class Token>
auto async_send(basic_channel<T, Core, Environment>& to, Executor const& executor,
                std::type_identity_t<T> value, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        detail::send_initiation<basic_channel<T, Core, Environment>, Executor>{to, executor}, token,
        std::move(value));
}

/// Receives the oldest value of `from`, and completes `token` as `void(error_code, T)` once there
/// is one.
///
/// As `async_send`. With an error there is an empty `T`, which must be default-constructible;
/// `errc::closed` says that nothing is left and nothing will come. An operation that is cancelled,
/// or destroyed with its context, takes no value along: it looks for one where it completes, and
/// if that one has gone to another meanwhile, waits again, behind those that wait. The
/// exception is a channel without capacity, where a value that was handed over is gone with a
/// context that is destroyed before the operation completes.
template <class T, class Core, class Environment, class Executor, class Token>
auto async_receive(basic_channel<T, Core, Environment>& from, Executor const& executor,
                   Token&& token) {
    static_assert(
        std::is_default_constructible_v<T>,
        "hawser: an error completes with an empty value beside its code, so what a channel "
        "hands to async_receive must be default-constructible: keep it in an optional");
    return boost::asio::async_initiate<Token, void(boost::system::error_code, T)>(
        detail::receive_initiation<basic_channel<T, Core, Environment>, Executor>{from, executor},
        token);
}

}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_ASIO_CHANNEL_HPP
