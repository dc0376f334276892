// SPDX-License-Identifier: BSL-1.0
//
// In a file of its own, because it counts what every `new` of the program does.
#include <hawser/rate/keyed.hpp>

#include <hawser/rate/fixed_window.hpp>
#include <hawser/rate/sliding_window_counter.hpp>
#include <hawser/rate/sliding_window_log.hpp>
#include <hawser/rate/token_bucket.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <array>
#include <charconv>
#include <random>
#include <string_view>

using namespace std::chrono_literals;
using hawser::full_table;
using hawser::keyed;
using hawser::token_bucket;

TEST_CASE("keyed: allocates when it is made, and nothing for a million random keys") {
    auto const when_full = GENERATE(full_table::refuses, full_table::shares);
    support::allocation_probe const making;
    keyed<token_bucket> limiter{{.rate = 1, .burst = 10}, {.keys = 10'000, .when_full = when_full}};
    CHECK(making.count() > 0);
    CHECK(making.bytes() < 10'000 * 64 + 64 * 1024);

    std::mt19937_64 random{20261120};
    hawser::time_point now{1h};
    support::allocation_probe const running;
    for (int i = 0; i < 1'000'000; ++i, now += 50us) {
        std::array<char, 16> text;  // NOLINT: written before it is read.
        auto const value = random() % 1'000'000'000'000'000;
        auto const end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
        (void)limiter.try_acquire(std::string_view{text.data(), end}, now);
    }
    auto const allocated = running.count();
    CHECK(allocated == 0);
    CHECK(limiter.size() <= limiter.capacity());
}

TEST_CASE("keyed: once warm, long keys allocate no more than short ones") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 10}, {.keys = 256, .shards = 1}};
    std::array<char, 60> text;
    text.fill('x');
    auto const ask = [&](int number, hawser::time_point now) {
        auto const end = std::to_chars(text.data() + 40, text.data() + text.size(), number).ptr;
        (void)limiter.try_acquire(std::string_view{text.data(), end}, now);
    };
    hawser::time_point now{1h};
    for (int i = 0; i < 256; ++i) ask(1'000'000 + i, now);
    support::allocation_probe const running;
    for (int i = 0; i < 100'000; ++i, now += 10ms) ask(2'000'000 + i, now);
    auto const allocated = running.count();
    CHECK(allocated == 0);
    CHECK(limiter.size() == 256);
}

TEMPLATE_TEST_CASE("keyed: keys of windows allocate nothing after the first", "",
                   hawser::fixed_window, hawser::sliding_window_counter,
                   hawser::sliding_window_log) {
    keyed<TestType, std::uint64_t> limiter{{.limit = 10, .window = 1s}, {.keys = 1'000}};
    std::mt19937_64 random{20261121};
    hawser::time_point now{1h};
    support::allocation_probe const running;
    for (int i = 0; i < 100'000; ++i, now += 500us) {
        auto const key = random() % 10'000;
        auto taken = limiter.reserve(key, now, 1, 100ms);
        if (i % 3 == 0) (void)limiter.cancel(key, taken);
        (void)limiter.try_acquire(random() % 10'000, now);
    }
    auto const allocated = running.count();
    CHECK(allocated == 0);
    CHECK(limiter.size() <= limiter.capacity());
}
