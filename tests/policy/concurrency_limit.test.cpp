// SPDX-License-Identifier: BSL-1.0
#include <hawser/hawser.hpp>
#include <hawser/limit/vegas.hpp>
#include <hawser/policy/concurrency_limit.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"
#include "support/told_limit.hpp"

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using hawser::errc;
using hawser::sample_outcome;
using support::stage;

namespace {

struct stand {
    stage scene;
    std::vector<hawser::limit_sample> heard;
    std::uint32_t limit = 2;
    support::told_options options{&heard, &limit};

    template <class Policy>
    auto line(Policy& policy) {
        return hawser::compose_in(scene.environment(), hawser::borrow(policy));
    }
    [[nodiscard]] sample_outcome last() const { return heard.back().outcome; }
};

template <class Policy>
bool is_whole(Policy& policy) {
    auto const now = policy.permits().snapshot();
    return now.held == 0 && now.on_the_way == 0 && now.waiting == 0;
}

}  // namespace

TEST_CASE("concurrency_limit: refuses as overloaded what is over the limit") {
    stand on;
    hawser::concurrency_limit policy{on.options};
    auto const line = on.line(policy);
    hawser::execute(line, [&] {
        hawser::execute(line, [&] {
            auto const out = hawser::try_execute(line, [] {});
            CHECK(*out.why() == hawser::refusal{errc::overloaded, 0ms, "concurrency_limit"});
        });
    });
    CHECK(is_whole(policy));
}

TEST_CASE("concurrency_limit: tells how long a call took, and how many were in with it") {
    stand on;
    hawser::concurrency_limit policy{on.options};
    auto const line = on.line(policy);

    hawser::execute(line, [&] {
        on.scene.time.advance(3ms);
        hawser::execute(line, [&] { on.scene.time.advance(4ms); });
    });

    REQUIRE(on.heard.size() == 2);
    CHECK(on.heard[0].service_time == 4ms);
    CHECK(on.heard[0].inflight_at_start == 2);
    CHECK(on.heard[0].queue_time == 0ms);
    CHECK(on.heard[1].service_time == 7ms);
    CHECK(on.heard[1].inflight_at_start == 1);
    CHECK(on.heard[1].started == on.scene.start);
    CHECK(on.heard[1].now == on.scene.start + 7ms);
}

TEST_CASE("concurrency_limit: what a call waits for its permit is no service time") {
    stand on;
    on.limit = 1;
    hawser::concurrency_limit policy{on.options, hawser::wait_up_to{1s}, hawser::places{1}};
    auto const line = on.line(policy);
    REQUIRE(policy.permits().try_acquire());
    on.scene.on_wait = [&] {
        on.scene.time.advance(20ms);
        policy.permits().release(1, on.scene.time.now()).ring_all();
    };

    hawser::execute(line, [&] { on.scene.time.advance(5ms); });

    REQUIRE(on.heard.size() == 1);
    CHECK(on.heard[0].queue_time == 20ms);
    CHECK(on.heard[0].service_time == 5ms);
    CHECK(is_whole(policy));
}

TEST_CASE("concurrency_limit: takes a new limit over with the sample that taught it") {
    stand on;
    hawser::concurrency_limit policy{on.options};
    auto const line = on.line(policy);
    CHECK(policy.limit() == 2);
    on.limit = 5;
    hawser::execute(line, [] {});
    CHECK(policy.limit() == 5);
    on.limit = 1;
    hawser::execute(line, [] {});
    CHECK(policy.limit() == 1);
    CHECK(is_whole(policy));
}

TEST_CASE("concurrency_limit: a raised limit lets in who waits") {
    stand on;
    on.limit = 1;
    hawser::concurrency_limit policy{on.options, hawser::wait_up_to{1s}};
    auto const line = on.line(policy);
    bool waited_ran = false;
    REQUIRE(policy.permits().try_acquire());
    on.scene.on_wait = [&] {
        // Elsewhere a call ends, and teaches a limit of two.
        policy.permits().resize(2, on.scene.time.now()).ring_all();
    };
    CHECK(hawser::try_execute(line, [&] { waited_ran = true; }).has_value());
    CHECK(waited_ran);
}

