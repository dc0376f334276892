// SPDX-License-Identifier: BSL-1.0
#include <hawser/hawser.hpp>
#include <hawser/policy/bulkhead.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using hawser::errc;
using support::stage;

namespace {

template <class Make>
std::string refused_with(Make make) {
    try {
        make();
    } catch (std::invalid_argument const& wrong) {
        return wrong.what();
    }
    return "not refused";
}

template <class Bulkhead>
bool is_whole(Bulkhead& limit) {
    auto const now = limit.permits().snapshot();
    return now.held == 0 && now.on_the_way == 0 && now.waiting == 0 && now.free == now.capacity;
}

}  // namespace

TEST_CASE("bulkhead: lets in as many calls at one time as there are permits") {
    hawser::bulkhead limit{{.permits = 2}};
    auto const line = hawser::compose(hawser::borrow(limit));

    auto const inside = [&] {
        return hawser::try_execute(line, [&] {
            CHECK(limit.permits().snapshot().held == 2);
            auto const third = hawser::try_execute(line, [] { return 1; });
            CHECK(*third.why() == hawser::refusal{errc::bulkhead_full, 0ms, "bulkhead"});
            return 1;
        });
    };
    CHECK(hawser::try_execute(line, [&] { return inside().value(); }).has_value());

    CHECK(is_whole(limit));
    CHECK(hawser::try_execute(line, [] { return 1; }).has_value());
}

TEST_CASE("bulkhead: a permit returns however a call ends") {
    hawser::bulkhead limit{{.permits = 1}};
    auto const line = hawser::compose(hawser::borrow(limit));
    for (int call = 0; call != 100; ++call) {
        CHECK(hawser::try_execute(line, []() -> int { throw 1; }).exception() != nullptr);
        CHECK(hawser::try_execute(line, [] {
                  throw hawser::refused{{errc::rate_limited, {}, "inner"}};
              }).code() == errc::rate_limited);
        CHECK(hawser::try_execute(line, [] { return 1; }).has_value());
    }
    CHECK(is_whole(limit));
}

TEST_CASE("bulkhead: a call that finds no permit waits for the one that comes back") {
    stage scene;
    hawser::bulkhead limit{{.permits = 1, .places = 1}, hawser::wait_up_to{1s}};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(limit));
    REQUIRE(limit.permits().try_acquire());
    scene.on_wait = [&] { limit.permits().release(1, scene.time.now()).ring_all(); };

    CHECK(hawser::try_execute(line, [] { return 1; }).has_value());

    CHECK(scene.waits == 1);
    CHECK(is_whole(limit));
}

TEST_CASE("bulkhead: a wait ends at its own limit, and leaves the queue") {
    stage scene;
    hawser::bulkhead limit{{.permits = 1, .places = 1}, hawser::wait_up_to{20ms}};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(limit));
    REQUIRE(limit.permits().try_acquire());

    auto const out = hawser::try_execute(line, [] { return 1; });

    CHECK(out.code() == errc::bulkhead_full);
    CHECK(scene.elapsed() == 20ms);
    CHECK(limit.permits().snapshot().waiting == 0);
}

TEST_CASE("bulkhead: a wait ends at the deadline of the call, as that") {
    stage scene;
    hawser::bulkhead limit{{.permits = 1, .places = 1}, hawser::wait_up_to{1s}};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(limit));
    REQUIRE(limit.permits().try_acquire());

    auto const out =
        hawser::try_execute(line, {.deadline = scene.time.now() + 5ms}, [] { return 1; });

    CHECK(out.code() == errc::timed_out);
    CHECK(scene.elapsed() == 5ms);
    CHECK(limit.permits().snapshot().waiting == 0);
}

TEST_CASE("bulkhead: a call that stops waiting leaves, and what was on its way goes on") {
    stage scene;
    hawser::bulkhead limit{{.permits = 1, .places = 2}, hawser::wait_up_to{1s}};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(limit));
    REQUIRE(limit.permits().try_acquire());
    std::stop_source caller;
    scene.on_wait = [&] { caller.request_stop(); };

    CHECK(hawser::try_execute(line, {.stop = caller.get_token()}, [] { return 1; }).code() ==
          errc::cancelled);

    CHECK(limit.permits().snapshot().waiting == 0);
    limit.permits().release(1, scene.time.now()).ring_all();
    CHECK(is_whole(limit));
}

TEST_CASE("bulkhead: refuses at once where the queue is full") {
    stage scene;
    hawser::bulkhead limit{{.permits = 1, .places = 0}, hawser::wait_up_to{1s}};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(limit));
    REQUIRE(limit.permits().try_acquire());

    CHECK(hawser::try_execute(line, [] { return 1; }).code() == errc::bulkhead_full);

    CHECK(scene.waits == 0);
}

TEST_CASE("bulkhead: a call takes as many permits as it costs, and at least one") {
    std::uint32_t cost = 3;
    auto const size = [&cost](auto const&) noexcept { return cost; };
    hawser::bulkhead limit{{.permits = 4}, hawser::cost_by{size}, hawser::named{"big"}};
    auto const line = hawser::compose(hawser::borrow(limit));
    auto const held = [&] { return limit.permits().snapshot().held; };

    CHECK(hawser::execute(line, held) == 3);
    cost = 0;
    CHECK(hawser::execute(line, held) == 1);
    cost = 5;
    CHECK(*hawser::try_execute(line, held).why() ==
          hawser::refusal{errc::too_large, hawser::never, "big"});
    CHECK(is_whole(limit));
}

TEST_CASE("bulkhead: shrinking never waits, and the excess drains") {
    hawser::bulkhead limit{{.permits = 3}};
    auto const line = hawser::compose(hawser::borrow(limit));
    hawser::execute(line, [&] {
        hawser::execute(line, [&] {
            limit.resize(1);
            CHECK(limit.permits().snapshot().free == -1);
            CHECK(hawser::try_execute(line, [] {}).code() == errc::bulkhead_full);
        });
        CHECK(hawser::try_execute(line, [] {}).code() == errc::bulkhead_full);
    });
    CHECK(hawser::try_execute(line, [] {}).has_value());
    CHECK(is_whole(limit));
}

TEST_CASE("bulkhead: what it refuses is no vote further out") {
    hawser::bulkhead limit{{.permits = 1}};
    REQUIRE(limit.permits().try_acquire());
    hawser::circuit_breaker breaker{{.minimum_calls = 1}};
    auto const line = hawser::compose(hawser::borrow(breaker), hawser::borrow(limit));

    for (int call = 0; call != 1000; ++call)
        CHECK(hawser::try_execute(line, [] { return 1; }).code() == errc::bulkhead_full);

    CHECK(breaker.state() == hawser::breaker_state::closed);
}

TEST_CASE("bulkhead: says which field is wrong") {
    CHECK(refused_with([] { hawser::bulkhead limit{{.permits = 0}}; }) ==
          "semaphore: permits is not in [1, 1000000000]");
    CHECK(refused_with([] {
              hawser::bulkhead limit{{.permits = 1}, hawser::wait_up_to{0ms}};
          }) == "bulkhead: wait_up_to is not positive");
    CHECK(refused_with([] {
              hawser::bulkhead limit{{.permits = 1}, hawser::named{nullptr}};
          }) == "bulkhead: name is null");
}
