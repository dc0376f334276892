// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/sliding_window_counter.hpp>

#include "support/catch.hpp"
#include "support/window_models.hpp"
#include "support/window_reservations.hpp"

#include <string>
#include <type_traits>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::never;
using hawser::sliding_window_counter;
using hawser::time_point;

static constexpr time_point t0{1h};  // A window begins here, if its length divides an hour.
static constexpr duration century = std::chrono::hours{24 * 36525};
static constexpr duration thirty_years = std::chrono::hours{24 * 365 * 30};

TEST_CASE("sliding_window_counter: grants its limit at once, and after a long rest no more") {
    sliding_window_counter counter{{.limit = 3, .window = 1s}};
    for (auto const now : {t0, t0 + 2s, t0 + 4s, t0 + 24h}) {
        CHECK(counter.available(now) == 3);
        CHECK(counter.try_acquire(now, 3));
        CHECK_FALSE(counter.try_acquire(now + 1s - 1ns));
        CHECK(counter.available(now) == 0);
    }
}

TEST_CASE("sliding_window_counter: what the window before granted fades evenly") {
    sliding_window_counter counter{{.limit = 100, .window = 1s}};
    REQUIRE(counter.try_acquire(t0, 100));
    CHECK(counter.available(t0 + 1s) == 0);
    CHECK(counter.available(t0 + 1s + 9'999'999ns) == 0);  // A whole request, or none.
    CHECK(counter.available(t0 + 1s + 10ms) == 1);
    CHECK(counter.available(t0 + 1s + 500ms) == 50);
    REQUIRE(counter.try_acquire(t0 + 1s + 500ms, 50));
    CHECK(counter.available(t0 + 1s + 900ms) == 40);
    CHECK(counter.available(t0 + 2s) == 50);
    CHECK(counter.available(t0 + 3s) == 100);
}

TEST_CASE("sliding_window_counter: windows begin at multiples of their length from the epoch") {
    auto const length = GENERATE(duration{7ns}, duration{1s}, duration{7s}, duration{24h});
    for (int const number : {-3, -1, 0, 1, 2}) {
        INFO("window " << number << " of " << length.count() << " ns");
        sliding_window_counter counter{{.limit = 1, .window = length}};
        auto const begin = time_point{number * length};
        REQUIRE(counter.try_acquire(begin));  // Counts until the next window is over.
        CHECK_FALSE(counter.try_acquire(begin + 2 * length - 1ns));
        CHECK(counter.try_acquire(begin + 2 * length));
    }
}

TEST_CASE("sliding_window_counter: at worst grants almost twice its limit within a window") {
    sliding_window_counter counter{{.limit = 100, .window = 1s}};
    std::uint32_t granted = 0;
    auto const begin = t0 - 1ns;  // A burst at the end of a window, and requests without a pause.
    for (auto now = begin; now < begin + 1s; now += 1ms)
        for (int i = 0; i < 500; ++i) granted += counter.try_acquire(now).granted ? 1 : 0;
    for (int i = 0; i < 500; ++i) granted += counter.try_acquire(begin + 1s - 1ns).granted ? 1 : 0;
    CHECK(granted == 199);
}

TEST_CASE("sliding_window_counter: grants less than twice its limit, and late clocks shift that") {
    for (std::uint32_t seed = 1; seed <= 300; ++seed) {
        INFO("seed " << seed);
        auto const late = seed % 3 == 0 ? 0 : seed % 97;
        sliding_window_counter counter{{.limit = 1 + seed % 5, .window = 100ns}};
        auto const granted = support::granted_to_late_clocks(counter, seed, 5 + seed % 60, late);
        REQUIRE_FALSE(granted.empty());
        REQUIRE(support::most_within(granted, 100 - late) <= 2 * (1 + seed % 5) - 1);
    }
}

