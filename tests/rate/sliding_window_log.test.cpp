// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/sliding_window_log.hpp>

#include "support/catch.hpp"
#include "support/window_models.hpp"
#include "support/window_reservations.hpp"

#include <string>
#include <type_traits>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::never;
using hawser::sliding_window_log;
using hawser::time_point;

static constexpr time_point t0{1h};
static constexpr duration century = std::chrono::hours{24 * 36525};
static constexpr duration thirty_years = std::chrono::hours{24 * 365 * 30};

TEST_CASE("sliding_window_log: grants its limit at once, and after any rest no more than that") {
    sliding_window_log log{{.limit = 3, .window = 1s}};
    for (auto const now : {t0, t0 + 1s, t0 + 3s, t0 + 24h}) {
        CHECK(log.available(now) == 3);
        CHECK(log.try_acquire(now, 3));
        CHECK_FALSE(log.try_acquire(now + 1s - 1ns));
        CHECK(log.available(now) == 0);
    }
}

TEST_CASE("sliding_window_log: each permit comes back a window after it was taken") {
    sliding_window_log log{{.limit = 4, .window = 1s}};
    REQUIRE(log.try_acquire(t0, 1));
    REQUIRE(log.try_acquire(t0 + 300ms, 2));
    REQUIRE(log.try_acquire(t0 + 900ms, 1));
    CHECK(log.available(t0 + 1s - 1ns) == 0);
    CHECK(log.available(t0 + 1s) == 1);
    CHECK(log.available(t0 + 1300ms) == 3);
    CHECK(log.available(t0 + 1900ms) == 4);
}

TEST_CASE("sliding_window_log: no span as long as the window holds more than the limit") {
    for (std::uint32_t seed = 1; seed <= 300; ++seed) {
        INFO("seed " << seed);
        auto const late = seed % 3 == 0 ? 0 : seed % 97;
        sliding_window_log log{{.limit = 1 + seed % 5, .window = 100ns}};
        auto const granted = support::granted_to_late_clocks(log, seed, 5 + seed % 60, late);
        REQUIRE_FALSE(granted.empty());
        REQUIRE(support::most_within(granted, 100 - late) <= 1 + seed % 5);
    }
}

TEST_CASE("sliding_window_log: holds its limit where other windows grant twice of it") {
    sliding_window_log log{{.limit = 100, .window = 1s}};
    std::uint32_t granted = 0;
    for (auto now = t0 - 1ns; now < t0 - 1ns + 1s; now += 1ms)
        for (int i = 0; i < 500; ++i) granted += log.try_acquire(now).granted ? 1 : 0;
    CHECK(granted == 100);
}

TEST_CASE("sliding_window_log: agrees with a list of all grants, to the nanosecond of a wait") {
    support::agrees_over_schedules<sliding_window_log, support::sliding_window_log_model>(
        20261120, [](support::ticks) { return 8; });
}

TEST_CASE("sliding_window_log: retry_after is when the last permit that lacks comes back") {
    sliding_window_log log{{.limit = 5, .window = 1s}};
    REQUIRE(log.try_acquire(t0, 2));
    REQUIRE(log.try_acquire(t0 + 10ms, 3));
    CHECK(log.try_acquire(t0 + 20ms, 2).retry_after == 980ms);
    CHECK(log.try_acquire(t0 + 20ms, 3).retry_after == 990ms);
    CHECK_FALSE(log.try_acquire(t0 + 1010ms - 1ns, 3));
    CHECK(log.try_acquire(t0 + 1010ms, 3));
}

TEST_CASE("sliding_window_log: more than the limit is never granted, and nothing always is") {
    sliding_window_log log{{.limit = 5}};
    CHECK(log.try_acquire(t0, 6).retry_after == never);
    CHECK(log.try_acquire(t0, ~0U).retry_after == never);
    CHECK(log.available(t0) == 5);  // The refusals took nothing.
    REQUIRE(log.try_acquire(t0, 5));
    CHECK(log.try_acquire(t0, 0));
    CHECK(log.try_acquire(t0 - 1h, 0));
    CHECK(log.try_acquire(t0, 6).retry_after == never);
}

