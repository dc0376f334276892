// SPDX-License-Identifier: BSL-1.0
//
// What a channel tells of those that wait at its ends, of those that may not, and of its own end.
#include <hawser/run/channel.hpp>

#include <hawser/run/spsc_channel.hpp>
#include <hawser/testing/manual_environment.hpp>
#include <hawser/trace/record.hpp>

#include "support/catch.hpp"
#include "support/told_lines.hpp"
#include "support/unwound.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <type_traits>

using namespace std::chrono_literals;
using hawser::channel;
using hawser::channel_waited;
using hawser::manual_time;
using hawser::named;
using hawser::no_deadline;
using hawser::time_point;
using hawser::transfer;
using hawser::testing::manual_and_observed;
using lines = support::told_lines::lines;

namespace {

/// A channel of numbers in a time that the test moves, and what it tells.
struct stand {
    explicit stand(hawser::channel_options const& options)
        : jobs{options, manual_and_observed(time, told), named{"jobs"}} {}

    void until_waiting(std::size_t senders, std::size_t receivers) {
        for (;;) {
            auto const now = jobs.core().waiting_now();
            if (now.senders == senders && now.receivers == receivers) return;
            std::this_thread::yield();
        }
    }

    manual_time time{time_point{1h}};
    support::told_lines told;
    channel<int, decltype(manual_and_observed(time, told))> jobs;
};

/// A clock that is to be left alone.
struct counting_clock {
    inline static std::atomic<int> reads{0};
    [[nodiscard]] static time_point now() noexcept {
        ++reads;
        return time_point{1h};
    }
};

struct hears_of_the_end {
    int times = 0;
    void on(hawser::channel_closed const&) noexcept { ++times; }
};

struct throws_up {
    void on(channel_waited const&) const { throw std::runtime_error{"a sink that fails"}; }
};

}  // namespace

TEST_CASE("channel events: whoever waits in vain is told of, with its time and the depth") {
    stand at{{.capacity = 1}};
    CHECK(at.jobs.receive_until(at.time.now() + 5ms).what() == transfer::timed_out);
    CHECK(at.jobs.send(1));
    CHECK(at.jobs.send_until(at.time.now() + 7ms, 2).what() == transfer::timed_out);
    std::stop_source stop;
    stop.request_stop();
    CHECK(at.jobs.send(3, stop.get_token()).what() == transfer::cancelled);
    CHECK(at.told.take() == lines{"jobs: channel_waited to receive for 5ms (timed_out, depth 0)",
                                  "jobs: channel_waited to send for 7ms (timed_out, depth 1)",
                                  "jobs: channel_waited to send for 0s (cancelled, depth 1)"});
}

TEST_CASE("channel events: whoever waits for the other end is told of when it has come") {
    stand at{{.capacity = 1}};
    CHECK(at.jobs.send(1));
    {
        std::jthread const sender{[&] { (void)at.jobs.send(2); }};
        at.until_waiting(1, 0);
        at.time.advance(3ms);
        CHECK(*at.jobs.receive() == 1);
    }
    CHECK(at.told.take() == lines{"jobs: channel_waited to send for 3ms (depth 1)"});
    CHECK(*at.jobs.receive() == 2);
    {
        std::jthread const receiver{[&] { (void)at.jobs.receive(); }};
        at.until_waiting(0, 1);
        at.time.advance(4ms);
        CHECK(at.jobs.send(3));
    }
    CHECK(at.told.take() == lines{"jobs: channel_waited to receive for 4ms (depth 0)"});
}

TEST_CASE("channel events: who finds room or a value is not told of") {
    stand at{{.capacity = 2}};
    CHECK(at.jobs.send(1));
    CHECK(at.jobs.send_until(time_point{}, 2));
    CHECK(*at.jobs.receive() == 1);
    CHECK(*at.jobs.try_receive() == 2);
    CHECK(at.told.take().empty());
}

TEST_CASE("channel events: a close is told once, with what is left, and ends the waits") {
    stand at{{.capacity = 1}};
    CHECK(at.jobs.send(1));
    {
        std::jthread const sender{[&] { (void)at.jobs.send(2); }};
        at.until_waiting(1, 0);
        at.time.advance(2ms);
        at.jobs.close();
        at.jobs.close();
    }
    auto told = at.told.take();
    std::sort(told.begin(), told.end());  // The sender tells for itself.
    CHECK(told == lines{"jobs: channel_closed (1 left)",
                        "jobs: channel_waited to send for 2ms (closed, depth 1)"});

    CHECK(at.jobs.send(3).what() == transfer::closed);  // It has not waited.
    CHECK(*at.jobs.receive() == 1);
    CHECK(at.jobs.receive().what() == transfer::closed);
    CHECK(at.told.take().empty());
}

