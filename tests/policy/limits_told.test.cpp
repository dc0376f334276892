// SPDX-License-Identifier: BSL-1.0
//
// What limits on calls at one time tell their sinks, and when: each change of the number, in order,
// one at a time, outside every lock, and in the time of its pipelines.
#include <hawser/hawser.hpp>
#include <hawser/limit/aimd.hpp>
#include <hawser/policy/bulkhead.hpp>
#include <hawser/policy/concurrency_limit.hpp>
#include <hawser/trace/counter.hpp>
#include <hawser/trace/recorder.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"
#include "support/told_limit.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using hawser::limit_cause;
using hawser::named;
using hawser::told_by_reference;
using support::stage;

namespace {

/// A sink that keeps everything, and may do something each time.
struct keeping {
    std::vector<hawser::limit_changed> steps{};
    std::optional<hawser::events_dropped> dropped{};
    std::function<void()> act{};
    int depth = 0, deepest = 0;

    void on(hawser::limit_changed const& e) {
        deepest = std::max(deepest, ++depth);
        steps.push_back(e);
        if (act) act();
        --depth;
    }
    void on(hawser::events_dropped const& e) { dropped = e; }

    [[nodiscard]] bool is_chain() const {
        for (std::size_t i = 1; i < steps.size(); ++i)
            if (steps[i].from != steps[i - 1].to) return false;
        return true;
    }
    [[nodiscard]] std::vector<std::uint32_t> numbers() const {
        std::vector<std::uint32_t> all;
        for (auto const& step : steps) all.push_back(step.to);
        return all;
    }
};

using numbers = std::vector<std::uint32_t>;

struct deaf {
    void on(hawser::breaker_changed const&) noexcept {}
};

}  // namespace

TEST_CASE("bulkhead: tells each change of its number, and what was out") {
    stage scene;
    keeping sink;
    hawser::bulkhead limit{{.permits = 3}, told_by_reference(sink), named{"orders"}};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(limit));
    hawser::execute(line,
                    [&] { hawser::execute(line, [&] { limit.resize(1, scene.start + 1s); }); });
    limit.resize(7, scene.start + 2s);

    REQUIRE(sink.steps.size() == 2);
    auto const& shrunk = sink.steps[0];
    CHECK(shrunk.origin.at == scene.start + 1s);
    CHECK(shrunk.origin.policy == std::string{"orders"});
    CHECK(shrunk.origin.attempt == 0);
    CHECK(shrunk.from == 3);
    CHECK(shrunk.to == 1);
    CHECK(shrunk.in_use == 2);
    CHECK(shrunk.cause == limit_cause::command);
    CHECK(sink.steps[1].from == 1);
    CHECK(sink.steps[1].to == 7);
    CHECK(sink.steps[1].in_use == 0);
    CHECK_FALSE(sink.dropped);
}

TEST_CASE("bulkhead: a number that it has already, or cannot have, is no change to tell") {
    keeping sink;
    hawser::bulkhead limit{{.permits = 3}, told_by_reference(sink)};
    limit.resize(3);
    CHECK_THROWS_AS(limit.resize(0), std::invalid_argument);
    CHECK(sink.steps.empty());
    limit.resize(4);
    CHECK(sink.numbers() == numbers{4});
}

