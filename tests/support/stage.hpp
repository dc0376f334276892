// SPDX-License-Identifier: BSL-1.0
//
// An environment that a test directs: it moves the time, hears of every wait just before it
// begins, and writes down every event.
//
//     stage scene;
//     scene.on_wait = [&] { caller.request_stop(); };      // the caller gives up during the wait
//     auto const line = compose_in(scene.environment(), …);
#ifndef HAWSER_TESTS_SUPPORT_STAGE_HPP
#define HAWSER_TESTS_SUPPORT_STAGE_HPP

#include <hawser/base/clock.hpp>
#include <hawser/compose/parking.hpp>
#include <hawser/trace/sink.hpp>

#include "support/trace_of.hpp"

#include <atomic>
#include <functional>
#include <stop_token>

namespace support {

struct stage {
    hawser::manual_time time{};
    trace_of trace{};
    std::function<void()> on_wait{};  ///< Runs on the thread that is about to wait.
    std::function<void()> on_bell{};  ///< Runs where a call driven by hand needs its bell to ring.
    std::atomic<bool> hold{false};    ///< Waits really block: only a wake or a stop ends them.
    std::atomic<int> waits{0};
    hawser::time_point const start = time.now();

    class environment_type;
    [[nodiscard]] environment_type environment() noexcept;

    [[nodiscard]] hawser::duration elapsed() const noexcept { return time.now() - start; }
    /// Blocks until so many waits have begun.
    void await_waits(int count) const noexcept {
        for (auto seen = waits.load(); seen < count; seen = waits.load()) waits.wait(seen);
    }
};

class stage::environment_type {
public:
    explicit environment_type(stage& on) noexcept : on_{&on}, sink_{on.trace} {}

    [[nodiscard]] hawser::time_point now() const noexcept { return on_->time.now(); }
    [[nodiscard]] auto& sink() const noexcept { return sink_; }

    hawser::wake_reason park(hawser::parking_spot& spot, hawser::time_point until,
                             std::stop_token const& stop) const {
        ++on_->waits;
        on_->waits.notify_all();
        if (on_->on_wait) on_->on_wait();
        if (on_->hold || until == hawser::no_deadline) return spot.park(hawser::no_deadline, stop);
        auto const so_far = spot.park(hawser::time_point{}, stop);
        if (so_far == hawser::wake_reason::time && until > on_->time.now()) on_->time.set(until);
        return so_far;
    }

private:
    stage* on_;
    mutable hawser::sink_reference<trace_of> sink_;
};

inline stage::environment_type stage::environment() noexcept { return environment_type{*this}; }

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_STAGE_HPP
