// SPDX-License-Identifier: BSL-1.0
//
// from_channel: what a channel holds, as a flow.
#ifndef HAWSER_RUN_DEMAND_FROM_CHANNEL_HPP
#define HAWSER_RUN_DEMAND_FROM_CHANNEL_HPP

#include <hawser/base/error.hpp>
#include <hawser/run/basic_channel.hpp>
#include <hawser/run/demand/flow.hpp>
#include <hawser/run/demand/subscriber.hpp>
#include <hawser/run/detail/channel_news.hpp>
#include <hawser/run/detail/channel_rows.hpp>
#include <hawser/run/transfer.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace hawser::inline v0::demand {

namespace detail {

using hawser::detail::end_of;
using hawser::detail::passage;

/// Waits at a channel for a flow, and wakes it. Outlives the flow until its bell has rung.
template <class Core>
class channel_wakeup final : public Core::node_type {
    using node = typename Core::node_type;
    enum class state : std::uint8_t { idle, queued, told };

public:
    channel_wakeup() noexcept : node{&ring} {}

    void start(std::weak_ptr<wakeable> whose) noexcept { flow_ = std::move(whose); }

    /// Whether the bell is still to ring. Told, it is ready to be queued again.
    [[nodiscard]] bool is_queued() noexcept {
        // Acquire: what the bell did to the node.
        auto const now = state_.load(std::memory_order_acquire);
        if (now == state::told) {
            this->granted = false;
            state_.store(state::idle, std::memory_order_relaxed);
        }
        return now == state::queued;
    }

    /// Queues `self` to wake its flow. Requires that it is not queued.
    static passage queue(std::shared_ptr<channel_wakeup> const& self, Core& core) noexcept {
        self->self_ = self;
        self->state_.store(state::queued, std::memory_order_relaxed);
        auto const answer = core.await_value(*self);
        if (answer.result != passage::waits) {
            self->state_.store(state::idle, std::memory_order_relaxed);
            self->self_.reset();
        }
        return answer.result;
    }

    void wake() const noexcept {
        if (auto const woken = flow_.lock()) woken->wake();
    }

    /// The flow is over: what the node was told of is for another.
    void leave(Core& core) noexcept {
        if (state_.load(std::memory_order_acquire) == state::idle) return;
        auto const out = core.withdraw_receiver(*this);
        if (!out.bell_will_ring) self_.reset();
    }

private:
    static void ring(waiter& rung) noexcept {
        auto& me = static_cast<channel_wakeup&>(static_cast<node&>(rung));
        auto const stays = std::move(me.self_);
        me.state_.store(state::told, std::memory_order_release);
        stays->wake();
    }

    std::weak_ptr<wakeable> flow_;
    std::shared_ptr<channel_wakeup> self_;  ///< While it is queued.
    std::atomic<state> state_{state::idle};
};

template <class T, class Core, class News>
class channel_source {
public:
    using value_type = T;

    channel_source(Core& core, News const& news) : core_{core}, news_{news} {}

    void start(std::shared_ptr<wakeable> self) noexcept { wakeup_->start(std::move(self)); }

    /// Asked with demand and without: so the end of the channel is noticed at once, but for one
    /// without capacity, at which nobody may stand who does not take what he is given.
    [[nodiscard]] bool ended() {
        if (core_.capacity() == 0)
            return !wakeup_->is_queued() && !wakeup_->given && core_.closed();
        if (wakeup_->is_queued() || core_.size() != 0) return false;
        return await();
    }

    std::optional<T> next() {
        std::optional<T> got;
        if (wakeup_->is_queued()) return got;
        if (wakeup_->given) return std::exchange(wakeup_->given, std::nullopt);
        if (core_.receive_at_once(got)) return got;
        (void)core_.receive_by_lock(got, nullptr);
        if (!got && core_.capacity() == 0) (void)await();
        return got;
    }

    void close() noexcept { wakeup_->leave(core_); }

private:
    /// Whether the channel has ended; else the flow is woken when there is something.
    [[nodiscard]] bool await() {
        switch (channel_wakeup<Core>::queue(wakeup_, core_)) {
            case passage::closed: return true;
            case passage::done: wakeup_->wake(); return false;
            case passage::waits: return false;
            default: break;
        }
        // It may not wait, and that is no wait that has ended.
        auto const what = news_.ended(end_of::receiver, {}, transfer::crowded, core_);
        throw refused{{code_of(what), {}, news_.name()}};
    }

    Core& core_;
    News const& news_;
    std::shared_ptr<channel_wakeup<Core>> const wakeup_ = std::make_shared<channel_wakeup<Core>>();
};

}  // namespace detail

/// Made by `from_channel`.
template <class T, class Core, class News>
class channel_publisher {
public:
    using value_type = T;

    channel_publisher(Core& core, News const& news) noexcept : core_{&core}, news_{&news} {}

    template <subscriber<T> S>
    void subscribe(S to) const {
        flow<detail::channel_source<T, Core, News>, S>::begin(std::move(to), *core_, *news_);
    }

private:
    Core* core_;
    News const* news_;
};

/// Publishes what is received from a channel, and completes when that is closed and empty. Several
/// subscribers share what there is.
///
/// Nothing is taken that was not asked for, and a flow that is cancelled leaves the rest in the
/// channel: with a channel without capacity, but for a value that was being handed to it. Items are
/// sent by whichever thread asks for them, or sends to the channel, before its call returns. Where
/// as many wait at the channel as may, the flow ends with a `refused`, `overloaded`.
///
/// The channel must live until the flow has ended or was cancelled.
template <class T, class Core, class Environment>
[[nodiscard]] auto from_channel(basic_channel<T, Core, Environment>& from) {
    using news_type = typename basic_channel<T, Core, Environment>::news_type;
    return channel_publisher<T, Core, news_type>{from.core(), from.news()};
}

}  // namespace hawser::inline v0::demand
#endif  // HAWSER_RUN_DEMAND_FROM_CHANNEL_HPP
