// SPDX-License-Identifier: BSL-1.0
//
// What was found, as a picture.
#ifndef STREAM_PLOT_HPP
#define STREAM_PLOT_HPP

#include "findings.hpp"
#include "settings.hpp"

namespace stream {

/// Writes the picture, an SVG, to `all.svg`; `without` may be null. Returns whether that worked.
[[nodiscard]] bool write_plot(settings const& all, findings const& with, findings const* without);

}  // namespace stream
#endif  // STREAM_PLOT_HPP
