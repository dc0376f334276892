// SPDX-License-Identifier: BSL-1.0
#include <hawser/breaker/breaker_machine.hpp>
#include <hawser/breaker/trip_rules.hpp>

#include "support/catch.hpp"

#include <deque>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using hawser::breaker_machine;
using hawser::breaker_state;
using hawser::duration;
using hawser::time_point;
using hawser::verdict;
namespace trip = hawser::trip;

static_assert(hawser::trip_rule<trip::failure_rate> && hawser::trip_rule<trip::slow_rate>);
static_assert(hawser::trip_rule<trip::failure_rate_over_time>);
static_assert(hawser::trip_rule<trip::consecutive_failures>);

namespace {

/// Runs a random trace through a breaker of one rule that is reset when it opens, and asks
/// `expected` for each call whether it should have.
template <class Rule, class Expected>
void compare(Rule const& rule, std::mt19937& random, Expected expected) {
    breaker_machine<Rule> breaker{{}, rule};
    time_point now{1h};
    auto const clock = [&]() noexcept { return now; };
    auto const failing = random() % 100;  // The share of failures, in percent.
    for (int i = 0; i < 5'000; ++i) {
        now += duration{random() % 30 == 0 ? random() % 400 : random() % 4};
        bool const failed = random() % 100 < failing;
        auto admission = breaker.try_acquire(clock);
        breaker.report(admission.ticket, {failed ? verdict::failure : verdict::success}, clock);
        bool const opens = expected(failed, now);
        REQUIRE((breaker.state() == breaker_state::open) == opens);
        if (opens) breaker.reset(now);
    }
}

}  // namespace

TEST_CASE("consecutive_failures: opens at the count, and a success between begins anew") {
    auto const seed = GENERATE(range(1U, 21U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    auto const count = static_cast<std::uint32_t>(1 + random() % 6);
    std::uint32_t row = 0;
    compare(trip::consecutive_failures{count}, random, [&](bool failed, time_point) {
        row = failed ? row + 1 : 0;
        if (row < count) return false;
        row = 0;
        return true;
    });
}

TEST_CASE("failure_rate: opens exactly when a list of the last calls says so") {
    auto const seed = GENERATE(range(1U, 41U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    auto const window = 1 + random() % 40, least = 1 + random() % window;
    auto const percent = 1 + random() % 100;
    std::deque<bool> last;
    trip::failure_rate const rule{static_cast<double>(percent) / 100,
                                  static_cast<std::uint32_t>(window),
                                  static_cast<std::uint32_t>(least)};
    compare(rule, random, [&](bool failed, time_point) {
        last.push_back(failed);
        if (last.size() > window) last.pop_front();
        auto const hits = static_cast<std::size_t>(std::count(last.begin(), last.end(), true));
        if (last.size() < least || hits * 100 < percent * last.size()) return false;
        last.clear();
        return true;
    });
}

TEST_CASE("failure_rate_over_time: opens exactly when a list of calls by bucket says so") {
    auto const seed = GENERATE(range(1U, 41U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    auto const buckets = 1 + random() % 10, width = 1 + random() % 50, least = 1 + random() % 20;
    auto const percent = 1 + random() % 100;
    struct call {
        std::uint64_t bucket;
        bool failed;
    };
    std::vector<call> all;
    trip::failure_rate_over_time const rule{
        static_cast<double>(percent) / 100, duration{buckets * width},
        static_cast<std::uint32_t>(least), static_cast<std::uint32_t>(buckets)};
    compare(rule, random, [&](bool failed, time_point now) {
        auto const bucket = static_cast<std::uint64_t>(now.time_since_epoch().count()) / width;
        all.push_back({bucket, failed});
        std::uint64_t calls = 0, hits = 0;
        for (auto const& it : all) {
            if (it.bucket + buckets <= bucket) continue;
            ++calls;
            hits += it.failed;
        }
        if (calls < least || hits * 100 < percent * calls) return false;
        all.clear();
        return true;
    });
}

TEST_CASE("slow_rate: counts by length or by mark, and slow failures too") {
    trip::slow_rate::detector rule{{.slower_than = 1s, .rate = 1, .window = 4, .minimum_calls = 4}};
    hawser::breaker_sample call{.took = 1s, .position = 1};
    CHECK_FALSE(rule.record(call));
    CHECK(rule.reading(1, {}).hits == 0);  // As long as the limit is not slow.
    for (std::uint64_t position = 2; position <= 5; ++position) {
        call = {.failure = position == 2, .slow = position == 3, .position = position};
        if (position != 3) call.took = 1s + 1ns;
        CHECK(rule.record(call) == (position == 5));
    }
    CHECK(rule.slow_after() == 1s);
}

TEST_CASE("trip rules: throw for numbers out of range, naming rule and field") {
    auto const wrong = [](auto const& rule, char const* what) {
        using detector = typename std::remove_cvref_t<decltype(rule)>::detector;
        CHECK_THROWS_WITH(detector{rule}, what);
    };
    wrong(trip::failure_rate{.rate = 0}, "failure_rate: rate is not in (0, 1]");
    wrong(trip::failure_rate{.minimum_calls = 0}, "failure_rate: minimum_calls is zero");
    wrong(trip::failure_rate{.window = 19}, "failure_rate: minimum_calls is above window");
    wrong(trip::failure_rate{.window = 65'537}, "failure_rate: window is not in [1, 65536]");
    wrong(trip::slow_rate{.slower_than = 0s}, "slow_rate: slower_than is not positive");
    wrong(trip::slow_rate{.window = 0}, "slow_rate: window is not in [1, 65536]");
    wrong(trip::consecutive_failures{0}, "consecutive_failures: count is zero");
    wrong(trip::failure_rate_over_time{.buckets = 0},
          "failure_rate_over_time: buckets is not in [1, 1000]");
    wrong(trip::failure_rate_over_time{.window = 9ns},
          "failure_rate_over_time: window is below 1 ns a bucket");
}
