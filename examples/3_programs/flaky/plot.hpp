// SPDX-License-Identifier: BSL-1.0
//
// The timeline of both runs as a picture.
#ifndef FLAKY_PLOT_HPP
#define FLAKY_PLOT_HPP

#include "report.hpp"

#include <string>

namespace flaky {

/// Writes the picture, an SVG, to `path`. Returns whether that worked.
[[nodiscard]] bool write_plot(two_runs const& runs, std::string const& path);

}  // namespace flaky
#endif  // FLAKY_PLOT_HPP
