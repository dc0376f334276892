// SPDX-License-Identifier: BSL-1.0
//
// A suspended operation of a channel, whichever end it is at.
//
//     queued --(bell, any thread)--> told --(on the handler's executor)--> handler is invoked
//       |                              ^                  |
//       +--(cancelled, there)----------+                  +--> queued: a receiver found nothing
//       any --(the context shuts down)--> handler is destroyed; what it was told of goes on
//
// The registry's lock is a leaf: neither the channel nor the executor is called under it, for what
// they do is the user's in part (a watch, a value's destructor, an executor of one's own), and may
// come back here.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_CHANNEL_OP_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_CHANNEL_OP_HPP

#include <hawser/adapt/asio/completion.hpp>
#include <hawser/adapt/asio/detail/call_block.hpp>
#include <hawser/adapt/asio/detail/call_link.hpp>
#include <hawser/adapt/asio/detail/call_registry.hpp>
#include <hawser/adapt/asio/detail/channel_message.hpp>
#include <hawser/adapt/asio/detail/handler_executor.hpp>
#include <hawser/adapt/asio/detail/slot_link.hpp>
#include <hawser/run/detail/channel_rows.hpp>
#include <hawser/run/transfer.hpp>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/recycling_allocator.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

[[nodiscard]] inline boost::system::error_code transfer_error(transfer what) noexcept {
    return what == transfer::done ? boost::system::error_code{} : completion_code(code_of(what));
}

/// What does not depend on which end the operation waits at. `Self` supplies
///     passage queue()             queues the node, or says why not; what it throws passes through
///     end                         which end that is
///     withdrawn leave() noexcept  takes the node out, unless its bell rings
///     void told()                 the message has come
///     void pass_on() noexcept     what the operation was told of is for another
/// Its parts are touched by one at a time: the initiating function, the handler's executor, and,
/// once the context has shut down, the thread that did so.
template <class Self, class Channel, class Handler, class Executor>
class channel_op : public Channel::core_type::node_type, public registered_call {
    using node = typename Channel::core_type::node_type;
    using default_allocator = boost::asio::recycling_allocator<void>;

public:
    using executor_type = handler_executor_t<Handler, Executor>;
    using allocator_type = boost::asio::associated_allocator_t<Handler, default_allocator>;

    [[nodiscard]] executor_type const& executor() const noexcept { return caller_->executor; }

    /// The handler's cancellation slot was emitted, on its executor.
    void cancel_requested(boost::asio::cancellation_type) noexcept {
        if (std::exchange(cancelled_, true) || at_once_ != passage::waits) return;
        auto const left = self().leave();
        if (!left.bell_will_ring) send();
    }

    /// The message was destroyed on its way.
    void lost() noexcept {
        if (being_posted == this) return stay();
        self().pass_on();
        let_go();
    }

protected:
    channel_op(Channel& channel, Executor const& executor, Handler&& handler)
        : node{&ring},
          channel_{channel},
          allocator_{boost::asio::get_associated_allocator(handler, default_allocator{})},
          caller_{std::in_place, executor, std::move(handler)} {}
    ~channel_op() = default;

    /// Before the first of the two that follow. If one of the three throws, the object is gone.
    void connect() {
        try {
            slot_.connect(boost::asio::get_associated_cancellation_slot(caller_->handler), self());
        } catch (...) {
            let_go();
            throw;
        }
    }

    /// What there is to say is said by a message: nothing is waited for.
    void say(passage what) {
        at_once_ = what;
        post();
    }

    /// The object may be gone when this returns. What `queue` says at once is told by a message.
    void wait() {
        at_once_ = passage::waits;
        auto said = passage::waits;
        try {
            if (!enter_registry()) return let_go();
            channel_.news().begin(begun_);  // It may be gone once it is queued.
            said = self().queue();
        } catch (...) {
            leave_registry();
            let_go();
            throw;
        }
        if (said == passage::waits) return;
        if (!this->has_place) channel_.news().forget(begun_);  // Nor was it before.
        at_once_ = said;
        send();
    }

    template <class... Value>
    void complete(transfer what, Value&&... value) {
        channel_.news().ended(Self::end, begun_, what, channel_.core());
        slot_.disconnect(boost::asio::get_associated_cancellation_slot(caller_->handler));
        Handler handler{std::move(caller_->handler)};
        free();  // This message keeps the context at work.
        std::move(handler)(transfer_error(what), std::forward<Value>(value)...);
    }