TEST_CASE("sliding_window_counter: holds its limit for requests that come evenly") {
    sliding_window_counter counter{{.limit = 100, .window = 1s}};
    std::vector<support::ticks> granted;
    for (auto now = t0; now < t0 + 20s; now += 7'003us)  // 143 a second.
        if (counter.try_acquire(now)) granted.push_back(now.time_since_epoch().count());
    CHECK(support::most_within(granted, 1'000'000'000) <= 101);
    CHECK(granted.size() >= 1'950);
}

TEST_CASE("sliding_window_counter: agrees with a list of all grants, to the nanosecond of a wait") {
    support::agrees_over_schedules<sliding_window_counter, support::sliding_window_counter_model>(
        20261120, [](support::ticks window) {
            return support::ticks{sliding_window_counter::limit_max(duration{window})};
        });
}

TEST_CASE("sliding_window_counter: retry_after is exact, in this window, the next, or after it") {
    sliding_window_counter counter{{.limit = 10, .window = 1s}};
    REQUIRE(counter.try_acquire(t0, 7));
    CHECK(counter.try_acquire(t0 + 400ms, 3));
    CHECK(counter.try_acquire(t0 + 400ms, 1).retry_after == 700ms);    // A tenth into the next.
    CHECK(counter.try_acquire(t0 + 400ms, 10).retry_after == 1600ms);  // When the next is over.

    REQUIRE(counter.try_acquire(t0 + 1500ms, 5));
    CHECK(counter.try_acquire(t0 + 1500ms, 1).retry_after == 100ms);  // In this window.
    CHECK(counter.try_acquire(t0 + 1500ms, 5).retry_after == 500ms);  // At its end.
    CHECK_FALSE(counter.try_acquire(t0 + 2s - 1ns, 5));
    CHECK(counter.try_acquire(t0 + 2s, 5));
}

TEST_CASE("sliding_window_counter: more than the limit is never granted, and nothing always is") {
    sliding_window_counter counter{{.limit = 5}};
    CHECK(counter.try_acquire(t0, 6).retry_after == never);
    CHECK(counter.try_acquire(t0, ~0U).retry_after == never);
    CHECK(counter.available(t0) == 5);  // The refusals took nothing.
    REQUIRE(counter.try_acquire(t0, 5));
    CHECK(counter.try_acquire(t0, 0));
    CHECK(counter.try_acquire(t0 - 1h, 0));
    CHECK(counter.try_acquire(t0, 6).retry_after == never);
}

TEST_CASE("sliding_window_counter: time that steps back stands still, and grants nothing extra") {
    sliding_window_counter counter{{.limit = 3, .window = 1s}};
    REQUIRE(counter.try_acquire(t0 - 1s, 2));
    REQUIRE(counter.try_acquire(t0));
    CHECK(counter.available(t0 - 1ns) == 0);  // As at t0.
    CHECK(counter.available(t0 + 500ms) == 1);
    CHECK(counter.try_acquire(t0 - 24h).retry_after == 24h + 500ms);
    CHECK_FALSE(counter.try_acquire(time_point::min()));
    CHECK(counter.try_acquire(t0 + 500ms));
    CHECK_FALSE(counter.try_acquire(t0 + 499ms));
}

TEST_CASE("sliding_window_counter: refused requests and questions move nothing") {
    sliding_window_counter counter{{.limit = 2, .window = 1s}};
    REQUIRE(counter.try_acquire(t0, 2));
    CHECK_FALSE(counter.try_acquire(t0 + 500s, 3));
    CHECK(counter.available(t0 + 1000s) == 2);
    CHECK(counter.try_acquire(t0 + 2s, 0));
    CHECK_FALSE(counter.try_acquire(t0 + 1s, 1));
    CHECK(counter.try_acquire(t0 + 1500ms, 1));
}

TEST_CASE("sliding_window_counter: holds at the extremes of its options, for a century each way") {
    auto const window = GENERATE(duration{3ns}, duration{1ms}, duration{1s}, duration{24h},
                                 duration{24h * 3653}, thirty_years);
    auto const limit = GENERATE_COPY(1U, sliding_window_counter::limit_max(window));
    sliding_window_counter counter{{.limit = limit, .window = window}};
    for (auto const now : {-century, -century + 1ns, -thirty_years, duration{-1}, duration{0},
                           duration{1h}, thirty_years, century - 3 * window, century}) {
        INFO("limit " << limit << ", window " << window.count() << " ns, now " << now.count());
        counter.refill();
        REQUIRE(counter.try_acquire(time_point{now}, limit));
        CHECK(counter.available(time_point{now}) == 0);
        auto const wait = counter.try_acquire(time_point{now}, limit).retry_after;
        CHECK(wait > window);  // It has to be gone altogether.
        CHECK(wait <= 2 * window);
        CHECK_FALSE(counter.try_acquire(time_point{now + wait - 1ns}, limit));
        if (now + wait <= century) CHECK(counter.try_acquire(time_point{now + wait}, limit));
    }
    counter.refill();
    REQUIRE(counter.try_acquire(time_point::max(), limit));
    CHECK_FALSE(counter.try_acquire(time_point{century}));  // The same instant to it.
    CHECK_FALSE(counter.try_acquire(time_point::min()));
}

TEST_CASE("sliding_window_counter: says the largest limit for a window") {
    CHECK(sliding_window_counter::limit_max(1ms) == 1'023);
    CHECK(sliding_window_counter::limit_max(100ms) == 8'191);
    CHECK(sliding_window_counter::limit_max(1s) == 32'767);
    CHECK(sliding_window_counter::limit_max(1min) == 262'143);
    CHECK(sliding_window_counter::limit_max(1h) == 2'097'151);
    CHECK(sliding_window_counter::limit_max(24h) == 8'388'607);
}

TEST_CASE("sliding_window_counter: a new limit keeps the counters") {
    sliding_window_counter counter{{.limit = 10, .window = 1s}};
    REQUIRE(counter.try_acquire(t0, 8));
    REQUIRE(counter.try_acquire(t0 + 1500ms, 2));
    counter.reconfigure({.limit = 7, .window = 1s}, t0 + 1500ms);
    CHECK(counter.available(t0 + 1500ms) == 1);  // 7 of the 8 fade: 3.5; and 2.
    counter.reconfigure({.limit = 1, .window = 1s}, t0 + 1500ms);
    CHECK(counter.available(t0 + 1500ms) == 0);
    CHECK(counter.try_acquire(t0 + 1500ms).retry_after == 1500ms);
    CHECK(counter.available(t0 + 3s) == 1);
    counter.reconfigure({.limit = 20, .window = 1s}, t0 + 1500ms);
    CHECK(counter.available(t0 + 1500ms) == 14);  // 4 and 2: none of the 8 was forgotten.
}

TEST_CASE("sliding_window_counter: what a smaller limit cannot hold is remembered, and fades") {
    sliding_window_counter counter{{.limit = 10, .window = 1s}};
    REQUIRE(counter.try_acquire(t0, 10));
    counter.reconfigure({.limit = 4, .window = 1s}, t0);
    counter.reconfigure({.limit = 20, .window = 1s}, t0 + 1s);  // One window on.
    CHECK(counter.available(t0 + 1s) == 10);
    CHECK(counter.available(t0 + 1500ms) == 15);
    counter.reconfigure({.limit = 4, .window = 1s}, t0 + 1s);
    counter.reconfigure({.limit = 20, .window = 1s}, t0 + 2s);
    CHECK(counter.available(t0 + 2s) == 20);
    REQUIRE(counter.try_acquire(t0 + 2s, 20));
    counter.reconfigure({.limit = 4, .window = 1s}, t0 + 2s);
    counter.refill();
    counter.reconfigure({.limit = 20, .window = 1s}, t0 + 2s);
    CHECK(counter.available(t0 + 2s) == 20);
}

TEST_CASE("sliding_window_counter: a new length counts no less than the old one did") {
    sliding_window_counter counter{{.limit = 10, .window = 1s}};
    REQUIRE(counter.try_acquire(t0, 5));
    REQUIRE(counter.try_acquire(t0 + 1500ms, 2));
    counter.reconfigure({.limit = 10, .window = 1min}, t0 + 1500ms);  // 2.5 and 2: 4.5.
    CHECK(counter.available(t0 + 1500ms) == 5);
    CHECK(counter.available(t0 + 59s) == 5);
    CHECK(counter.available(t0 + 90s) == 7);
    counter.reconfigure({.limit = 4, .window = 10ms}, t0 + 59s);  // 5 count as 4.
    CHECK(counter.available(t0 + 59s) == 0);
    CHECK(counter.available(t0 + 59s + 15ms) == 2);
    CHECK(counter.available(t0 + 59s + 20ms) == 4);
}

TEST_CASE("sliding_window_counter: a new length under a stepped clock grants nothing extra") {
    sliding_window_counter counter{{.limit = 10, .window = 1s}};
    REQUIRE(counter.try_acquire(t0 + 5s, 10));
    counter.reconfigure({.limit = 10, .window = 2s}, t0);  // [t0 + 4s, t0 + 6s) is the open one.
    CHECK(counter.available(t0) == 0);
    CHECK(counter.try_acquire(t0).retry_after == 6s + 200ms);
    CHECK(counter.available(t0 + 7s) == 5);
}

TEST_CASE("sliding_window_counter: says how long until it is as a new one") {
    sliding_window_counter counter{{.limit = 3, .window = 1s}};
    CHECK(counter.fresh_in(t0) == 0s);
    REQUIRE(counter.try_acquire(t0 + 200ms));
    CHECK(counter.fresh_in(t0 + 300ms) == 1700ms);  // It counts until the next window is over.
    CHECK(counter.fresh_in(t0 - 1s) == 3s);
    CHECK(counter.fresh_in(t0 + 1500ms) == 500ms);
    CHECK(counter.fresh_in(t0 + 2s) == 0s);
}

TEST_CASE("sliding_window_counter: a pardon forgets the count, also after a clock ran ahead") {
    sliding_window_counter counter{{.limit = 2, .window = 1s}};
    REQUIRE(counter.try_acquire(t0 + 24h, 2));
    REQUIRE_FALSE(counter.try_acquire(t0));
    counter.refill();
    CHECK(counter.try_acquire(t0, 2));
    CHECK_FALSE(counter.try_acquire(t0));
}

TEST_CASE("sliding_window_counter: a global one is there before any code runs") {
    static constinit sliding_window_counter global{{.limit = 2, .window = 1s}};
    CHECK(global.try_acquire(t0, 2));
    CHECK_FALSE(global.try_acquire(t0));
}

TEST_CASE("sliding_window_counter: reserves the first instant that has room, and nobody before") {
    sliding_window_counter window{{.limit = 4, .window = 1s}};
    REQUIRE(window.try_acquire(t0, 4));
    auto const first = window.reserve(t0 + 100ms, 2, 2s);
    CHECK(first.wait == 1400ms);  // 4 * (1 - 0.5) + 2.
    CHECK(window.available(t0 + 1499ms) == 0);
    CHECK(window.reserve(t0 + 100ms, 1, 2s).wait == 1650ms);  // 4 * (1 - 0.75) + 2 + 1.
    CHECK_FALSE(window.try_acquire(t0 + 1750ms));
    CHECK(window.reserve(t0, 5, never).wait == never);
    CHECK_FALSE(window.reserve(t0, 1, -1ns));
    CHECK(window.reserve(t0, 0, -1ns));
}

TEST_CASE("sliding_window_counter: the last reservation that is given back leaves no trace") {
    sliding_window_counter window{{.limit = 4, .window = 1s}};
    REQUIRE(window.try_acquire(t0, 3));
    auto ahead = window.reserve(t0, 2, 2s);
    REQUIRE(ahead.wait > 1s);
    CHECK_FALSE(window.try_acquire(t0));
    CHECK(window.cancel(ahead));
    CHECK_FALSE(window.cancel(ahead));
    CHECK(window.try_acquire(t0));
}

TEST_CASE("sliding_window_counter: what is given back out of turn counts no longer") {
    sliding_window_counter window{{.limit = 4, .window = 1s}};
    auto here = window.reserve(t0, 2, 0s);
    REQUIRE(window.try_acquire(t0, 2));
    REQUIRE(window.try_acquire(t0 + 1500ms, 1));
    CHECK(window.available(t0 + 1500ms) == 1);
    CHECK(window.cancel(here));  // Of the window before.
    CHECK(window.available(t0 + 1500ms) == 2);
    auto old = window.reserve(t0 + 1500ms, 1, 0s);
    REQUIRE(window.try_acquire(t0 + 3s));
    CHECK_FALSE(window.cancel(old));
}

TEST_CASE("sliding_window_counter: with reservations agrees with the earliest instant there is") {
    support::reserves_over_schedules<sliding_window_counter, support::sliding_window_counter_model,
                                     support::window_by_window>(
        20261121,
        [](support::ticks window) { return sliding_window_counter::limit_max(duration{window}); });
}

TEST_CASE("sliding_window_counter: what was reserved before a change or a pardon is lost") {
    sliding_window_counter window{{.limit = 4, .window = 1s}};
    auto before = window.reserve(t0, 2, 0s);
    window.reconfigure({.limit = 5, .window = 1s}, t0);
    CHECK_FALSE(window.cancel(before));
    CHECK(window.available(t0) == 3);
    auto pardoned = window.reserve(t0, 1, 0s);
    window.refill();
    REQUIRE(window.try_acquire(t0, 5));
    CHECK_FALSE(window.cancel(pardoned));
    CHECK_FALSE(window.try_acquire(t0));
}

TEST_CASE("sliding_window_counter: reservations a century from the epoch fit their bits") {
    auto const length = GENERATE(duration{7ns}, duration{1s}, duration{24h}, thirty_years);
    sliding_window_counter window{
        {.limit = sliding_window_counter::limit_max(length), .window = length}};
    auto const now = time_point{century};
    REQUIRE(window.try_acquire(now, sliding_window_counter::limit_max(length)));
    for (int i = 0; i < 50; ++i) (void)window.reserve(now, 1, never);
    CHECK_FALSE(window.try_acquire(now));
    CHECK_FALSE(window.try_acquire(now - 2 * length));
    CHECK(window.available(now) == 0);
    CHECK(window.try_acquire(now).retry_after > 0ns);
}

TEST_CASE("sliding_window_counter: what was reserved beyond a century stays under new options") {
    hawser::time_point const then{century};
    constexpr hawser::duration years = std::chrono::hours{24 * 365 * 30};
    constexpr auto most = sliding_window_counter::limit_max(years);
    sliding_window_counter counter{{.limit = 10, .window = years}};
    REQUIRE(counter.try_acquire(then, 10));
    REQUIRE(counter.reserve(then, 1, years));
    // The number of that window has no place beside counters up to the greatest limit.
    counter.reconfigure({.limit = most, .window = years}, then);
    CHECK_FALSE(counter.try_acquire(then, most - 9));
}

TEST_CASE("sliding_window_counter: rejects options that describe no window, by name") {
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<sliding_window_counter>);
    using Catch::Matchers::Equals;
    auto const fails_as = [](hawser::sliding_window_counter_options const& bad,
                             std::string const& message) {
        CHECK_THROWS_WITH(sliding_window_counter{bad},
                          Equals("sliding_window_counter: " + message));
        sliding_window_counter counter{{.limit = 3}};
        REQUIRE(counter.try_acquire(t0));
        CHECK_THROWS_AS(counter.reconfigure(bad, t0), std::invalid_argument);
        CHECK(counter.available(t0) == 2);
    };
    fails_as({.limit = 0}, "limit is zero");
    fails_as({.window = 0s}, "window is not positive");
    fails_as({.window = duration::min()}, "window is not positive");
    fails_as({.window = thirty_years + 1ns}, "window is over thirty years");
    fails_as({.window = duration::max()}, "window is over thirty years");
    fails_as({.limit = 32'768, .window = 1s}, "limit is over limit_max of its window");
    fails_as({.limit = ~0U, .window = thirty_years}, "limit is over limit_max of its window");
    fails_as({.limit = 1, .window = 1ns}, "limit is over limit_max of its window");
}
