// SPDX-License-Identifier: BSL-1.0
//
// Calls on several threads: started anywhere, on strands, stopped and granted from other threads.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/policy/circuit_breaker.hpp>
#include <hawser/policy/retry.hpp>
#include <hawser/policy/timeout.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"
#include "support/test_bulkhead.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace support;

/// Every layer that may hold a call, with times so short that all of them meet.
struct stand {
    test_bulkhead bulkhead{3, 1000, 2ms};
    hawser::circuit_breaker breaker{{.minimum_calls = 100}};

    stand() { breaker.observe(); }
    auto line() {
        return hawser::compose(hawser::total_timeout{5ms}, hawser::borrow(bulkhead),
                               hawser::retry{{.max_attempts = 3},
                                             hawser::backoff::constant{.delay = 50us},
                                             hawser::jitter::none{},
                                             hawser::no_budget{}},
                               hawser::borrow(breaker), hawser::attempt_timeout{200us});
    }
};

/// Takes a time that is sometimes more than it may, on a timer of its own executor.
struct timed_request {
    std::shared_ptr<asio::steady_timer> timer;
    std::chrono::microseconds takes;

    template <class Call, class Token>
    auto operator()(Call&, Token&& token) const {
        timer->expires_after(takes);
        return timer->async_wait(std::forward<Token>(token));
    }
};

TEST_CASE("async_execute: calls on strands of a pool complete once each and keep every permit") {
    stand on;
    auto const line = on.line();
    std::atomic<int> completed{0}, outside{0};
    asio::thread_pool pool{4};
    for (int i = 0; i < 400; ++i) {
        auto const strand = asio::make_strand(pool);
        // Every other call is started from here, outside the strand.
        auto start = [&, strand, i] {
            auto timer = std::make_shared<asio::steady_timer>(strand);
            hawser::async_execute(line, strand,
                                  timed_request{timer, std::chrono::microseconds{50 + i % 300}},
                                  asio::bind_executor(strand, [&, strand](error_code) {
                                      if (!strand.running_in_this_thread()) ++outside;
                                      ++completed;
                                  }));
        };
        i % 2 == 0 ? start() : asio::post(strand, start);
    }
    pool.join();
    CHECK(completed == 400);
    CHECK(outside == 0);
    CHECK(on.bulkhead.is_whole());
}

TEST_CASE("async_execute: a call may be started from a thread that does not run its executor") {
    stand on;
    auto const line = on.line();
    asio::io_context io;
    auto work = asio::make_work_guard(io);
    std::jthread const runner{[&] { io.run(); }};
    for (int i = 0; i < 500; ++i) {
        auto const at_once = [&io](auto&, auto&& token) {
            return asio::async_initiate<decltype(token), void(error_code, int)>(
                [&io](auto handler) {
                    asio::post(io, [to = std::move(handler)]() mutable {
                        std::move(to)(error_code{}, 7);
                    });
                },
                token);
        };
        auto answer = hawser::async_execute(line, io.get_executor(), at_once, asio::use_future);
        CHECK(answer.get() == 7);
    }
    work.reset();
    CHECK(on.bulkhead.balances());
}

TEST_CASE("async_execute: stop requests race completions") {
    stand on;
    auto const line = on.line();
    asio::thread_pool pool{2};
    std::atomic<int> completed{0};
    std::vector<std::stop_source> stops(300);
    for (auto& stop : stops) {
        auto const strand = asio::make_strand(pool);
        auto timer = std::make_shared<asio::steady_timer>(strand);
        hawser::async_execute(line, strand, {.stop = stop.get_token()}, timed_request{timer, 100us},
                              asio::bind_executor(strand, [&](error_code) { ++completed; }));
    }
    {
        std::jthread const first{[&] {
            for (auto& stop : stops) stop.request_stop();
        }};
        std::jthread const second{[&] {
            for (auto at = stops.rbegin(); at != stops.rend(); ++at) at->request_stop();
        }};
    }
    pool.join();
    CHECK(completed == 300);
    CHECK(on.bulkhead.is_whole());
}

TEST_CASE("async_execute: permits granted from another thread are neither lost nor made") {
    stand on;
    auto const line = on.line();
    asio::thread_pool pool{2};
    std::atomic<int> completed{0};
    std::atomic<bool> over{false};
    std::jthread const lender{[&] {
        while (!over)
            if (on.bulkhead.try_take()) on.bulkhead.give_back();
    }};
    for (int i = 0; i < 300; ++i) {
        auto const strand = asio::make_strand(pool);
        auto timer = std::make_shared<asio::steady_timer>(strand);
        asio::post(strand, [&, strand, timer] {
            hawser::async_execute(line, strand, timed_request{timer, 100us},
                                  asio::bind_executor(strand, [&](error_code) { ++completed; }));
        });
    }
    pool.join();
    over = true;
    CHECK(completed == 300);
    CHECK(on.bulkhead.balances());
    CHECK(on.bulkhead.counts().waiting == 0);
}

TEST_CASE("async_execute: two contexts share a breaker and a bulkhead") {
    stand on;
    auto const line = on.line();
    std::latch start{2};
    std::atomic<int> completed{0};
    auto const serve = [&] {
        asio::io_context io;
        int left = 300;
        struct next_call {
            decltype(line)* through;
            asio::io_context* io;
            int* left;
            std::atomic<int>* completed;
            void operator()() const {
                if ((*left)-- == 0) return;
                auto timer = std::make_shared<asio::steady_timer>(*io);
                hawser::async_execute(*through, io->get_executor(), timed_request{timer, 20us},
                                      [self = *this](error_code) {
                                          ++*self.completed;
                                          self();
                                      });
            }
        };
        start.arrive_and_wait();
        next_call{&line, &io, &left, &completed}();
        io.run();
    };
    {
        std::jthread const one{serve};
        std::jthread const two{serve};
    }
    CHECK(completed == 600);
    CHECK(on.bulkhead.is_whole());
}
