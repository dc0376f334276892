// SPDX-License-Identifier: BSL-1.0
//
// What was found, in words and figures.
#ifndef OVERLOAD_REPORT_HPP
#define OVERLOAD_REPORT_HPP

#include "findings.hpp"
#include "settings.hpp"

#include <vector>

namespace overload {

void print_table(settings const& all, load_curve const& found);

/// Says what came of the claim; whether it holds.
[[nodiscard]] bool report(claim const& found);

/// The same of a claim for each seed from `first` on.
[[nodiscard]] bool report_range(std::vector<claim> const& found, std::uint64_t first);

}  // namespace overload
#endif  // OVERLOAD_REPORT_HPP
