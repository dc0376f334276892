// SPDX-License-Identifier: BSL-1.0
#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace flaky {
namespace {

double seconds(duration time) { return std::chrono::duration<double>(time).count(); }

struct span {
    duration from{}, to{};
};

/// From the first phase in which nothing works to the end of the last.
span outage_of(fault_script const& script) {
    span outage{duration::max(), {}};
    duration begins{};
    for (auto const& each : script.phases()) {
        auto const ends = begins + each.length;
        if (each.state == health::down) outage = {std::min(outage.from, begins), ends};
        begins = ends;
    }
    return outage;
}

double load_in(meter const& counts, span const& when) {
    auto const sum = counts.between(when.from, when.to, by::due);
    return static_cast<double>(sum.reached_server) / seconds(when.to - when.from);
}

void print_row(char const* what, double without, double with, char const* unit) {
    std::printf("  %-42s%12.1f %-3s%12.1f %s\n", what, without, unit, with, unit);
}
void print_count(char const* what, std::uint64_t without, std::uint64_t with) {
    std::printf("  %-42s%12llu    %12llu\n", what, static_cast<unsigned long long>(without),
                static_cast<unsigned long long>(with));
}

void print_phases(two_runs const& runs) {
    std::printf("\n  answered in time, phase by phase\n");
    duration begins{};
    for (auto const& each : runs.script.phases()) {
        auto const ends = begins + each.length;
        auto const share = [&](meter const& counts) {
            return 100 * counts.between(begins, ends, by::due).share(answer::fresh);
        };
        char what[64];
        std::snprintf(what, sizeof what, "  %4.1f to %4.1f s  %s", seconds(begins), seconds(ends),
                      each.name);
        print_row(what, share(runs.without), share(runs.with), "%");
        begins = ends;
    }
}

std::size_t openings(std::vector<breaker_step> const& steps) {
    return static_cast<std::size_t>(std::count_if(steps.begin(), steps.end(), [](auto const& step) {
        return std::strcmp(step.state, "open") == 0;
    }));
}

bool promise(bool kept, char const* what) {
    if (!kept) std::printf("BROKEN: %s\n", what);
    return kept;
}

}  // namespace

void print_table(two_runs const& runs) {
    auto const without = runs.without.total(), with = runs.with.total();
    auto const percent = [](summary const& sum, answer which) { return 100 * sum.share(which); };
    auto const ms = [](duration time) { return seconds(time) * 1e3; };
    auto const outage = outage_of(runs.script);

    std::printf("\n  %-42s%15s %15s\n", "", "without hawser", "with hawser");
    print_count("calls", without.calls(), with.calls());
    print_row("answered in time", percent(without, answer::fresh), percent(with, answer::fresh),
              "%");
    print_row("served degraded: the last price known", percent(without, answer::degraded),
              percent(with, answer::degraded), "%");
    print_row("failed", percent(without, answer::failed), percent(with, answer::failed), "%");
    print_row("time until the caller knows, p50", ms(without.p50), ms(with.p50), "ms");
    print_row("time until the caller knows, p99", ms(without.p99), ms(with.p99), "ms");
    print_count("requests that reached the server", without.reached_server, with.reached_server);
    print_row("a second, during the outage", load_in(runs.without, outage),
              load_in(runs.with, outage), "/s");
    print_count("retries", without.retries, with.retries);
    print_count("attempts ended by their timeout", without.timeouts, with.timeouts);
    print_count("attempts spared by the breaker", without.refused, with.refused);
    print_phases(runs);
}

bool holds_promises(two_runs const& runs) {
    auto const without = runs.without.total(), with = runs.with.total();
    auto const outage = outage_of(runs.script);
    auto const steps = runs.with.breaker_steps();
    auto kept = true;
    kept &= promise(without.calls() == with.calls(), "both runs offer the same load");
    kept &= promise(with.share(answer::fresh) > without.share(answer::fresh),
                    "with hawser more calls are answered in time");
    kept &= promise(load_in(runs.with, outage) < load_in(runs.without, outage),
                    "with hawser less load reaches the server during the outage");
    kept &= promise(openings(steps) > 0, "the breaker opens");
    kept &=
        promise(std::strcmp(runs.with.breaker_state(), "closed") == 0, "the breaker closes again");
    return kept;
}

}  // namespace flaky
