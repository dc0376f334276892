// SPDX-License-Identifier: BSL-1.0
//
// manual_environment: pipelines under a time that the test moves, and no test that sleeps.
//
//     manual_time time;
//     auto const line = compose_in(testing::manual_environment{time}, retry{…}, borrow(breaker));
//     execute(line, op);                       // a backoff of ten seconds takes none
//     CHECK(time.now() - start == 10s);
#ifndef HAWSER_TESTING_MANUAL_ENVIRONMENT_HPP
#define HAWSER_TESTING_MANUAL_ENVIRONMENT_HPP

#include <hawser/base/clock.hpp>
#include <hawser/compose/parking.hpp>
#include <hawser/trace/sink.hpp>

#include <cstdint>
#include <stop_token>
#include <utility>

namespace hawser::inline v0::testing {

/// Always the same number: 0 for the shortest jitter, ~0 for the longest.
struct fixed_random {
    std::uint64_t bits = ~std::uint64_t{0};
    std::uint64_t operator()() const noexcept { return bits; }
};

/// An environment whose time is a `manual_time`, which outlives it.
///
/// A thread that waits for a time moves the time there and goes on. A thread that waits for a grant
/// without a limit really blocks until it is woken or stopped, so two threads can be tested too.
template <class Sink = null_sink>
class manual_environment {
public:
    explicit manual_environment(manual_time& time, Sink sink = {}) noexcept
        : time_{&time}, sink_(std::move(sink)) {}

    [[nodiscard]] time_point now() const noexcept { return time_->now(); }
    [[nodiscard]] Sink& sink() const noexcept { return sink_; }
    [[nodiscard]] manual_time& time() const noexcept { return *time_; }

    wake_reason park(parking_spot& spot, time_point until, std::stop_token const& stop) const {
        if (until == no_deadline) return spot.park(until, stop);
        // A look at the past returns at once, with what has happened so far.
        auto const so_far = spot.park(time_point{}, stop);
        if (so_far == wake_reason::time && until > time_->now()) time_->set(until);
        return so_far;
    }

private:
    manual_time* time_;
    [[no_unique_address]] mutable Sink sink_;
};

/// Manual time, with events to a sink that outlives the pipeline.
template <class Sink>
[[nodiscard]] auto manual_and_observed(manual_time& time, Sink& sink) noexcept {
    return manual_environment<sink_reference<Sink>>{time, sink_reference<Sink>{sink}};
}

}  // namespace hawser::inline v0::testing
#endif  // HAWSER_TESTING_MANUAL_ENVIRONMENT_HPP