TEST_CASE("concurrency_limit: a success is a measure, a timeout overload, the rest says nothing") {
    stand on;
    hawser::concurrency_limit policy{on.options};
    auto const line = on.line(policy);
    auto const limited = hawser::compose_in(on.scene.environment(), hawser::borrow(policy),
                                            hawser::attempt_timeout{10ms});

    (void)hawser::try_execute(line, [] { return 1; });
    CHECK(on.last() == sample_outcome::success);
    (void)hawser::try_execute(line, []() -> int { throw 1; });
    CHECK(on.last() == sample_outcome::ignored);
    (void)hawser::try_execute(line, [] { throw hawser::refused{{errc::rate_limited, {}, "x"}}; });
    CHECK(on.last() == sample_outcome::ignored);
    (void)hawser::try_execute(limited, [&] {
        on.scene.time.advance(10ms);
        throw hawser::refused{{errc::timed_out, {}, "x"}};
    });
    CHECK(on.last() == sample_outcome::dropped);
    CHECK(on.heard.size() == 4);
}

TEST_CASE("concurrency_limit: a failure that comes after a timeout further in is overload too") {
    stand on;
    hawser::concurrency_limit policy{on.options};
    auto const line = hawser::compose_in(on.scene.environment(), hawser::borrow(policy),
                                         hawser::retry{{.max_attempts = 2}, hawser::no_budget{}},
                                         hawser::attempt_timeout{10ms});
    auto const fails_after = [&](hawser::duration first, hawser::duration second) {
        int attempt = 0;
        (void)hawser::try_execute(line, [&]() -> int {
            on.scene.time.advance(++attempt == 1 ? first : second);
            throw std::runtime_error{"socket: timed out"};
        });
        return on.last();
    };

    CHECK(fails_after(1ms, 10ms) == sample_outcome::dropped);
    CHECK(fails_after(10ms, 1ms) == sample_outcome::ignored);  // The last attempt is the answer.
    CHECK(fails_after(1ms, 1ms) == sample_outcome::ignored);
}

TEST_CASE("concurrency_limit: a failure by a deadline from further out teaches nothing") {
    stand on;
    hawser::concurrency_limit policy{on.options};
    auto const line =
        hawser::compose_in(on.scene.environment(), hawser::total_timeout{10ms},
                           hawser::borrow(policy), hawser::attempt_timeout{10ms - 1ns});
    (void)hawser::try_execute(line, [&]() -> int {
        on.scene.time.advance(10ms);
        throw std::runtime_error{"socket: timed out"};
    });
    CHECK(on.last() == sample_outcome::ignored);
}

TEST_CASE("concurrency_limit: a call that costs more than the limit is let in alone") {
    stand on;
    on.limit = 3;
    std::uint32_t cost = 5;
    auto const size = [&cost](auto const&) noexcept { return cost; };
    hawser::concurrency_limit policy{on.options, hawser::cost_by{size}};
    auto const line = on.line(policy);

    hawser::execute(line, [&] {
        CHECK(policy.permits().snapshot().held == 3);
        cost = 1;
        CHECK(*hawser::try_execute(line, [] {}).why() ==
              hawser::refusal{errc::overloaded, 0ms, "concurrency_limit"});
    });
    on.limit = 1;
    for (cost = 5; on.heard.size() != 10;) hawser::execute(line, [] {});
    CHECK(policy.limit() == 1);
    CHECK(is_whole(policy));
}

TEST_CASE("concurrency_limit: a heavy call that waits is let in alone, and asked its cost once") {
    stand on;
    int asked = 0;
    auto const size = [&asked](auto const&) noexcept { return ++asked, std::uint32_t{9}; };
    hawser::concurrency_limit policy{on.options, hawser::cost_by{size}, hawser::wait_up_to{1s}};
    auto const line = on.line(policy);
    REQUIRE(policy.permits().try_acquire());
    on.scene.on_wait = [&] { policy.permits().release(1, on.scene.time.now()).ring_all(); };

    CHECK(hawser::execute(line, [&] { return policy.permits().snapshot().held; }) == 2);
    CHECK(asked == 1);
    CHECK(is_whole(policy));
}

TEST_CASE("concurrency_limit: each attempt of a retry outside queues and is timed anew") {
    stand on;
    on.limit = 1;
    hawser::concurrency_limit policy{on.options, hawser::wait_up_to{1s}};
    auto const line = hawser::compose_in(on.scene.environment(),
                                         hawser::retry{{.max_attempts = 2},
                                                       hawser::backoff::constant{100ms},
                                                       hawser::jitter::none{},
                                                       hawser::no_budget{}},
                                         hawser::borrow(policy));
    int attempt = 0;
    CHECK(hawser::execute(line, [&] {
              on.scene.time.advance(5ms);
              if (++attempt == 2) return 1;
              on.scene.on_wait = [&] {
                  // The backoff first; then the second attempt finds its permit taken.
                  on.scene.on_wait = [&] {
                      on.scene.time.advance(20ms);
                      policy.permits().release(1, on.scene.time.now()).ring_all();
                  };
                  REQUIRE(policy.permits().try_acquire());
              };
              throw std::runtime_error{"down"};
          }) == 1);
    REQUIRE(on.heard.size() == 2);
    CHECK(on.heard[0].outcome == sample_outcome::ignored);
    CHECK(support::is_measure(on.heard[1], 5ms, 20ms));
    CHECK(is_whole(policy));
}

