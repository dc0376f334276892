// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/fixed_window.hpp>

#include "support/catch.hpp"
#include "support/window_models.hpp"
#include "support/window_reservations.hpp"

#include <string>
#include <type_traits>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::fixed_window;
using hawser::never;
using hawser::time_point;

static constexpr time_point t0{1h};  // A window begins here, if its length divides an hour.
static constexpr duration century = std::chrono::hours{24 * 36525};
static constexpr duration thirty_years = std::chrono::hours{24 * 365 * 30};

TEST_CASE("fixed_window: grants its limit in a window, and after any rest no more than that") {
    fixed_window window{{.limit = 3, .window = 1s}};
    for (auto const now : {t0, t0 + 1s, t0 + 3s, t0 + 24h}) {
        CHECK(window.available(now) == 3);
        CHECK(window.try_acquire(now, 2));
        CHECK(window.available(now) == 1);
        CHECK(window.try_acquire(now + 999ms));
        CHECK_FALSE(window.try_acquire(now + 1s - 1ns));
        CHECK(window.available(now) == 0);
    }
}

TEST_CASE("fixed_window: windows begin at multiples of their length from the clock's epoch") {
    auto const length = GENERATE(duration{1ns}, duration{7ns}, duration{1s}, duration{7s},
                                 duration{24h}, thirty_years);
    for (int const number : {-3, -1, 0, 1, 2}) {
        INFO("window " << number << " of " << length.count() << " ns");
        fixed_window window{{.limit = 1, .window = length}};
        auto const begin = time_point{number * length};
        REQUIRE(window.try_acquire(begin - 1ns));
        CHECK(window.try_acquire(begin));
        CHECK_FALSE(window.try_acquire(begin + length - 1ns));
        CHECK(window.try_acquire(begin + length));
    }
}

TEST_CASE("fixed_window: at worst grants twice its limit within a window's length") {
    fixed_window window{{.limit = 100, .window = 1s}};
    std::uint32_t granted = 0;
    for (auto now = t0 - 1ns; now < t0 - 1ns + 1s; now += 1ms)  // Begins with the last nanosecond.
        for (int i = 0; i < 500; ++i) granted += window.try_acquire(now).granted ? 1 : 0;
    CHECK(granted == 200);
}

TEST_CASE("fixed_window: grants no more than twice its limit, and late clocks shift that") {
    for (std::uint32_t seed = 1; seed <= 300; ++seed) {
        INFO("seed " << seed);
        auto const late = seed % 3 == 0 ? 0 : seed % 97;
        fixed_window window{{.limit = 1 + seed % 5, .window = 100ns}};
        auto const granted = support::granted_to_late_clocks(window, seed, 5 + seed % 60, late);
        REQUIRE_FALSE(granted.empty());
        REQUIRE(support::most_within(granted, 100 - late) <= 2 * (1 + seed % 5));
    }
}

TEST_CASE("fixed_window: agrees with a list of all that was granted, to the nanosecond of a wait") {
    support::agrees_over_schedules<fixed_window, support::fixed_window_model>(
        20261120, [](support::ticks window) { return window; });
}

TEST_CASE("fixed_window: retry_after is the window's end, to the nanosecond") {
    fixed_window window{{.limit = 5, .window = 7ms}};  // An hour is not a multiple of it.
    auto const begin = time_point{7ms * 1000};
    REQUIRE(window.try_acquire(begin + 1ms, 4));
    CHECK(window.try_acquire(begin + 2ms, 2).retry_after == 5ms);
    CHECK(window.try_acquire(begin + 7ms - 1ns, 5).retry_after == 1ns);
    CHECK_FALSE(window.try_acquire(begin + 7ms - 1ns, 5));
    CHECK(window.try_acquire(begin + 7ms, 5));
}

TEST_CASE("fixed_window: more than the limit is never granted, and nothing always is") {
    fixed_window window{{.limit = 5}};
    CHECK(window.try_acquire(t0, 6).retry_after == never);
    CHECK(window.try_acquire(t0, ~0U).retry_after == never);
    CHECK(window.available(t0) == 5);  // The refusals took nothing.
    REQUIRE(window.try_acquire(t0, 5));
    CHECK(window.try_acquire(t0, 0));
    CHECK(window.try_acquire(t0 - 1h, 0));
    CHECK(window.try_acquire(t0, 6).retry_after == never);
}

