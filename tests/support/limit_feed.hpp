// SPDX-License-Identifier: BSL-1.0
//
// Calls for an adaptive limit, one after the other, as a test wants them.
#ifndef HAWSER_TESTS_SUPPORT_LIMIT_FEED_HPP
#define HAWSER_TESTS_SUPPORT_LIMIT_FEED_HPP

#include <hawser/limit/limit_algorithm.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace support {

/// What calls have in common. `every` is the time between two ends.
struct calls_like {
    hawser::duration service = std::chrono::milliseconds{10};
    std::uint32_t inflight = 20;
    hawser::sample_outcome outcome = hawser::sample_outcome::success;
    hawser::duration queued{};
    hawser::duration every = std::chrono::milliseconds{1};
};

/// Tells a limit of calls, and keeps the time.
template <class Algorithm>
class limit_feed {
public:
    explicit limit_feed(Algorithm& limit) : limit_{limit} {}

    /// `count` calls alike.
    void operator()(int count, calls_like const& like = {}) {
        for (int i = 0; i < count; ++i) one(like);
    }

    /// Calls that always have as many in flight as the limit allows.
    void saturated(int count, calls_like like = {}) {
        for (int i = 0; i < count; ++i) {
            like.inflight = limit_.limit();
            one(like);
        }
    }

    [[nodiscard]] hawser::time_point now() const { return now_; }
    void pass(hawser::duration time) { now_ += time; }

private:
    void one(calls_like const& like) {
        now_ += like.every;
        limit_.on_sample({.now = now_,
                          .started = now_ - like.service,
                          .service_time = like.service,
                          .queue_time = like.queued,
                          .inflight_at_start = like.inflight,
                          .outcome = like.outcome});
    }

    Algorithm& limit_;
    hawser::time_point now_{std::chrono::hours{1}};
};

/// What constructing it from these options complains of; empty if it does not.
template <class Algorithm>
std::string complaint_about(typename Algorithm::options_type const& options) {
    try {
        Algorithm const limit{options};
        return {};
    } catch (std::invalid_argument const& refused) {
        return refused.what();
    }
}

}  // namespace support
#endif  // HAWSER_TESTS_SUPPORT_LIMIT_FEED_HPP
