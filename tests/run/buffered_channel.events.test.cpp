// SPDX-License-Identifier: BSL-1.0
//
// What a channel with a buffer tells besides its waits: what it has dropped, and its levels.
#include <hawser/run/buffered_channel.hpp>

#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/told_lines.hpp"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

using namespace std::chrono_literals;
using hawser::buffered_channel;
using hawser::manual_time;
using hawser::named;
using hawser::no_watch;
using hawser::time_point;
using hawser::transfer;
using hawser::unit_weight;
using hawser::testing::manual_and_observed;
namespace overflow = hawser::overflow;
using lines = support::told_lines::lines;
using environment_type = decltype(manual_and_observed(std::declval<manual_time&>(),
                                                      std::declval<support::told_lines&>()));

namespace {

struct by_value {
    std::uint64_t operator()(int value) const noexcept { return static_cast<std::uint64_t>(value); }
};

/// A channel of numbers in a time that the test moves, and what it tells.
template <class Overflow, class Weigh = unit_weight, class Watch = no_watch>
struct stand {
    explicit stand(hawser::bounded_buffer_options const& options, Overflow policy = {},
                   Watch watch = {})
        : jobs{options,
               std::move(policy),
               {},
               std::move(watch),
               manual_and_observed(time, told),
               named{"jobs"}} {}

    manual_time time{time_point{1h}};
    support::told_lines told;
    buffered_channel<int, Overflow, Weigh, Watch, environment_type> jobs;
};

struct drops_and_throws {
    static constexpr auto cause = hawser::drop_cause::oldest;
    overflow::decision operator()(auto& room) const {
        room.drop_oldest();
        throw std::runtime_error{"a policy that fails"};
    }
};

}  // namespace

TEST_CASE("buffered_channel events: what is dropped is told by cause, with how many") {
    stand<overflow::drop_oldest> oldest{{.capacity = 2}};
    for (int i = 0; i != 4; ++i) CHECK(oldest.jobs.send(i));
    CHECK(oldest.told.take() ==
          lines{"jobs: channel_dropped 1 (oldest)", "jobs: channel_dropped 1 (oldest)"});

    stand<overflow::drop_newest> newest{{.capacity = 1}};
    CHECK(newest.jobs.send(1));
    CHECK(newest.jobs.send(2));
    CHECK(newest.told.take() == lines{"jobs: channel_dropped 1 (newest)"});

    stand<overflow::drop_all> all{{.capacity = 20}};
    for (int i = 0; i != 21; ++i) CHECK(all.jobs.send(i));
    CHECK(all.told.take() == lines{"jobs: channel_dropped 20 (all)"});
}

TEST_CASE("buffered_channel events: what is merged is told as that") {
    auto add = [](int& newest, int& value) { newest += value; };
    stand<overflow::conflate<decltype(add)>> at{{.capacity = 1}, overflow::conflate{add}};
    CHECK(at.jobs.send(1));
    CHECK(at.jobs.send(2));
    CHECK(*at.jobs.receive() == 3);
    CHECK(at.told.take() == lines{"jobs: channel_dropped 1 (merged)"});
}

TEST_CASE("buffered_channel events: what is too old is told when it is found to be") {
    stand<overflow::block> at{{.capacity = 20, .max_age = 1s}};
    for (int i = 0; i != 20; ++i) CHECK(at.jobs.send(i));
    at.time.advance(2s);
    CHECK(at.told.take().empty());
    CHECK(at.jobs.try_receive().what() == transfer::would_wait);
    CHECK(at.told.take() == lines{"jobs: channel_dropped 20 (expired)"});
}

TEST_CASE("buffered_channel events: levels are told in turn, with the depth and the highest") {
    stand<overflow::block, by_value> at{{.capacity = 10,
                                         .weight = 100,
                                         .high_watermark = 60,
                                         .low_watermark = 20,
                                         .watermarks_in = hawser::depth_in::weight}};
    for (int const weight : {30, 20, 20, 10}) CHECK(at.jobs.send(weight));
    CHECK(at.told.take() ==
          lines{"jobs: channel_level_changed high (depth 3, at most 3; weight 70, at most 70)"});
    for (int i = 0; i != 3; ++i) CHECK(at.jobs.receive());
    CHECK(at.told.take() ==
          lines{"jobs: channel_level_changed low (depth 1, at most 4; weight 10, at most 80)"});
}

