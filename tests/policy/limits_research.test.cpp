// SPDX-License-Identifier: BSL-1.0
//
// What goes wrong with limits in the field, each as a test of ours, through a pipeline.
#include <hawser/containers/queueing/adaptive_lifo.hpp>
#include <hawser/containers/queueing/codel.hpp>
#include <hawser/containers/queueing/fair_by_key.hpp>
#include <hawser/containers/queueing/priority.hpp>
#include <hawser/hawser.hpp>
#include <hawser/limit/aimd.hpp>
#include <hawser/limit/gradient2.hpp>
#include <hawser/limit/vegas.hpp>
#include <hawser/policy/bulkhead.hpp>
#include <hawser/policy/concurrency_limit.hpp>
#include <hawser/policy/rate_limit.hpp>
#include <hawser/policy/throttle.hpp>
#include <hawser/rate/fixed_window.hpp>
#include <hawser/rate/shaper.hpp>
#include <hawser/rate/sliding_window_counter.hpp>
#include <hawser/rate/sliding_window_log.hpp>
#include <hawser/rate/warming_bucket.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"
#include "support/told_limit.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <latch>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::compose_in;
using hawser::errc;
using hawser::sample_outcome;
using hawser::try_execute;
using support::stage;

namespace {

/// A throttle that refuses whatever it may: three calls were too much, and the numbers drawn are
/// always the lowest.
struct wary_throttle {
    using engine = hawser::basic_adaptive_throttle<hawser::testing::fixed_random>;
    engine chances{{.requests_min = 1, .let_through_every = 1s}, {.bits = 0}};
    hawser::throttle<hawser::borrowed<engine>> policy{borrow(chances)};

    explicit wary_throttle(hawser::time_point now) {
        for (int call = 0; call != 3; ++call) chances.on_result(now, sample_outcome::dropped);
    }
    double probability(hawser::time_point now) const { return chances.rejection_probability(now); }
};

/// A retry with a budget, and a breaker, around a limit: what they are left with.
struct around {
    stage& scene;
    hawser::retry_budget budget{{.ratio = 0, .floor = 5, .per = 1h}};
    hawser::circuit_breaker breaker{{.minimum_calls = 1}};

    /// Whether a hundred refusals are no vote and cost no token.
    template <class Limit>
    bool are_untouched_by(Limit& limit, errc code) {
        auto const line = compose_in(scene.environment(),
                                     hawser::retry{{.max_attempts = 3},
                                                   hawser::backoff::constant{1ms},
                                                   hawser::jitter::none{},
                                                   borrow(budget)},
                                     borrow(breaker), borrow(limit));
        auto const before = budget.available(scene.time.now());
        int refused = 0, ran = 0;
        for (int call = 0; call != 100; ++call) {
            auto const deadline = scene.time.now() + 10ms;
            auto const out = try_execute(line, {.deadline = deadline}, [&] { return ++ran; });
            refused += out.code() == code ? 1 : 0;
        }
        CHECK(refused == 100);
        CHECK(ran == 0);
        return budget.available(scene.time.now()) == before &&
               breaker.state() == hawser::breaker_state::closed;
    }
};

/// Its one permit is out.
template <class Limit>
bool exhausted(Limit& limit) {
    return limit.permits().try_acquire();
}
template <class Limit>
bool is_whole(Limit& limit) {
    auto const now = limit.permits().snapshot();
    return now.held == 0 && now.on_the_way == 0 && now.waiting == 0 && now.free == now.capacity;
}

hawser::refusal why_of(auto const& line, auto const& facts) {
    auto const out = try_execute(line, facts, [] { return 1; });
    return out.why() != nullptr ? *out.why() : hawser::refusal{};
}
hawser::refusal why_of(auto const& line) { return why_of(line, hawser::call_facts<>{}); }

}  // namespace

