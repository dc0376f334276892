// SPDX-License-Identifier: BSL-1.0
#include <hawser/limit/limit_algorithm.hpp>

#include <hawser/limit/aimd.hpp>
#include <hawser/limit/gradient2.hpp>
#include <hawser/limit/knee.hpp>
#include <hawser/limit/vegas.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <memory>
#include <random>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::limit_sample;
using hawser::sample_outcome;
using hawser::time_point;
namespace limits = hawser::limits;

namespace {

constexpr time_point t0{1h};

struct no_options {};
struct forgets_noexcept {
    using options_type = no_options;
    explicit forgets_noexcept(no_options const&) {}
    std::uint32_t on_sample(limit_sample const&) { return 1; }
    [[nodiscard]] std::uint32_t limit() const noexcept { return 1; }
};
static_assert(!hawser::limit_algorithm<forgets_noexcept>);
static_assert(!hawser::limit_algorithm<int>);

/// Calls at random, in bursts, with rests, of any length, and of any outcome.
class any_calls {
public:
    explicit any_calls(unsigned seed) : random_{seed} {}

    limit_sample next(std::uint32_t limit) {
        if (random_() % 500 == 0) now_ += duration{random_() % 100'000'000'000};
        now_ += duration{random_() % 2'000'000};
        if (random_() % 64 == 0) now_ -= duration{random_() % 3'000'000};
        if (random_() % 300 == 0) usual_ = duration{1 + random_() % 200'000'000};
        duration const took{usual_.count() / 2 +
                            static_cast<int>(random_() % 1000) * usual_.count() / 1000};
        auto const of_ten = random_() % 10;
        return {.now = now_,
                .started = now_ - took,
                .service_time = took,
                .queue_time = random_() % 3 == 0 ? took : duration::zero(),
                .inflight_at_start = static_cast<std::uint32_t>(1 + random_() % (limit + 2)),
                .outcome = of_ten == 0   ? sample_outcome::ignored
                           : of_ten == 1 ? sample_outcome::dropped
                                         : sample_outcome::success};
    }

private:
    std::mt19937_64 random_;
    time_point now_ = t0;
    duration usual_ = 10ms;
};

template <class Algorithm>
void check_bounds(typename Algorithm::options_type const& options, std::uint32_t least) {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        INFO("seed " << seed);
        Algorithm limit{options};
        any_calls calls{seed};
        for (int i = 0; i < 1500; ++i) {
            auto const before = limit.limit();
            auto const call = calls.next(before);
            auto const after = limit.on_sample(call);
            if (after != limit.limit() || after < least || after > options.ceiling ||
                (call.outcome == sample_outcome::ignored && after != before))
                FAIL("call " << i << ": " << before << " -> " << after);
        }
    }
    SUCCEED();
}

/// Two of a kind are told the same, but of what is ignored only one is told, and of what is
/// dropped one is told another time.
template <class Algorithm>
void check_what_says_nothing(typename Algorithm::options_type const& options = {}) {
    for (unsigned seed = 1; seed <= 100; ++seed) {
        INFO("seed " << seed);
        Algorithm told{options}, spared{options};
        any_calls calls{seed};
        for (int i = 0; i < 1500; ++i) {
            auto call = calls.next(told.limit());
            told.on_sample(call);
            if (call.outcome == sample_outcome::ignored) continue;
            if (call.outcome == sample_outcome::dropped) call.service_time = call.queue_time = 1ns;
            spared.on_sample(call);
            if (told.limit() != spared.limit())
                FAIL("call " << i << ": " << told.limit() << ", not " << spared.limit());
        }
    }
    SUCCEED();
}

/// Every extreme of every field, beside usual ones.
template <class Algorithm>
void check_extremes() {
    std::mt19937 random{20261121};
    duration const lengths[]{duration::min(), -1ns, 0ns, 1ns, 10ms, duration::max()};
    time_point const times[]{time_point::min(), time_point{}, t0, t0 + 1s, time_point::max()};
    std::uint32_t const counts[]{0, 1, 20, 0xffffffffU};
    auto const one_of = [&](auto const& values) { return values[random() % std::size(values)]; };
    Algorithm limit{typename Algorithm::options_type{}};
    for (int i = 0; i < 20'000; ++i) {
        auto const now = random() % 8 == 0 ? one_of(times) : t0 + i * 1ms;
        auto const after = limit.on_sample({.now = now,
                                            .started = one_of(times),
                                            .service_time = one_of(lengths),
                                            .queue_time = one_of(lengths),
                                            .inflight_at_start = one_of(counts),
                                            .outcome = static_cast<sample_outcome>(random() % 3)});
        if (after < 1 || after > 1000) FAIL("call " << i << ": " << after);
    }
    SUCCEED();
}

}  // namespace

TEST_CASE("limit_algorithm: every limit stays at 1 or more, in its bounds, whatever calls do") {
    check_bounds<limits::aimd>({.initial = 1, .floor = 1}, 1);
    check_bounds<limits::aimd>({}, 20);
    check_bounds<limits::vegas>({}, 1);
    check_bounds<limits::gradient2>({.initial = 1, .floor = 1}, 1);
    check_bounds<limits::gradient2>({}, 20);
    check_bounds<limits::knee>({}, 1);
    check_bounds<limits::knee>({.initial = 30, .floor = 20, .ceiling = 50}, 10);
}

TEST_CASE("limit_algorithm: an ignored call trains nothing, and a dropped one not by its times") {
    check_what_says_nothing<limits::vegas>();
    check_what_says_nothing<limits::gradient2>({.floor = 1});
    check_what_says_nothing<limits::knee>();
    check_what_says_nothing<limits::aimd>({.floor = 1});
}

TEST_CASE("limit_algorithm: the extremes of every field do no harm") {
    check_extremes<limits::aimd>();
    check_extremes<limits::vegas>();
    check_extremes<limits::gradient2>();
    check_extremes<limits::knee>();
}
