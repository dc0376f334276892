// SPDX-License-Identifier: BSL-1.0
//
// What was found, as a picture.
#ifndef OVERLOAD_PLOT_HPP
#define OVERLOAD_PLOT_HPP

#include "findings.hpp"

#include <string>

namespace overload {

/// Writes the picture, an SVG, to `path`. Returns whether that worked.
[[nodiscard]] bool write_plot(settings const& all, load_curve const& loads, timelines const& times,
                              std::string const& path);

}  // namespace overload
#endif  // OVERLOAD_PLOT_HPP