    [[nodiscard]] auto& core() noexcept { return channel_.core(); }

    Channel& channel_;
    passage at_once_ = passage::waits;
    bool cancelled_ = false;
    [[no_unique_address]] typename Channel::news_type::wait_begin begun_{};

private:
    struct caller {
        caller(Executor const& own, Handler&& from)
            : handler{std::move(from)},
              io_executor{own},
              executor{handler_executor(handler, own)} {}
        [[nodiscard]] auto const& target() const noexcept {
            return posted_to(executor, io_executor.get());
        }
        Handler handler;
        [[no_unique_address]] fallback_executor<executor_type, Executor> io_executor;
        executor_type executor;
        std::optional<boost::asio::executor_work_guard<executor_type>> work;  ///< While it waits.
    };

    Self& self() noexcept { return static_cast<Self&>(*this); }

    /// False if the context has shut down.
    [[nodiscard]] bool enter_registry() {
        auto& from = *caller_;
        if (registry_ == nullptr) {
            from.work.emplace(from.executor);
            registry_ = call_registry::of(
                boost::asio::query(from.target(), boost::asio::execution::context));
        }
        std::lock_guard const lock{registry_->mutex};
        if (registry_->closed) return false;
        registry_->calls.push_back(*this);
        return true;
    }

    void leave_registry() noexcept {
        if (!this->is_linked()) return;
        std::lock_guard const lock{registry_->mutex};
        registry_->calls.erase(registry_->calls.iterator_to(*this));
    }

    static void ring(waiter& rung) noexcept {
        static_cast<channel_op&>(static_cast<node&>(rung)).send();
    }

    /// Posts the message; from then on the operation is that. Outside the lock: the executor may be
    /// the user's.
    void send() noexcept {
        auto& registry = *registry_;  // Stays, as the context does while somebody posts to it.
        {
            std::lock_guard const lock{registry.mutex};
            told_late_ = registry.closed;
            if (told_late_) return;  // The context shuts down, and comes for it.
            registry.calls.erase(registry.calls.iterator_to(*this));
            registry.posting.fetch_add(1, std::memory_order_relaxed);  // Read after the lock.
        }
        auto const* const outer = std::exchange(being_posted, this);
        post();
        being_posted = outer;
        registry.posting.fetch_sub(1, std::memory_order_release);
    }
    void post() { boost::asio::post(caller_->target(), message_to<Self>{self()}); }

    /// The executor has destroyed what it was given, as one of the user's may. The handler is not
    /// for the thread that rang to destroy, but for the one that shuts the context down.
    void stay() noexcept {
        caller_->work.reset();
        std::lock_guard const lock{registry_->mutex};
        told_late_ = true;
        registry_->calls.push_back(*this);
    }

    void drop(std::unique_lock<std::mutex>& lock) noexcept override {
        auto const told = told_late_;
        lock.unlock();  // Who is told instead may be of this context too.
        slot_.disconnect(boost::asio::get_associated_cancellation_slot(caller_->handler));
        if (told) {
            self().pass_on();
        } else if (auto left = self().leave(); left.bell_will_ring) {
            left.to_wake.ring_all();  // Nobody else waits for the bell that this one waits for.
            await_bell();
        }
        let_go();
    }
    /// Of somebody who has left the channel's lock and is about to ring.
    void await_bell() noexcept {
        for (;; std::this_thread::yield()) {
            std::lock_guard const lock{registry_->mutex};
            if (told_late_) return;
        }
    }

    /// The handler is destroyed last: the block's memory may be its own.
    void let_go() noexcept {
        slot_.disconnect(boost::asio::get_associated_cancellation_slot(caller_->handler));
        auto const gone = std::exchange(caller_, std::nullopt);
        free();
    }
    void free() noexcept {
        auto const allocator = allocator_;
        auto* const block = &self();
        block->~Self();
        free_block(allocator, block);
    }

    /// The operation that this thread is posting the message of.
    static inline constinit thread_local channel_op const* being_posted = nullptr;

    [[no_unique_address]] allocator_type allocator_;
    std::optional<caller> caller_;             ///< Until the handler is invoked or destroyed.
    std::shared_ptr<call_registry> registry_;  ///< Null until it waits.
    slot_link<Self> slot_;
    bool told_late_ = false;  ///< Under the registry's lock: told when nothing is posted any more.
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_CHANNEL_OP_HPP
