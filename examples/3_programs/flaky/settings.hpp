// SPDX-License-Identifier: BSL-1.0
//
// What the program is told: the script's phases, the load, and how patient everybody is.
#ifndef FLAKY_SETTINGS_HPP
#define FLAKY_SETTINGS_HPP

#include "script.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace flaky {

struct settings {
    std::uint64_t seed = 7;
    std::uint16_t port = 0;  ///< Zero lets the system choose a free one.
    std::string svg = "flaky.svg";

    // The load, the same in both runs: one half from threads, the other from coroutines.
    std::uint32_t calls_per_second = 400;
    std::uint32_t threads = 12;

    /// After so long, nobody waits for the answer to a call any more.
    duration patience = 1s;

    // What the pipeline is set to. In good health the server answers within 10 ms.
    duration attempt_limit = 200ms;
    duration total_limit = 800ms;
    duration open_for = 300ms;
    std::uint32_t breaker_window = 100;

    // The grain of the plot, which divides every phase, and of the rows on the screen.
    duration slice = 250ms;
    duration row = 1s;

    std::vector<phase> phases{
        {.name = "healthy", .length = 2s, .errors = 0.01},
        {.name = "15% fail", .length = 3s, .state = health::ailing, .errors = 0.12, .resets = 0.03},
        {.name = "12% hang", .length = 4s, .state = health::ailing, .hangs = 0.12},
        {.name = "all 503", .length = 2s, .state = health::down, .errors = 1},
        {.name = "all hang", .length = 2s, .state = health::down, .hangs = 1},
        {.name = "all reset", .length = 2s, .state = health::down, .resets = 1},
        {.name = "recovers", .length = 2s, .state = health::ailing, .latency = 40ms},
        {.name = "healthy", .length = 3s, .errors = 0.01},
    };
};

/// The settings that the command line asks for; nothing, after a word of help, if it makes no
/// sense.
[[nodiscard]] std::optional<settings> settings_of(int argc, char const* const* argv);

}  // namespace flaky
#endif  // FLAKY_SETTINGS_HPP