TEST_CASE("limits research: a call that was stopped before it began takes no token") {
    stage scene;
    hawser::rate_limit limit{{.rate = 1, .burst = 2}};
    hawser::rate_limit waiting{{.rate = 1, .burst = 2}, hawser::wait_up_to{10s}};
    std::stop_source caller;
    caller.request_stop();
    hawser::call_facts<> const stopped{.stop = caller.get_token()};
    hawser::call_facts<> const late{.deadline = scene.start};
    for (auto const& facts : {stopped, late}) {
        auto const code = facts.deadline == scene.start ? errc::timed_out : errc::cancelled;
        CHECK(why_of(compose_in(scene.environment(), borrow(limit)), facts).code == code);
        CHECK(why_of(compose_in(scene.environment(), borrow(waiting)), facts).code == code);
    }
    CHECK(limit.limiter().available(scene.start) == 2);
    CHECK(waiting.limiter().available(scene.start) == 2);
    CHECK(scene.waits == 0);
}

TEST_CASE("limits research: a call that was stopped before it began is no demand to a throttle") {
    stage scene;
    wary_throttle shed{scene.start};
    auto const line = compose_in(scene.environment(), borrow(shed.policy));
    std::stop_source caller;
    caller.request_stop();
    auto const before = shed.probability(scene.start);
    CHECK(why_of(line, hawser::call_facts<>{.stop = caller.get_token()}).code == errc::cancelled);
    CHECK(why_of(line, hawser::call_facts<>{.deadline = scene.start}).code == errc::timed_out);
    CHECK(shed.probability(scene.start) == before);
    CHECK(try_execute(line, [] { return 1; }).has_value());  // The one that is let through.
}

TEST_CASE("limits research: calls that their callers gave up on close no throttle for the others") {
    stage scene;
    hawser::throttle shed{{}, hawser::sampled_by{[](hawser::outcome<int> const& out) noexcept {
                              return out.has_value() ? sample_outcome::success
                                                     : sample_outcome::dropped;
                          }}};
    auto const line = compose_in(scene.environment(), borrow(shed));
    std::stop_source caller;
    caller.request_stop();
    for (int call = 0; call != 100; ++call) {
        CHECK(why_of(line, hawser::call_facts<>{.stop = caller.get_token()}).code ==
              errc::cancelled);
        CHECK(why_of(line, hawser::call_facts<>{.deadline = scene.start}).code == errc::timed_out);
    }
    CHECK(shed.chances().rejection_probability(scene.start) == 0);
}

TEST_CASE("limits research: what any limit refuses is no vote further out, and costs no budget") {
    stage scene;
    std::vector<hawser::limit_sample> heard;
    std::uint32_t one = 1;

    SECTION("rate_limit") {
        hawser::rate_limit limit{{.rate = 1, .period = 1h, .burst = 1}};
        REQUIRE(limit.limiter().try_acquire(scene.start));
        CHECK(around{scene}.are_untouched_by(limit, errc::rate_limited));
    }
    SECTION("rate_limit that waits") {
        hawser::rate_limit limit{{.rate = 1, .period = 1h, .burst = 1}, hawser::wait_up_to{2h}};
        REQUIRE(limit.limiter().try_acquire(scene.start));
        CHECK(around{scene}.are_untouched_by(limit, errc::rate_limited));
        CHECK(limit.limiter().available(scene.start + 1h) == 1);
    }
    SECTION("bulkhead") {
        hawser::bulkhead limit{{.permits = 1}};
        REQUIRE(exhausted(limit));
        CHECK(around{scene}.are_untouched_by(limit, errc::bulkhead_full));
    }
    SECTION("bulkhead that waits") {
        hawser::bulkhead limit{{.permits = 1}, hawser::wait_up_to{2ms}};
        REQUIRE(exhausted(limit));
        CHECK(around{scene}.are_untouched_by(limit, errc::bulkhead_full));
    }
    SECTION("concurrency_limit") {
        hawser::concurrency_limit limit{support::told_options{&heard, &one}};
        REQUIRE(exhausted(limit));
        CHECK(around{scene}.are_untouched_by(limit, errc::overloaded));
        CHECK(heard.empty());
    }
    SECTION("concurrency_limit that waits") {
        hawser::concurrency_limit limit{support::told_options{&heard, &one},
                                        hawser::wait_up_to{2ms}};
        REQUIRE(exhausted(limit));
        CHECK(around{scene}.are_untouched_by(limit, errc::overloaded));
        CHECK(heard.empty());
    }
    SECTION("throttle") {
        wary_throttle shed{scene.start};
        hawser::retry_budget budget{{.ratio = 0, .floor = 5, .per = 1h}};
        hawser::circuit_breaker breaker{{.minimum_calls = 1}};
        auto const line =
            compose_in(scene.environment(), hawser::retry{{.max_attempts = 3}, borrow(budget)},
                       borrow(breaker), borrow(shed.policy));
        REQUIRE(shed.chances.admit(scene.start));
        auto const before = budget.available(scene.start);
        for (int call = 0; call != 100; ++call)
            CHECK(why_of(line, hawser::call_facts<>{.deadline = scene.start + 1ms}).code ==
                  errc::overloaded);
        CHECK(budget.available(scene.start) == before);
        CHECK(breaker.state() == hawser::breaker_state::closed);
    }
}

