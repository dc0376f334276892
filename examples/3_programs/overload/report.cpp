// SPDX-License-Identifier: BSL-1.0
#include "report.hpp"

#include <algorithm>
#include <cstdio>

namespace overload {
namespace {

/// One measure of all limiters at all loads. `print(row, cell)` prints eight columns.
template <class Print>
void print_measure(char const* title, load_curve const& found, Print const& print) {
    std::printf("\n  %s\n", title);
    for (auto const& each : found.rows) {
        std::printf("    %-30s", each.name);
        for (auto const& at : each.cells) print(each, at);
        std::printf("\n");
    }
}

bool promise(bool kept, char const* otherwise, double found) {
    if (!kept) {
        std::printf("  BROKEN: ");
        std::printf(otherwise, found);
        std::printf("\n");
    }
    return kept;
}

bool keeps_promises(claim const& found) {
    auto kept = promise(found.goodput_with >= claim::least_goodput,
                        "with the default limit, goodput at 3 times the load is %.1f %% of "
                        "capacity, not 90 %% or more",
                        100 * found.goodput_with);
    kept &= promise(found.p99_with <= claim::most_p99,
                    "with the default limit, the p99 of admitted calls at 3 times the load is "
                    "%.2f times the unloaded one, not 3 or less",
                    found.p99_with);
    kept &= promise(found.goodput_without < claim::collapse,
                    "without a limit, goodput at 3 times the load is %.1f %% of capacity: the "
                    "server does not collapse, so the limit shows nothing",
                    100 * found.goodput_without);
    return kept;
}

template <class Value>
void print_range(char const* what, std::vector<claim> const& found, Value const& value,
                 char const* format) {
    std::vector<double> all;
    for (auto const& each : found) all.push_back(value(each));
    std::sort(all.begin(), all.end());
    std::printf("    %-52s", what);
    std::printf(format, all.front(), all[all.size() / 2], all.back());
}

}  // namespace

void print_table(settings const& all, load_curve const& found) {
    auto const& at = all.all;
    std::printf("  %u workers, %.0f requests a second; unloaded: median %.0f ms, p99 %.0f ms\n",
                at.workers, at.capacity(), seconds(found.unloaded.p50) * 1e3,
                seconds(found.unloaded.p99) * 1e3);
    std::printf("  callers give up after %.0f ms; %.0f s each, of which %.0f s are measured\n\n",
                seconds(at.patience) * 1e3, seconds(all.run), seconds(all.run - all.measured_from));
    std::printf("  %-32s", "offered, in capacities");
    for (auto const load : all.loads) std::printf("%8.1f", load);
    std::printf("\n");

    print_measure("goodput, % of capacity: answered while the caller was there", found,
                  [&](row const&, cell const& each) {
                      std::printf("%8.1f", 100 * each.sum.goodput() / at.capacity());
                  });
    print_measure("p99 of admitted calls, x the unloaded p99", found,
                  [&](row const&, cell const& each) {
                      std::printf("%8.2f", seconds(each.sum.p99) / seconds(found.unloaded.p99));
                  });
    print_measure("median of admitted calls, x the unloaded median", found,
                  [&](row const&, cell const& each) {
                      std::printf("%8.2f", seconds(each.sum.p50) / seconds(found.unloaded.p50));
                  });
    print_measure(
        "refused at once, % of calls (without a limit: by the server, once its queue "
        "is full)",
        found,
        [](row const&, cell const& each) { std::printf("%8.1f", 100 * each.sum.refused_share()); });
    print_measure("limit at the end", found, [](row const& of, cell const& each) {
        if (each.limit == 0)
            std::printf("%8s", "-");
        else
            std::printf("%7u%s", each.limit, each.limit == of.ceiling ? "*" : " ");
    });
    std::printf("    * its ceiling by default, not what it has learned\n\n");
}

bool report(claim const& found) {
    if (!keeps_promises(found)) return false;
    std::printf(
        "  At 3 times the load the default limit keeps goodput at %.1f %% of capacity (claimed: "
        "90)\n  and the p99 of admitted calls at %.2f times the unloaded one (claimed: 3).\n  "
        "Without a limit goodput is %.1f %%.\n",
        100 * found.goodput_with, found.p99_with, 100 * found.goodput_without);
    return true;
}

bool report_range(std::vector<claim> const& found, std::uint64_t first) {
    std::printf("\n  %zu seeds from %llu on, at 3 times the load%24s\n", found.size(),
                static_cast<unsigned long long>(first), "least  median    most");
    print_range(
        "default limit: goodput, % of capacity", found,
        [](claim const& each) { return 100 * each.goodput_with; }, "%8.1f%8.1f%8.1f\n");
    print_range(
        "default limit: p99 of admitted calls, x unloaded", found,
        [](claim const& each) { return each.p99_with; }, "%8.2f%8.2f%8.2f\n");
    print_range(
        "no limit: goodput, % of capacity", found,
        [](claim const& each) { return 100 * each.goodput_without; }, "%8.1f%8.1f%8.1f\n");
    auto kept = true;
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (!found[i].holds())
            std::printf("  seed %llu:\n", static_cast<unsigned long long>(first + i));
        kept &= keeps_promises(found[i]);
    }
    return kept;
}

}  // namespace overload
