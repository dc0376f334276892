// SPDX-License-Identifier: BSL-1.0
//
// The inner half of the call machine: how a call goes in and out through the layers, one step at a
// time. `compose/call_machine.hpp` turns a driver's events into these steps.
#ifndef HAWSER_COMPOSE_DETAIL_LAYER_WALK_HPP
#define HAWSER_COMPOSE_DETAIL_LAYER_WALK_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/outcome.hpp>
#include <hawser/compose/context.hpp>
#include <hawser/compose/detail/call_record.hpp>
#include <hawser/compose/detail/stopped.hpp>
#include <hawser/policy/concept.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

/// One call on its way: where it is, what each layer keeps for it, and the steps it takes.
template <class D, class Pipeline, class Facts, class R>
class layer_walk : public call_record<D, Pipeline, Facts, R> {
    using record = call_record<D, Pipeline, Facts, R>;

public:
    static constexpr std::size_t size = Pipeline::size;
    using typename record::call_type;

    layer_walk(layer_walk const&) = delete;
    layer_walk& operator=(layer_walk const&) = delete;

protected:
    using record::arm_deadline, record::owner, record::refuse, record::wait_for_bell;
    using record::at_, record::began_, record::call_, record::depth_, record::layers_;
    using record::level_, record::line_, record::moving_, record::out_, record::phase_;
    using record::step_, record::wait_until;
    using typename record::layers_type;

    layer_walk(Pipeline const& line, Facts const& facts) : record{line, facts}, node_{*this} {}
    ~layer_walk() = default;

    /// Does a step, and those that follow from it. A step that comes while one is being done (an
    /// operation that ends where it starts) is taken up by the loop: the stack does not grow.
    void go(call_step what, std::size_t level) {
        step_ = what;
        level_ = static_cast<std::uint32_t>(level);
        if (!moving_) move([] {});
    }

    // The two ways that every call takes, without looking up their steps.
    void go_in() {
        move([this] { ask<0, way::straight>(); });
    }
    void come_out() {
        if (moving_)
            go(call_step::ascend, size);
        else
            move([this] { ascend<size, way::straight>(); });
    }

    /// Does `first`, a step that is known where it is written, and those that follow from it.
    /// Requires that no step is being done.
    template <class First>
    [[gnu::always_inline]] void move(First&& first) {
        moving_ = true;
        first();
        while (step_ != call_step::none) {
            auto const now = std::exchange(step_, call_step::none);
            do_step(now, level_, std::make_index_sequence<size + 1>{});
        }
        moving_ = false;
        owner().settle();
    }

    /// From any thread, once it has been granted what it waits for.
    void ring() noexcept { owner().ring_arrives(); }

    /// Ends a wait of layer `at_` before its time; whether no bell will ring any more.
    bool withdraw() noexcept { return layers_.withdraw(line_, call_, node_, at_); }

    void go_out_stopped() {
        step_at(std::make_index_sequence<size + 1>{}, [&]<std::size_t I>() {
            if constexpr (I < size) this->refuse(stopped_by(this->call_.cause(), name<I>()), true);
        });
        phase_ = call_phase::running;
        go(call_step::ascend, at_);
    }

private:
    /// Whether a step goes on to the next by itself, or leaves that to the loop. The straight way,
    /// which every call takes, is inlined as a whole; what happens now and then goes stepwise, so
    /// that a layer's code is there no more than twice.
    enum class way : std::uint8_t { straight, stepwise };

    template <class Owner>
    friend struct bell;
    template <std::size_t I>
    using policy_at = typename Pipeline::template policy_type<I>;

    template <std::size_t I>
    char const* name() const noexcept {
        return policy_name(line_.template policy<I>());
    }

    template <std::size_t... I, class Do>
    void step_at(std::index_sequence<I...>, Do&& act) {
        (void)((at_ == I && (act.template operator()<I>(), true)) || ...);
    }
    template <std::size_t... I>
    [[gnu::always_inline]] void do_step(call_step what, std::size_t level,
                                        std::index_sequence<I...>) {
        (void)((level == I && (do_step_at<I>(what), true)) || ...);
    }
    template <std::size_t I>
    void do_step_at(call_step what) {
        if constexpr (I < size) {
            if (what == call_step::enter) return enter<I, way::stepwise>();
            if (what == call_step::alternative_ended) return alternative_ended<I>();
        }
        if (what == call_step::ask)
            ask<I, way::stepwise>();
        else
            ascend<I, way::stepwise>();
    }

    [[gnu::always_inline]] void start() {
        if (this->is_out_of_time()) [[unlikely]]
            return turn_back(stopped_by(call_.cause(), "pipeline"), size);
        if (!driver::take_attempt(call_)) [[unlikely]]
            return turn_back(no_attempt_left, size);
        driver::begin_attempt(call_);
        if constexpr (!record::starts_fork())
            call_.template emit<attempt_started>("pipeline", [&](event_origin at) {
                if constexpr (listens_to<typename record::sink, attempt_ended>)
                    began_.value = at.at;
                return attempt_started{at};
            });
        phase_ = call_phase::operating;
        owner().start_operation();
        arm_deadline();
    }

