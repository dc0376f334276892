// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/keyed.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <random>
#include <string>

using namespace std::chrono_literals;
using hawser::asked_of;
using hawser::full_table;
using hawser::keyed;
using hawser::token_bucket;

static constexpr hawser::time_point t0{1h};

TEST_CASE("keyed: threads that ask for one key at once share exactly its tokens") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 20'000}};
    std::atomic<std::uint32_t> granted{0};
    support::on_threads(std::uint32_t{4}, [&](std::uint32_t) {
        std::uint32_t mine = 0;
        while (limiter.try_acquire("hot", t0).granted) ++mine;
        granted += mine;
    });
    CHECK(granted == 20'000);
}

TEST_CASE("keyed: threads that are the first to ask for a key find one state") {
    keyed<token_bucket, std::uint32_t> limiter{{.rate = 1, .burst = 2}, {.keys = 16'384}};
    std::atomic<std::uint32_t> granted{0};
    support::on_threads(std::uint32_t{4}, [&](std::uint32_t) {
        std::uint32_t mine = 0;
        for (std::uint32_t key = 0; key < 5'000; ++key)
            mine += limiter.try_acquire(key, t0).granted ? 1 : 0;
        granted += mine;
    });
    CHECK(granted == 10'000);
    CHECK(limiter.size() == 5'000);
}

TEST_CASE("keyed: under eviction no key is granted more than its burst and what came since") {
    auto const when_full = GENERATE(full_table::refuses, full_table::shares);
    // Steps of a millisecond that are agreed on: a thread is at most one ahead of another.
    keyed<token_bucket> limiter{{.rate = 1, .period = 10ms, .burst = 3},
                                {.keys = 64, .when_full = when_full, .shards = 4, .seed = 8}};
    constexpr std::uint32_t keys = 300, steps = 1'000;
    std::array<std::atomic<std::uint32_t>, keys> granted{};
    std::atomic<std::uint32_t> asked{0}, elsewhere{0};
    support::on_threads(std::uint32_t{4}, [&](std::uint32_t thread) {
        std::mt19937 random{thread};
        for (;;) {
            auto const step = asked.fetch_add(1) / 40;
            if (step >= steps) break;
            auto const key = random() % (random() % 4 == 0 ? keys : 10);
            auto const answer = limiter.try_acquire(std::to_string(key), t0 + step * 1ms);
            granted[key] += answer.granted ? 1 : 0;
            elsewhere += answer.from == asked_of::own ? 0 : 1;
        }
    });
    for (auto const& count : granted) CHECK(count <= 3 + (steps + 1) / 10);
    CHECK(elsewhere > 0);
    CHECK(limiter.size() <= 64);
}

TEST_CASE("keyed: keys that find no room at once share one burst") {
    keyed<token_bucket, std::uint32_t> limiter{
        {.rate = 1, .burst = 1'000},
        {.keys = 64, .when_full = full_table::shares, .shards = 8, .seed = 5}};
    std::atomic<std::uint32_t> shared{0};
    for (std::uint32_t key = 0; limiter.size() < 64; ++key)
        shared += limiter.try_acquire(key, t0).from == asked_of::shared ? 1 : 0;
    support::on_threads(std::uint32_t{4}, [&](std::uint32_t thread) {
        for (std::uint32_t i = 0; i < 5'000; ++i) {
            auto const answer = limiter.try_acquire(100'000 * (thread + 1) + i, t0);
            shared += answer.granted && answer.from == asked_of::shared ? 1 : 0;
        }
    });
    CHECK(shared == 1'000);
}

TEST_CASE("keyed: threads that reserve and give back leave each key no more than its own") {
    auto const when_full = GENERATE(full_table::refuses, full_table::shares);
    keyed<token_bucket, std::uint32_t> limiter{
        {.rate = 1, .period = 10ms, .burst = 3},
        {.keys = 64, .when_full = when_full, .shards = 4, .seed = 8}};
    constexpr std::uint32_t keys = 300, steps = 1'000;
    std::array<std::atomic<std::uint32_t>, keys> kept{};
    std::atomic<std::uint32_t> asked{0}, given_back{0};
    support::on_threads(std::uint32_t{4}, [&](std::uint32_t thread) {
        std::mt19937 random{thread};
        for (;;) {
            auto const step = asked.fetch_add(1) / 40;
            if (step >= steps) break;
            auto const key = static_cast<std::uint32_t>(random() % (random() % 4 == 0 ? keys : 10));
            auto taken = limiter.reserve(key, t0 + step * 1ms, 1, 0ms);
            if (taken.granted && random() % 2 == 0)
                given_back += limiter.cancel(key, taken) ? 1 : 0;
            else
                kept[key] += taken.granted ? 1 : 0;
        }
    });
    for (auto const& count : kept) CHECK(count <= 3 + (steps + 1) / 10);
    CHECK(given_back > 100);
    CHECK(limiter.size() <= 64);
}
