// SPDX-License-Identifier: BSL-1.0
//
// What the window limiters promise, written down once more in the plainest way: a list of all that
// was granted, and a count of what lies where.
#ifndef HAWSER_TESTS_SUPPORT_WINDOW_MODELS_HPP
#define HAWSER_TESTS_SUPPORT_WINDOW_MODELS_HPP

#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

namespace support {

/// Nanoseconds. Models are asked about small numbers of windows: nothing of theirs overflows.
using ticks = std::int64_t;

constexpr hawser::time_point at(ticks when) { return hawser::time_point{hawser::duration{when}}; }

/// The number of the window that an instant lies in; rounds down on either side of the epoch.
constexpr ticks number_of(ticks when, ticks window) {
    return when / window - (when % window < 0 ? 1 : 0);
}

/// What all models have: when each permit was granted, the latest last.
struct window_model {
    ticks limit, window;
    std::deque<ticks> granted{};

    void grant_at(ticks when, std::uint32_t count) { granted.insert(granted.end(), count, when); }

    [[nodiscard]] ticks granted_in(ticks number) const {
        return std::count_if(granted.begin(), granted.end(),
                             [&](ticks when) { return number_of(when, window) == number; });
    }
    /// `when`, or the beginning of the window that was granted from last.
    [[nodiscard]] ticks not_before_its_window(ticks when) const {
        if (granted.empty()) return when;
        return std::max(when, number_of(granted.back(), window) * window);
    }
};

struct fixed_window_model : window_model {
    [[nodiscard]] ticks moved(ticks when) const { return not_before_its_window(when); }
    [[nodiscard]] bool admits(ticks when, ticks count) const {
        return granted_in(number_of(moved(when), window)) + count <= limit;
    }
};

struct sliding_window_counter_model : window_model {
    [[nodiscard]] ticks moved(ticks when) const { return not_before_its_window(when); }
    [[nodiscard]] bool admits(ticks when, ticks count) const {
        auto const number = number_of(moved(when), window);
        auto const into = moved(when) - number * window;
        return granted_in(number - 1) * (window - into) + (granted_in(number) + count) * window <=
               limit * window;
    }
};

struct sliding_window_log_model : window_model {
    [[nodiscard]] ticks moved(ticks when) const {
        return granted.empty() ? when : std::max(when, granted.back());
    }
    [[nodiscard]] bool admits(ticks when, ticks count) const {
        auto const from = moved(when) - window;
        auto const recent = std::count_if(granted.begin(), granted.end(),
                                          [&](ticks other) { return other > from; });
        return recent + count <= limit;
    }
};

/// Whether the limiter's answer is the model's, its wait the shortest that there is, and what it
/// has available the most that it would grant.
template <class Limiter, class Model>
bool answers_as(Limiter& limiter, Model& model, ticks now, std::uint32_t count) {
    ticks most = model.limit;
    while (most > 0 && !model.admits(now, most)) --most;
    if (limiter.available(at(now)) != most) return false;

    auto const answer = limiter.try_acquire(at(now), count);
    if (count == 0 || count <= most) {
        model.grant_at(model.moved(now), count);
        return answer.granted && answer.retry_after == hawser::duration::zero();
    }
    if (answer.granted) return false;
    if (count > model.limit) return answer.retry_after == hawser::never;
    auto const wait = answer.retry_after.count();
    for (ticks early = 1; early < std::min<ticks>(wait, 50); ++early)
        if (model.admits(now + early, count) || model.admits(now + wait - early, count))
            return false;
    return wait > 0 && model.admits(now + wait, count);
}

/// Random requests, also earlier than the one before, at random limiters: few permits and short
/// windows, so that all that can coincide does. `limits` says the largest limit of a window.
template <class Limiter, class Model, class Limits>
void agrees_over_schedules(std::uint32_t seed, Limits limits) {
    for (std::uint32_t schedule = 0; schedule < 3'000; ++schedule) {
        std::mt19937 random{seed + schedule};
        auto const draw = [&](ticks low, ticks high) {
            return std::uniform_int_distribution<ticks>{low, high}(random);
        };
        constexpr ticks windows[]{3, 4, 7, 12, 60, 1'000, 999'999'937, 1'000'000'000};
        auto const window = windows[draw(0, 7)];
        auto const limit = draw(1, std::min<ticks>(8, limits(window)));
        Limiter limiter{
            {.limit = static_cast<std::uint32_t>(limit), .window = hawser::duration{window}}};
        Model model{{.limit = limit, .window = window}};
        auto now = draw(-4, 4) * window + draw(-2, 2);
        for (int step = 0; step < 50; ++step) {
            auto const count = static_cast<std::uint32_t>(draw(0, draw(0, 3) ? 2 : limit + 1));
            INFO("seed " << seed + schedule << ", step " << step << ": limit " << limit
                         << ", window " << window << ", now " << now << ", count " << count);
            REQUIRE(answers_as(limiter, model, now, count));
            switch (draw(0, 7)) {
                case 0: now = (number_of(now, window) + draw(0, 2)) * window + draw(-1, 1); break;
                case 1: now -= draw(0, window); break;
                case 2: now += draw(0, 4 * window); break;
                case 3: break;
                default: now += draw(0, window / limit + 1);
            }
        }
    }
}

/// The true times of the permits that a limiter grants to callers whose clocks are up to `late`
/// behind.
template <class Limiter>
std::vector<ticks> granted_to_late_clocks(Limiter& limiter, std::uint32_t seed, ticks step,
                                          ticks late) {
    std::mt19937 random{seed};
    std::uniform_int_distribution<ticks> step_of{0, step}, late_of{0, late};
    std::vector<ticks> granted;
    ticks now = -100 * step;
    for (int i = 0; i < 1'000; ++i, now += step_of(random))
        if (limiter.try_acquire(at(now - late_of(random)))) granted.push_back(now);
    return granted;
}

/// The most of them within any span [t, t + length).
inline std::size_t most_within(std::vector<ticks> const& times, ticks length) {
    std::size_t most = 0, first = 0;
    for (std::size_t last = 0; last < times.size(); ++last) {
        while (times[last] - times[first] >= length) ++first;
        most = std::max(most, last - first + 1);
    }
    return most;
}

}  // namespace support
#endif  // HAWSER_TESTS_SUPPORT_WINDOW_MODELS_HPP
