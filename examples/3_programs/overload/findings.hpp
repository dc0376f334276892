// SPDX-License-Identifier: BSL-1.0
//
// What the simulation found: each limiter at each load, and two of them through the story.
#ifndef OVERLOAD_FINDINGS_HPP
#define OVERLOAD_FINDINGS_HPP

#include "limiters.hpp"
#include "meter.hpp"
#include "settings.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace overload {

/// One limiter at one load.
struct cell {
    double load = 0;
    summary sum;
    std::uint32_t limit = 0;  ///< At the end; zero if there is none.
};

struct row {
    char const* name = "";
    std::uint32_t ceiling = 0;
    std::vector<cell> cells;
};

/// The load curve: everything at a constant load.
struct load_curve {
    summary unloaded;  ///< A server with next to nothing to do, and no limit.
    std::vector<row> rows;
};

/// The story, without a limit and with the default one.
struct timelines {
    script story;
    meter without, with;
};

/// Told what is simulated next.
using progress = std::function<void(std::string const&)>;

[[nodiscard]] load_curve find_load_curve(settings const& all, progress const& next);
[[nodiscard]] timelines find_timelines(settings const& all, progress const& next);

/// What the library claims, and what came of it.
struct claim {
    // At three times the load, as shares of the capacity.
    double goodput_with = 0, goodput_without = 0;
    /// Of the calls that the default limit admits, as a multiple of an unloaded server's.
    double p99_with = 0;

    static constexpr double least_goodput = 0.9, most_p99 = 3, collapse = 0.5;

    [[nodiscard]] bool holds() const noexcept {
        return goodput_with >= least_goodput && p99_with <= most_p99 && goodput_without < collapse;
    }
};

/// The claim's part of the simulation alone.
[[nodiscard]] claim find_claim(settings const& all, std::uint64_t seed);
[[nodiscard]] claim claim_of(settings const& all, load_curve const& found);

}  // namespace overload
#endif  // OVERLOAD_FINDINGS_HPP
