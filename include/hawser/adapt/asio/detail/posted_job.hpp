// SPDX-License-Identifier: BSL-1.0
//
// An isolated call whose caller is suspended in Asio: the result, or the leave, is posted to the
// caller's executor.
//
//     waits --arrive--> arrived --+
//       |                         +--(on the caller's executor)--> its handler is invoked
//       +----leave----> left -----+
//       any --(the context shuts down)--> its handler is destroyed
#ifndef HAWSER_ADAPT_ASIO_DETAIL_POSTED_JOB_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_POSTED_JOB_HPP

#include <hawser/adapt/asio/detail/call_link.hpp>
#include <hawser/adapt/asio/detail/call_registry.hpp>
#include <hawser/adapt/asio/detail/isolated_job.hpp>
#include <hawser/compose/context.hpp>
#include <hawser/policy/concept.hpp>

#include <boost/asio/execution/context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/recycling_allocator.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace hawser::inline v0::detail {

/// What the caller's handler is invoked with.
template <class R, class Call>
struct isolated_end {
    isolated_result<R>& result;
    Call& call;
};

/// `Handler` belongs to the outer part's call, and knows its executor; `Executor` is the one that
/// the call was made with.
template <class Inner, class Facts, class Operation, class R, class Call, class Handler,
          class Executor>
class posted_job final : public isolated_job<Inner, Facts, Operation, R>, private registered_call {
    using base = isolated_job<Inner, Facts, Operation, R>;
    using caller_executor = typename Handler::executor_type;

public:
    template <class Op>
    posted_job(isolated_making<Inner, Facts, Op>&& from, Call& call, Executor const& executor,
               caller_executor const& to)
        : base{std::move(from)},
          call_{call},
          registry_{call_registry::of(
              boost::asio::query(posted_to(to, executor), boost::asio::execution::context))},
          executor_{executor} {}

    /// Puts the call into the pool. `handler` is invoked later, whatever comes of it.
    static void run(std::shared_ptr<posted_job> const& job, Handler&& handler) {
        handler.get_cancellation_slot().assign(
            [job](boost::asio::cancellation_type) { leave(job); });
        if (!job->attend(job, std::move(handler))) return;
        if (auto const why = job->core().submit(job); why.code != errc{})
            static_cast<isolated_task&>(*job).turn_away(why);
    }

private:
    enum class state : std::uint8_t { waits, arrived, left };

    /// What is posted. The handler stays in the job, so that whoever shuts the context down finds
    /// it there, and destroys it on its own thread.
    struct delivery {
        using executor_type = caller_executor;
        using allocator_type = boost::asio::recycling_allocator<void>;  // From any thread.

        std::shared_ptr<posted_job> job;
        executor_type executor;

        [[nodiscard]] executor_type get_executor() const noexcept { return executor; }
        [[nodiscard]] allocator_type get_allocator() const noexcept { return {}; }
        void operator()() { job->deliver(); }
    };

    /// What ties the job to its caller.
    struct caller {
        Handler handler;
        caller_executor executor;
        boost::asio::executor_work_guard<caller_executor> work;
    };

    /// False if the context has shut down: the handler is then destroyed.
    bool attend(std::shared_ptr<posted_job> const& self, Handler&& handler) {
        auto const executor = handler.get_executor();
        self_ = self;
        caller_.emplace(caller{std::move(handler), executor,
                               boost::asio::executor_work_guard<caller_executor>{executor}});
        std::unique_lock lock{registry_->mutex};
        if (registry_->closed) {
            lock.unlock();
            caller_.reset();
            return false;
        }
        registry_->calls.push_back(*this);
        return true;
    }

    /// In the cancellation slot of the handler: on the caller's executor.
    static void leave(std::shared_ptr<posted_job> const& job) noexcept {
        {
            std::lock_guard const lock{job->registry_->mutex};
            if (job->state_ != state::waits || !job->caller_) return;
            job->state_ = state::left;
        }
        job->left_.out.refuse({errc::cancelled, {}, job->core().name()});
        job->left_.notes = job->leave_pool();
        job->send(job, std::unique_lock{job->registry_->mutex});
    }

    bool arrive() noexcept override {
        std::unique_lock lock{registry_->mutex};
        if (state_ != state::waits) return false;
        state_ = state::arrived;
        this->core().give_back_place(*this);
        send(self_.lock(), std::move(lock));
        return true;
    }
    bool has_left() noexcept override {
        std::lock_guard const lock{registry_->mutex};
        return state_ == state::left;
    }

    /// Outside the lock, for the executor may be the user's; the context waits for those that post
    /// before it shuts down. Once it does, it comes for the job itself.
    void send(std::shared_ptr<posted_job> self, std::unique_lock<std::mutex> lock) noexcept {
        if (!caller_ || registry_->closed) return;
        auto const executor = posted_to(caller_->executor, executor_.value());
        delivery message{std::move(self), caller_->executor};
        auto const registry = registry_;  // The job may be gone once it is posted.
        registry->posting.fetch_add(1, std::memory_order_relaxed);  // Read after the lock.
        lock.unlock();
        boost::asio::post(executor, std::move(message));
        registry->posting.fetch_sub(1, std::memory_order_release);
    }

    /// On the caller's executor.
    void deliver() {
        std::unique_lock lock{registry_->mutex};
        if (!caller_) return;
        registry_->calls.erase(registry_->calls.iterator_to(*this));
        auto from = take_caller();
        lock.unlock();
        auto& result = state_ == state::arrived ? this->collect() : left_;
        std::move(from->handler)(isolated_end<R, Call>{result, call_});
    }

    void drop(std::unique_lock<std::mutex>& lock) noexcept override {
        auto const self = self_.lock();
        auto const was = state_;
        if (was == state::waits) state_ = state::left;
        auto from = take_caller();
        lock.unlock();
        if (was == state::waits) (void)this->leave_pool();
        if (was == state::arrived) this->discard();
        from.reset();
    }

    [[nodiscard]] std::optional<caller> take_caller() noexcept {
        auto taken = std::move(caller_);
        caller_.reset();
        executor_.reset();
        return taken;
    }

    Call& call_;  ///< Dangles once the handler is gone.
    std::shared_ptr<call_registry> const registry_;
    std::weak_ptr<posted_job> self_;

    // Under the registry's lock. The caller goes when its handler is invoked or destroyed.
    state state_ = state::waits;
    std::optional<caller> caller_;
    std::optional<Executor> executor_;
    isolated_result<R> left_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_POSTED_JOB_HPP
