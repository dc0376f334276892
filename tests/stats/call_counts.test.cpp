// SPDX-License-Identifier: BSL-1.0
#include <hawser/stats/call_counts.hpp>

#include "support/catch.hpp"

using hawser::call_counts;
using hawser::call_mark;

TEST_CASE("call_counts: counts a call once, and each of its marks") {
    call_counts counts;
    counts += call_mark{};
    counts += call_mark{.failure = true};
    counts += call_mark{.slow = true};
    counts += call_mark{.failure = true, .slow = true};
    CHECK(counts == call_counts{.calls = 4, .failures = 2, .slow = 2});
}

TEST_CASE("call_counts: what was added can be taken away") {
    call_counts const before{.calls = 10, .failures = 4, .slow = 3};
    call_counts const part{.calls = 5, .failures = 2, .slow = 1};
    auto counts = before;
    counts += part;
    CHECK(counts == call_counts{.calls = 15, .failures = 6, .slow = 4});
    counts -= part;
    CHECK(counts == before);
}

TEST_CASE("call_counts: a rate equals the literal of the same fraction, and is zero of no calls") {
    CHECK(call_counts{}.failure_rate() == 0.0);
    CHECK(call_counts{}.slow_rate() == 0.0);
    CHECK(call_counts{.calls = 30, .failures = 3, .slow = 9}.failure_rate() == 0.1);
    CHECK(call_counts{.calls = 30, .failures = 3, .slow = 9}.slow_rate() == 0.3);
    CHECK(call_counts{.calls = 7, .failures = 7}.failure_rate() == 1.0);
}