    /// Asks layer `I` whether the call may go in. Until it has gone in, the layers it is inside of
    /// are those before `I`.
    template <std::size_t I, way Way>
    [[gnu::always_inline]] void ask() {
        if constexpr (I == size) {
            start();
        } else {
            depth_ = I;
            auto const answer = layers_.template ask<I>(line_, call_, out_, node_);
            if (answer.action != step::kind::proceed) [[unlikely]]
                return stay_out<I>(answer);
            if (layers_type::template parks<I> && node_.granted && !node_.rung) {
                depth_ = I + 1;  // It has let the call in, wherever the call ends now.
                return wait_for_bell(call_step::enter, I);
            }
            node_.rearm();
            enter<I, Way>();
        }
    }

    /// The layer has answered anything but `proceed`.
    template <std::size_t I>
    void stay_out(step const& answer) {
        switch (answer.action) {
            case step::kind::respond:
                layers_.template skip_scope<I>(call_);
                return go(call_step::ascend, I + 1);
            case step::kind::refuse:
                refuse({answer.code, answer.delay, name<I>()});
                if (node_.granted && !node_.rung) return wait_for_bell(call_step::ascend, I);
                node_.rearm();
                return go(call_step::ascend, I);
            case step::kind::wait: return wait<I>(answer.delay);
            case step::kind::park: return park<I>(answer.delay);
            case step::kind::proceed: return;
        }
    }

    void turn_back(refusal const& why, std::size_t level, bool withdrawn = false) {
        refuse(why, withdrawn);
        go(call_step::ascend, level);
    }

    /// A wait that would end past the deadline is not begun.
    template <std::size_t I>
    void wait(duration delay) {
        at_ = I;
        auto cause = call_.cause();
        if (cause == stop_cause::none && !call_.fits(delay)) cause = stop_cause::timeout;
        if (cause != stop_cause::none) {
            withdraw();
            auto why = stopped_by(cause, name<I>());
            why.retry_after = delay;
            return turn_back(why, I, true);
        }
        call_.template emit<call_waiting>(name<I>(), [&](event_origin at) {
            return call_waiting{at, delay, false};
        });
        wait_until(add_saturating(call_.now(), delay), call_phase::asking);
    }

    template <std::size_t I>
    void park(duration at_most) {
        HAWSER_ASSERT(!node_.rung && "a layer parks by its waiter, and a granted one not again");
        at_ = I;
        if (this->is_out_of_time()) {
            if (!withdraw()) return wait_for_bell(call_step::stop, I);
            return turn_back(stopped_by(call_.cause(), name<I>()), I, true);
        }
        call_.template emit<call_waiting>(name<I>(), [&](event_origin at) {
            return call_waiting{at, at_most, true};
        });
        wait_until(at_most == never ? no_deadline : add_saturating(call_.now(), at_most),
                   call_phase::parked);
    }

    template <std::size_t I, way Way>
    [[gnu::always_inline]] void enter() {
        depth_ = I + 1;
        layers_.template open_scope<I>(line_, call_);
        if constexpr (Way == way::straight)
            ask<I + 1, Way>();
        else
            go(call_step::ask, I + 1);
    }

    /// The outcome leaves what is inside layer `Level - 1` and meets that layer.
    template <std::size_t Level, way Way>
    [[gnu::always_inline]] void ascend() {
        if constexpr (Level == 0) {
            this->finish();
        } else {
            constexpr std::size_t I = Level - 1;
            depth_ = I;
            layers_.template close_scope<I>(line_, call_, out_);
            auto const answer = layers_.template after<I>(line_, call_, out_);
            if (answer.action == next::kind::again) [[unlikely]]
                return again<I>(answer.delay);
            if constexpr (has_alternative<policy_at<I>>)
                if (answer.action == next::kind::divert) return divert<I>();
            if constexpr (Way == way::straight)
                ascend<I, Way>();
            else
                go(call_step::ascend, I);
        }
    }

    /// Goes in again after `delay`, if that fits; else the last outcome stands. The outcome is
    /// destroyed before the wait.
    template <std::size_t I>
    void again(duration delay) {
        at_ = I;
        if (call_.cause() != stop_cause::none || !call_.fits(delay)) {
            withdraw();
            return go(call_step::ascend, I);
        }
        out_.reset();
        layers_.template reset_inside<I>();
        if (delay > duration::zero())
            return wait_until(add_saturating(call_.now(), delay), call_phase::backing_off);
        go(call_step::ask, I);
    }

    template <std::size_t I>
    void divert() {
        phase_ = call_phase::operating;
        auto const error = out_.set_aside();
        owner().start_alternative(line_.template policy<I>().alternative(), error, I);
        arm_deadline();
    }

    template <std::size_t I>
    void alternative_ended() {
        layers_.template alternative_ended<I>(line_, call_, out_);
        go(call_step::ascend, I);
    }

protected:
    [[no_unique_address]] typename layers_type::template node_type<layer_walk> node_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_COMPOSE_DETAIL_LAYER_WALK_HPP
