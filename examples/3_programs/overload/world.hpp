// SPDX-License-Identifier: BSL-1.0
//
// What is simulated: a server, callers of little patience, and what they ask of it when.
#ifndef OVERLOAD_WORLD_HPP
#define OVERLOAD_WORLD_HPP

#include <hawser/base/random.hpp>
#include <hawser/base/time.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

namespace overload {

using hawser::duration;
using hawser::time_point;
using namespace std::chrono_literals;

[[nodiscard]] inline double seconds(duration time) {
    return std::chrono::duration<double>(time).count();
}

/// The server and its callers, as they are throughout.
struct world {
    std::uint32_t workers = 40;  ///< Requests that the server works on at one time.

    /// A request keeps a worker for `least` and some more, `more` on average: exponentially
    /// distributed, so that one in a hundred takes more than 110 ms.
    duration least = 20ms, more = 20ms;

    /// Requests that wait for a worker, in order. One that finds the queue full is turned away. The
    /// number is Linux's for connections that nobody has accepted yet.
    std::uint32_t backlog = 4096;

    /// After so long a caller gives up and leaves. The server does not know, and works on its
    /// request when the turn comes, for nobody.
    duration patience = 1s;

    /// What the server gets done when it is always busy: requests a second.
    [[nodiscard]] double capacity() const noexcept { return workers / seconds(least + more); }
};

/// A while in which nothing changes.
struct stretch {
    duration length;
    double load;       ///< What callers ask for, in capacities of the server at full speed.
    double speed = 1;  ///< Of the server.
};

/// What happens when. Past the end there are no callers.
class script {
public:
    explicit script(std::vector<stretch> stretches) : stretches_(std::move(stretches)) {
        for (auto const& each : stretches_) length_ += each.length;
    }

    [[nodiscard]] std::vector<stretch> const& stretches() const noexcept { return stretches_; }
    [[nodiscard]] duration length() const noexcept { return length_; }

    /// What holds so long after the start, and until when.
    struct moment {
        double load = 0, speed = 1;
        duration until = duration::max();
    };
    [[nodiscard]] moment at(duration elapsed) const noexcept {
        duration end{};
        for (auto const& each : stretches_)
            if (elapsed < (end += each.length)) return {each.load, each.speed, end};
        return {};
    }

private:
    std::vector<stretch> stretches_;
    duration length_{};
};

/// One story about one world, with its chances.
struct scene {
    world all;
    script story;
    std::uint64_t seed = 7;
};

/// A duration whose chance to go on never changes, `mean` on average. The same bits give the same
/// duration.
[[nodiscard]] inline duration exponential(double mean_seconds, std::uint64_t bits) noexcept {
    auto const share = (static_cast<double>(bits >> 11) + 1) * 0x1p-53;  // In (0, 1].
    return duration{std::llround(-std::log(share) * mean_seconds * 1e9)};
}

}  // namespace overload
#endif  // OVERLOAD_WORLD_HPP
