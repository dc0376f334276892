// SPDX-License-Identifier: BSL-1.0
//
// co_send and co_receive: a channel's ends for coroutines, which suspend only if they have to wait.
//
//     while (auto job = co_await co_receive(jobs)) work_on(*job);
#ifndef HAWSER_ADAPT_ASIO_CO_CHANNEL_HPP
#define HAWSER_ADAPT_ASIO_CO_CHANNEL_HPP

#include <hawser/adapt/asio/channel.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

namespace detail {

/// Whether it is time to let others run: every so often, of all that a thread sends and receives.
/// As often as costs a coroutine about a nanosecond for each.
[[nodiscard]] inline bool gives_way() noexcept {
    static constinit thread_local std::uint32_t count = 0;
    return ++count % 128 == 0;
}

[[nodiscard]] inline transfer transfer_of(boost::system::error_code const& error) noexcept {
    if (!error) return transfer::done;
    if (error == make_error_code(errc::closed)) return transfer::closed;
    if (error == make_error_code(errc::too_large)) return transfer::too_large;
    return error == boost::asio::error::operation_aborted ? transfer::cancelled : transfer::crowded;
}

}  // namespace detail

/// Receives the oldest value, and suspends only if there is none. Every so often it lets others on
/// its executor run first, so that two coroutines that feed each other do not keep a thread.
///
/// Does not throw for what the channel says: the answer is a `received`, as on a thread. As any
/// `co_await`, it throws `operation_aborted` in a coroutine that was cancelled before it waits.
/// Otherwise as `async_receive`, on the coroutine's own executor. Cost: a coroutine frame,
/// recycled; a value that is there costs no post.
///
/// It takes a value that is there at once, before anybody can cancel it. So not for a race of
/// several (`||`), of which only one is to take a value: those are for `async_receive`.
template <class T, class Core, class Environment>
boost::asio::awaitable<received<T>> co_receive(basic_channel<T, Core, Environment>& from) {
    if (detail::gives_way())
        co_await boost::asio::post(co_await boost::asio::this_coro::executor,
                                   boost::asio::use_awaitable);
    auto got = from.try_receive();
    if (got.what() == transfer::would_wait) {
        auto const executor = co_await boost::asio::this_coro::executor;
        boost::system::error_code error;
        auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
        auto value = co_await async_receive(from, executor, token);
        if (!error) detail::slot_of(got).emplace(std::move(value));
        detail::end_with(got, detail::transfer_of(error));
    }
    co_return got;
}

/// Sends `value`, and suspends only if there is no room, or others wait. As `co_receive`. What a
/// merge throws is thrown here, or, if it had to wait for room by weight first, by `run`.
template <class T, class Core, class Environment>
boost::asio::awaitable<sent> co_send(basic_channel<T, Core, Environment>& to,
                                     std::type_identity_t<T> value) {
    if (detail::gives_way())
        co_await boost::asio::post(co_await boost::asio::this_coro::executor,
                                   boost::asio::use_awaitable);
    auto const tried = detail::send_now(to.core(), value);
    if (tried != detail::passage::none)
        co_return to.news().ended(detail::end_of::sender, {}, detail::transfer_of(tried),
                                  to.core());
    auto const executor = co_await boost::asio::this_coro::executor;
    boost::system::error_code error;
    auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
    co_await async_send(to, executor, std::move(value), token);
    co_return sent{detail::transfer_of(error)};
}

}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_ASIO_CO_CHANNEL_HPP
