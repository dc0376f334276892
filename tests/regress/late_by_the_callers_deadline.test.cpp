// SPDX-License-Identifier: BSL-1.0
//
// Deadlines that end together: who reports, and what is marked.
#include <hawser/hawser.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace hawser;

namespace {

struct reports {
    int fired = 0;
    char const* by = "";
    void on(timeout_fired const& event) {
        ++fired;
        by = event.origin.policy;
    }
};

}  // namespace

TEST_CASE("timeout: of nested timeouts that are both over, the outer alone reports") {
    manual_time time;
    reports seen;
    auto const line = compose_in(testing::manual_and_observed(time, seen), total_timeout{2s},
                                 attempt_timeout{1s});
    auto const out = try_execute(line, [&] { time.advance(3s); });
    CHECK(out.has_value());
    CHECK(out.origin().late);
    CHECK(seen.fired == 1);
    CHECK(std::string{seen.by} == "total_timeout");
}

TEST_CASE("execute: a success past the caller's own deadline is marked late") {
    manual_time time;
    auto const line = compose_in(testing::manual_environment{time});
    auto const call = [&](duration takes) {
        return try_execute(line, {.deadline = time.now() + 1s}, [&] { time.advance(takes); });
    };
    CHECK_FALSE(call(999ms).origin().late);
    CHECK(call(1s).origin().late);
}
