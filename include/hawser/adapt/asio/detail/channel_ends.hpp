// SPDX-License-Identifier: BSL-1.0
//
// The suspended operations at the two ends of a channel.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_CHANNEL_ENDS_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_CHANNEL_ENDS_HPP

#include <hawser/adapt/asio/detail/channel_op.hpp>
#include <hawser/run/detail/channel_news.hpp>

#include <optional>
#include <utility>

namespace hawser::inline v0::detail {

template <class Channel, class Handler, class Executor>
class send_op final
    : public channel_op<send_op<Channel, Handler, Executor>, Channel, Handler, Executor> {
    using base = channel_op<send_op, Channel, Handler, Executor>;
    using T = typename Channel::value_type;
    friend base;

public:
    send_op(Channel& channel, Executor const& executor, Handler&& handler, T&& sends)
        : base{channel, executor, std::move(handler)}, sends_{std::move(sends)} {}

    void start() {
        this->connect();
        this->wait();
    }

    void told() {
        if (this->at_once_ != passage::waits) return this->complete(transfer_of(this->at_once_));
        if (!this->granted) return this->complete(transfer::cancelled);
        this->complete(this->turned_away ? transfer::closed : transfer::done);
    }

private:
    static constexpr auto end = end_of::sender;

    passage queue() {  // A merge may throw.
        auto const answer = this->core().send_by_lock(sends_, this);
        return answer.result;
    }
    withdrawn leave() noexcept { return this->core().withdraw_sender(*this); }
    void pass_on() noexcept {}

    T sends_;
};

template <class Channel, class Handler, class Executor>
class receive_op final
    : public channel_op<receive_op<Channel, Handler, Executor>, Channel, Handler, Executor> {
    using base = channel_op<receive_op, Channel, Handler, Executor>;
    using T = typename Channel::value_type;
    friend base;

public:
    receive_op(Channel& channel, Executor const& executor, Handler&& handler)
        : base{channel, executor, std::move(handler)} {}

    void start() {
        this->connect();
        if (this->core().size() != 0) return this->say(passage::done);
        this->wait();
    }

    void told() {
        auto got = std::move(this->given);
        if (got) return this->complete(transfer::done, std::move(*got));
        if (this->cancelled_) {
            pass_on();
            return this->complete(transfer::cancelled, T{});
        }
        if (this->at_once_ == passage::closed || this->at_once_ == passage::crowded)
            return this->complete(transfer_of(this->at_once_), T{});
        if (this->core().receive_at_once(got))
            return this->complete(transfer::done, std::move(*got));
        auto const said = look(got);
        if (got) return this->complete(transfer::done, std::move(*got));
        if (said == passage::closed) return this->complete(transfer::closed, T{});
        this->granted = false;
        this->wait();
    }

private:
    static constexpr auto end = end_of::receiver;

    /// Who is let in is told before the sink and the handler are: either may take its time.
    passage look(std::optional<T>& into) noexcept {
        auto const answer = this->core().receive_by_lock(into, nullptr);
        return answer.result;
    }
    passage queue() noexcept {
        auto const answer = this->core().await_value(*this);
        return answer.result;
    }
    withdrawn leave() noexcept { return this->core().withdraw_receiver(*this); }
    void pass_on() noexcept {
        if (this->granted) (void)leave();
    }
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_CHANNEL_ENDS_HPP
