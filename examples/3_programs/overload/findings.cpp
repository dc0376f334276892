// SPDX-License-Identifier: BSL-1.0
#include "findings.hpp"

#include <algorithm>
#include <cstdio>

namespace overload {
namespace {

limiter const& no_limit() { return limiters().front(); }
limiter const& default_limit() { return limiters().back(); }

cell at_load(settings const& all, limiter const& who, double load, std::uint64_t seed) {
    scene const played{all.all, script{{{.length = all.run, .load = load}}}, seed};
    auto const seen = who.play(played);
    return {load, seen.between(all.measured_from, all.run),
            seen.limits().empty() ? 0 : seen.limits().back().limit};
}

cell const& overloaded_cell(settings const& all, row const& of) {
    return *std::find_if(of.cells.begin(), of.cells.end(),
                         [&](cell const& each) { return each.load == all.overloaded; });
}

claim claim_of(settings const& all, summary const& unloaded, summary const& without,
               summary const& with) {
    return {.goodput_with = with.goodput() / all.all.capacity(),
            .goodput_without = without.goodput() / all.all.capacity(),
            .p99_with = seconds(with.p99) / seconds(unloaded.p99)};
}

}  // namespace

load_curve find_load_curve(settings const& all, progress const& next) {
    load_curve found;
    next("an unloaded server");
    found.unloaded = at_load(all, no_limit(), all.unloaded, all.seed).sum;
    for (auto const& who : limiters()) {
        found.rows.push_back({who.name, who.ceiling, {}});
        for (auto const load : all.loads) {
            char what[80];
            std::snprintf(what, sizeof what, "%g times the capacity, limiter: %s", load, who.name);
            next(what);
            found.rows.back().cells.push_back(at_load(all, who, load, all.seed));
        }
    }
    return found;
}

timelines find_timelines(settings const& all, progress const& next) {
    scene const played{all.all, script{all.story}, all.seed};
    next("the story without a limit");
    auto without = no_limit().play(played);
    next("the story with the default limit");
    return {played.story, std::move(without), default_limit().play(played)};
}

claim find_claim(settings const& all, std::uint64_t seed) {
    return claim_of(all, at_load(all, no_limit(), all.unloaded, seed).sum,
                    at_load(all, no_limit(), all.overloaded, seed).sum,
                    at_load(all, default_limit(), all.overloaded, seed).sum);
}

claim claim_of(settings const& all, load_curve const& found) {
    return claim_of(all, found.unloaded, overloaded_cell(all, found.rows.front()).sum,
                    overloaded_cell(all, found.rows.back()).sum);
}

}  // namespace overload
