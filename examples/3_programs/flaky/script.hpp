// SPDX-License-Identifier: BSL-1.0
//
// The fault script: what the server does wrong, and when.
//
// Time is divided into phases. Inside one, chance decides what becomes of a request, and chance is
// a function of the seed, the call's number and the attempt: the first attempt of call 1234 meets
// the same fate in every run, whoever asks and however the threads are scheduled.
#ifndef FLAKY_SCRIPT_HPP
#define FLAKY_SCRIPT_HPP

#include <hawser/base/random.hpp>
#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace flaky {

using hawser::duration;
using hawser::time_point;
using namespace std::chrono_literals;

/// How ill the server is, for the eye: it shades the plot.
enum class health : std::uint8_t { well, ailing, down };

/// What the server does for a while. What is left of the shares is answered after `latency`.
struct phase {
    char const* name;
    duration length;
    health state = health::well;
    double errors = 0;       ///< The share answered with a 503.
    double hangs = 0;        ///< The share never answered.
    double resets = 0;       ///< The share whose connection is reset.
    duration latency = 5ms;  ///< On average; each answer takes from half to one and a half of it.
};

enum class fault_kind : std::uint8_t { none, error, hang, reset };

struct fault {
    fault_kind kind = fault_kind::none;
    duration latency{};  ///< Before the answer, if there is one.
};

/// Which request is being decided about.
struct request_id {
    std::uint64_t call = 0;
    std::uint32_t attempt = 1;
};

class fault_script {
public:
    fault_script(std::vector<phase> phases, std::uint64_t seed)
        : phases_(std::move(phases)), seed_{seed} {
        for (auto const& each : phases_) length_ += each.length;
    }

    [[nodiscard]] std::vector<phase> const& phases() const noexcept { return phases_; }
    [[nodiscard]] duration length() const noexcept { return length_; }

    /// Which phase it is so long after the start; past the end, the last one.
    [[nodiscard]] std::size_t phase_at(duration elapsed) const noexcept {
        std::size_t at = 0;
        for (; at + 1 < phases_.size() && elapsed >= phases_[at].length; ++at)
            elapsed -= phases_[at].length;
        return at;
    }

    [[nodiscard]] fault decide(request_id const& request, duration elapsed) const noexcept {
        auto const& now = phases_[phase_at(elapsed)];
        auto const luck = hawser::random_at(seed_, request.call * 64 + request.attempt);
        auto const share = static_cast<double>(luck >> 11) * 0x1p-53;  // In [0, 1).
        auto const latency =
            now.latency / 2 + hawser::part_of(now.latency, hawser::random_at(luck, 0));
        if (share < now.errors) return {fault_kind::error, latency};
        if (share < now.errors + now.hangs) return {fault_kind::hang, {}};
        if (share < now.errors + now.hangs + now.resets) return {fault_kind::reset, {}};
        return {fault_kind::none, latency};
    }

private:
    std::vector<phase> phases_;
    std::uint64_t seed_;
    duration length_{};
};

}  // namespace flaky
#endif  // FLAKY_SCRIPT_HPP
