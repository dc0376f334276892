// SPDX-License-Identifier: BSL-1.0
//
// What the program is told, and what it plays.
#ifndef OVERLOAD_SETTINGS_HPP
#define OVERLOAD_SETTINGS_HPP

#include "world.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace overload {

struct settings {
    std::uint64_t seed = 7;
    std::uint16_t seeds = 0;  ///< If not zero, checks the claim for so many and draws nothing.
    std::string out = "overload.svg";
    world all;

    // The table: each load for `run`, of which the time up to `measured_from` is not counted.
    std::vector<double> loads{0.5, 0.9, 1, 1.5, 2, 3, 5};
    duration run = 40s, measured_from = 10s;

    /// What an unloaded server is, in capacities, and the load of the claim.
    double unloaded = 0.1, overloaded = 3;

    /// The story over time.
    std::vector<stretch> story{
        {.length = 15s, .load = 0.7}, {.length = 20s, .load = 3},
        {.length = 25s, .load = 0.7}, {.length = 20s, .load = 0.7, .speed = 0.5},
        {.length = 25s, .load = 0.7},
    };
};

/// What the command line asks for; or, after a word of help, the status to exit with.
[[nodiscard]] std::variant<settings, int> settings_of(int argc, char const* const* argv);

}  // namespace overload
#endif  // OVERLOAD_SETTINGS_HPP