TEST_CASE("sliding_window_log: time that steps back stands still, and grants nothing extra") {
    sliding_window_log log{{.limit = 3, .window = 1s}};
    REQUIRE(log.try_acquire(t0, 2));
    CHECK(log.available(t0 - 24h) == 1);
    REQUIRE(log.try_acquire(t0 - 24h));  // Taken at t0, for all that the limiter knows.
    CHECK(log.try_acquire(t0 - 1h).retry_after == 1h + 1s);
    CHECK_FALSE(log.try_acquire(time_point::min()));
    CHECK_FALSE(log.try_acquire(t0 + 1s - 1ns));
    CHECK(log.try_acquire(t0 + 1s, 3));
}

TEST_CASE("sliding_window_log: refused requests and questions move nothing") {
    sliding_window_log log{{.limit = 2, .window = 1s}};
    REQUIRE(log.try_acquire(t0, 2));
    CHECK_FALSE(log.try_acquire(t0 + 500s, 3));
    CHECK(log.available(t0 + 1000s) == 2);
    CHECK(log.try_acquire(t0 + 2s, 0));
    CHECK_FALSE(log.try_acquire(t0 + 500ms, 1));
    CHECK(log.try_acquire(t0 + 1s, 2));
}

TEST_CASE("sliding_window_log: holds at the extremes of its options, for a century each way") {
    using options = hawser::sliding_window_log_options;
    auto const option = GENERATE(options{.limit = 1, .window = 1ns},
                                 options{.limit = sliding_window_log::limit_max, .window = 1ns},
                                 options{.limit = 3, .window = thirty_years});
    sliding_window_log log{option};
    for (auto const now : {-century, -century + 1ns, -thirty_years, duration{-1}, duration{0},
                           duration{1h}, thirty_years, century - 2 * option.window, century}) {
        INFO("limit " << option.limit << ", " << option.window.count() << " ns, " << now.count());
        log.refill();
        REQUIRE(log.try_acquire(time_point{now}, option.limit));
        CHECK(log.available(time_point{now}) == 0);
        CHECK(log.try_acquire(time_point{now}).retry_after == option.window);
        CHECK_FALSE(log.try_acquire(time_point{now + option.window - 1ns}));
        if (now + option.window <= century)
            CHECK(log.try_acquire(time_point{now + option.window}, option.limit));
    }
    log.refill();
    REQUIRE(log.try_acquire(time_point::max(), option.limit));
    CHECK_FALSE(log.try_acquire(time_point{century}));  // The same instant to it.
    CHECK_FALSE(log.try_acquire(time_point::min()));
}

TEST_CASE("sliding_window_log: a smaller limit holds for the latest grants") {
    sliding_window_log log{{.limit = 4, .window = 1s}};
    for (int i = 0; i < 6; ++i) REQUIRE(log.try_acquire(t0 + i * 300ms));
    log.reconfigure({.limit = 2, .window = 1s}, t0 + 1500ms);
    CHECK(log.available(t0 + 1500ms) == 0);
    CHECK(log.try_acquire(t0 + 1500ms).retry_after == 700ms);  // After the one of 1200 ms.
    CHECK(log.try_acquire(t0 + 1500ms, 3).retry_after == never);
    CHECK(log.try_acquire(t0 + 2200ms));
    CHECK(log.try_acquire(t0 + 2500ms));
    CHECK_FALSE(log.try_acquire(t0 + 3200ms - 1ns));
}

TEST_CASE("sliding_window_log: a greater limit adds permits, and keeps what was granted") {
    sliding_window_log log{{.limit = 2, .window = 1s}};
    REQUIRE(log.try_acquire(t0));
    REQUIRE(log.try_acquire(t0 + 300ms));
    log.reconfigure({.limit = 5, .window = 1s}, t0 + 300ms);
    CHECK(log.available(t0 + 300ms) == 3);
    CHECK(log.available(t0 + 1s) == 4);
    CHECK(log.try_acquire(t0 + 1s, 5).retry_after == 300ms);
}

TEST_CASE("sliding_window_log: a limit that is lowered and raised again grants nothing extra") {
    sliding_window_log log{{.limit = 5, .window = 1s}};
    REQUIRE(log.try_acquire(t0, 4));
    log.reconfigure({.limit = 1, .window = 1s}, t0);
    log.reconfigure({.limit = 6, .window = 1s}, t0);
    CHECK(log.available(t0) == 2);
}

TEST_CASE("sliding_window_log: a new length holds for what was granted before it") {
    sliding_window_log log{{.limit = 2, .window = 1s}};
    REQUIRE(log.try_acquire(t0));
    REQUIRE(log.try_acquire(t0 + 300ms));
    log.reconfigure({.limit = 2, .window = 1min}, t0 + 2s);  // Both had left the second.
    CHECK(log.try_acquire(t0 + 2s).retry_after == 58s);
    log.reconfigure({.limit = 2, .window = 500ms}, t0 + 2s);
    CHECK(log.available(t0 + 600ms) == 1);
    CHECK(log.try_acquire(t0 + 800ms, 2));
}

