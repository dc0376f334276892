// SPDX-License-Identifier: BSL-1.0
#include <hawser/breaker/hit_window.hpp>

#include "support/catch.hpp"

#include <deque>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::time_point;
using hawser::detail::count_hits;
using hawser::detail::timed_hits;

static constexpr time_point t0{1h};

TEST_CASE("count_hits: agrees with a list of all calls, through clearing and new lengths") {
    auto const seed = GENERATE(range(1U, 51U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    auto length = 1 + random() % 30;
    count_hits window{static_cast<std::uint32_t>(length)};
    std::deque<bool> calls;  // Those in the window.
    std::uint64_t position = 0;

    for (int i = 0; i < 5'000; ++i) {
        auto const dice = random() % 200;
        if (dice == 0) {
            calls.clear();
            window.clear(position, t0);
        } else if (dice == 1) {
            length = 1 + random() % 30;
            count_hits fresh{static_cast<std::uint32_t>(length)};
            window.adopt(fresh, position);
        } else {
            ++position;
            calls.push_back(dice < 60);
            if (dice < 60) {  // Good calls tell the window nothing.
                window.advance(position, t0);
                window.hit(position);
            }
        }
        while (calls.size() > length) calls.pop_front();
        auto const seen = window.counts(position, t0);
        REQUIRE(seen.calls == calls.size());
        REQUIRE(seen.hits ==
                static_cast<std::uint32_t>(std::count(calls.begin(), calls.end(), true)));
    }
}

TEST_CASE("timed_hits: agrees with a list of all calls by bucket") {
    auto const seed = GENERATE(range(1U, 51U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    auto const buckets = 1 + random() % 12;
    duration const width{1 + random() % 50};
    timed_hits window{width * buckets, static_cast<std::uint32_t>(buckets)};
    struct call {
        std::int64_t bucket;
        bool hit;
    };
    std::vector<call> calls;
    std::uint64_t position = 0;
    auto now = time_point{duration{-1'000}};  // Across the epoch: buckets round down.

    for (int i = 0; i < 5'000; ++i) {
        now += duration{random() % 40 == 0 ? random() % 1'000 : random() % 4};
        auto const since = now.time_since_epoch().count(), w = std::int64_t{width.count()};
        auto const bucket = (since >= 0 ? since : since - (w - 1)) / w;
        bool const hit = random() % 3 == 0;
        ++position;
        // Good calls say nothing but where the window asks for them: at an edge.
        if (hit || now >= window.next_edge()) window.advance(position, now);
        if (hit) window.hit(position);
        calls.push_back({bucket, hit});

        std::uint32_t count = 0, hits = 0;
        for (auto const& it : calls) {
            bool const inside = it.bucket > bucket - static_cast<std::int64_t>(buckets);
            count += inside;
            hits += inside && it.hit;
        }
        auto const seen = window.counts(position, now);
        REQUIRE(seen.calls == count);
        REQUIRE(seen.hits == hits);
        if (random() % 500 == 0) {
            calls.clear();
            window.clear(position, now);
        }
    }
}

TEST_CASE("timed_hits: time that steps back joins the newest bucket") {
    timed_hits window{10s, 10};
    window.advance(1, t0);
    window.advance(2, t0 - 5s);
    window.hit(2);
    CHECK(window.counts(2, t0).hits == 1);
    CHECK(window.counts(2, t0 + 10s).hits == 0);
}

TEST_CASE("timed_hits: keeps its buckets if they stay as wide, else starts anew") {
    timed_hits window{10s, 10};
    for (std::uint64_t i = 1; i <= 10; ++i) {
        window.advance(i, t0 + i * 1s);
        window.hit(i);
    }
    timed_hits shorter{5s, 5};
    window.adopt(shorter, 10);
    CHECK(window.counts(10, t0 + 10s).hits == 5);
    timed_hits wider{10s, 5};
    window.adopt(wider, 10);
    CHECK(window.counts(10, t0 + 10s).hits == 0);
    CHECK(window.next_edge() == time_point::min());
}

TEST_CASE("timed_hits: no instant and no width overflow") {
    timed_hits window{1ns, 1};
    std::uint64_t position = 0;
    for (auto const now : {time_point::min(), t0, time_point::max()}) {
        window.advance(++position, now);
        window.hit(position);
        CHECK(window.counts(position, now).hits == 1);
        CHECK(window.next_edge() >= now);
        CHECK(window.counts(position, time_point::max()).hits <= 1);
        CHECK(window.counts(position, time_point::min()).hits <= 1);
    }
}
