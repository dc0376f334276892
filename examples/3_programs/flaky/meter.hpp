// SPDX-License-Identifier: BSL-1.0
//
// The meter: what callers got, what reached the server, and what the pipeline did, over time.
//
// It is also the sink of the pipeline's and the breaker's events: each `on` below is one kind of
// event it wants, and the kinds it leaves out cost nothing.
#ifndef FLAKY_METER_HPP
#define FLAKY_METER_HPP

#include "settings.hpp"

#include <hawser/stats/quantile.hpp>
#include <hawser/trace/event.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

namespace flaky {

/// What a caller got.
enum class answer : std::uint8_t {
    fresh,     ///< The server's answer, in time.
    degraded,  ///< In time, but a fallback's: the last answer known.
    failed,    ///< An error, nothing in time, or not even sent.
};

/// Sums over a span of time.
struct summary {
    std::array<std::uint64_t, 3> answers{};  ///< By `answer`.
    std::uint64_t reached_server = 0;
    std::uint64_t retries = 0;
    std::uint64_t refused = 0;   ///< Attempts that the breaker kept from the server.
    std::uint64_t timeouts = 0;  ///< Attempts that their timeout ended.
    duration p50{}, p99{};       ///< Of the time until the caller knew.

    [[nodiscard]] std::uint64_t calls() const noexcept {
        return answers[0] + answers[1] + answers[2];
    }
    /// The share of calls that ended so; zero if there was none.
    [[nodiscard]] double share(answer which) const noexcept {
        auto const all = calls();
        auto const part = answers[static_cast<std::size_t>(which)];
        return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
    }
};

struct breaker_step {
    duration at{};  ///< Since the start of the script.
    char const* state = "";
};

/// Which time a call belongs to: when it was due, or when it ended.
enum class by : std::uint8_t { due, end };

/// Thread safety: all members may be called concurrently.
class meter {
public:
    meter(settings const& all, duration script_length, time_point start);

    [[nodiscard]] time_point start() const noexcept { return start_; }

    void ended(answer got, time_point due, time_point now);
    void reached_server(time_point now) noexcept { ++at(now).reached_server; }

    void on(hawser::retry_scheduled const& event) noexcept { ++at(event.origin.at).retries; }
    void on(hawser::call_refused const& event) noexcept { ++at(event.origin.at).refused; }
    void on(hawser::timeout_fired const& event) noexcept { ++at(event.origin.at).timeouts; }
    void on(hawser::breaker_changed const& event);

    /// What happened in [from, to), of times since the start. Of a call's times, `order` says which
    /// one counts.
    [[nodiscard]] summary between(duration from, duration to, by order) const;
    [[nodiscard]] summary total() const { return between({}, duration::max(), by::due); }

    [[nodiscard]] std::vector<breaker_step> breaker_steps() const;
    /// There is a breaker. `state` is static, as are the names in its events.
    void breaker_begins(char const* state) noexcept {
        state_.store(state, std::memory_order_relaxed);
    }
    /// "-" without one.
    [[nodiscard]] char const* breaker_state() const noexcept {
        return state_.load(std::memory_order_relaxed);
    }

private:
    using count = std::atomic<std::uint32_t>;

    struct slice {
        count reached_server{}, retries{}, refused{}, timeouts{};
    };
    struct answers {
        mutable std::mutex mutex;  // Guards what follows.
        std::array<std::uint32_t, 3> got{};
        hawser::quantile_sketch latency;
    };

    [[nodiscard]] std::size_t index_of(time_point now) const noexcept;
    [[nodiscard]] slice& at(time_point now) noexcept { return slices_[index_of(now)]; }

    time_point start_;
    duration width_;
    std::vector<slice> slices_;
    std::array<std::vector<answers>, 2> answers_;  ///< By `by`.
    std::atomic<char const*> state_{"-"};
    mutable std::mutex mutex_;  // Guards what follows.
    std::vector<breaker_step> steps_;
};

}  // namespace flaky
#endif  // FLAKY_METER_HPP
