// SPDX-License-Identifier: BSL-1.0
//
// What the call machine knows of its call: the pipeline, the context, the outcome, and where the
// call stands.
#ifndef HAWSER_COMPOSE_DETAIL_CALL_RECORD_HPP
#define HAWSER_COMPOSE_DETAIL_CALL_RECORD_HPP

#include <hawser/base/outcome.hpp>
#include <hawser/compose/context.hpp>
#include <hawser/compose/detail/machine_layers.hpp>
#include <hawser/policy/concept.hpp>
#include <hawser/trace/event.hpp>
#include <hawser/trace/sink.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

template <class D, class Pipeline, class Facts, class R>
class call_record {
public:
    using call_type = context<typename Pipeline::environment_type, Facts>;
    using layers_type = machine_layers<Pipeline, call_type, R>;

    call_record(call_record const&) = delete;
    call_record& operator=(call_record const&) = delete;

protected:
    call_record(Pipeline const& line, Facts const& facts)
        : line_{line}, facts_{facts}, call_{line.environment(), facts_} {}
    ~call_record() = default;

    D& owner() noexcept { return static_cast<D&>(*this); }

    /// Whether the operation is a fork, which tells of its attempts itself.
    static consteval bool starts_fork() noexcept {
        if constexpr (requires { D::starts_fork_operation; })
            return D::starts_fork_operation;
        else
            return false;
    }

    /// After something was started, and only if it did not end at once.
    void arm_deadline() {
        if (phase_ == call_phase::operating && call_.has_deadline()) owner().arm(call_.deadline());
    }

    void wait_until(time_point until, call_phase why) {
        until_ = until;
        phase_ = why;
        owner().arm(std::min(until, call_.deadline()));
    }
    void wait_for_bell(call_step then, std::size_t level) {
        at_ = static_cast<std::uint32_t>(level);
        after_bell_ = then;
        phase_ = call_phase::awaiting_bell;
        owner().arm(no_deadline);
    }

    /// Whether the call is to stop; a deadline that has passed is then its cause.
    bool is_out_of_time() noexcept {
        if (call_.cause_set() != stop_cause::none) return true;
        auto const asked = call_.cause();
        if (asked == stop_cause::none && call_.fits({})) return false;
        driver::set_cause(call_, asked == stop_cause::none ? stop_cause::timeout : asked);
        return true;
    }

    void refuse(refusal const& why, bool withdrawn = false) noexcept {
        out_.refuse(why);
        if (withdrawn)
            call_.template emit<wait_withdrawn>(why.policy, [&](event_origin at) {
                return wait_withdrawn{at, why.code};
            });
        call_.template emit<call_refused>(why.policy, [&](event_origin at) {
            return call_refused{at, why};
        });
    }

    void finish() noexcept {
        out_.origin().attempts = call_.attempt();
        // What is left of a cause here is the caller's own deadline.
        if (call_.cause_set() == stop_cause::timeout && out_.classify() == verdict::success)
            out_.origin().late = true;
        phase_ = call_phase::finished;
        call_.template emit<call_ended>("pipeline", [&](event_origin at) {
            return call_ended{at, out_.classify(), out_.code(), time_between(begun_.value, at.at),
                              out_.origin().degraded};
        });
    }

    using sink = std::remove_reference_t<
        decltype(std::declval<typename Pipeline::environment_type const&>().sink())>;

    /// When the call, or the attempt, began: kept only where somebody listens for its end.
    template <class Event>
    struct no_time {
        static constexpr time_point value{};
    };
    template <class Event>
    struct kept_time {
        time_point value{};
    };
    template <class Event>
    using kept_for = std::conditional_t<listens_to<sink, Event>, kept_time<Event>, no_time<Event>>;

    Pipeline const& line_;
    [[no_unique_address]] Facts const facts_;
    call_type call_;
    outcome<R> out_;
    [[no_unique_address]] layers_type layers_;
    [[no_unique_address]] kept_for<call_ended> begun_;
    [[no_unique_address]] kept_for<attempt_ended> began_;
    time_point until_{};
    std::uint32_t level_ = 0;
    std::uint32_t at_ = 0;
    std::uint32_t depth_ = 0;  ///< The layers the call is inside of: those before this.
    call_phase phase_ = call_phase::running;
    call_step step_ = call_step::none;
    call_step after_bell_ = call_step::none;
    bool moving_ = false;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_COMPOSE_DETAIL_CALL_RECORD_HPP
