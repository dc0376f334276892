// SPDX-License-Identifier: BSL-1.0
//
// What came of the two runs: a table, and whether it is what hawser promises.
#ifndef FLAKY_REPORT_HPP
#define FLAKY_REPORT_HPP

#include "meter.hpp"
#include "script.hpp"
#include "settings.hpp"

namespace flaky {

/// The same script, met by both clients.
struct two_runs {
    settings const& all;
    fault_script const& script;
    meter const& without;
    meter const& with;
};

void print_table(two_runs const& runs);

/// Whether the pipeline did what it is for; says which promise was broken.
[[nodiscard]] bool holds_promises(two_runs const& runs);

}  // namespace flaky
#endif  // FLAKY_REPORT_HPP
