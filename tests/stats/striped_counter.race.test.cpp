// SPDX-License-Identifier: BSL-1.0
#include <hawser/stats/striped_counter.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

using hawser::striped_counter;

TEST_CASE("striped_counter: loses nothing, of threads with stripes and of threads without") {
    striped_counter<2> few;
    striped_counter<16> many;
    constexpr int threads = 24, adds = 5'000;
    support::on_threads(threads, [&](int) {
        for (int k = 0; k < adds; ++k) {
            few.add();
            many.add(3);
        }
    });
    CHECK(few.total() == threads * adds);
    CHECK(many.total() == 3 * threads * adds);
}

TEST_CASE("striped_counter: two threads that share a stripe at the same time lose nothing") {
    striped_counter<1> counter;
    constexpr int adds = 5'000'000;
    std::latch taken{1}, done{2};
    std::atomic<int> running{0};
    std::vector<std::jthread> threads;
    static_cast<void>(hawser::thread_slot());  // The main thread's or the next holds the stripe.
    threads.emplace_back([&] {
        static_cast<void>(hawser::thread_slot());
        taken.count_down();
        done.wait();
    });
    taken.wait();
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&] {
            for (++running; running < 2;) {}  // Spins: two that wake one by one would not meet.
            for (int k = 0; k < adds; ++k) counter.add();
            done.count_down();
        });
    threads.clear();  // Joins.
    CHECK(counter.total() == 2 * adds);
}

TEST_CASE("striped_counter: a total read beside additions lies between before and after") {
    striped_counter<> counter;
    std::atomic<std::uint64_t> begun{0}, ended{0};
    std::atomic<bool> outside{false};
    {
        std::latch start{3};
        std::vector<std::jthread> running;
        for (int i = 0; i < 2; ++i)
            running.emplace_back([&] {
                start.arrive_and_wait();
                for (int k = 0; k < 20'000; ++k) {
                    ++begun;
                    counter.add();
                    ++ended;
                }
            });
        running.emplace_back([&] {
            start.arrive_and_wait();
            std::uint64_t last = 0;
            for (int k = 0; k < 20'000; ++k) {
                auto const least = ended.load();
                auto const read = counter.total();
                if (read < least || read > begun.load() || read < last) outside = true;
                last = read;
            }
        });
    }  // Joins.
    CHECK_FALSE(outside);
    CHECK(counter.total() == 40'000);
}

TEST_CASE("striped_counter: a stripe passed from an ended thread to a new one loses nothing") {
    striped_counter<4> counter;
    constexpr int threads = 4, generations = 200;
    support::on_threads(threads, [&](int) {
        for (int k = 0; k < generations; ++k) std::jthread{[&] { counter.add(); }};
    });
    CHECK(counter.total() == threads * generations);
}
