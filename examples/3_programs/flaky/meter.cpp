// SPDX-License-Identifier: BSL-1.0
#include "meter.hpp"

#include <algorithm>

namespace flaky {
namespace {

/// Enough for the script, and for what ends after it.
std::size_t slices_for(settings const& all, duration script_length) {
    return static_cast<std::size_t>((script_length + 2 * all.patience) / all.slice) + 1;
}

}  // namespace

meter::meter(settings const& all, duration script_length, time_point start)
    : start_{start},
      width_{all.slice},
      slices_(slices_for(all, script_length)),
      answers_{std::vector<answers>(slices_.size()), std::vector<answers>(slices_.size())} {}

std::size_t meter::index_of(time_point now) const noexcept {
    auto const elapsed = std::max(now - start_, duration{});
    return std::min(static_cast<std::size_t>(elapsed / width_), slices_.size() - 1);
}

void meter::ended(answer got, time_point due, time_point now) {
    for (auto const order : {by::due, by::end}) {
        auto const index = index_of(order == by::due ? due : now);
        auto& here = answers_[static_cast<std::size_t>(order)][index];
        std::lock_guard const lock{here.mutex};
        ++here.got[static_cast<std::size_t>(got)];
        here.latency.record(now - due);
    }
}

void meter::on(hawser::breaker_changed const& event) {
    state_.store(event.to, std::memory_order_relaxed);
    std::lock_guard const lock{mutex_};
    steps_.push_back({event.origin.at - start_, event.to});
}

std::vector<breaker_step> meter::breaker_steps() const {
    std::lock_guard const lock{mutex_};
    return steps_;
}

summary meter::between(duration from, duration to, by order) const {
    summary sum;
    hawser::quantile_sketch latency;
    auto const last = to == duration::max() ? slices_.size() : index_of(start_ + to);
    for (auto i = index_of(start_ + from); i < last; ++i) {
        auto const& events = slices_[i];
        sum.reached_server += events.reached_server;
        sum.retries += events.retries;
        sum.refused += events.refused;
        sum.timeouts += events.timeouts;

        auto const& here = answers_[static_cast<std::size_t>(order)][i];
        std::lock_guard const lock{here.mutex};
        for (std::size_t got = 0; got < here.got.size(); ++got) sum.answers[got] += here.got[got];
        latency.merge(here.latency);
    }
    sum.p50 = latency.at(0.5).value_or(duration{});
    sum.p99 = latency.at(0.99).value_or(duration{});
    return sum;
}

}  // namespace flaky
