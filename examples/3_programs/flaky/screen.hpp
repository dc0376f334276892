// SPDX-License-Identifier: BSL-1.0
//
// The live view of a run: a row for each second that has passed, and on a terminal a line below
// them that moves.
#ifndef FLAKY_SCREEN_HPP
#define FLAKY_SCREEN_HPP

#include "meter.hpp"
#include "script.hpp"
#include "settings.hpp"

#include <string>
#include <thread>

namespace flaky {

/// Shows a run from its construction until `finish`, on a thread of its own.
class screen {
public:
    screen(settings const& all, fault_script const& script, meter const& counts,
           std::string const& title);

    /// Shows what has not been shown yet, and stops.
    void finish();

private:
    void show_until(std::stop_token const& stop);
    void show_rows(duration elapsed);
    void show_row(duration from, duration to) const;
    void show_progress(duration elapsed) const;
    void clear_progress() const;

    settings const& all_;
    fault_script const& script_;
    meter const& counts_;
    bool is_terminal_;
    bool has_colours_;
    duration shown_{};
    std::jthread thread_;
};

}  // namespace flaky
#endif  // FLAKY_SCREEN_HPP