TEST_CASE("bulkhead: what a sink causes is told after it, not within it") {
    keeping sink;
    hawser::bulkhead limit{{.permits = 1}, told_by_reference(sink)};
    std::uint32_t next = 3;
    sink.act = [&] {
        CHECK(limit.permits().capacity() >= sink.steps.back().to);
        if (next <= 10'000) limit.resize(next++);
    };
    limit.resize(2);
    CHECK(sink.steps.size() == 9'999);
    CHECK(sink.deepest == 1);
    CHECK(sink.is_chain());
    CHECK_FALSE(sink.dropped);
}

TEST_CASE("bulkhead: changes that nobody took in time are counted") {
    stage scene;
    keeping sink;
    hawser::bulkhead limit{{.permits = 1}, told_by_reference(sink), named{"orders"}};
    sink.act = [&] {
        if (sink.steps.size() == 1)
            for (std::uint32_t i = 0; i < 20; ++i) limit.resize(100 + i);  // Room is for 16.
    };
    limit.resize(50, scene.start + 1h);
    CHECK(sink.steps.size() == 17);
    CHECK(sink.is_chain());
    REQUIRE(sink.dropped);
    CHECK(sink.dropped->count == 4);
    CHECK(sink.dropped->origin.at == scene.start + 1h);
    CHECK(sink.dropped->origin.policy == std::string{"orders"});

    sink.dropped.reset();
    limit.resize(1);
    CHECK_FALSE(sink.dropped);  // They are told once.
    CHECK(sink.steps.size() == 18);
}

TEST_CASE("bulkhead: who waits is let in before the sink hears of it, and though it throws") {
    struct thrower {
        static void on(hawser::limit_changed const&) { throw std::runtime_error{"full"}; }
    } sink;
    stage scene;
    hawser::bulkhead limit{{.permits = 1}, hawser::wait_up_to{1s}, told_by_reference(sink)};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(limit));
    REQUIRE(limit.permits().try_acquire());
    scene.on_wait = [&] { limit.resize(2, scene.time.now()); };
    auto const before = hawser::sink_failures();
    CHECK(hawser::try_execute(line, [] { return 1; }).has_value());
    CHECK(hawser::sink_failures() == before + 1);
    CHECK(limit.permits().snapshot().held == 1);
}

TEST_CASE("bulkhead: without a sink that hears of limits it is as small as without any") {
    deaf sink;
    hawser::bulkhead const plain{{.permits = 1}};
    hawser::bulkhead const with_deaf{{.permits = 1}, told_by_reference(sink)};
    hawser::bulkhead const with_null{{.permits = 1}, hawser::told_to{hawser::null_sink{}}};
    STATIC_REQUIRE(sizeof plain == sizeof(hawser::semaphore) + hawser::cache_line);
    STATIC_REQUIRE(sizeof with_deaf == sizeof plain);
    STATIC_REQUIRE(sizeof with_null == sizeof plain);
}

TEST_CASE("concurrency_limit: tells each limit that it learns, in the time of its calls") {
    stage scene;
    keeping sink;
    std::vector<hawser::limit_sample> heard;
    std::uint32_t wanted = 2;
    hawser::concurrency_limit limit{support::told_options{&heard, &wanted},
                                    told_by_reference(sink)};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(limit));
    auto const call = [&] { hawser::execute(line, [&] { scene.time.advance(3ms); }); };
    sink.act = [&] { CHECK(limit.limit() == sink.steps.back().to); };

    call();
    CHECK(sink.steps.empty());
    wanted = 5;
    call();
    call();
    wanted = 4;
    call();

    REQUIRE(sink.numbers() == numbers{5, 4});
    CHECK(sink.steps[0].from == 2);
    CHECK(sink.steps[0].origin.at == scene.start + 6ms);
    CHECK(sink.steps[0].origin.policy == std::string{"concurrency_limit"});
    CHECK(sink.steps[0].origin.attempt == 0);
    CHECK(sink.steps[0].cause == limit_cause::learned);
    CHECK(sink.steps[0].in_use == 1);  // The call that taught it.
    CHECK(sink.is_chain());
}

TEST_CASE("concurrency_limit: its sink may call through it, and change what it learns") {
    stage scene;
    keeping sink;
    hawser::concurrency_limit limit{
        hawser::limits::aimd_options{.initial = 1, .floor = 1, .ceiling = 50},
        told_by_reference(sink)};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(limit));
    sink.act = [&] {
        if (sink.steps.size() <= 10) hawser::execute(line, [] {});
    };
    hawser::execute(line, [] {});
    REQUIRE_FALSE(sink.steps.empty());
    CHECK(sink.deepest == 1);
    CHECK(sink.is_chain());
    CHECK(limit.limit() == sink.steps.back().to);
    CHECK(limit.permits().snapshot().held == 0);
}

TEST_CASE("event_counter, recorder: a limit's changes are counted and kept like any event") {
    hawser::event_counter counts;
    hawser::bulkhead limit{{.permits = 1}, told_by_reference(counts)};
    limit.resize(2);
    limit.resize(3);
    CHECK(counts.snapshot().limits_changed[limit_cause::command] == 2);

    hawser::recorder seen{10};
    hawser::bulkhead other{{.permits = 20}, told_by_reference(seen), named{"orders"}};
    other.resize(18);
    REQUIRE(seen.snapshot().size() == 1);
    CHECK(describe(seen.snapshot()[0]) == "orders: limit_changed 20 -> 18 (command, 0 in use)");
}
