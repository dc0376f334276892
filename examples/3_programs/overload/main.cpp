// SPDX-License-Identifier: BSL-1.0
//
// What does a limit do for a server that is asked for more than it can do?
//
// A server has 40 workers and a queue, and can do 1000 requests a second. Its callers give up after
// a second; the server works on for them. Under three times the load everything in the queue is
// older than that: the server is as busy as can be, and nobody is there for any answer. A limit in
// front keeps the queue short, by refusing at once what is too much. Which limit, though? Here are
// none, a number that somebody guessed (too low, well, too high), and four ways to learn one.
//
// All calls go through real pipelines of the library (the limit, and a timeout as the caller's
// patience) in virtual time. In a second or so it prints for each limiter, at half to five times of
// what the server can do, and so about this:
//
//       offered, in capacities               0.5     0.9     1.0     1.5     2.0     3.0     5.0
//
//       goodput, % of capacity: answered while the caller was there
//         none                              50.5    90.1    99.7     0.0     0.0     0.0     0.0
//         bulkhead, 50: a good guess        50.5    89.2    95.5   100.4   100.2   100.0   100.1
//         bulkhead, 1000: too high          50.5    90.1    99.7    14.2    12.4     6.2    13.4
//         knee, the default                 50.5    90.1    98.5    99.0    98.7    99.0    99.0
//
// then the same for how long admitted calls take, how many are refused, and the limit at the end.
// The picture shows it, and a story over time: an overload that begins and ends, and a server that
// falls to half of its speed for a while.
//
// Exits non-zero if at three times the load the default limit does not keep goodput at 90 % of the
// capacity and the p99 of admitted calls at three times that of an unloaded server, or if without a
// limit the server does not collapse. `--help` names the options; `--seeds 40` checks that for 40
// seeds. For a smoke test there is `--quick`:
// ctest: --quick --out overload.svg
#include "findings.hpp"
#include "plot.hpp"
#include "report.hpp"
#include "settings.hpp"

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>
#include <variant>
#include <vector>

using namespace overload;

namespace {

/// Shows on a terminal what is simulated; elsewhere nothing.
void show(std::string const& what) {
    static bool const watched = ::isatty(STDERR_FILENO) == 1;
    if (watched)
        std::fprintf(stderr, "\r\033[K%s%s", what.empty() ? "" : "  simulating ", what.c_str());
}

int compare(settings const& all) {
    auto const loads = find_load_curve(all, show);
    auto const times = find_timelines(all, show);
    show("");
    print_table(all, loads);
    auto const holds = report(claim_of(all, loads));
    if (!write_plot(all, loads, times, all.out)) {
        std::fprintf(stderr, "overload: cannot write '%s'\n", all.out.c_str());
        return 1;
    }
    std::printf("  The picture: %s\n", all.out.c_str());
    return holds ? 0 : 1;
}

int check_seeds(settings const& all) {
    std::vector<claim> found;
    for (std::uint32_t i = 0; i < all.seeds; ++i) {
        show("seed " + std::to_string(all.seed + i));
        found.push_back(find_claim(all, all.seed + i));
    }
    show("");
    return report_range(found, all.seed) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    auto const told = settings_of(argc, argv);
    if (auto const* const status = std::get_if<int>(&told)) return *status;
    try {
        auto const& all = std::get<settings>(told);
        return all.seeds == 0 ? compare(all) : check_seeds(all);
    } catch (std::exception const& error) {
        std::fprintf(stderr, "overload: %s\n", error.what());
        return 1;
    }
}
