// SPDX-License-Identifier: BSL-1.0
//
// The load: callers that come by chance and whatever has become of those before them, as many in a
// second as the script says on average (a Poisson process).
#ifndef OVERLOAD_ARRIVALS_HPP
#define OVERLOAD_ARRIVALS_HPP

#include "world.hpp"

#include <hawser/testing/asio_time.hpp>

#include <cstdint>
#include <functional>
#include <utility>

namespace overload {

/// Calls `arrive(number)` for each caller, from 0 on, each in its time, until the script's end.
/// Lasts as long as the time moves.
class arrivals final : public hawser::timed_event {
public:
    arrivals(hawser::testing::manual_deadlines& deadlines, time_point start, scene const& played,
             std::function<void(std::uint64_t)> arrive)
        : deadlines_{deadlines}, played_{played}, start_{start}, arrive_(std::move(arrive)) {
        schedule();
    }
    arrivals(arrivals const&) = delete;
    arrivals& operator=(arrivals const&) = delete;
    ~arrivals() { deadlines_.cancel(*this); }

private:
    void deadline_reached() noexcept override {
        arrive_(number_++);
        schedule();
    }
    void deadline_dropped() noexcept override {}

    void schedule() {
        for (auto now = played_.story.at(last_); now.load > 0; now = played_.story.at(last_)) {
            auto const mean = 1 / (now.load * played_.all.capacity());
            auto const next = last_ + exponential(mean, hawser::random_at(~played_.seed, drawn_++));
            if (next < now.until) {
                last_ = next;
                return deadlines_.schedule(*this, start_ + next);
            }
            last_ = now.until;  // The chance begins anew where it changes: it has no memory.
        }
    }

    hawser::testing::manual_deadlines& deadlines_;
    scene const& played_;
    time_point start_;
    std::function<void(std::uint64_t)> arrive_;
    duration last_{};
    std::uint64_t number_ = 0, drawn_ = 0;
};

}  // namespace overload
#endif  // OVERLOAD_ARRIVALS_HPP
