// SPDX-License-Identifier: BSL-1.0
//
// The shared deadline queue: the deadlines of all calls in an execution context on one Asio timer.
//
// A timer of one's own costs a call a microsecond, nearly all of it in the reactor; a place in this
// queue costs a heap insertion and a removal. The timer stands at the earliest deadline it has ever
// been told of and is moved only when an earlier one comes: when it fires too early it finds
// nothing due and moves on.
#ifndef HAWSER_ADAPT_ASIO_DEADLINE_QUEUE_HPP
#define HAWSER_ADAPT_ASIO_DEADLINE_QUEUE_HPP

#include <hawser/base/time.hpp>
#include <hawser/containers/deadline_heap.hpp>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace hawser::inline v0 {

/// Something to be told when its deadline comes.
class timed_event : public deadline_node {
public:
    /// The deadline has come. Called outside the queue's lock, which may be entered again; the
    /// event may be gone when this returns.
    virtual void deadline_reached() noexcept = 0;

    /// The execution context shuts down; the deadline will not come.
    virtual void deadline_dropped() noexcept = 0;

protected:
    ~timed_event() = default;
};

namespace detail {
/// Deadline queues that have been destroyed, of all kinds.
inline constinit std::atomic<std::uint64_t> deadline_queues_gone{0};

/// Whether what an execution context counts as work can be corrected through the executor.
template <class Executor>
concept counts_work = requires(Executor const& executor) {
    executor.running_in_this_thread();
    executor.on_work_started();
    executor.on_work_finished();
};
}  // namespace detail

/// The deadlines of one execution context, for one kind of executor; a service of that context.
///
/// Keeps `run()` from returning only while a deadline is pending, and for one turn more.
/// Thread safety: all members may be called concurrently. Cost: no allocation for each deadline.
template <class Executor>
class deadline_queue final : public boost::asio::execution_context::service {
    using clock = std::chrono::steady_clock;
    using timer_type =
        boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, Executor>;

public:
    using key_type = deadline_queue;
    static inline boost::asio::execution_context::id id;

    explicit deadline_queue(boost::asio::execution_context& context) : service{context} {}
    ~deadline_queue() { detail::deadline_queues_gone.fetch_add(1, std::memory_order_release); }

    /// The queue of a context. The thread remembers the last one it asked for, for as long as no
    /// queue at all is destroyed: looking a service up takes the context's lock.
    [[nodiscard]] static deadline_queue& of(boost::asio::execution_context& context) {
        struct memory {
            boost::asio::execution_context* context;
            deadline_queue* queue;
            std::uint64_t gone;
        };
        static constinit thread_local memory last{};
        // Acquire: a context at the address of one that is gone was made after its queue went.
        auto const gone = detail::deadline_queues_gone.load(std::memory_order_acquire);
        if (last.context != &context || last.gone != gone)
            last = {&context, &boost::asio::use_service<deadline_queue>(context), gone};
        return *last.queue;
    }

    /// Tells `event` at `at`, or never if that is `no_deadline`. Requires that it is not scheduled.
    void schedule(Executor const& executor, timed_event& event, time_point at) {
        std::lock_guard const lock{mutex_};
        heap_.add(event, at);
        count_timer();
        if (at < armed_for_) arm(executor, at);
    }

    /// Forgets `event`. False if it has been told, or is about to be.
    bool cancel(timed_event& event) {
        std::lock_guard const lock{mutex_};
        if (!event.is_linked()) return false;
        heap_.remove(event);
        if (heap_.empty() && is_armed()) idle();
        return true;
    }

private:
    [[nodiscard]] bool is_armed() const noexcept { return armed_for_ != no_deadline; }

    void arm(Executor const& executor, time_point at) {
        if (!timer_) timer_.emplace(executor);
        armed_for_ = at;
        timer_->expires_at(at);
        timer_->async_wait([this](boost::system::error_code const& error) {
            if (!error) fire();
        });
    }

