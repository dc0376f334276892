// SPDX-License-Identifier: BSL-1.0
#include "meter.hpp"

#include <algorithm>
#include <cmath>

namespace overload {
namespace {

/// The time that stands at the rank of `q`; zero if there is none. Changes the order.
duration quantile(std::vector<duration>& times, double q) {
    if (times.empty()) return {};
    auto const rank = std::ceil(q * static_cast<double>(times.size()));
    auto const place = times.begin() + static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
    std::nth_element(times.begin(), place, times.end());
    return *place;
}

}  // namespace

void meter::offered(duration at, std::size_t inside) {
    if (auto* const now = slice_at(at)) {
        ++now->offered;
        now->inside = std::max(now->inside, inside);
    }
}

void meter::ended(end how, duration came, duration at) {
    auto* const now = slice_at(at);
    if (now == nullptr) return;
    ++now->ends[static_cast<std::size_t>(how)];
    if (how == end::served || how == end::gave_up) now->waited.push_back(at - came);
}

void meter::limit_is(std::uint32_t limit, duration at) {
    if (limits_.empty() || limits_.back().limit != limit) limits_.push_back({at, limit});
}

summary meter::between(duration from, duration to) const {
    summary sum{.span = to - from};
    std::vector<duration> waited;
    auto const first = static_cast<std::size_t>(from / width_);
    auto const last = std::min(static_cast<std::size_t>(to / width_), slices_.size());
    for (auto i = first; i < last; ++i) {
        auto const& each = slices_[i];
        sum.offered += each.offered;
        for (std::size_t how = 0; how < sum.ends.size(); ++how) sum.ends[how] += each.ends[how];
        sum.inside = std::max(sum.inside, each.inside);
        waited.insert(waited.end(), each.waited.begin(), each.waited.end());
    }
    sum.p50 = quantile(waited, 0.5);
    sum.p99 = quantile(waited, 0.99);
    return sum;
}

}  // namespace overload
