// SPDX-License-Identifier: BSL-1.0
//
// The call machine, driven by hand: operations end where they start, time moves when the machine
// waits for it, and a test hears of every wait, all on one thread.
#ifndef HAWSER_TESTS_SUPPORT_HAND_DRIVER_HPP
#define HAWSER_TESTS_SUPPORT_HAND_DRIVER_HPP

#include <hawser/compose/call_machine.hpp>
#include <hawser/compose/detail/invoke.hpp>

#include "support/stage.hpp"

#include <utility>

namespace support {

template <class Pipeline, class Facts, class R, class Operation>
class hand_driver final
    : public hawser::call_machine<hand_driver<Pipeline, Facts, R, Operation>, Pipeline, Facts, R> {
    using machine = hawser::call_machine<hand_driver, Pipeline, Facts, R>;

public:
    hand_driver(stage& scene, Pipeline const& line, Facts const& facts, Operation& operation)
        : machine{line, facts}, scene_{scene}, operation_{operation} {}

    hawser::outcome<R> run() {
        this->begin();
        while (!this->finished()) wait();
        return std::move(this->out_);
    }
    /// Runs to its first wait, and destroys the call there. Whether a bell will still ring.
    bool run_and_tear_down() {
        this->begin();
        return !this->finished() && this->teardown();
    }

    // What the machine asks for.
    void start_operation() {
        hawser::detail::capture_operation(this->out_, operation_, this->call_);
        this->operation_ended(Pipeline::size);
    }
    template <class Alternative>
    void start_alternative(Alternative& instead, hawser::call_error const& error,
                           std::size_t level) {
        hawser::detail::capture_alternative(this->out_, instead, error);
        this->operation_ended(level);
    }
    void cancel_operation(hawser::stop_cause) {}
    void arm(hawser::time_point) {}
    void ring_arrives() noexcept { rung_ = true; }
    void settle() {}

private:
    /// As a thread that parks: a wake counts before a stop, and a stop before the time.
    void wait() {
        if (!this->awaits_bell()) {
            ++scene_.waits;
            if (scene_.on_wait) scene_.on_wait();
        } else if (scene_.on_bell) {
            scene_.on_bell();
        }
        if constexpr (requires { this->node_.owner; })  // Only where a layer parks calls.
            if (std::exchange(rung_, false)) return this->woken();
        if (this->awaits_bell()) std::terminate();  // Nobody is left to ring it.
        if (this->call_.stop_token().stop_requested())
            return this->stop(hawser::stop_cause::caller);
        if (auto const due = this->next_time(); due > scene_.time.now()) scene_.time.set(due);
        this->timer_fired();
    }

    stage& scene_;
    Operation& operation_;
    bool rung_ = false;
};

/// Puts `operation` through `line` by the machine.
template <class Pipeline, class Facts, class Operation>
auto drive_by_hand(stage& scene, Pipeline const& line, Facts const& facts, Operation&& operation) {
    using call_type = hawser::context<typename Pipeline::environment_type, Facts>;
    using plain = std::remove_reference_t<Operation>;
    using result = hawser::detail::operation_result_t<plain, call_type>;
    return hand_driver<Pipeline, Facts, result, plain>{scene, line, facts, operation}.run();
}
template <class Pipeline, class Operation>
bool tear_down_in_wait(stage& scene, Pipeline const& line, Operation&& operation) {
    using facts_type = hawser::call_facts<>;
    using call_type = hawser::context<typename Pipeline::environment_type, facts_type>;
    using plain = std::remove_reference_t<Operation>;
    using result = hawser::detail::operation_result_t<plain, call_type>;
    facts_type const facts;
    return hand_driver<Pipeline, facts_type, result, plain>{scene, line, facts, operation}
        .run_and_tear_down();
}

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_HAND_DRIVER_HPP
