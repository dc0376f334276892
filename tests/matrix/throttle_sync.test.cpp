// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: throttle, in plain calls. What it has counted of a call shows in the
// probability with which it would refuse the next. The first call is let through for certain.
#include <hawser/hawser.hpp>
#include <hawser/policy/throttle.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/matrix.hpp"

#include <cmath>

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;
using hawser::sample_outcome;

namespace {

struct stand : sync_stand {
    using engine = hawser::basic_adaptive_throttle<hawser::testing::fixed_random>;

    /// Three calls have been too much for the dependency; the numbers drawn are always the lowest.
    engine chances{{.requests_min = 1, .let_through_every = 1s}, {.bits = 0}};
    hawser::throttle<hawser::borrowed<engine>> shed{hawser::borrow(chances)};

    stand() {
        for (int call = 0; call != 3; ++call)
            chances.on_result(scene.start, sample_outcome::dropped);
    }
    auto line() {
        return hawser::compose_in(scene.environment(), hawser::borrow(outer), hawser::borrow(shed),
                                  hawser::borrow(gate), hawser::attempt_timeout{100ms});
    }
    /// What the throttle has counted shows in how probable it finds a refusal: of `requests`, so
    /// many were accepted, twice of which it lets go on.
    bool counted(double requests, double accepts) const {
        auto const expected = (requests - 2 * accepts) / (requests + 1);
        return std::abs(chances.rejection_probability(scene.time.now()) - expected) < 1e-12;
    }
    bool was_accepted() const { return counted(4, 1) && is_whole(); }
    bool was_too_much() const { return counted(4, 0) && is_whole(); }
    bool says_nothing() const { return counted(3, 0) && is_whole(); }
};

}  // namespace

TEST_CASE("matrix: throttle, sync, success: was accepted") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, answers).value().value == 7);
    CHECK(on.was_accepted());
}

TEST_CASE("matrix: throttle, sync, failure: says nothing") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, fails).value().failed);
    CHECK(on.says_nothing());
}

TEST_CASE(
    "matrix: throttle, sync, refusal: counts as asked for, and says when one is let through") {
    stand on;
    auto const line = on.line();
    REQUIRE(on.chances.admit(on.scene.start));
    on.scene.time.advance(300ms);
    auto const out = on.call(line, answers);
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == hawser::refusal{errc::overloaded, 700ms, "throttle"});
    CHECK(on.runs == 0);
    CHECK(on.was_too_much());
}

TEST_CASE("matrix: throttle, sync, refusal: one from further in says nothing") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::bulkhead_full);
    CHECK(on.call(line, answers).code() == errc::bulkhead_full);
    CHECK(on.says_nothing());
}

TEST_CASE("matrix: throttle, sync, exception: says nothing") {
    stand on;
    auto const line = on.line();
    CHECK_THROWS_WITH((void)on.call(line, throws).value(), "down");
    CHECK(on.says_nothing());
}

TEST_CASE("matrix: throttle, sync, caller cancel: says nothing") {
    stand on;
    auto const line = on.line();
    auto const out = on.call(line, [&] {
        on.caller.request_stop();
        return on.fails_after(100ms)();
    });
    CHECK(out.value().failed);
    CHECK(on.says_nothing());
}

TEST_CASE("matrix: throttle, sync, timeout: one further in was too much") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, on.fails_after(100ms)).value().failed);
    CHECK(on.told("attempt_timeout fired") == 1);
    CHECK(on.was_too_much());
}

TEST_CASE("matrix: throttle, sync, timeout: a deadline from further out says nothing") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, on.fails_after(50ms), on.scene.start + 50ms).value().failed);
    CHECK(on.says_nothing());
}

TEST_CASE("matrix: throttle, sync, destroyed while waiting: says nothing") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::wait(50ms);
    CHECK(on.unwound_in_wait(line, answers));
    CHECK(on.runs == 0);
    CHECK(on.says_nothing());
}

TEST_CASE("matrix: throttle, sync, forced unwinding: says nothing") {
    stand on;
    auto const line = on.line();
    CHECK(on.unwound_in_operation(line));
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.says_nothing());
}