TEST_CASE("channel events: a thread that is cancelled while it waits tells nothing") {
    stand at{{.capacity = 1}};
    CHECK(support::unwound([&] { (void)at.jobs.receive(); }, [&] { at.until_waiting(0, 1); }));
    CHECK(at.jobs.send(1));
    CHECK(support::unwound([&] { (void)at.jobs.send(2); }, [&] { at.until_waiting(1, 0); }));
    at.until_waiting(0, 0);
    CHECK(at.told.take().empty());
}

TEST_CASE("channel events: who may not wait is told of, and who does not want to is not") {
    stand at{{.capacity = 1, .waiters = 0}};
    CHECK(at.jobs.try_receive().what() == transfer::would_wait);
    CHECK(at.jobs.receive().what() == transfer::crowded);
    CHECK(at.jobs.send(1));
    CHECK(at.jobs.try_send(2).what() == transfer::would_wait);
    CHECK(at.jobs.send(2).what() == transfer::crowded);
    CHECK(at.told.take() == lines{"jobs: channel_refused to receive (overloaded)",
                                  "jobs: channel_refused to send (overloaded)"});
}

TEST_CASE("channel events: without capacity a wait is told of as with it") {
    stand at{{.capacity = 0}};
    {
        std::jthread const receiver{[&] { (void)at.jobs.receive(); }};
        at.until_waiting(0, 1);
        at.time.advance(1ms);
        CHECK(at.jobs.send(1));
    }
    at.jobs.close();
    CHECK(at.told.take() == lines{"jobs: channel_waited to receive for 1ms (depth 0)",
                                  "jobs: channel_closed (0 left)"});
}

TEST_CASE("channel events: without a name it is called what it is, and a name is not null") {
    manual_time time;
    support::told_lines told;
    auto const env = manual_and_observed(time, told);
    channel<int, decltype(manual_and_observed(time, told))>{{}, env}.close();
    hawser::spsc_channel<int, decltype(manual_and_observed(time, told))>{{}, env}.close();
    CHECK(told.take() ==
          lines{"channel: channel_closed (0 left)", "spsc_channel: channel_closed (0 left)"});
    CHECK_THROWS_WITH((channel<int>{{}, {}, named{nullptr}}), "channel: name is null");
    CHECK_THROWS_WITH((hawser::spsc_channel<int>{{}, {}, named{nullptr}}),
                      "spsc_channel: name is null");
}

TEST_CASE("channel events: nobody hears of waits, and no clock is read") {
    hears_of_the_end end;
    auto const env = hawser::environment{counting_clock{}, hawser::sink_reference{end}};
    counting_clock::reads = 0;
    channel<int, hawser::environment<counting_clock>> unheard{{.capacity = 1}};
    channel<int, std::remove_const_t<decltype(env)>> heard{{.capacity = 1}, env};
    auto const wait_at = [](auto& jobs) {
        CHECK(jobs.send(1));
        CHECK(jobs.send_until(time_point{}, 2).what() == transfer::timed_out);
        CHECK(jobs.receive());
        CHECK(jobs.receive_until(time_point{}).what() == transfer::timed_out);
    };
    wait_at(unheard);
    wait_at(heard);
    CHECK(counting_clock::reads == 0);
    unheard.close();
    CHECK(counting_clock::reads == 0);
    heard.close();
    CHECK(counting_clock::reads == 1);
    CHECK(end.times == 1);
}

TEST_CASE("channel events: what a sink throws changes nothing, and is counted") {
    manual_time time{time_point{1h}};
    throws_up sink;
    channel<int, decltype(manual_and_observed(time, sink))> jobs{{.capacity = 1},
                                                                 manual_and_observed(time, sink)};
    auto const before = hawser::sink_failures();
    CHECK(jobs.receive_until(time.now() + 1ms).what() == transfer::timed_out);
    CHECK(hawser::sink_failures() == before + 1);
    CHECK(jobs.send(1));
    CHECK(*jobs.receive() == 1);
}

TEST_CASE("channel events: a sink may use the channel that it hears of") {
    struct closes_it {
        channel<int, hawser::testing::manual_environment<hawser::sink_reference<closes_it>>>* jobs;
        int heard = 0;
        void on(channel_waited const&) noexcept { jobs->close(); }
        void on(hawser::channel_closed const&) noexcept {
            ++heard;
            CHECK(jobs->try_receive().what() == transfer::closed);
        }
    } sink{};
    manual_time time{time_point{1h}};
    channel<int, decltype(manual_and_observed(time, sink))> jobs{{.capacity = 1},
                                                                 manual_and_observed(time, sink)};
    sink.jobs = &jobs;
    CHECK(jobs.receive_until(time.now() + 1ms).what() == transfer::timed_out);
    CHECK(jobs.is_closed());
    CHECK(sink.heard == 1);
}
