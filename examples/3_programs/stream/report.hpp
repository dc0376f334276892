// SPDX-License-Identifier: BSL-1.0
//
// What was found, in words and figures.
#ifndef STREAM_REPORT_HPP
#define STREAM_REPORT_HPP

#include "findings.hpp"
#include "settings.hpp"
#include "transfer.hpp"

namespace stream {

void print_head(settings const& all);

/// Shows how far a transfer is: a line that moves on a terminal, elsewhere one every five seconds.
void show(settings const& all, slice const& seen);
void show_end();

void print(settings const& all, findings const& with);
void print_without(findings const& without);

/// Says which promises are broken; whether none is.
[[nodiscard]] bool holds(settings const& all, findings const& with);
[[nodiscard]] bool shows_contrast(settings const& all, findings const& without);

}  // namespace stream
#endif  // STREAM_REPORT_HPP
