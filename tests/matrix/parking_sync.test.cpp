// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: a policy that parks calls, in plain calls.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix.hpp"

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

namespace {

struct stand : sync_stand {
    auto line() {
        return hawser::compose_in(scene.environment(), hawser::borrow(outer), hawser::borrow(gate));
    }
    /// Whether the only permit came back through `after`.
    bool came_out() const {
        return is_whole() && outer.counts().after == 1 && outer.counts().abandoned == 0;
    }
    /// Whether the queue was left without a permit, which somebody else then gives back.
    bool left_the_queue() {
        auto const seen = outer.counts();
        outer.give_back();
        return seen.waiting == 0 && seen.withdrawn == 1 && seen.entered == 0 && is_whole();
    }
};

}  // namespace

TEST_CASE("matrix: parking policy, sync, success: the permit comes back, once") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, answers).value().value == 7);
    CHECK(on.came_out());
}

TEST_CASE("matrix: parking policy, sync, failure: the permit comes back, once") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, fails).value().failed);
    CHECK(on.came_out());
}

TEST_CASE("matrix: parking policy, sync, refusal: takes no permit when the queue is full") {
    stand on;
    test_bulkhead full{1, 0};
    REQUIRE(full.try_take());
    auto const line =
        hawser::compose_in(on.scene.environment(), hawser::borrow(on.outer), hawser::borrow(full));
    CHECK(on.call(line, answers).code() == errc::bulkhead_full);
    CHECK(on.runs == 0);
    CHECK(on.came_out());  // As further out, the refusal passes through.
    full.give_back();
    CHECK(full.is_whole());
}

TEST_CASE("matrix: parking policy, sync, exception: the permit comes back, once") {
    stand on;
    auto const line = on.line();
    CHECK_THROWS_WITH((void)on.call(line, throws).value(), "down");
    CHECK(on.came_out());
}

TEST_CASE("matrix: parking policy, sync, caller cancel: leaves the queue") {
    stand on;
    auto const line = on.line();
    REQUIRE(on.outer.try_take());
    on.stop_in_wait();
    CHECK(on.call(line, answers).code() == errc::cancelled);
    CHECK(on.runs == 0);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: parking policy, sync, timeout: leaves the queue") {
    stand on;
    auto const line = on.line();
    REQUIRE(on.outer.try_take());
    CHECK(on.call(line, answers, on.scene.start + 30ms).code() == errc::timed_out);
    CHECK(on.scene.elapsed() == 30ms);
    CHECK(on.runs == 0);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: parking policy, sync, destroyed while waiting: leaves the queue") {
    stand on;
    auto const line = on.line();
    REQUIRE(on.outer.try_take());
    CHECK(on.unwound_in_wait(line, answers));
    CHECK(on.runs == 0);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: parking policy, sync, forced unwinding: the permit comes back, once") {
    stand on;
    auto const line = on.line();
    CHECK(on.unwound_in_operation(line));
    CHECK(on.outer.counts().abandoned == 1);
    CHECK(on.outer.counts().after == 0);
    CHECK(on.is_whole());
}
