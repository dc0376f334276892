// SPDX-License-Identifier: BSL-1.0
//
// The call machine: one asynchronous call through all layers of a pipeline, as a state machine that
// knows no executor, no timer and no I/O. A driver feeds it events and carries out what it asks.
//
//      begin                       operation ends
//        |                              |
//        v      descend                 v      ascend
//     layer 0 -> layer 1 -> ... -> operation -> ... -> layer 1 -> layer 0 -> finished
//        |                              ^         |
//        +-- asking / parked (waits)    |         +-- backing off (waits), then descends again
//
// The driver `D`, which derives from it, supplies
//     void start_operation()                        whose end it reports by `operation_ended`
//     void start_alternative(F&, call_error, level) likewise, for a fallback
//     void cancel_operation(stop_cause)             for what was started last
//     void arm(time_point)                          `timer_fired` comes then, or earlier
//     void ring_arrives() noexcept                  from any thread: `woken` comes, once
//     void settle()                                 the machine rests; it may have finished
// All events come from one thread at a time. The stack does not grow with the number of attempts.
#ifndef HAWSER_COMPOSE_CALL_MACHINE_HPP
#define HAWSER_COMPOSE_CALL_MACHINE_HPP

#include <hawser/compose/detail/layer_walk.hpp>

#include <algorithm>
#include <cstddef>

namespace hawser::inline v0 {

/// One asynchronous call. See the drawing above.
///
/// A fork layer (hedge, detached loads) is no part of it: the pipeline is split at the fork, and a
/// machine of its own runs each copy of the inner part as the outer machine's operation.
template <class D, class Pipeline, class Facts, class R>
class call_machine : public detail::layer_walk<D, Pipeline, Facts, R> {
    using walk = detail::layer_walk<D, Pipeline, Facts, R>;
    using phase = detail::call_phase;
    using action = detail::call_step;

public:
    [[nodiscard]] bool finished() const noexcept { return this->phase_ == phase::finished; }

protected:
    call_machine(Pipeline const& line, Facts const& facts) : walk{line, facts} {}
    ~call_machine() = default;

    void begin() {
        if constexpr (listens_to<typename walk::sink, call_ended>)
            this->begun_.value = this->call_.now();
        this->go_in();
    }

    /// The operation (level `size`) or an alternative (its layer) has ended; the outcome is
    /// written.
    void operation_ended(std::size_t level) {
        auto& call = this->call_;
        detail::driver::forget_now(call);
        this->phase_ = phase::running;
        // What fails while it is being stopped fails because of it: every layer sees the cause.
        if (auto const cause = call.cause(); cause != stop_cause::none) [[unlikely]]
            if (this->out_.classify() != verdict::success)
                this->out_.refuse(detail::stopped_by(cause, "pipeline"));
        if (level < walk::size) return this->go(action::alternative_ended, level);
        if constexpr (!walk::starts_fork())
            call.template emit<attempt_ended>("pipeline", [&](event_origin at) {
                return attempt_ended{at, this->out_.classify(),
                                     time_between(this->began_.value, at.at)};
            });
        this->come_out();
    }

    void timer_fired() {
        if (finished()) return;
        detail::driver::forget_now(this->call_);
        auto const now = this->call_.now();
        if (this->call_.cause() == stop_cause::none && now >= this->call_.deadline())
            return stop(stop_cause::timeout);
        if (!waits_for_time() || now < this->until_) return rearm();
        this->phase_ = phase::running;
        this->go(action::ask, this->at_);
    }

    /// The caller, or a deadline, wants the call to end. A caller's wish beats a timeout; whoever
    /// came first otherwise stands.
    void stop(stop_cause cause) {
        if (finished()) return;
        if (this->call_.cause_set() != stop_cause::caller)
            detail::driver::set_cause(this->call_, cause);
        switch (this->phase_) {
            case phase::operating: return static_cast<D&>(*this).cancel_operation(cause);
            case phase::asking:
            case phase::backing_off: this->withdraw(); return this->go_out_stopped();
            case phase::parked:
                if (this->withdraw()) return this->go_out_stopped();
                this->after_bell_ = action::stop;
                this->phase_ = phase::awaiting_bell;
                return;
            default: return;  // It goes out by itself when it next looks at the cause.
        }
    }

    /// The bell has rung.
    void woken() {
        detail::driver::forget_now(this->call_);
        this->node_.rung = true;
        auto then = action::ask;
        if (this->phase_ == phase::awaiting_bell) then = this->after_bell_;
        this->phase_ = phase::running;
        if (then == action::ask) return this->go(action::ask, this->at_);
        this->node_.rearm();
        if (then == action::stop)
            this->go_out_stopped();
        else
            this->go(then, this->at_);
    }

    /// The bell rang, and its message was destroyed on the way: only `teardown` can follow.
    void bell_lost() noexcept { this->node_.rung = true; }

    /// The call is destroyed without completing: every layer gets back what it lent. Returns
    /// whether a bell will still ring, so that the memory must stay until it has.
    [[nodiscard]] bool teardown() noexcept {
        auto ringing = this->phase_ == phase::awaiting_bell;
        if (waits_for_time()) ringing = !this->withdraw();
        this->phase_ = phase::finished;
        this->layers_.abandon_all(this->line_, this->call_, this->depth_);
        return ringing && !this->node_.rung;
    }

    /// Whether a bell is certain to ring.
    [[nodiscard]] bool awaits_bell() const noexcept { return this->phase_ == phase::awaiting_bell; }

    [[nodiscard]] bool is_operating() const noexcept { return this->phase_ == phase::operating; }

    /// When the next event of time is due: the end of a wait, or the deadline.
    [[nodiscard]] time_point next_time() const noexcept {
        auto const deadline = this->call_.deadline();
        return waits_for_time() ? std::min(this->until_, deadline) : deadline;
    }

private:
    [[nodiscard]] bool waits_for_time() const noexcept {
        return this->phase_ == phase::asking || this->phase_ == phase::backing_off ||
               this->phase_ == phase::parked;
    }
    void rearm() {
        // A call that waits stays known to the timer, whatever the time: there it is found and
        // destroyed when what runs it shuts down.
        if (waits_for_time()) return static_cast<D&>(*this).arm(next_time());
        if (is_operating() && this->call_.cause() == stop_cause::none) this->arm_deadline();
    }
};

}  // namespace hawser::inline v0
#endif  // HAWSER_COMPOSE_CALL_MACHINE_HPP
