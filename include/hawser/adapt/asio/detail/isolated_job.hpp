// SPDX-License-Identifier: BSL-1.0
//
// One call in an isolation pool: its operation, its part of the pipeline, and what came of them.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_ISOLATED_JOB_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_ISOLATED_JOB_HPP

#include <hawser/adapt/asio/detail/isolation_core.hpp>
#include <hawser/base/error.hpp>
#include <hawser/base/outcome.hpp>
#include <hawser/compose/context.hpp>
#include <hawser/compose/detail/check_call.hpp>
#include <hawser/compose/detail/sync_call.hpp>
#include <hawser/retry/allowance.hpp>
#include <hawser/trace/event.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace hawser::inline v0::detail {

/// The attempts that a call takes with it to another thread. The caller's own allowance need not
/// live as long as that: this one begins with what is left of it, and is settled with it when the
/// caller comes back or leaves. From then on there is none left here, so that what runs on behind
/// its caller cannot use those that the caller goes on with.
class lent_allowance {
public:
    /// The outer part has taken the first attempt out already, which is made here: one more.
    explicit lent_allowance(attempt_allowance* from) noexcept
        : from_{from}, begun_{from != nullptr ? from->remaining() + 1 : 0}, own_{begun_} {}

    [[nodiscard]] attempt_allowance* get() noexcept { return from_ != nullptr ? &own_ : nullptr; }

    /// Takes out of the caller's what was used. Called once, while that one lives.
    void settle() noexcept {
        if (from_ == nullptr) return;
        for (auto used = begun_ - own_.take_all(); used > 1 && from_->try_take(); --used) {}
    }

private:
    attempt_allowance* const from_;
    std::uint32_t const begun_;
    attempt_allowance own_;
};

/// What the caller goes on with.
template <class R>
struct isolated_result {
    outcome<R> out;
    call_notes notes;
    bool turned_away = false;  ///< By the pool: the inner part has not begun.

    /// On the caller's side: writes it all where the caller looks. What the value was moved from
    /// goes here as well, and not with the job, which the pool may be the last to hold.
    template <class Call>
    void bring_home(outcome<R>& to, Call& call) noexcept {
        driver::set_notes(call, notes);
        to.join(std::move(out));
        out.reset();
        if (turned_away)
            call.template emit<call_refused>(to.why()->policy, [&](event_origin at) {
                return call_refused{at, *to.why()};
            });
    }
};

/// What a call is made of.
template <class Inner, class Facts, class Op>
struct isolated_making {
    std::shared_ptr<isolation_core> const& core;
    std::shared_ptr<Inner const> const& line;
    Facts const& facts;
    std::uint32_t attempts;  ///< Made before this one.
    Op&& operation;
};

/// The call, but for the way in which its caller waits: which says, in `arrive`, whether the result
/// or the caller's leave came first.
template <class Inner, class Facts, class Operation, class R>
class isolated_job : public isolated_task {
public:
    using call_type = context<typename Inner::environment_type, Facts>;
    using result_type = isolated_result<R>;

protected:
    template <class Op>
    explicit isolated_job(isolated_making<Inner, Facts, Op>&& from)
        : core_{from.core},
          allowance_{from.facts.allowance},
          work_{std::in_place, from.line, from.facts, std::forward<Op>(from.operation)},
          attempts_{from.attempts} {
        work_->facts.stop = stop_.get_token();
        work_->facts.allowance = allowance_.get();
        work_->facts.has_attempt = false;
        result_.notes.attempts = attempts_;
    }

    /// To be called once by the caller, who has left before a result arrived: the call is not run
    /// if it still waits, and told to stop otherwise. What the caller goes on with.
    [[nodiscard]] call_notes leave_pool() noexcept {
        allowance_.settle();
        if (core_->leave(*this)) {
            work_.reset();
            return {.attempts = attempts_};
        }
        stop_.request_stop();
        return {.attempts = attempts_ + 1};
    }
    /// To be called once by the caller, for whom a result has arrived.
    [[nodiscard]] result_type& collect() noexcept {
        allowance_.settle();
        return result_;
    }
    /// In the place of `collect`, where the caller has no use for the result.
    void discard() noexcept { collect().out = outcome<R>{}; }
    [[nodiscard]] isolation_core& core() const noexcept { return *core_; }

private:
    /// Tells the caller that there is a result; false if the caller has left.
    virtual bool arrive() noexcept = 0;
    [[nodiscard]] virtual bool has_left() noexcept = 0;

    void run() noexcept final {
        if (!has_left()) execute();
        finish();
    }
    void turn_away(refusal const& why) noexcept final {
        result_.out.refuse(why);
        result_.turned_away = true;
        finish();
    }

    void execute() {
        static_assert(check_call<Inner, call_type, R, Operation>());
        call_type call{work_->line->environment(), work_->facts};
        driver::set_notes(call, result_.notes);
        sync_call<Inner, call_type, Operation, R>{*work_->line, call, work_->operation, result_.out}
            .run();
        result_.notes = driver::notes(call);
    }

    /// The operation goes before its caller hears of it, a result that nobody wants right after.
    /// Where a result is to arrive, `arrive` gives the place in the pool back before the caller
    /// hears of it, who may come at once with another call.
    void finish() noexcept {
        work_.reset();
        if (!arrive()) result_.out = outcome<R>{};
    }

    struct parts {
        template <class Op>
        parts(std::shared_ptr<Inner const> inner, Facts const& of_call, Op&& op)
            : line{std::move(inner)}, facts{of_call}, operation(std::forward<Op>(op)) {}

        std::shared_ptr<Inner const> line;
        Facts facts;
        Operation operation;
    };

    std::shared_ptr<isolation_core> core_;
    lent_allowance allowance_;
    std::optional<parts> work_;  ///< Until it has run. Whoever runs it, or keeps it from that.
    std::uint32_t const attempts_;
    result_type result_;  ///< The pool's, until it has arrived; then the caller's.
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_ISOLATED_JOB_HPP