TEST_CASE("buffered_channel events: the watch hears of a level before the sink does") {
    struct writes_down {
        support::told_lines* told;
        void operator()(bool high) const noexcept {
            told->on(hawser::predicate_threw{{{}, high ? "watch high" : "watch low", 0}});
        }
    };
    manual_time time;
    support::told_lines told;
    buffered_channel<int, overflow::block, unit_weight, writes_down, environment_type> jobs{
        {.capacity = 4, .high_watermark = 1}, {}, {}, {&told}, manual_and_observed(time, told)};
    CHECK(jobs.send(1));
    CHECK(told.take() ==
          lines{"watch high: predicate_threw",
                "buffered_channel: channel_level_changed high (depth 1, at most 1; weight 1, at "
                "most 1)"});
}

TEST_CASE("buffered_channel events: who is refused is told of, and who is let wait is not") {
    stand<overflow::reject> rejects{{.capacity = 1}};
    CHECK(rejects.jobs.send(1));
    CHECK(rejects.jobs.send(2).what() == transfer::would_wait);
    CHECK(rejects.jobs.try_send(2).what() == transfer::would_wait);
    CHECK(rejects.told.take() == lines{"jobs: channel_refused to send (overloaded)",
                                       "jobs: channel_refused to send (overloaded)"});
    CHECK(rejects.jobs.snapshot().refused == 2);

    stand<overflow::block, by_value> heavy{{.capacity = 2, .weight = 10}};
    CHECK(heavy.jobs.send(11).what() == transfer::too_large);
    CHECK(heavy.jobs.try_send(11).what() == transfer::too_large);
    CHECK(heavy.jobs.send(10));
    CHECK(heavy.jobs.try_send(1).what() == transfer::would_wait);  // It may be let in later.
    CHECK(heavy.jobs.send_until(heavy.time.now() + 3ms, 1).what() == transfer::timed_out);
    CHECK(heavy.told.take() == lines{"jobs: channel_refused to send (too_large)",
                                     "jobs: channel_refused to send (too_large)",
                                     "jobs: channel_waited to send for 3ms (timed_out, depth 1)"});
}

TEST_CASE("buffered_channel events: a close is told once, with what is left") {
    stand<overflow::block> at{{.capacity = 4}};
    CHECK(at.jobs.send(1));
    CHECK(at.jobs.send(2));
    at.jobs.close();
    at.jobs.close();
    CHECK(at.told.take() == lines{"jobs: channel_closed (2 left)"});
    CHECK_THROWS_WITH((buffered_channel<int>{{}, {}, {}, {}, {}, named{nullptr}}),
                      "buffered_channel: name is null");
}

TEST_CASE("buffered_channel events: a merge that throws tells of nothing that did not happen") {
    auto refuse = [](int&, int&) { throw std::runtime_error{"cannot be merged"}; };
    stand<overflow::conflate<decltype(refuse)>> at{{.capacity = 1}, overflow::conflate{refuse}};
    CHECK(at.jobs.send(1));
    CHECK_THROWS_AS(at.jobs.send(2), std::runtime_error);
    CHECK(at.told.take().empty());
    CHECK(*at.jobs.receive() == 1);
}

TEST_CASE("buffered_channel events: what a policy dropped before it threw is told") {
    stand<drops_and_throws> at{{.capacity = 2}};
    CHECK(at.jobs.send(1));
    CHECK(at.jobs.send(2));
    CHECK_THROWS_AS(at.jobs.send(3), std::runtime_error);
    CHECK(at.told.take() == lines{"jobs: channel_dropped 1 (oldest)"});
    CHECK(at.jobs.snapshot().dropped.total() == 1);
    CHECK(*at.jobs.receive() == 2);
}

TEST_CASE("buffered_channel events: a sink may use the channel that it hears of") {
    struct receives {
        buffered_channel<int, overflow::drop_oldest, unit_weight, no_watch,
                         hawser::testing::manual_environment<hawser::sink_reference<receives>>>*
            jobs;
        std::uint64_t dropped = 0;
        int deepest = 0;
        int depth = 0;
        void on(hawser::channel_dropped const& event) noexcept {
            deepest = std::max(deepest, ++depth);
            dropped += event.count;
            // It drops again, from within: that is told when this has returned.
            if (dropped < 5) CHECK(jobs->send(0));
            --depth;
        }
    } sink{};
    manual_time time;
    buffered_channel<int, overflow::drop_oldest, unit_weight, no_watch,
                     decltype(manual_and_observed(time, sink))>
        jobs{{.capacity = 1}, {}, {}, {}, manual_and_observed(time, sink)};
    sink.jobs = &jobs;
    CHECK(jobs.send(1));
    CHECK(jobs.send(2));
    CHECK(sink.dropped == 5);
    CHECK(sink.deepest == 1);
    CHECK(jobs.snapshot().dropped.total() == 5);
}
