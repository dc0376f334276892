// SPDX-License-Identifier: BSL-1.0
#include <hawser/breaker/options.hpp>

#include "support/catch.hpp"

#include <limits>

using namespace std::chrono_literals;
using options = hawser::circuit_breaker_options;
using hawser::detail::check;

static constexpr bool defaults_are_legal = (check({}), true);  // Also in constant expressions.
static_assert(defaults_are_legal);

TEST_CASE("circuit_breaker_options: a value out of range is refused by the name of its field") {
    auto const nan = std::numeric_limits<double>::quiet_NaN();
    auto const infinity = std::numeric_limits<double>::infinity();
    struct row {
        options wrong;
        char const* field;
    };
    for (auto const& [wrong, field] : std::initializer_list<row>{
             {{.failure_rate = 0}, "failure_rate "},
             {{.failure_rate = 1.01}, "failure_rate "},
             {{.failure_rate = nan}, "failure_rate "},
             {{.window = 0, .minimum_calls = 0}, "window "},
             {{.window = 65'537}, "window "},
             {{.minimum_calls = 0}, "minimum_calls "},
             {{.window = 10, .minimum_calls = 11}, "minimum_calls "},
             {{.open_for = 0s}, "open_for "},
             {{.open_for = -1s}, "open_for "},
             {{.open_for = 2min}, "open_for_max "},
             {{.open_for_factor = 0.99}, "open_for_factor "},
             {{.open_for_factor = nan}, "open_for_factor "},
             {{.open_for_factor = infinity}, "open_for_factor "},
             {{.jitter = -0.1}, "jitter "},
             {{.jitter = 1.1}, "jitter "},
             {{.jitter = nan}, "jitter "},
             {{.forget_after = -1ns}, "forget_after "},
             {{.probes = 0}, "probes "},
             {{.probes = 65}, "probes "},
             {{.probes = 2, .probes_at_once = 3}, "probes_at_once "},
             {{.probe_success_rate = 0}, "probe_success_rate "},
             {{.probe_success_rate = nan}, "probe_success_rate "},
             {{.probe_lease = -1ns}, "probe_lease "},
             {{.name = nullptr}, "name "},
         })
        CHECK_THROWS_WITH(check(wrong),
                          Catch::Matchers::StartsWith(std::string{"circuit_breaker: "} + field));
}

TEST_CASE("circuit_breaker_options: the ends of the ranges are legal") {
    CHECK_NOTHROW(check({.failure_rate = 1, .window = 65'536, .minimum_calls = 65'536}));
    CHECK_NOTHROW(check({.window = 1, .minimum_calls = 1, .open_for = 1ns, .open_for_max = 1ns}));
    CHECK_NOTHROW(check({.open_for = hawser::never,
                         .open_for_max = hawser::never,
                         .open_for_factor = 1,
                         .jitter = 1,
                         .forget_after = hawser::never,
                         .probes = 64,
                         .probes_at_once = 64,
                         .probe_success_rate = 1e-9,
                         .probe_lease = hawser::never}));
}
