// SPDX-License-Identifier: BSL-1.0
//
// What goes wrong with rate limiters in the field, and concerns them all.
#include <hawser/base/random.hpp>
#include <hawser/rate/fixed_window.hpp>
#include <hawser/rate/shaper.hpp>
#include <hawser/rate/sliding_window_counter.hpp>
#include <hawser/rate/sliding_window_log.hpp>
#include <hawser/rate/token_bucket.hpp>
#include <hawser/rate/warming_bucket.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using hawser::admission;
using hawser::duration;
using hawser::random_at;
using hawser::time_point;

namespace {

/// What a limiter answers to requests at random times from three seconds before `base` on.
template <class Limiter>
std::vector<std::pair<bool, duration>> answers_around(time_point base,
                                                      typename Limiter::options_type options) {
    Limiter limiter{options};
    std::vector<std::pair<bool, duration>> answers;
    auto now = base - 3s;
    for (std::uint64_t i = 0; i != 100; ++i) {
        now += duration{static_cast<std::int64_t>(random_at(7, i) % 120'000'000)};
        auto const count = static_cast<std::uint32_t>(random_at(8, i) % 3);
        admission const answer = limiter.try_acquire(now, count);
        answers.emplace_back(answer.granted, answer.retry_after);
    }
    return answers;
}

/// Instants at which a count of ticks has one bit more, if ticks are nanoseconds, micro-, or
/// milliseconds; rounded to whole seconds, so that windows of one stand alike.
std::vector<time_point> seams() {
    std::vector<time_point> all;
    for (std::int64_t const tick : {1LL, 1'000LL, 1'000'000LL})
        for (int bits = 31; bits != 62; ++bits) {
            auto const ticks = std::int64_t{1} << bits;
            if (ticks > std::int64_t{3'000'000'000'000'000'000} / tick)
                break;  // A century, nearly.
            all.push_back(
                std::chrono::floor<std::chrono::seconds>(time_point{duration{ticks * tick}}));
            all.push_back(
                std::chrono::floor<std::chrono::seconds>(time_point{duration{-ticks * tick}}));
        }
    return all;
}

template <class Limiter>
void has_no_seam(typename Limiter::options_type const& options) {
    auto const expected = answers_around<Limiter>(time_point{1h}, options);
    int granted = 0;
    for (auto const& answer : expected) granted += answer.first ? 1 : 0;
    CHECK(granted > 10);
    CHECK(granted < 90);
    for (auto const base : seams()) {
        INFO(base.time_since_epoch().count() << " ns");
        CHECK((answers_around<Limiter>(base, options) == expected));
    }
}

}  // namespace

TEST_CASE("rate research: no instant is a seam, at whatever bit a count of ticks would overflow") {
    has_no_seam<hawser::token_bucket>({.rate = 10, .burst = 3});
    has_no_seam<hawser::shaper>({.rate = 10});
    has_no_seam<hawser::warming_bucket>({.rate = 10, .warm_up = 1s, .count_max = 3});
    has_no_seam<hawser::fixed_window>({.limit = 10, .window = 1s});
    has_no_seam<hawser::sliding_window_log>({.limit = 10, .window = 1s});
    has_no_seam<hawser::sliding_window_counter>({.limit = 10, .window = 1s});
}
