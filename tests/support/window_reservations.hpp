// SPDX-License-Identifier: BSL-1.0
//
// What windows promise of reservations: the earliest time there is, found by trying each.
#ifndef HAWSER_TESTS_SUPPORT_WINDOW_RESERVATIONS_HPP
#define HAWSER_TESTS_SUPPORT_WINDOW_RESERVATIONS_HPP

#include "support/window_models.hpp"

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace support {

/// Who asks later comes no earlier than in the window of those before.
struct window_by_window {
    static constexpr bool exact_for_many = true;
    static bool holds(ticks when, ticks latest, ticks window) {
        return number_of(when, window) >= number_of(latest, window);
    }
};
/// Who asks later comes no earlier than those before. Many permits that had to be waited for come
/// back together.
struct one_by_one {
    static constexpr bool exact_for_many = false;
    static bool holds(ticks when, ticks latest, ticks) { return when >= latest; }
};

using grants = std::vector<std::pair<ticks, std::uint32_t>>;

/// The first time, `now` or later, at which a model that granted as told admits `count`.
template <class Order, class Model>
ticks first_time(Model model, grants const& told, ticks now, std::uint32_t count) {
    for (auto const& [when, permits] : told) model.grant_at(when, permits);
    std::sort(model.granted.begin(), model.granted.end());
    for (auto when = now;; ++when)
        if (model.granted.empty() || Order::holds(when, model.granted.back(), model.window))
            if (model.admits(when, count)) return when;
}

/// Random requests and reservations at random limiters, of which some are given back: the latest
/// first, and then the limiter is as if it had never been asked; or any, and then it is at least
/// as strict, and no stricter than if nothing had been given back. The clock never steps back.
template <class Limiter, class Model, class Order>
class reservation_schedule {
    using reservation = decltype(std::declval<Limiter&>().reserve({}, 1, {}));
    struct taken {
        ticks due;
        std::uint32_t count;
        reservation as;
    };

public:
    reservation_schedule(std::uint32_t seed, ticks window, ticks limit_max)
        : random_{seed},
          latest_first_{seed % 2 == 0},
          one_each_{seed % 4 == 0},
          model_{{.limit = draw(1, limit_max), .window = window}},
          limiter_{{.limit = static_cast<std::uint32_t>(model_.limit),
                    .window = hawser::duration{window}}},
          now_{draw(-4, 4) * window} {}

    void run() {
        for (int step = 0; step < 40; ++step) {
            INFO("step " << step << ": limit " << model_.limit << ", window " << model_.window
                         << ", now " << now_);
            ask();
            while (!out_.empty() && draw(0, 3) == 0) give_one_back();
            now_ += draw(0, draw(0, 2) != 0 ? 2 : model_.window);
        }
    }

private:
    ticks draw(ticks low, ticks high) {
        return std::uniform_int_distribution<ticks>{low, high}(random_);
    }

    [[nodiscard]] bool exact() const {
        return latest_first_ && (one_each_ || Order::exact_for_many);
    }

    void ask() {
        auto const count = one_each_ ? 1U : static_cast<std::uint32_t>(draw(1, model_.limit));
        auto const wait_max = draw(-1, 3 * model_.window);
        INFO("count " << count << ", wait_max " << wait_max);
        grants kept;
        for (auto const& one : out_) kept.emplace_back(one.due, one.count);

        auto const answer = limiter_.reserve(at(now_), count, hawser::duration{wait_max});
        auto const due = now_ + answer.wait.count();

        auto const earliest = first_time<Order>(model_, kept, now_, count);
        REQUIRE(answer.granted == (answer.wait.count() <= wait_max));
        REQUIRE(due >= earliest);
        if (exact()) REQUIRE(due == earliest);
        REQUIRE(due <= first_time<Order>(model_, ever_, now_, count));
        if (!answer.granted) return;
        out_.push_back({due, count, answer});
        ever_.emplace_back(due, count);
    }

    void give_one_back() {
        auto const last = static_cast<ticks>(out_.size()) - 1;
        auto const one = out_.begin() + (latest_first_ ? last : draw(0, last));
        auto const back = limiter_.cancel(one->as);
        if (exact() && one->due > now_) REQUIRE(back);
        REQUIRE_FALSE(limiter_.cancel(one->as));
        out_.erase(one);
    }

    std::mt19937 random_;
    bool latest_first_, one_each_;
    Model model_;
    Limiter limiter_;
    ticks now_;
    std::vector<taken> out_;  ///< And not given back.
    grants ever_;
};

template <class Limiter, class Model, class Order, class Limits>
void reserves_over_schedules(std::uint32_t seed, Limits limits) {
    constexpr ticks windows[]{3, 4, 7, 12, 25, 100};
    for (std::uint32_t schedule = seed; schedule < seed + 3'000; ++schedule) {
        INFO("seed " << schedule);
        auto const window = windows[schedule % 6];
        reservation_schedule<Limiter, Model, Order>{schedule, window,
                                                    std::min<ticks>(6, limits(window))}
            .run();
    }
}

}  // namespace support
#endif  // HAWSER_TESTS_SUPPORT_WINDOW_RESERVATIONS_HPP
