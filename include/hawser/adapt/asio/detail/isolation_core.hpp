// SPDX-License-Identifier: BSL-1.0
//
// The queue and the books of an isolation pool: what waits, what runs, and for whom nobody waits
// any more.
//
//     submit --> waiting --(a thread takes it)--> running --> over
//                   |                                |
//          leave, close: never run          leave: runs on, behind
#ifndef HAWSER_ADAPT_ASIO_DETAIL_ISOLATION_CORE_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_ISOLATION_CORE_HPP

#include <hawser/adapt/asio/isolation_options.hpp>
#include <hawser/base/contract.hpp>
#include <hawser/base/error.hpp>
#include <hawser/base/time.hpp>

#include <boost/intrusive/list.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <utility>

namespace hawser::inline v0::detail {

/// One call in an isolation pool. Its caller and the pool hold it together.
class isolated_task : public boost::intrusive::list_base_hook<> {
public:
    isolated_task(isolated_task const&) = delete;
    isolated_task& operator=(isolated_task const&) = delete;
    virtual ~isolated_task() = default;

    /// On a thread of the pool. When it returns, nothing of the user's is left that nobody awaits.
    virtual void run() noexcept = 0;
    /// In the place of `run`: it will not come to that.
    virtual void turn_away(refusal const& why) noexcept = 0;

protected:
    isolated_task() = default;

    std::stop_source stop_;  ///< Tells the operation that nobody waits for it any more.

private:
    friend class isolation_core;
    enum class place : std::uint8_t { none, waiting, running, behind };

    std::shared_ptr<isolated_task> kept_;  ///< Itself, while the core has it.
    place place_ = place::none;
    bool holds_place_ = false;  ///< The thread's that runs it.
};

/// What the threads of a pool, its owner and its callers share. It outlives the pool where a caller
/// is still on its way out.
///
/// Thread safety: all members may be called concurrently. No user code runs under its lock.
class isolation_core {
    using list = boost::intrusive::list<isolated_task>;
    using place = isolated_task::place;

public:
    isolation_core(isolation_options const& options, char const* name) noexcept
        : limit_{std::size_t{options.threads} + options.places}, name_{name} {}

    [[nodiscard]] char const* name() const noexcept { return name_; }

    /// Takes a call in, to be run once; or says why not, and has not kept it.
    [[nodiscard]] refusal submit(std::shared_ptr<isolated_task> task) noexcept {
        {
            std::lock_guard const lock{mutex_};
            if (closed_) return closed();
            // What waits and what runs are bounded together: a call that a free thread is about to
            // take is not one that waits. Relaxed: whose own call has given its place back knows of
            // it by its result.
            auto const ending = ending_.load(std::memory_order_relaxed);
            if (waiting_.size() + running_.size() - ending >= limit_)
                return {errc::bulkhead_full, {}, name_};
            auto& node = *task;
            node.kept_ = std::move(task);
            put(waiting_, node, place::waiting);
        }
        work_.notify_one();
        return {};
    }

    /// The caller of `task` has gone. True if the call was still waiting, and will not be run.
    [[nodiscard]] bool leave(isolated_task& task) noexcept {
        std::shared_ptr<isolated_task> last;  // Let go outside the lock.
        std::lock_guard const lock{mutex_};
        if (task.place_ == place::running) task.place_ = place::behind, ++behind_;
        if (task.place_ != place::waiting) return false;
        last = take(waiting_, task);
        return true;
    }

    /// By the thread that runs `task`, whose caller is about to hear of its end: another may have
    /// its place.
    void give_back_place(isolated_task& task) noexcept {
        if (!task.holds_place_) return;
        task.holds_place_ = false;
        ending_.fetch_add(1, std::memory_order_relaxed);
    }

    /// What each thread of the pool does until the pool is closed.
    void work() noexcept {
        current() = this;
        while (auto const task = await_next()) {
            task->holds_place_ = true;
            task->run();
            end(*task);
        }
        current() = nullptr;
    }

    /// Takes no more calls in, and turns away those that wait.
    void close() noexcept {
        std::unique_lock lock{mutex_};
        closed_ = true;
        work_.notify_all();
        while (!waiting_.empty()) {
            auto const task = take(waiting_, waiting_.front());
            lock.unlock();
            task->turn_away(closed());
            lock.lock();
        }
    }

    /// Waits until nothing runs, at most until `until`. Requires that it is closed. How many run.
    std::uint32_t await_idle(time_point until) {
        HAWSER_ASSERT(!runs_here() && "hawser: a thread of the pool would wait for itself");
        std::unique_lock lock{mutex_};
        auto const idle = [this] { return running_.empty(); };
        if (until == no_deadline)
            idle_.wait(lock, idle);
        else
            idle_.wait_until(lock, until, idle);
        return static_cast<std::uint32_t>(running_.size());
    }

    /// Asks everything that runs to stop.
    void stop_running() {
        // A stop calls whoever listens for it, so not under the lock. Each goes to the end of the
        // line as it is told: what ends meanwhile makes others be told twice, and none be missed.
        std::unique_lock lock{mutex_};
        for (auto left = running_.size(); left != 0 && !running_.empty(); --left) {
            auto const task = running_.front().kept_;
            running_.splice(running_.end(), running_, running_.begin());
            lock.unlock();
            task->stop_.request_stop();
            lock.lock();
        }
    }

    [[nodiscard]] bool runs_here() const noexcept { return current() == this; }

    [[nodiscard]] isolation_snapshot snapshot() const noexcept {
        std::lock_guard const lock{mutex_};
        return {static_cast<std::uint32_t>(running_.size()), behind_,
                static_cast<std::uint32_t>(waiting_.size()), closed_};
    }

private:
    /// The core whose work the thread does.
    static isolation_core const*& current() noexcept {
        static constinit thread_local isolation_core const* core = nullptr;
        return core;
    }
    [[nodiscard]] refusal closed() const noexcept { return {errc::closed, never, name_}; }

    static void put(list& to, isolated_task& task, place at) noexcept {
        to.push_back(task);
        task.place_ = at;
    }
    static std::shared_ptr<isolated_task> take(list& from, isolated_task& task) noexcept {
        from.erase(from.iterator_to(task));
        task.place_ = place::none;
        return std::move(task.kept_);
    }

    /// Null when the pool is closed.
    std::shared_ptr<isolated_task> await_next() noexcept {
        std::unique_lock lock{mutex_};
        work_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
        if (waiting_.empty() || closed_) return {};
        auto& task = waiting_.front();
        waiting_.pop_front();
        put(running_, task, place::running);
        return task.kept_;
    }
    void end(isolated_task& task) noexcept {
        std::lock_guard const lock{mutex_};
        if (task.place_ == place::behind) --behind_;
        if (!task.holds_place_) ending_.fetch_sub(1, std::memory_order_relaxed);
        (void)take(running_, task);
        if (running_.empty()) idle_.notify_all();
    }

    std::size_t const limit_;
    char const* const name_;
    mutable std::mutex mutex_;
    std::condition_variable work_;
    std::condition_variable idle_;
    list waiting_;
    list running_;
    std::uint32_t behind_ = 0;
    std::atomic<std::uint32_t> ending_{0};  ///< Of the running, those that gave their places back.
    bool closed_ = false;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_ISOLATION_CORE_HPP
