// SPDX-License-Identifier: BSL-1.0
//
// An adaptive limit in front of a server, in virtual time: the loop that a limit steers.
//
//     Poisson arrivals --> limit --> server: one queue, `servers` at work --> ends --> on_sample
//                            |
//                         refused
#ifndef HAWSER_TESTS_SUPPORT_LIMIT_SIMULATION_HPP
#define HAWSER_TESTS_SUPPORT_LIMIT_SIMULATION_HPP

#include <hawser/base/random.hpp>
#include <hawser/limit/limit_algorithm.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <queue>
#include <vector>

namespace support {

/// Numbers from a seed, the same on every machine: the distributions of std are not.
class draws {
public:
    explicit draws(std::uint64_t seed) : random_{seed} {}
    /// In (0, 1].
    double share() { return (static_cast<double>(random_() >> 11) + 1) / 9007199254740992.0; }
    double exponential(double mean) { return -mean * std::log(share()); }

private:
    hawser::seeded_random random_;
};

/// A world for a limit. All times are in seconds from the start.
struct limit_world {
    double seconds = 30;
    std::uint32_t servers = 50;
    std::uint64_t seed = 20261121;

    /// Calls a second that come at a time; below 1e-9 stands for none.
    std::function<double(double)> arrivals = [](double) { return 15'000.0; };

    /// What one call takes a server, of those that begin at a time.
    std::function<double(double, draws&)> service = [](double, draws&) { return 0.01; };

    /// On the way to the server and back, beside the queue: no server is taken by it.
    std::function<double(double)> transit = [](double) { return 0.0; };

    /// A call that takes longer is dropped: its caller has gone, but the server works on it.
    double timeout = 1.0;

    /// The rest is not measured: results are of [measured_from, seconds).
    double measured_from = 10;
};

struct limit_result {
    double goodput = 0;       ///< Calls a second that were served in time.
    double p50 = 0, p99 = 0;  ///< Seconds that a call took which was served or dropped.
    std::uint32_t least = std::numeric_limits<std::uint32_t>::max(), most = 0;  ///< Of the limit.
    double mean_limit = 0;                                                      ///< Over time.
    std::uint32_t last = 0;                ///< The limit at the end.
    std::uint32_t most_inflight_over = 0;  ///< By how much calls in flight exceeded the limit.
    double settled = 0;  ///< From here on every call waited at most `queue_target` in the server.
};

/// Any number of calls, no limit.
struct no_limit {
    struct options_type {};
    no_limit() = default;
    explicit no_limit(options_type const&) {}
    std::uint32_t on_sample(hawser::limit_sample const&) noexcept { return limit(); }
    [[nodiscard]] std::uint32_t limit() const noexcept { return 100'000'000; }
};

inline hawser::time_point at_second(double seconds) {
    return hawser::time_point{std::chrono::hours{1}} +
           hawser::duration{static_cast<std::int64_t>(std::llround(seconds * 1e9))};
}

/// Runs the loop. `watch(second, limit)` is called at each end of a call.
template <class Algorithm>
class limit_simulation {
public:
    limit_simulation(limit_world const& world, Algorithm& limit)
        : world_{world}, limit_{limit}, draw_{world.seed} {}

    limit_result run(std::function<void(double, std::uint32_t)> const& watch = {}) {
        double next_arrival = next_after(0);
        while (std::min(next_arrival, next_end()) < world_.seconds) {
            if (next_arrival <= next_end()) {
                now_ = next_arrival;
                arrive();
                next_arrival = next_after(now_);
            } else {
                step_end();
                if (watch) watch(now_, limit_.limit());
            }
        }
        return summary();
    }

private:
    struct call {
        double started;
        std::uint32_t inflight;
    };
    struct ending {
        double at;
        bool leaves_server;
        call of;
        bool operator<(ending const& other) const { return at > other.at; }
    };

    double next_end() const { return ends_.empty() ? 1e18 : ends_.top().at; }

    double next_after(double from) {
        auto const rate = world_.arrivals(from);
        return rate < 1e-9 ? from + 0.01 : from + draw_.exponential(1 / rate);
    }

    void arrive() {
        note_limit();
        if (world_.arrivals(now_) < 1e-9 || inflight_ >= limit_.limit()) return;
        ++inflight_;
        waiting_.push_back({now_, inflight_});
        serve();
    }

    void serve() {
        while (busy_ < world_.servers && !waiting_.empty()) {
            auto const next = waiting_.front();
            waiting_.pop_front();
            ++busy_;
            ends_.push({now_ + world_.service(now_, draw_), true, next});
        }
    }

    void step_end() {
        auto const top = ends_.top();
        ends_.pop();
        now_ = top.at;
        if (top.leaves_server) {
            --busy_;
            serve();
            if (auto const transit = world_.transit(now_); transit > 0) {
                ends_.push({now_ + transit, false, top.of});
                return;
            }
        }
        --inflight_;
        end(top.of);
    }

    void end(call const& of) {
        auto const took = now_ - of.started;
        bool const late = took > world_.timeout;
        limit_.on_sample(
            {.now = at_second(now_),
             .started = at_second(of.started),
             .service_time = at_second(now_) - at_second(of.started),
             .inflight_at_start = of.inflight,
             .outcome = late ? hawser::sample_outcome::dropped : hawser::sample_outcome::success});
        note_limit();
        if (now_ < world_.measured_from) return;
        times_.push_back(took);
        in_time_ += !late;
    }

    void note_limit() {
        auto const limit = limit_.limit();
        if (now_ > world_.measured_from) {
            result_.least = std::min(result_.least, limit);
            result_.most = std::max(result_.most, limit);
            result_.mean_limit += limit * (now_ - std::max(noted_, world_.measured_from));
        }
        noted_ = now_;
    }

    limit_result summary() {
        auto const measured = world_.seconds - world_.measured_from;
        result_.goodput = static_cast<double>(in_time_) / measured;
        result_.mean_limit /= measured;
        result_.last = limit_.limit();
        std::sort(times_.begin(), times_.end());
        if (!times_.empty()) {
            result_.p50 = times_[times_.size() / 2];
            result_.p99 = times_[times_.size() * 99 / 100];
        }
        return result_;
    }

    limit_world const& world_;
    Algorithm& limit_;
    draws draw_;
    double now_ = 0, noted_ = 0;
    std::uint32_t inflight_ = 0, busy_ = 0;
    std::deque<call> waiting_;
    std::priority_queue<ending> ends_;
    std::vector<double> times_;
    std::uint64_t in_time_ = 0;
    limit_result result_;
};

template <class Algorithm>
limit_result simulate(limit_world const& world, Algorithm& limit,
                      std::function<void(double, std::uint32_t)> const& watch = {}) {
    return limit_simulation<Algorithm>{world, limit}.run(watch);
}

}  // namespace support
#endif  // HAWSER_TESTS_SUPPORT_LIMIT_SIMULATION_HPP
