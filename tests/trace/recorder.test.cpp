// SPDX-License-Identifier: BSL-1.0
#include <hawser/hawser.hpp>
#include <hawser/trace/recorder.hpp>

#include "support/catch.hpp"

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

constexpr time_point t0{1h};

attempt_started start(std::uint32_t attempt) { return {{t0, "pipeline", attempt}}; }

std::vector<std::uint32_t> attempts(recorder const& seen) {
    std::vector<std::uint32_t> numbers;
    for (auto const& kept : seen.snapshot()) numbers.push_back(kept.origin().attempt);
    return numbers;
}

}  // namespace

TEST_CASE("recorder: keeps events in their order, with their numbers") {
    recorder seen{8};

    seen.on(start(1));
    seen.on(retry_scheduled{{t0, "retry", 1}, 100ms});
    seen.on(start(2));

    auto const events = seen.snapshot();
    REQUIRE(events.size() == 3);
    CHECK(events[1].as<retry_scheduled>()->delay == 100ms);
    CHECK(events[2].number == 2);
    CHECK(seen.dropped() == 0);
}

TEST_CASE("recorder: when it is full the oldest goes, and is counted") {
    recorder seen{3};

    for (std::uint32_t attempt = 1; attempt <= 10; ++attempt) seen.on(start(attempt));

    CHECK(attempts(seen) == std::vector<std::uint32_t>{8, 9, 10});
    CHECK(seen.snapshot().front().number == 7);
    CHECK(seen.recorded() == 10);
    CHECK(seen.dropped() == 7);
}

TEST_CASE("recorder: what is cleared is forgotten, and is not called dropped") {
    recorder seen{3};
    for (std::uint32_t attempt = 1; attempt <= 4; ++attempt) seen.on(start(attempt));

    seen.clear();
    CHECK(seen.snapshot().empty());
    CHECK(seen.dropped() == 1);

    for (std::uint32_t attempt = 5; attempt <= 8; ++attempt) seen.on(start(attempt));
    CHECK(attempts(seen) == std::vector<std::uint32_t>{6, 7, 8});
    CHECK(seen.snapshot().front().number == 5);
    CHECK(seen.recorded() == 8);
    CHECK(seen.dropped() == 2);
}

TEST_CASE("recorder: names outlive the policy that they belong to") {
    recorder seen{4};
    {
        auto const name = std::make_unique<std::string>("a policy with a name on the heap");
        seen.on(call_refused{{t0, name->c_str(), 1}, {errc::isolated, never, name->c_str()}});
        seen.on(breaker_changed{.origin = {t0, name->c_str(), 0}, .rule = name->c_str()});
    }

    auto const events = seen.snapshot();
    CHECK(std::string{events[0].origin().policy} == "a policy with a name on the heap");
    CHECK(std::string{events[0].as<call_refused>()->why.policy} ==
          "a policy with a name on the heap");
    CHECK(std::string{events[1].as<breaker_changed>()->rule} == "a policy with a name on the heap");
}

TEST_CASE("recorder: keeps each name once, and past its table says so") {
    recorder seen{2};
    for (int call = 0; call < 10'000; ++call) seen.on(start(1));
    seen.on(start(1));
    seen.on(predicate_threw{{t0, nullptr, 1}});
    CHECK(std::string{seen.snapshot()[0].origin().policy} == "pipeline");
    CHECK(std::string{seen.snapshot()[1].origin().policy}.empty());

    for (int policy = 0; policy < 1'000; ++policy) {
        auto const name = "policy " + std::to_string(policy);
        seen.on(predicate_threw{{t0, name.c_str(), 1}});
    }
    CHECK(std::string{seen.snapshot().back().origin().policy} == "(name table full)");
    seen.on(start(1));  // Known since before.
    CHECK(std::string{seen.snapshot().back().origin().policy} == "pipeline");
}

TEST_CASE("recorder: needs room for one event") {
    CHECK_THROWS_WITH(recorder{0}, "recorder: capacity is zero");
}

TEST_CASE("recorder: hears every event of a call through a pipeline") {
    recorder seen;
    auto const line =
        compose_in(observed_by(seen), retry{{.max_attempts = 2}, no_budget{}, backoff::none{}});

    auto const out = try_execute(line, [] { throw 1; });

    CHECK(out.exception() != nullptr);
    std::vector<std::string> names;
    for (auto const& kept : seen.snapshot()) names.push_back(kept.name().type);
    CHECK(names == std::vector<std::string>{"attempt_started", "attempt_ended", "retry_scheduled",
                                            "attempt_started", "attempt_ended", "retry_gave_up",
                                            "call_ended"});
}

TEST_CASE("recorder: many threads record, and every event is kept or counted") {
    recorder seen{100};
    {
        std::vector<std::jthread> threads(4);
        for (auto& thread : threads)
            thread = std::jthread{[&] {
                for (std::uint32_t attempt = 1; attempt <= 2'000; ++attempt) {
                    seen.on(start(attempt));
                    if (attempt % 100 == 0) (void)seen.snapshot();
                }
            }};
    }  // Joins.

    CHECK(seen.recorded() == 8'000);
    CHECK(seen.dropped() == 7'900);
    std::set<std::uint64_t> numbers;
    for (auto const& kept : seen.snapshot()) numbers.insert(kept.number);
    CHECK(numbers.size() == 100);
    CHECK(*numbers.begin() == 7'900);
}
