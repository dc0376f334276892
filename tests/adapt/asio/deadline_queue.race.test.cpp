// SPDX-License-Identifier: BSL-1.0
//
// Threads that schedule and cancel on one queue while others run its timer: every event is told
// once or cancelled once.
#include <hawser/adapt/asio/deadline_queue.hpp>
#include <hawser/base/clock.hpp>

#include "support/catch.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <latch>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using queue_type = hawser::deadline_queue<asio::io_context::executor_type>;

struct counted_event final : hawser::timed_event {
    std::atomic<int> told{0};
    void deadline_reached() noexcept override { ++told; }
    void deadline_dropped() noexcept override { ++told; }
};

TEST_CASE("deadline_queue: each event is told once or cancelled once, whoever schedules it") {
    asio::io_context io;
    auto& queue = asio::use_service<queue_type>(io);
    auto work = asio::make_work_guard(io);
    std::deque<counted_event> events(4 * 2000);
    std::atomic<int> cancelled{0};
    std::latch start{4};
    {
        std::jthread const run_one{[&] { io.run(); }};
        std::jthread const run_two{[&] { io.run(); }};
        {
            std::vector<std::jthread> users;
            for (std::size_t user = 0; user < 4; ++user)
                users.emplace_back([&, user] {
                    start.arrive_and_wait();
                    for (std::size_t i = 0; i < 2000; ++i) {
                        auto& event = events[user * 2000 + i];
                        // Deadlines from the past to far ahead, out of order.
                        auto const in = std::chrono::microseconds{int(i * 7919 % 1000) - 100};
                        queue.schedule(io.get_executor(), event,
                                       hawser::steady_clock_source{}.now() + in);
                        if (i % 3 == 0 && queue.cancel(event)) ++cancelled;
                    }
                });
        }
        work.reset();
    }  // Joins: `run` returns when the last deadline has been told.
    int told = 0, twice = 0;
    for (auto const& event : events) {
        told += event.told;
        twice += event.told > 1 ? 1 : 0;
    }
    CHECK(twice == 0);
    CHECK(told + cancelled == 8000);
}