TEST_CASE(
    "limits research: the time that a refusal names is enough, and a nanosecond less is not") {
    auto const is_exact = [](auto& limit, std::uint32_t burst) {
        stage scene;
        auto const line = compose_in(scene.environment(), borrow(limit));
        for (std::uint32_t call = 0; call != burst; ++call) CHECK(why_of(line).code == errc{});
        auto const why = why_of(line);
        CHECK(why.code == errc::rate_limited);
        CHECK(why.retry_after > 0ns);
        scene.time.advance(why.retry_after - 1ns);
        CHECK(why_of(line) == hawser::refusal{errc::rate_limited, 1ns, "rate_limit"});
        scene.time.advance(1ns);
        CHECK(why_of(line).code == errc{});
    };
    hawser::rate_limit bucket{{.rate = 3, .burst = 5}};  // A third of a second is no whole number.
    is_exact(bucket, 5);
    hawser::rate_limit shaper{hawser::shaper_options{.rate = 7}};
    is_exact(shaper, 1);
    hawser::rate_limit warming{hawser::warming_bucket_options{.rate = 7}};
    is_exact(warming, 1);
    hawser::rate_limit fixed{hawser::fixed_window_options{.limit = 5, .window = 1s}};
    is_exact(fixed, 5);
    hawser::rate_limit log{hawser::sliding_window_log_options{.limit = 5, .window = 1s}};
    is_exact(log, 5);
    hawser::rate_limit counter{hawser::sliding_window_counter_options{.limit = 5, .window = 1s}};
    is_exact(counter, 5);
}

TEST_CASE("limits research: a wait that cannot succeed is refused at once, with its length") {
    auto const refuses_at_once = [](auto& limit, hawser::duration wait) {
        stage scene;
        auto const line = compose_in(scene.environment(), borrow(limit));
        REQUIRE(try_execute(line, [] { return 1; }).has_value());
        auto const why = why_of(line, hawser::call_facts<>{.deadline = scene.start + wait - 1ns});
        CHECK(why == hawser::refusal{errc::rate_limited, wait, "rate_limit"});
        CHECK(scene.elapsed() == 0ns);
        CHECK(scene.waits == 0);
        CHECK(why_of(line).code == errc{});  // Nobody has taken the turn.
        CHECK(scene.elapsed() == wait);
    };
    hawser::rate_limit bucket{{.rate = 10, .burst = 1}, hawser::wait_up_to{1s}};
    refuses_at_once(bucket, 100ms);
    hawser::rate_limit shaper{hawser::shaper_options{.rate = 10}, hawser::wait_up_to{1s}};
    refuses_at_once(shaper, 100ms);
}

