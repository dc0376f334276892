// SPDX-License-Identifier: BSL-1.0
#include <hawser/breaker/breaker_machine.hpp>
#include <hawser/breaker/breaker_permit.hpp>

#include "support/catch.hpp"

#include <stdexcept>

using namespace std::chrono_literals;
using hawser::breaker_state;
using hawser::time_point;
using hawser::verdict;
using machine = hawser::breaker_machine<hawser::trip::failure_rate>;
using permit = hawser::breaker_permit<machine>;

namespace {

constexpr time_point t0{1h};
constexpr auto later = []() noexcept { return t0 + 5s; };

/// Half-open with room for one probe.
struct fixture {
    machine breaker{{.minimum_calls = 1, .jitter = 0, .probes = 1}};
    fixture() {
        auto admission = breaker.try_acquire(later);
        auto const early = []() noexcept { return t0; };
        breaker.report(admission.ticket, {verdict::failure}, early);
    }
    permit acquire() { return {breaker, breaker.try_acquire(later).ticket}; }
    std::uint32_t out() { return breaker.snapshot(later()).probes_out; }
};

}  // namespace

TEST_CASE("breaker_permit: destruction without a report returns the slot and casts no vote") {
    fixture f;
    SECTION("at the end of a scope") { auto const p = f.acquire(); }
    SECTION("by an exception") {
        CHECK_THROWS([&] {
            auto const p = f.acquire();
            throw std::runtime_error{"in the probe"};
        }());
    }
    SECTION("by an exception that is no std::exception") {
        CHECK_THROWS_AS(
            [&] {
                auto const p = f.acquire();
                throw 42;
            }(),
            int);
    }
    CHECK(f.out() == 0);
    CHECK(f.breaker.state() == breaker_state::half_open);
    CHECK(f.acquire());
}

TEST_CASE("breaker_permit: reports once, and is empty then") {
    fixture f;
    auto p = f.acquire();
    CHECK(p.is_probe());
    p.report({verdict::success}, later);
    CHECK_FALSE(p);
    CHECK(f.breaker.state() == breaker_state::closed);
    p.report({verdict::failure}, later);
    CHECK(f.breaker.state() == breaker_state::closed);
}

TEST_CASE("breaker_permit: a moved-from permit is inert, and its slot moves along") {
    fixture f;
    auto from = f.acquire();
    {
        permit const to = std::move(from);
        from.abandon();  // NOLINT(bugprone-use-after-move): the promise.
        CHECK(f.out() == 1);
    }
    CHECK(f.out() == 0);
}

TEST_CASE("breaker_permit: assignment gives back what the target held") {
    fixture f;
    auto held = f.acquire();
    held = permit{};
    CHECK(f.out() == 0);
    held = f.acquire();
    auto& same = held;
    held = std::move(same);
    CHECK(f.out() == 1);
}

TEST_CASE("breaker_permit: made of a refusal it is empty") {
    fixture f;
    auto const probe = f.acquire();
    CHECK_FALSE(f.acquire());
}
