// SPDX-License-Identifier: BSL-1.0
#include <hawser/stats/count_window.hpp>

#include "support/catch.hpp"

#include <deque>
#include <random>

using hawser::call_counts;
using hawser::call_mark;
using hawser::count_window;

namespace {

/// The window as anybody would write it first: all the marks, counted again each time.
struct model {
    std::size_t size;
    std::deque<call_mark> marks{};

    void record(call_mark mark) {
        marks.push_back(mark);
        trim();
    }
    void trim() {
        while (marks.size() > size) marks.pop_front();
    }
    call_counts counts() const {
        call_counts counted;
        for (auto const& mark : marks) counted += mark;
        return counted;
    }
};

call_mark mark_of(std::uint64_t random) { return {(random & 1) != 0, (random & 6) == 0}; }

}  // namespace

TEST_CASE("count_window: agrees with a list of the last calls, at every size") {
    auto const size = GENERATE(1u, 2u, 31u, 32u, 33u, 64u, 100u, 1000u);
    std::mt19937 random{20261120};
    count_window window{size};
    model expected{size};
    for (std::uint32_t i = 0; i < 3 * size + 5; ++i) {
        auto const mark = mark_of(random());
        window.record(mark);
        expected.record(mark);
        REQUIRE(window.counts() == expected.counts());
    }
}

TEST_CASE("count_window: a long past of successes does not hide a window of failures") {
    count_window window{100};
    for (int i = 0; i < 10'000; ++i) window.record({});
    for (int i = 0; i < 50; ++i) window.record({.failure = true});
    CHECK(window.counts() == call_counts{.calls = 100, .failures = 50});
}

TEST_CASE("count_window: counts before it is full") {
    count_window window{100};
    CHECK(window.counts() == call_counts{});
    window.record({.failure = true, .slow = true});
    CHECK(window.counts() == call_counts{.calls = 1, .failures = 1, .slow = 1});
    CHECK(window.size() == 100);
}

TEST_CASE("count_window: clear forgets every call, and counts anew") {
    count_window window{3};
    for (int i = 0; i < 5; ++i) window.record({.failure = true});
    window.clear();
    CHECK(window.counts() == call_counts{});
    window.record({.slow = true});
    for (int i = 0; i < 3; ++i) window.record({});
    CHECK(window.counts() == call_counts{.calls = 3});
}

TEST_CASE("count_window: resize keeps the most recent calls, and goes on with the new size") {
    std::mt19937 random{7};
    count_window window{40};
    model expected{40};
    for (auto const size : {40u, 17u, 64u, 1u, 33u, 90u, 5u}) {
        window.resize(size);
        expected.size = size;
        expected.trim();
        REQUIRE(window.size() == size);
        REQUIRE(window.counts() == expected.counts());
        for (auto calls = random() % 150; calls > 0; --calls) {
            auto const mark = mark_of(random());
            window.record(mark);
            expected.record(mark);
            REQUIRE(window.counts() == expected.counts());
        }
    }
}

TEST_CASE("count_window: a copy counts on its own, and what was moved from still counts") {
    count_window window{2};
    window.record({.failure = true});
    auto copy = window;
    copy.record({.failure = true});
    CHECK(window.counts().failures == 1);
    CHECK(copy.counts().failures == 2);

    auto const moved = std::move(copy);
    copy.record({});
    CHECK(copy.counts() == call_counts{.calls = 2, .failures = 1});
    CHECK(moved.counts().failures == 2);
}

TEST_CASE("count_window: refuses a size that is none, and keeps its own") {
    CHECK_THROWS_AS(count_window{0}, std::invalid_argument);
    CHECK_THROWS_AS(count_window{count_window::size_max + 1}, std::invalid_argument);
    CHECK_NOTHROW(count_window{count_window::size_max});

    count_window window{3};
    window.record({.failure = true});
    CHECK_THROWS_AS(window.resize(0), std::invalid_argument);
    CHECK(window.size() == 3);
    CHECK(window.counts() == call_counts{.calls = 1, .failures = 1});
}
