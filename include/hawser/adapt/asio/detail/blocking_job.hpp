// SPDX-License-Identifier: BSL-1.0
//
// An isolated call whose caller is a thread that blocks until the result arrives, its deadline
// comes, or somebody stops it.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_BLOCKING_JOB_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_BLOCKING_JOB_HPP

#include <hawser/adapt/asio/detail/isolated_job.hpp>
#include <hawser/compose/context.hpp>
#include <hawser/compose/detail/stopped.hpp>
#include <hawser/compose/detail/sync_wait.hpp>
#include <hawser/compose/parking.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace hawser::inline v0::detail {

template <class Inner, class Facts, class Operation, class R>
class blocking_job final : public isolated_job<Inner, Facts, Operation, R> {
    using base = isolated_job<Inner, Facts, Operation, R>;

public:
    /// `bell` lives until `arrive` has rung it, or `leave` has succeeded.
    template <class Op>
    blocking_job(isolated_making<Inner, Facts, Op>&& from, parking_spot& bell)
        : base{std::move(from)}, bell_{bell} {}

    /// Puts the call into the pool and waits for what comes of it, which is written to `out`.
    template <class Call>
    static void run(std::shared_ptr<blocking_job> const& job, outcome<R>& out, Call& call) {
        if (auto const why = job->core().submit(job); why.code != errc{}) {
            static_cast<isolated_task&>(*job).turn_away(why);
            return job->collect().bring_home(out, call);
        }
        auto leave = [&]() noexcept {
            if (!job->leave_or_await(call)) job->discard();
        };
        withdraw_guard guard{leave};
        auto const woke =
            driver::environment(call).park(job->bell_, call.deadline(), call.stop_token());
        guard.disarm();
        driver::forget_now(call);
        if (woke == wake_reason::woken || !job->leave_or_await(call))
            return job->collect().bring_home(out, call);
        if (woke == wake_reason::time) driver::set_cause(call, stop_cause::timeout);
        auto const cause = woke == wake_reason::time ? stop_cause::timeout : stop_cause::caller;
        out.emplace_refusal(stopped_by(cause, job->core().name()));
    }

private:
    enum class state : std::uint8_t { waits, arrived, left };

    /// Whether the caller has left; otherwise the result has arrived.
    template <class Call>
    bool leave_or_await(Call& call) noexcept {
        auto waits = state::waits;
        // Acquire, with the release of `arrive`: the result is seen.
        if (!state_.compare_exchange_strong(waits, state::left, std::memory_order_acquire)) {
            bell_.await_wake();
            return false;
        }
        driver::set_notes(call, this->leave_pool());
        return true;
    }

    bool arrive() noexcept override {
        auto waits = state::waits;
        // Release: the caller reads the result. It is woken through the bell's own lock, too.
        if (!state_.compare_exchange_strong(waits, state::arrived, std::memory_order_release))
            return false;
        this->core().give_back_place(*this);
        bell_.wake();
        return true;
    }
    bool has_left() noexcept override {
        // Relaxed: it decides nothing but whether to begin in vain.
        return state_.load(std::memory_order_relaxed) == state::left;
    }

    parking_spot& bell_;  ///< Dangles once the caller has left.
    std::atomic<state> state_{state::waits};
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_BLOCKING_JOB_HPP
