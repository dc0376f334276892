// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/padded.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <cstdint>

using hawser::cache_line;
using hawser::padded;

TEST_CASE("padded: neighbours never meet on a cache line, whatever their size") {
    struct odd {
        char bytes[cache_line + 1];
    };
    STATIC_REQUIRE(sizeof(padded<char>) == cache_line);
    STATIC_REQUIRE(sizeof(padded<odd>) == 2 * cache_line);

    padded<std::atomic<int>> values[3];
    for (auto const& each : values) {
        CHECK(reinterpret_cast<std::uintptr_t>(&each.value) % cache_line == 0);
        CHECK(each.value == 0);  // Starts with a value.
    }
}
