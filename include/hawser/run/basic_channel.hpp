// SPDX-License-Identifier: BSL-1.0
//
// What every channel can do, whatever is between its ends.
#ifndef HAWSER_RUN_BASIC_CHANNEL_HPP
#define HAWSER_RUN_BASIC_CHANNEL_HPP

#include <hawser/base/time.hpp>
#include <hawser/compose/environment.hpp>
#include <hawser/run/detail/channel_news.hpp>
#include <hawser/run/detail/parked_end.hpp>
#include <hawser/run/transfer.hpp>

#include <cstddef>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// The verbs of a channel. Made as a `channel` or a `buffered_channel`; taken by reference where it
/// does not matter which.
///
/// `send` and `receive` wait, block their thread, and end when the other end has come, when the
/// channel is closed, when the time is over, or when a stop is requested.
///
/// Thread safety: all members may be called concurrently, but for the destructor, which requires
///                that no operation is under way: close the channel, and see its users end.
template <class T, class Core, call_environment Environment>
class basic_channel {
    using parked = detail::parked_end<T, Environment>;

public:
    using value_type = T;
    using core_type = Core;
    using news_type = detail::channel_news<Environment>;

    basic_channel(basic_channel const&) = delete;
    basic_channel& operator=(basic_channel const&) = delete;

    /// Sends `value`; waits while there is no room, or until `stop` is requested. On any answer but
    /// success `value` is as it was. A thread that is cancelled (`pthread_cancel`) while it waits
    /// has sent nothing, unless its value had been taken by then.
    sent send(T&& value, std::stop_token const& stop = {}) {
        return send_until(no_deadline, std::move(value), stop);
    }
    sent send(T const& value, std::stop_token const& stop = {}) { return send(T(value), stop); }

    /// As `send`, until `until` at most: `timed_out` then. Where there is room, time does not
    /// matter.
    sent send_until(time_point until, T&& value, std::stop_token const& stop = {}) {
        if (core_.send_at_once(value)) [[likely]]
            return transfer::done;
        return parked::send(core_, news_, value, until, stop);
    }
    sent send_until(time_point until, T const& value, std::stop_token const& stop = {}) {
        return send_until(until, T(value), stop);
    }

    /// Sends `value` if there is room and nobody waits to send; else `would_wait`. Never waits.
    sent try_send(T&& value) {
        if (core_.send_at_once(value)) [[likely]]
            return transfer::done;
        auto const answer = core_.send_by_lock(value, nullptr);
        auto const what = detail::transfer_of(answer.result);
        // Who would have to wait is not told of; who is refused, waiting or not, is.
        if (answer.result != detail::passage::none)
            news_.ended(detail::end_of::sender, {}, what, core_);
        return what;
    }
    sent try_send(T const& value) { return try_send(T(value)); }

    /// Receives the oldest value; waits while there is none, or until `stop` is requested. A thread
    /// that is cancelled (`pthread_cancel`) while it waits takes no value along; without capacity,
    /// one that it had been given by then goes with it.
    received<T> receive(std::stop_token const& stop = {}) {
        return receive_until(no_deadline, stop);
    }

    /// As `receive`, until `until` at most: `timed_out` then. A value that is there is received
    /// whatever the time.
    received<T> receive_until(time_point until, std::stop_token const& stop = {}) {
        received<T> got;
        if (core_.receive_at_once(detail::slot_of(got))) [[likely]]
            return got;
        detail::end_with(got, parked::receive(core_, news_, detail::slot_of(got), until, stop));
        return got;
    }

    /// Receives the oldest value if there is one; else `would_wait`, or `closed` if none will be.
    received<T> try_receive() {
        received<T> got;
        if (core_.receive_at_once(detail::slot_of(got))) [[likely]]
            return got;
        auto const answer = core_.receive_by_lock(detail::slot_of(got), nullptr);
        detail::end_with(got, detail::transfer_of(answer.result));
        return got;
    }

    /// Lets nothing more in; what is in is still received. Once is enough, twice does nothing.
    void close() noexcept {
        auto closing = core_.close();
        closing.to_wake.ring_all();
        if (closing.first) news_.closed(closing.left);
    }

    [[nodiscard]] bool is_closed() const noexcept { return core_.closed(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return core_.capacity(); }

    /// Values in it. Out of date at once.
    [[nodiscard]] std::size_t size() const noexcept { return core_.size(); }

    /// For adapters.
    [[nodiscard]] core_type& core() noexcept { return core_; }
    [[nodiscard]] news_type const& news() const noexcept { return news_; }

protected:
    /// The core is made of `parts`; one that has something to tell itself, with the news in front.
    template <class... Parts>
    basic_channel(Environment env, char const* name, Parts&&... parts)
        : news_{std::move(env), name}, core_(make_core(std::forward<Parts>(parts)...)) {}
    ~basic_channel() = default;

private:
    template <class... Parts>
    core_type make_core(Parts&&... parts) {
        if constexpr (std::is_constructible_v<core_type, news_type const&, Parts...>)
            return core_type(news_, std::forward<Parts>(parts)...);
        else
            return core_type(std::forward<Parts>(parts)...);
    }

    news_type news_;
    core_type core_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RUN_BASIC_CHANNEL_HPP