    /// An armed timer counts as work, though nobody waits for it any more. It is left alone, for
    /// the next call will want one, and taken off the count until then. Only inside a handler of
    /// the context: that counts as well, so that the count does not come to nothing here, which
    /// would stop a context that somebody is yet to run.
    void idle() {
        if constexpr (detail::counts_work<Executor>) {
            if (auto const executor = timer_->get_executor(); executor.running_in_this_thread()) {
                uncounted_ = true;
                return executor.on_work_finished();
            }
        }
        if (!idle_check_) check_when_idle();
    }
    void count_timer() {
        if constexpr (detail::counts_work<Executor>)
            if (std::exchange(uncounted_, false)) timer_->get_executor().on_work_started();
    }

    /// If the queue is still empty a turn later, the timer is taken down.
    void check_when_idle() {
        idle_check_ = true;
        boost::asio::post(timer_->get_executor(), [this] {
            std::lock_guard const lock{mutex_};
            idle_check_ = false;
            if (!heap_.empty() || !is_armed()) return;
            armed_for_ = no_deadline;
            timer_->cancel();
        });
    }

    void fire() {
        auto const now = std::chrono::time_point_cast<duration>(clock::now());
        while (auto* const event = next_due(now)) event->deadline_reached();
    }

    /// Takes out the next event that is due, or, if there is none, arms for the one to come.
    timed_event* next_due(time_point now) {
        std::lock_guard const lock{mutex_};
        auto* const first = heap_.first();
        if (first != nullptr && first->deadline() <= now) {
            heap_.remove(*first);
            return static_cast<timed_event*>(first);
        }
        // A timer that was moved while this handler was on its way stands at its new time.
        if (armed_for_ > now) return nullptr;
        armed_for_ = no_deadline;
        count_timer();  // Its wait is over, and leaves the count.
        if (first != nullptr && first->deadline() != no_deadline)
            arm(timer_->get_executor(), first->deadline());
        return nullptr;
    }

    void shutdown() noexcept override {
        while (auto* const event = take_any()) event->deadline_dropped();
        timer_.reset();
    }
    timed_event* take_any() noexcept {
        std::lock_guard const lock{mutex_};
        auto* const first = heap_.first();
        if (first != nullptr) heap_.remove(*first);
        return static_cast<timed_event*>(first);
    }

    std::mutex mutex_;
    deadline_heap heap_;
    std::optional<timer_type> timer_;
    time_point armed_for_ = no_deadline;
    bool uncounted_ = false;  ///< The armed timer is taken off the count of work.
    bool idle_check_ = false;
};

namespace detail {

/// The executor beneath a strand: the timer's handlers need no strand, they only pass on.
template <class Executor>
[[nodiscard]] auto without_strand(Executor const& executor) {
    if constexpr (requires { executor.get_inner_executor(); })
        return executor.get_inner_executor();
    else
        return executor;
}

/// A call's way to the deadlines of where it runs: those of its environment, if it brings its own
/// (manual time does), or the shared queue of the execution context.
template <class Environment, class Executor>
class deadline_access {
    using inner_executor = decltype(without_strand(std::declval<Executor const&>()));
    using queue = deadline_queue<inner_executor>;

public:
    deadline_access(Environment const&, Executor const& executor) : executor_{executor} {}

    void schedule(timed_event& event, time_point at) {
        auto const inner = without_strand(executor_);
        if (queue_ == nullptr)
            queue_ = &queue::of(boost::asio::query(inner, boost::asio::execution::context));
        queue_->schedule(inner, event, at);
    }
    bool cancel(timed_event& event) { return queue_->cancel(event); }

private:
    Executor const& executor_;
    queue* queue_ = nullptr;
};

template <class Environment, class Executor>
requires requires(Environment const& env, Executor const& executor) { env.deadlines(executor); }
class deadline_access<Environment, Executor> {
public:
    deadline_access(Environment const& env, Executor const& executor)
        : deadlines_{env.deadlines(executor)} {}
    void schedule(timed_event& event, time_point at) { deadlines_.schedule(event, at); }
    bool cancel(timed_event& event) { return deadlines_.cancel(event); }

private:
    using deadlines_type =
        decltype(std::declval<Environment const&>().deadlines(std::declval<Executor const&>()));
    deadlines_type deadlines_;
};

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_ASIO_DEADLINE_QUEUE_HPP
