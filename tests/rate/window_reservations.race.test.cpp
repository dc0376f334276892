// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/fixed_window.hpp>
#include <hawser/rate/sliding_window_counter.hpp>
#include <hawser/rate/sliding_window_log.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"
#include "support/window_models.hpp"

#include <cstdint>
#include <random>
#include <vector>

using namespace std::chrono_literals;

static constexpr hawser::time_point t0{1h};
static constexpr hawser::duration window = 1ms;

namespace {

/// Four threads reserve at one instant, far ahead, and give some back. The times, from there on, of
/// the permits that were not.
template <class Limiter>
std::vector<support::ticks> kept_by_four_threads(Limiter& limiter) {
    return support::values_of_threads<support::ticks>(4, [&](int thread, auto& mine) {
        std::mt19937 random{static_cast<std::uint32_t>(thread)};
        using reservation = decltype(limiter.reserve(t0, 1, 0s));
        std::vector<reservation> out;
        for (int i = 0; i < 3'000; ++i) {
            auto const count = 1 + static_cast<std::uint32_t>(random() % 3);
            auto const taken = limiter.reserve(t0, count, 24h);
            if (taken.granted) out.push_back(taken);
            if (random() % 2 == 0 || out.empty()) continue;
            auto const which = random() % 2 == 0 ? out.size() - 1 : random() % out.size();
            (void)limiter.cancel(out[which]);
            out.erase(out.begin() + static_cast<std::ptrdiff_t>(which));
        }
        for (auto const& one : out) mine.insert(mine.end(), one.count, one.wait.count());
    });
}

/// The most of them in a window that begins at a multiple of its length.
std::size_t most_in_one(std::vector<support::ticks> const& times) {
    std::size_t most = 0, count = 0;
    for (std::size_t i = 0; i < times.size(); ++i) {
        count =
            i != 0 && times[i] / window.count() == times[i - 1] / window.count() ? count + 1 : 1;
        most = std::max(most, count);
    }
    return most;
}

}  // namespace

TEST_CASE("fixed_window: threads that reserve and give back leave each window its limit") {
    hawser::fixed_window limiter{{.limit = 7, .window = window}};
    auto const kept = kept_by_four_threads(limiter);
    CHECK(kept.size() > 1'000);
    CHECK(most_in_one(kept) <= 7);
}

TEST_CASE("sliding_window_counter: threads that reserve and give back stay within its bounds") {
    hawser::sliding_window_counter limiter{{.limit = 7, .window = window}};
    auto const kept = kept_by_four_threads(limiter);
    CHECK(kept.size() > 1'000);
    CHECK(most_in_one(kept) <= 7);
    CHECK(support::most_within(kept, window.count()) < 14);
}

TEST_CASE("sliding_window_log: threads that reserve and give back stay within any window") {
    hawser::sliding_window_log limiter{{.limit = 7, .window = window}};
    auto const kept = kept_by_four_threads(limiter);
    CHECK(kept.size() > 1'000);
    CHECK(support::most_within(kept, window.count()) <= 7);
}