TEST_CASE("limits research: more than there ever is is refused for good, by limits that wait too") {
    stage scene;
    std::uint32_t cost = 6;
    auto const size = [&cost](auto const&) noexcept { return cost; };
    hawser::rate_limit rate{
        {.rate = 10, .burst = 5}, hawser::wait_up_to{1h}, hawser::cost_by{size}};
    hawser::rate_limit shaper{hawser::shaper_options{.queue_max = 4}, hawser::wait_up_to{1h},
                              hawser::cost_by{size}};
    hawser::bulkhead bulkhead{{.permits = 5}, hawser::wait_up_to{1h}, hawser::cost_by{size}};
    auto const rated = compose_in(scene.environment(), borrow(rate));
    auto const shaped = compose_in(scene.environment(), borrow(shaper));
    auto const parted = compose_in(scene.environment(), borrow(bulkhead));

    CHECK(why_of(rated) == hawser::refusal{errc::too_large, hawser::never, "rate_limit"});
    CHECK(why_of(shaped) == hawser::refusal{errc::too_large, hawser::never, "rate_limit"});
    CHECK(why_of(parted) == hawser::refusal{errc::too_large, hawser::never, "bulkhead"});
    CHECK(scene.waits == 0);
    CHECK(rate.limiter().available(scene.start) == 5);

    cost = 0;  // And nothing is let in for nothing, at once.
    for (int call = 0; call != 10; ++call) CHECK(why_of(rated).code == errc{});
    CHECK(rate.limiter().available(scene.start) == 5);
    CHECK(is_whole(bulkhead));
}

