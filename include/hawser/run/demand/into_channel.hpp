// SPDX-License-Identifier: BSL-1.0
//
// into_channel: the end of a line that sends each item into a channel.
#ifndef HAWSER_RUN_DEMAND_INTO_CHANNEL_HPP
#define HAWSER_RUN_DEMAND_INTO_CHANNEL_HPP

#include <hawser/base/error.hpp>
#include <hawser/run/basic_channel.hpp>
#include <hawser/run/demand/for_each.hpp>
#include <hawser/run/demand/subscription.hpp>
#include <hawser/run/detail/channel_news.hpp>
#include <hawser/run/detail/channel_rows.hpp>
#include <hawser/run/detail/parked_end.hpp>
#include <hawser/run/transfer.hpp>

#include <atomic>
#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace hawser::inline v0::demand {

namespace detail {

/// The item that waits for room, and what happens when it has found it. Outlives its flow until
/// then.
template <class Channel, class Done>
class channel_inlet final : public Channel::core_type::node_type {
    using node = typename Channel::core_type::node_type;
    using T = typename Channel::value_type;

public:
    channel_inlet(Channel& to, Done done) : node{&ring}, channel_{to}, done_(std::move(done)) {}

    void start(subscription from) noexcept {
        from_ = std::move(from);
        from_.request(1);
    }

    static void send(std::shared_ptr<channel_inlet> const& self, T item) {
        auto& me = *self;
        me.item_.emplace(std::move(item));
        if (me.core().send_at_once(*me.item_)) return me.from_.request(1);
        me.self_ = self;
        me.state_.store(waiting, std::memory_order_relaxed);
        me.begun_ = {};
        me.channel_.news().begin(me.begun_);  // It may be told once it is queued.
        auto const said = me.queue();
        if (said == hawser::detail::passage::waits) return;
        me.waits_not();
        me.begun_ = {};
        auto const what = me.ended(hawser::detail::transfer_of(said));
        if (what == transfer::done) return me.from_.request(1);
        throw me.refused_as(code_of(what));  // It comes back as the flow's error.
    }

    void finish(std::exception_ptr error) noexcept {
        error_ = error;
        // The bell of an item that waits still sees to the end: the item goes before it.
        if ((state_.fetch_or(over, std::memory_order_acq_rel) & waiting) == 0) end(error);
    }

private:
    static constexpr std::uint8_t waiting = 1, over = 2, told = 4;

    static void ring(waiter& rung) noexcept {
        auto& me = static_cast<channel_inlet&>(static_cast<node&>(rung));
        auto const stays = std::move(me.self_);
        auto const sent = !me.turned_away;
        me.granted = false;
        me.ended(sent ? transfer::done : transfer::closed);
        auto const before =
            me.state_.fetch_and(static_cast<std::uint8_t>(~waiting), std::memory_order_acq_rel);
        if (sent) return (before & over) != 0 ? me.end(me.error_) : me.from_.request(1);
        me.from_.cancel();
        me.end(std::make_exception_ptr(me.refused_as(errc::closed)));
    }

    /// Whom the item wakes is told before anything else is done.
    hawser::detail::passage queue() {
        try {
            auto const answer = core().send_by_lock(*item_, this);
            return answer.result;
        } catch (...) {  // A merge may throw.
            waits_not();
            throw;
        }
    }
    void waits_not() noexcept {
        self_.reset();
        state_.store(0, std::memory_order_relaxed);
    }

    /// Once: a flow may end while its last item is being turned away.
    void end(std::exception_ptr error) noexcept {
        if ((state_.fetch_or(told, std::memory_order_acq_rel) & told) != 0) return;
        channel_.close();
        done_(flow_end{std::move(error)});
    }

    [[nodiscard]] auto& core() noexcept { return channel_.core(); }
    [[nodiscard]] refused refused_as(errc why) const {
        return refused{{why, {}, channel_.news().name()}};
    }
    transfer ended(transfer what) noexcept {
        return channel_.news().ended(hawser::detail::end_of::sender, begun_, what, core());
    }

    Channel& channel_;
    Done done_;
    subscription from_;
    std::optional<T> item_;
    std::shared_ptr<channel_inlet> self_;  ///< While the item waits.
    std::atomic<std::uint8_t> state_{0};
    std::exception_ptr error_;  ///< Of a flow that ended while an item waited.
    [[no_unique_address]] typename Channel::news_type::wait_begin begun_{};
};

}  // namespace detail

/// A subscriber: made by `into_channel`.
template <class Channel, class Done>
class channel_end {
    using inlet = detail::channel_inlet<Channel, Done>;

public:
    channel_end(Channel& to, Done done) : inlet_{std::make_shared<inlet>(to, std::move(done))} {}

    void on_subscribe(subscription from) noexcept { inlet_->start(std::move(from)); }
    void on_next(typename Channel::value_type item) { inlet_->send(inlet_, std::move(item)); }
    void on_error(std::exception_ptr why) noexcept { inlet_->finish(std::move(why)); }
    void on_complete() noexcept { inlet_->finish(nullptr); }

private:
    std::shared_ptr<inlet> inlet_;
};

/// A subscriber for `subscribe` that sends each item into `to`, in order, and asks for the next one
/// when that is in: the channel is the buffer. Where there is no room it waits without a thread,
/// and whoever receives carries the flow on.
///
/// At the end of the flow the channel is closed, behind the last item, and `done(flow_end)` is
/// called; it may not throw. A channel that somebody else closes cancels the flow, whose end is a
/// `refused` then, `closed`; so does one that refuses an item (`overloaded`, `too_large`). What a
/// merge of a `buffered_channel` throws is the end of the flow as well.
///
/// The channel must live until `done` has been called.
template <class T, class Core, class Environment, std::invocable<flow_end> Done>
[[nodiscard]] auto into_channel(basic_channel<T, Core, Environment>& to, Done done) {
    return channel_end<basic_channel<T, Core, Environment>, Done>{to, std::move(done)};
}

}  // namespace hawser::inline v0::demand
#endif  // HAWSER_RUN_DEMAND_INTO_CHANNEL_HPP