TEST_CASE("fixed_window: time that steps back stands still, and grants nothing extra") {
    fixed_window window{{.limit = 3, .window = 1s}};
    REQUIRE(window.try_acquire(t0));
    CHECK(window.available(t0 - 1ns) == 2);  // A late caller is served from the window that is.
    CHECK(window.try_acquire(t0 - 1ns));
    CHECK(window.try_acquire(t0 - 24h));
    CHECK_FALSE(window.try_acquire(t0));
    CHECK(window.try_acquire(t0 - 1ns).retry_after == 1s + 1ns);
    CHECK(window.try_acquire(t0 - 24h).retry_after == 24h + 1s);
    CHECK_FALSE(window.try_acquire(time_point::min()));
    CHECK(window.try_acquire(t0 + 1s, 3));
}

TEST_CASE("fixed_window: refused requests and questions move nothing, whatever time they tell") {
    fixed_window window{{.limit = 2, .window = 1s}};
    REQUIRE(window.try_acquire(t0, 2));
    CHECK_FALSE(window.try_acquire(t0 + 500s, 3));  // An instant that its clock corrects later.
    CHECK(window.available(t0 + 1000s) == 2);
    CHECK(window.try_acquire(t0 + 2s, 0));
    CHECK(window.try_acquire(t0 + 1s, 2));  // Nothing has begun in the meantime.
}