TEST_CASE("limits research: a plain call that waits blocks its thread, once, and does not spin") {
    auto const blocks_once = [](auto& limit) {
        stage scene;
        scene.hold = true;
        auto const line = compose_in(scene.environment(), borrow(limit));
        REQUIRE(exhausted(limit));
        std::atomic<bool> ended{false};
        std::jthread waiting{[&] {
            CHECK(try_execute(line, [] { return 1; }).has_value());
            ended = true;
        }};
        scene.await_waits(1);
        // Others come and go in vain: nothing of it wakes the one that waits.
        for (int other = 0; other != 1'000; ++other) CHECK_FALSE(limit.permits().try_acquire());
        CHECK(limit.permits().snapshot().waiting == 1);
        CHECK(scene.waits == 1);
        CHECK_FALSE(ended);
        limit.permits().release(1, scene.start).ring_all();
        waiting.join();
        CHECK(scene.waits == 1);
        CHECK(is_whole(limit));
    };
    hawser::bulkhead bulkhead{{.permits = 1}, hawser::wait_up_to{1h}};
    blocks_once(bulkhead);
    std::vector<hawser::limit_sample> heard;
    std::uint32_t one = 1;
    hawser::concurrency_limit learning{support::told_options{&heard, &one}, hawser::wait_up_to{1h}};
    blocks_once(learning);

    stage scene;
    hawser::rate_limit rate{{.rate = 10, .burst = 1}, hawser::wait_up_to{1h}};
    auto const line = compose_in(scene.environment(), borrow(rate));
    for (int call = 0; call != 100; ++call) CHECK(why_of(line).code == errc{});
    CHECK(scene.waits == 99);  // The first did not wait, and each of the others once.
    CHECK(scene.elapsed() == 9900ms);
}

TEST_CASE("limits research: calls that wait for a turn do not all wake for one") {
    // Who looks again when a turn comes, instead of having one, finds it gone and waits anew.
    stage scene;
    hawser::rate_limit limit{{.rate = 10, .burst = 1}, hawser::wait_up_to{1h}};
    auto const line = compose_in(scene.environment(), borrow(limit));
    REQUIRE(why_of(line).code == errc{});
    std::vector<hawser::duration> let_in;
    scene.on_wait = [&] {
        // While one waits another comes, up to ten.
        if (scene.waits <= 10) (void)try_execute(line, [&] { let_in.push_back(scene.elapsed()); });
    };
    (void)try_execute(line, [&] { let_in.push_back(scene.elapsed()); });
    CHECK(let_in.size() == 11);
    CHECK(scene.waits == 11);
    CHECK(limit.limiter().available(scene.start + 1200ms - 1ns) == 0);
    CHECK(limit.limiter().available(scene.start + 1200ms) == 1);
}

TEST_CASE("limits research: every order of waiting serves a bulkhead and a learning limit") {
    auto const lets_in_who_waits = [](auto& limit) {
        stage scene;
        auto const line = compose_in(scene.environment(), borrow(limit));
        REQUIRE(exhausted(limit));
        scene.on_wait = [&] { limit.permits().release(1, scene.time.now()).ring_all(); };
        CHECK(try_execute(line, [] { return 1; }).has_value());
        CHECK(scene.waits == 1);
        CHECK(is_whole(limit));
    };
    auto const serves_both = [&](auto order) {
        hawser::bulkhead parted{{.permits = 1}, hawser::wait_up_to{1s}, order};
        lets_in_who_waits(parted);
        hawser::concurrency_limit learning{
            hawser::limits::aimd_options{.initial = 1, .floor = 1, .ceiling = 1},
            hawser::wait_up_to{1s}, order};
        lets_in_who_waits(learning);
    };
    serves_both(hawser::queued_by<hawser::queueing::fifo>{});
    serves_both(hawser::queued_by<hawser::queueing::adaptive_lifo>{});
    serves_both(hawser::queued_by<hawser::queueing::codel>{});
    serves_both(hawser::queued_by<hawser::queueing::priority>{});
    serves_both(hawser::queued_by<hawser::queueing::fair_by_key>{});
}

TEST_CASE("limits research: of any algorithm, a limit that fell as far as it can lets one in") {
    auto const falls_and_stays_open = [](auto options) {
        stage scene;
        hawser::concurrency_limit limit{options};
        auto const line =
            compose_in(scene.environment(), borrow(limit), hawser::attempt_timeout{10ms});
        auto const too_slow = [&]() -> int {
            scene.time.advance(10ms);
            throw std::runtime_error{"socket: timed out"};
        };
        for (int call = 0; call != 3'000; ++call)
            REQUIRE(try_execute(line, too_slow).exception() != nullptr);
        CHECK(limit.limit() >= 1);
        CHECK(is_whole(limit));
        return limit.limit();
    };
    CHECK(falls_and_stays_open(hawser::limits::knee_options{}) == 1);
    CHECK(falls_and_stays_open(hawser::limits::aimd_options{.initial = 20, .floor = 1}) == 1);
    CHECK(falls_and_stays_open(hawser::limits::vegas_options{}) == 1);
    (void)falls_and_stays_open(hawser::limits::gradient2_options{});  // It looks at no drops.
}

TEST_CASE("limits research: failures that come at once do not look like a quick dependency") {
    auto const learns_nothing = [](auto options) {
        stage scene;
        hawser::concurrency_limit limit{options};
        auto const line = compose_in(scene.environment(), borrow(limit));
        auto const before = limit.limit();
        for (int call = 0; call != 10'000; ++call)
            (void)try_execute(line, []() -> int { throw std::runtime_error{"refused"}; });
        CHECK(limit.limit() == before);
        CHECK(is_whole(limit));
    };
    learns_nothing(hawser::limits::knee_options{.initial = 1});
    learns_nothing(hawser::limits::aimd_options{.initial = 1, .floor = 1});
    learns_nothing(hawser::limits::vegas_options{.initial = 1});
    learns_nothing(hawser::limits::gradient2_options{.initial = 1, .floor = 1});
}

TEST_CASE("limits research: a limit that shrank is no hole that calls fall into for good") {
    // Permits are minted on no way down and up again, however the calls inside end.
    stage scene;
    hawser::bulkhead limit{{.permits = 8}};
    auto const line = compose_in(scene.environment(), borrow(limit));
    auto const nest = [&](auto const& self, int depth) -> void {
        (void)try_execute(line, [&]() -> int {
            limit.resize(1 + static_cast<std::uint32_t>(depth * 7 % 8), scene.start);
            if (depth != 0) self(self, depth - 1);
            limit.resize(8, scene.start);
            if (depth % 2 == 0) throw 1;
            return depth;
        });
    };
    for (int depth = 0; depth != 12; ++depth) {
        nest(nest, depth);
        CHECK(limit.permits().capacity() == 8);
        CHECK(is_whole(limit));
    }
}
