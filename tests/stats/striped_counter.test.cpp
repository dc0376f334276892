// SPDX-License-Identifier: BSL-1.0
#include <hawser/stats/striped_counter.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstring>
#include <set>
#include <thread>

using hawser::striped_counter;

TEST_CASE("striped_counter: starts at zero and sums what is added") {
    striped_counter<> counter;
    CHECK(counter.total() == 0);
    counter.add();
    counter.add(41);
    counter.add(0);
    CHECK(counter.total() == 42);
}

TEST_CASE("striped_counter: wraps after 2^64") {
    striped_counter<> counter;
    counter.add(~std::uint64_t{0});
    counter.add(2);
    CHECK(counter.total() == 1);
}

TEST_CASE("striped_counter: an addition writes one line, and another thread another") {
    striped_counter<> counter;
    using bytes = std::array<unsigned char, sizeof counter>;
    auto const copy = [&] {
        bytes image;
        std::memcpy(image.data(), static_cast<void const*>(&counter), sizeof counter);
        return image;
    };
    auto const lines_of = [&](auto const& action) {
        auto const before = copy();
        action();
        auto const after = copy();
        std::set<std::size_t> lines;
        for (std::size_t i = 0; i < before.size(); ++i)
            if (before[i] != after[i]) lines.insert(i / hawser::cache_line);
        return lines;
    };
    auto const mine = lines_of([&] { counter.add(); });
    auto const other = lines_of([&] { std::jthread{[&] { counter.add(); }}; });
    CHECK(mine.size() == 1);
    CHECK(other.size() == 1);
    CHECK(mine != other);
    CHECK(reinterpret_cast<std::uintptr_t>(&counter) % hawser::cache_line == 0);
}

TEST_CASE("striped_counter: keeps the counts of threads that have ended") {
    striped_counter<2> counter;
    for (int i = 0; i < 200; ++i) std::jthread{[&] { counter.add(); }};
    CHECK(counter.total() == 200);
}