TEST_CASE("fixed_window: holds at the extremes of its options, for a century around the epoch") {
    using options = hawser::fixed_window_options;
    auto const option = GENERATE(
        options{.limit = 1, .window = 1ns}, options{.limit = 2, .window = 2ns},
        options{.limit = 1'000'000'000, .window = 1s},
        options{.limit = ~0U, .window = duration{~0U}},
        options{.limit = ~0U, .window = thirty_years}, options{.limit = 1, .window = thirty_years});
    fixed_window window{option};
    for (auto const now : {-century, -century + 1ns, -thirty_years, duration{-1}, duration{0},
                           duration{1h}, thirty_years, century - 2 * option.window, century}) {
        INFO("limit " << option.limit << ", " << option.window.count() << " ns, " << now.count());
        window.refill();
        REQUIRE(window.try_acquire(time_point{now}, option.limit));
        CHECK(window.available(time_point{now}) == 0);
        auto const wait = window.try_acquire(time_point{now}).retry_after;
        CHECK(wait > 0ns);
        CHECK(wait <= option.window);
        CHECK_FALSE(window.try_acquire(time_point{now + wait - 1ns}));
        if (now + wait <= century) CHECK(window.try_acquire(time_point{now + wait}, option.limit));
    }
    window.refill();
    REQUIRE(window.try_acquire(time_point::max(), option.limit));
    CHECK_FALSE(window.try_acquire(time_point{century}));  // The same instant to it.
    CHECK_FALSE(window.try_acquire(time_point::min()));
}

TEST_CASE("fixed_window: a new limit counts what was spent in the window") {
    fixed_window window{{.limit = 10, .window = 1s}};
    REQUIRE(window.try_acquire(t0, 6));
    window.reconfigure({.limit = 8, .window = 1s}, t0);
    CHECK(window.available(t0) == 2);
    window.reconfigure({.limit = 4, .window = 1s}, t0);
    CHECK(window.available(t0) == 0);
    CHECK(window.try_acquire(t0).retry_after == 1s);
    CHECK(window.available(t0 + 1s) == 4);  // No debt is left of the greater limit.
    window.reconfigure({.limit = 10, .window = 1s}, t0);
    CHECK(window.available(t0) == 4);  // The 6 were not forgotten.
    CHECK(window.try_acquire(t0 + 1s, 10));
}

TEST_CASE("fixed_window: what a smaller limit cannot hold is remembered for its window alone") {
    fixed_window window{{.limit = 10, .window = 1s}};
    REQUIRE(window.try_acquire(t0, 10));
    window.reconfigure({.limit = 4, .window = 1s}, t0);
    window.reconfigure({.limit = 3, .window = 1s}, t0);
    window.reconfigure({.limit = 12, .window = 1s}, t0);
    CHECK(window.available(t0) == 2);
    window.reconfigure({.limit = 3, .window = 1s}, t0);
    window.reconfigure({.limit = 12, .window = 1s}, t0 + 1s);
    CHECK(window.available(t0 + 1s) == 12);
    REQUIRE(window.try_acquire(t0 + 1s, 12));
    window.reconfigure({.limit = 3, .window = 1s}, t0 + 1s);
    window.refill();
    window.reconfigure({.limit = 12, .window = 1s}, t0 + 1s);
    CHECK(window.available(t0 + 1s) == 12);
}

TEST_CASE("fixed_window: a new length takes the open window along, and forgets those before") {
    fixed_window window{{.limit = 10, .window = 1s}};
    REQUIRE(window.try_acquire(t0 + 100ms, 6));
    window.reconfigure({.limit = 10, .window = 1min}, t0 + 900ms);
    CHECK(window.available(t0 + 59s) == 4);
    CHECK(window.available(t0 + 60s) == 10);
    window.reconfigure({.limit = 10, .window = 10ms}, t0 + 901ms);
    CHECK(window.available(t0 + 909ms) == 4);
    CHECK(window.try_acquire(t0 + 909ms, 5).retry_after == 1ms);
    window.reconfigure({.limit = 10, .window = 1s}, t0 + 910ms);
    CHECK(window.available(t0 + 910ms) == 10);
}

TEST_CASE("fixed_window: a new length under a clock that stepped back grants nothing extra") {
    fixed_window window{{.limit = 10, .window = 1s}};
    REQUIRE(window.try_acquire(t0 + 5s, 10));
    window.reconfigure({.limit = 10, .window = 2s}, t0);  // [t0 + 4s, t0 + 6s) is the open one.
    CHECK(window.available(t0) == 0);
    CHECK(window.try_acquire(t0).retry_after == 6s);
    CHECK(window.try_acquire(t0 + 6s, 10));
}

TEST_CASE("fixed_window: says how long until it is as a new one") {
    fixed_window window{{.limit = 3, .window = 1s}};
    CHECK(window.fresh_in(t0) == 0s);
    REQUIRE(window.try_acquire(t0 + 200ms));
    CHECK(window.fresh_in(t0 + 300ms) == 700ms);
    CHECK(window.fresh_in(t0 - 1s) == 2s);
    CHECK(window.fresh_in(t0 + 1s - 1ns) == 1ns);
    CHECK(window.fresh_in(t0 + 1s) == 0s);
    REQUIRE(window.try_acquire(t0 + 300ms, 2));
    CHECK(window.fresh_in(t0 - 1s) == 2s);
}

TEST_CASE("fixed_window: a pardon gives back the whole window, also after a clock ran ahead") {
    fixed_window window{{.limit = 2, .window = 1s}};
    REQUIRE(window.try_acquire(t0 + 24h, 2));
    REQUIRE_FALSE(window.try_acquire(t0));
    window.refill();
    CHECK(window.try_acquire(t0, 2));
    CHECK_FALSE(window.try_acquire(t0));
}

TEST_CASE("fixed_window: a global one is there before any code runs") {
    static constinit fixed_window global{{.limit = 2, .window = 1s}};
    CHECK(global.try_acquire(t0, 2));
    CHECK_FALSE(global.try_acquire(t0));
}

TEST_CASE("fixed_window: reserves the first window that has the permits, and nobody goes before") {
    fixed_window window{{.limit = 3, .window = 1s}};
    CHECK(window.reserve(t0 + 100ms, 2, 0s).wait == 0s);
    auto const next = window.reserve(t0 + 200ms, 2, 1s);  // One is left: it lapses.
    CHECK(next);
    CHECK(next.wait == 800ms);
    CHECK(window.available(t0 + 300ms) == 0);
    CHECK(window.try_acquire(t0 + 300ms).retry_after == 700ms);
    CHECK(window.reserve(t0 + 300ms, 2, 1s).wait == 1700ms);  // And is refused.
    CHECK(window.reserve(t0 + 300ms, 1, 1s).wait == 700ms);
    CHECK_FALSE(window.try_acquire(t0 + 1s));
    CHECK(window.try_acquire(t0 + 2s, 3));
}

TEST_CASE("fixed_window: a wait that is too long, or negative, takes nothing") {
    fixed_window window{{.limit = 2, .window = 1s}};
    CHECK(window.reserve(t0, 2, -1ns).wait == 0s);
    CHECK_FALSE(window.reserve(t0, 2, -1ns));
    CHECK(window.reserve(t0, 3, never).wait == never);
    CHECK(window.available(t0) == 2);
    REQUIRE(window.reserve(t0, 2, 0s));
    CHECK(window.reserve(t0, 1, 1s - 1ns).wait == 1s);
    CHECK(window.try_acquire(t0 + 1s, 2));
    CHECK(window.reserve(t0, 0, -1ns));
}

TEST_CASE("fixed_window: the last reservation that is given back leaves no trace") {
    fixed_window window{{.limit = 3, .window = 1s}};
    REQUIRE(window.try_acquire(t0, 2));
    auto ahead = window.reserve(t0, 2, 1s);
    REQUIRE(ahead.wait == 1s);
    CHECK(window.cancel(ahead));
    CHECK_FALSE(window.cancel(ahead));
    CHECK(window.try_acquire(t0));  // What it had passed over is there again.
    CHECK(window.available(t0 + 1s) == 3);
}

TEST_CASE("fixed_window: a reservation that others came after gives back its permits alone") {
    fixed_window window{{.limit = 3, .window = 1s}};
    REQUIRE(window.try_acquire(t0, 2));
    auto ahead = window.reserve(t0, 2, 1s);
    REQUIRE(window.reserve(t0, 1, 1s));
    CHECK(window.cancel(ahead));
    CHECK_FALSE(window.try_acquire(t0));  // Others keep their times: it has lapsed.
    CHECK(window.available(t0 + 1s) == 2);
    auto late = window.reserve(t0 + 1s, 2, 0s);
    REQUIRE(window.try_acquire(t0 + 2s));
    CHECK_FALSE(window.cancel(late));
    CHECK(window.available(t0 + 2s) == 2);
}

TEST_CASE("fixed_window: with reservations agrees with the earliest window there is") {
    support::reserves_over_schedules<fixed_window, support::fixed_window_model,
                                     support::window_by_window>(
        20261121, [](support::ticks window) { return window; });
}

TEST_CASE("fixed_window: what was reserved before new options or a pardon is not given back") {
    fixed_window window{{.limit = 3, .window = 1s}};
    auto before = window.reserve(t0, 2, 0s);
    window.reconfigure({.limit = 3, .window = 1s}, t0);
    window.reconfigure({.limit = 3, .window = 1s}, t0);
    CHECK_FALSE(window.cancel(before));
    CHECK(window.available(t0) == 1);
    auto pardoned = window.reserve(t0, 1, 0s);
    window.refill();
    REQUIRE(window.try_acquire(t0, 3));
    CHECK_FALSE(window.cancel(pardoned));
    CHECK_FALSE(window.try_acquire(t0));
}

TEST_CASE("fixed_window: a window that was reserved from, and not come to, serves nobody before") {
    fixed_window window{{.limit = 2, .window = 1s}};
    REQUIRE(window.try_acquire(t0, 2));
    REQUIRE(window.reserve(t0, 1, 1s));
    CHECK(window.try_acquire(t0 + 1s - 1ns).retry_after == 1ns);
    CHECK(window.try_acquire(t0 + 1s));
    REQUIRE(window.try_acquire(t0 + 2s));  // Somebody's clock has come there:
    CHECK(window.try_acquire(t0 + 1s));    // who is late is served from it.
}

TEST_CASE("fixed_window: what was reserved beyond a century stays ahead of new options") {
    hawser::time_point const then{century};
    fixed_window window{{.limit = 4, .window = 4ns}};
    REQUIRE(window.reserve(then, 4, 1s));
    REQUIRE(window.reserve(then, 4, 1s).wait == 4ns);
    REQUIRE(window.reserve(then, 4, 1s).wait == 8ns);
    window.reconfigure({.limit = 1, .window = 4ns}, then);
    CHECK(window.reserve(then, 1, 1s).wait == 12ns);
    window.reconfigure({.limit = 1, .window = 2ns}, then);
    CHECK(window.reserve(then, 1, 1s).wait == 14ns);
}

TEST_CASE("fixed_window: nobody reserves more than thirty years ahead") {
    fixed_window window{{.limit = 1, .window = thirty_years}};
    for (auto const now : {-century, 0s + duration{}, century}) {
        window.refill();
        REQUIRE(window.try_acquire(time_point{now}));
        auto const first = window.reserve(time_point{now}, 1, never);
        CHECK(first);
        CHECK(first.wait <= thirty_years);
        auto const second = window.reserve(time_point{now}, 1, never);
        CHECK_FALSE(second);
        CHECK(second.wait > thirty_years);
        CHECK(second.wait < never);
    }
}

TEST_CASE("fixed_window: rejects options that describe no window, by name") {
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<fixed_window>);
    using Catch::Matchers::Equals;
    auto const fails_as = [](hawser::fixed_window_options const& bad, std::string const& message) {
        CHECK_THROWS_WITH(fixed_window{bad}, Equals("fixed_window: " + message));
        fixed_window window{{.limit = 3}};
        REQUIRE(window.try_acquire(t0));
        CHECK_THROWS_AS(window.reconfigure(bad, t0), std::invalid_argument);
        CHECK(window.available(t0) == 2);
    };
    fails_as({.limit = 0}, "limit is zero");
    fails_as({.window = 0s}, "window is not positive");
    fails_as({.window = duration::min()}, "window is not positive");
    fails_as({.window = thirty_years + 1ns}, "window is over thirty years");
    fails_as({.window = duration::max()}, "window is over thirty years");
    fails_as({.limit = 100, .window = 99ns}, "limit is more than one a nanosecond");
}
