// SPDX-License-Identifier: BSL-1.0
//
// What a pipeline stands in: where its time comes from, how its calls wait, who hears of them.
#ifndef HAWSER_COMPOSE_ENVIRONMENT_HPP
#define HAWSER_COMPOSE_ENVIRONMENT_HPP

#include <hawser/base/clock.hpp>
#include <hawser/compose/parking.hpp>
#include <hawser/trace/sink.hpp>

#include <concepts>

namespace hawser::inline v0 {

/// What `compose_in` takes: a clock, a way for a thread to park, and a sink for the calls' events.
template <class Environment>
concept call_environment = requires(Environment const& env, parking_spot& spot,
                                    std::stop_token const& stop) {
    { env.now() }
    noexcept->std::same_as<time_point>;
    { env.park(spot, time_point{}, stop) } -> std::same_as<wake_reason>;
    env.sink();
};

/// The environment of real time: threads block on their own condition.
template <clock_source Clock = steady_clock_source, class Sink = null_sink>
class environment {
public:
    constexpr environment() = default;
    constexpr explicit environment(Clock clock, Sink sink = {}) noexcept
        : clock_{clock}, sink_{sink} {}

    [[nodiscard, gnu::always_inline]] time_point now() const noexcept { return clock_.now(); }

    wake_reason park(parking_spot& spot, time_point until, std::stop_token const& stop) const {
        return spot.park(until, stop);
    }

    [[nodiscard]] constexpr Sink& sink() const noexcept { return sink_; }

private:
    [[no_unique_address]] Clock clock_{};
    [[no_unique_address]] mutable Sink sink_{};
};

/// Real time, with events to a sink that somebody else owns.
template <class Sink>
using observed_environment = environment<steady_clock_source, sink_reference<Sink>>;

/// The same, made: for a sink that outlives the pipeline, or the channel.
template <class Sink>
[[nodiscard]] observed_environment<Sink> observed_by(Sink& sink) noexcept {
    return observed_environment<Sink>{steady_clock_source{}, sink_reference<Sink>{sink}};
}

}  // namespace hawser::inline v0
#endif  // HAWSER_COMPOSE_ENVIRONMENT_HPP