TEST_CASE("sliding_window_log: new options agree with a list of all grants that they remember") {
    for (std::uint32_t seed = 1; seed <= 500; ++seed) {
        std::mt19937 random{seed};
        support::sliding_window_log_model model{{.limit = 3, .window = 20}};
        sliding_window_log log{{.limit = 3, .window = 20ns}};
        auto remembered = model.limit;
        support::ticks now = -500;
        for (int step = 0; step < 100; ++step, now += random() % 12) {
            INFO("seed " << seed << ", step " << step << ", now " << now);
            REQUIRE(support::answers_as(log, model, now, random() % 4));
            if (random() % 8 != 0) continue;
            model.limit = 1 + random() % 5;
            model.window = 1 + random() % 40;
            if (model.limit > remembered) {
                while (static_cast<support::ticks>(model.granted.size()) > remembered)
                    model.granted.pop_front();
                remembered = model.limit;
            }
            log.reconfigure({.limit = static_cast<std::uint32_t>(model.limit),
                             .window = duration{model.window}},
                            support::at(now));
        }
    }
}

TEST_CASE("sliding_window_log: says how long until it is as a new one") {
    sliding_window_log log{{.limit = 3, .window = 1s}};
    CHECK(log.fresh_in(t0) == 0s);
    REQUIRE(log.try_acquire(t0 + 200ms));
    REQUIRE(log.try_acquire(t0 + 300ms));
    CHECK(log.fresh_in(t0 + 400ms) == 900ms);
    CHECK(log.fresh_in(t0 - 1s) == 2300ms);
    CHECK(log.fresh_in(t0 + 1300ms) == 0s);
    log.refill();
    CHECK(log.fresh_in(t0 - 24h) == 0s);
    CHECK(sliding_window_log{{.window = thirty_years}}.fresh_in(time_point::min()) == 0s);
}

TEST_CASE("sliding_window_log: a pardon gives back all permits, also after a clock ran ahead") {
    sliding_window_log log{{.limit = 2, .window = 1s}};
    REQUIRE(log.try_acquire(t0 + 24h, 2));
    REQUIRE_FALSE(log.try_acquire(t0));
    log.refill();
    CHECK(log.try_acquire(t0, 2));
    CHECK(log.try_acquire(t0).retry_after == 1s);
}

TEST_CASE("sliding_window_log: reserves when the permits come back, and nobody goes before") {
    sliding_window_log log{{.limit = 2, .window = 1s}};
    REQUIRE(log.try_acquire(t0));
    REQUIRE(log.try_acquire(t0 + 300ms));
    CHECK(log.reserve(t0 + 400ms, 1, 1s).wait == 600ms);
    CHECK(log.available(t0 + 999ms) == 0);
    CHECK(log.try_acquire(t0 + 500ms).retry_after == 800ms);
    CHECK(log.reserve(t0 + 500ms, 2, 1s).wait == 1500ms);  // And is refused.
    CHECK(log.reserve(t0 + 500ms, 1, 1s).wait == 800ms);
    CHECK(log.try_acquire(t0 + 1300ms).retry_after == 700ms);
    CHECK(log.reserve(t0, 3, never).wait == never);
    CHECK_FALSE(log.reserve(t0 + 24h, 1, -1ns));
    CHECK(log.reserve(t0, 0, -1ns));
    CHECK(log.available(t0 + 24h) == 2);
}

TEST_CASE("sliding_window_log: who asks before a reservation is due does not count at its time") {
    // At 5 s, one was granted within the window and one will be: a third would be too many.
    sliding_window_log log{{.limit = 2, .window = 10s}};
    REQUIRE(log.try_acquire(t0, 2));
    REQUIRE(log.reserve(t0 + 1s, 1, 10s).wait == 9s);
    CHECK_FALSE(log.try_acquire(t0 + 5s));
    CHECK(log.try_acquire(t0 + 10s));
}

TEST_CASE("sliding_window_log: a greater limit lets nobody overtake what was reserved before") {
    sliding_window_log log{{.limit = 1, .window = 10s}};
    REQUIRE(log.try_acquire(t0));
    REQUIRE(log.reserve(t0, 1, 10s).wait == 10s);
    log.reconfigure({.limit = 3, .window = 10s}, t0);
    CHECK(log.available(t0 + 1s) == 0);
    CHECK(log.try_acquire(t0 + 1s).retry_after == 9s);
    CHECK(log.available(t0 + 10s) == 2);
}

