// SPDX-License-Identifier: BSL-1.0
#include <hawser/hawser.hpp>
#include <hawser/limit/vegas.hpp>
#include <hawser/policy/concurrency_limit.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"

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

class told_limit;

struct told_options {
    using algorithm_type = told_limit;
    std::vector<hawser::limit_sample>* heard;
    std::uint32_t* limit;
};

/// Writes down what it is told, and answers what it is given.
class told_limit {
public:
    using options_type = told_options;
    explicit told_limit(told_options const& options) : options_{options} {
        if (*options.limit == 0) throw std::invalid_argument{"told_limit: limit is zero"};
    }
    std::uint32_t on_sample(hawser::limit_sample const& sample) noexcept {
        options_.heard->push_back(sample);
        return *options_.limit;
    }
    [[nodiscard]] std::uint32_t limit() const noexcept { return *options_.limit; }

private:
    told_options options_;
};

struct stand {
    stage scene;
    std::vector<hawser::limit_sample> heard;
    std::uint32_t limit = 2;
    told_options options{&heard, &limit};

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