TEST_CASE("concurrency_limit: a call that its caller cancels teaches nothing") {
    stand on;
    hawser::concurrency_limit policy{on.options};
    auto const line = on.line(policy);
    std::stop_source caller;
    (void)hawser::try_execute(line, {.stop = caller.get_token()}, [&]() -> int {
        caller.request_stop();
        throw hawser::refused{{errc::timed_out, {}, "x"}};
    });
    CHECK(on.last() == sample_outcome::ignored);
    CHECK(is_whole(policy));
}

TEST_CASE(
    "concurrency_limit: its user may say what an outcome means, and what that throws is told") {
    stand on;
    hawser::concurrency_limit policy{
        on.options, hawser::sampled_by{[](hawser::outcome<int> const& out) {
            if (out.value() == 13) throw std::runtime_error{"unlucky"};
            return out.value() == 503 ? sample_outcome::dropped : sample_outcome::success;
        }}};
    auto const line = on.line(policy);
    (void)hawser::try_execute(line, [] { return 503; });
    CHECK(on.last() == sample_outcome::dropped);
    CHECK(hawser::try_execute(line, [] { return 13; }).exception() != nullptr);
    CHECK(on.last() == sample_outcome::ignored);
    CHECK(is_whole(policy));
}

TEST_CASE("concurrency_limit: a call that is stopped teaches nothing, whoever says what it means") {
    stand on;
    hawser::concurrency_limit policy{
        on.options, hawser::sampled_by{[](hawser::outcome<int> const& out) noexcept {
            return out.has_value() ? sample_outcome::success : sample_outcome::dropped;
        }}};
    auto const line = on.line(policy);
    std::stop_source caller;
    hawser::call_facts<> const stoppable{.stop = caller.get_token()};
    auto const fails = []() -> int { throw 1; };

    (void)hawser::try_execute(line, stoppable, fails);
    CHECK(on.last() == sample_outcome::dropped);
    caller.request_stop();
    (void)hawser::try_execute(line, stoppable, [] { return 1; });  // It does not begin.
    CHECK(on.last() == sample_outcome::ignored);

    (void)hawser::try_execute(line, {.deadline = on.scene.time.now() + 10ms}, [&] {
        on.scene.time.advance(10ms);
        return fails();
    });
    CHECK(on.last() == sample_outcome::ignored);
    (void)hawser::try_execute(line, {.deadline = on.scene.time.now() + 10ms}, [&] {
        on.scene.time.advance(10ms);
        return 1;
    });
    CHECK(on.last() == sample_outcome::success);  // Late, and a measure all the same.
}

TEST_CASE("concurrency_limit: what a predicate further in threw teaches nothing") {
    stand on;
    hawser::concurrency_limit policy{on.options,
                                     hawser::sampled_by{[](hawser::outcome<int> const&) noexcept {
                                         return sample_outcome::dropped;
                                     }}};
    auto const line = hawser::compose_in(
        on.scene.environment(), hawser::borrow(policy),
        hawser::retry{
            {.max_attempts = 2}, hawser::no_budget{}, hawser::retry_if{[](auto const&) -> bool {
                throw std::runtime_error{"unlucky"};
            }}});
    (void)hawser::try_execute(line, []() -> int { throw 1; });
    CHECK(on.last() == sample_outcome::ignored);
}

TEST_CASE("concurrency_limit: says which field is wrong") {
    stand on;
    on.limit = 0;
    CHECK_THROWS_WITH((hawser::concurrency_limit{on.options}), "told_limit: limit is zero");
    on.limit = 1;
    CHECK_THROWS_WITH((hawser::concurrency_limit{on.options, hawser::wait_up_to{0ms}}),
                      "concurrency_limit: wait_up_to is not positive");
}

TEST_CASE("concurrency_limit: learns by the recommended algorithm unless another is named") {
    stand on;
    hawser::concurrency_limit standard{{.initial = 7}};
    hawser::concurrency_limit vegas{hawser::limits::vegas_options{.initial = 9}};
    CHECK(standard.limit() == 7);
    CHECK(vegas.limit() == 9);
    auto const line = on.line(standard);
    for (int call = 0; call != 1'000; ++call)
        CHECK(hawser::try_execute(line, [&] { on.scene.time.advance(1ms); }).has_value());
    CHECK(standard.limit() >= 1);
    CHECK(is_whole(standard));
}