TEST_CASE("sliding_window_log: the last reservation that is given back leaves no trace") {
    sliding_window_log log{{.limit = 2, .window = 1s}};
    REQUIRE(log.try_acquire(t0));
    REQUIRE(log.try_acquire(t0 + 300ms));
    auto ahead = log.reserve(t0 + 400ms, 1, 1s);
    REQUIRE(ahead);
    CHECK(log.cancel(ahead));
    CHECK_FALSE(log.cancel(ahead));
    CHECK(log.try_acquire(t0 + 400ms).retry_after == 600ms);
    CHECK(log.try_acquire(t0 + 1s));
    CHECK(log.try_acquire(t0 + 1s).retry_after == 300ms);
}

TEST_CASE("sliding_window_log: what is given back out of turn moves nobody else") {
    sliding_window_log log{{.limit = 3, .window = 1s}};
    auto first = log.reserve(t0, 1, 0s);
    REQUIRE(log.try_acquire(t0 + 200ms));
    REQUIRE(log.try_acquire(t0 + 400ms));
    CHECK(log.cancel(first));
    CHECK(log.available(t0 + 400ms) == 1);
    REQUIRE(log.try_acquire(t0 + 400ms));
    CHECK(log.try_acquire(t0 + 400ms).retry_after == 800ms);  // Of the one at 200 ms.
    CHECK(log.available(t0 + 1400ms) == 3);
}

TEST_CASE("sliding_window_log: of two that are due at once, giving the first back moves nobody") {
    // The limit was greater, so that older grants are remembered than it asks for.
    sliding_window_log log{{.limit = 5, .window = 10s}};
    REQUIRE(log.try_acquire(t0, 4));
    log.reconfigure({.limit = 4, .window = 10s}, t0);
    REQUIRE(log.try_acquire(t0 + 20s, 4));
    auto first = log.reserve(t0 + 21s, 1, 1min);
    auto second = log.reserve(t0 + 21s, 3, 1min);
    REQUIRE((first.wait == 9s && second.wait == 9s));

    CHECK(log.cancel(first));
    CHECK(log.cancel(second));

    CHECK(log.available(t0 + 22s) == 0);
    CHECK_FALSE(log.try_acquire(t0 + 29s, 3));
    CHECK(log.try_acquire(t0 + 30s, 4));
}

TEST_CASE("sliding_window_log: with reservations agrees with the earliest time there is") {
    support::reserves_over_schedules<sliding_window_log, support::sliding_window_log_model,
                                     support::one_by_one>(20261121,
                                                          [](support::ticks) { return 6; });
}

TEST_CASE("sliding_window_log: what was reserved before a change or a pardon is lost") {
    sliding_window_log log{{.limit = 2, .window = 1s}};
    auto before = log.reserve(t0, 1, 0s);
    log.reconfigure({.limit = 3, .window = 1s}, t0);
    CHECK_FALSE(log.cancel(before));
    CHECK(log.available(t0) == 2);
    auto pardoned = log.reserve(t0, 1, 0s);
    log.refill();
    REQUIRE(log.try_acquire(t0, 3));
    CHECK_FALSE(log.cancel(pardoned));
    CHECK_FALSE(log.try_acquire(t0));
}

TEST_CASE("sliding_window_log: rejects options that describe no window, by name") {
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<sliding_window_log>);
    using Catch::Matchers::Equals;
    auto const fails_as = [](hawser::sliding_window_log_options const& bad,
                             std::string const& message) {
        CHECK_THROWS_WITH(sliding_window_log{bad}, Equals("sliding_window_log: " + message));
        sliding_window_log log{{.limit = 3}};
        REQUIRE(log.try_acquire(t0));
        CHECK_THROWS_AS(log.reconfigure(bad, t0), std::invalid_argument);
        CHECK(log.available(t0) == 2);
    };
    fails_as({.limit = 0}, "limit is zero");
    fails_as({.limit = sliding_window_log::limit_max + 1}, "limit is over 1048576");
    fails_as({.window = 0s}, "window is not positive");
    fails_as({.window = duration::min()}, "window is not positive");
    fails_as({.window = thirty_years + 1ns}, "window is over thirty years");
    fails_as({.window = duration::max()}, "window is over thirty years");
}
