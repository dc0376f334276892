// SPDX-License-Identifier: BSL-1.0
#include <hawser/limit/admission_queue.hpp>

#include <hawser/compose/parking.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <stop_token>
#include <thread>

using namespace std::chrono_literals;
using hawser::admission_queue;
using hawser::admitted;
using hawser::claimed;
using hawser::parking_spot;

static constexpr hawser::time_point t0{1h};

namespace {

bool is_whole(admission_queue const& queue) {
    auto const seen = queue.snapshot(t0).permits;
    return seen.free == seen.capacity && seen.held == 0 && seen.on_the_way == 0 &&
           seen.waiting == 0;
}

}  // namespace

TEST_CASE("admission_queue: threads that wait, are shed, displaced and give up lose no permit") {
    admission_queue queue{
        {.permits = 1, .places = 3, .queue = {.target = 50us, .interval = 200us, .ageing = 1ms}}};
    // Time is what the threads make of it: each step of any moves it on.
    std::atomic<std::int64_t> clock{0};
    auto const now = [&] { return t0 + 10us * clock.fetch_add(1, std::memory_order_relaxed); };
    std::atomic<int> inside{0}, most{0}, zero{0};
    std::atomic<std::uint64_t> calls{0}, in{0}, refused{0}, out{0}, gone{0};
    support::on_threads(5, [&](int thread) {
        std::mt19937 random{static_cast<unsigned>(thread)};
        parking_spot spot;
        for (int i = 0; i != 3'000; ++i) {
            ++calls;
            spot.priority = static_cast<std::uint8_t>(random() % 8);
            auto answer = queue.acquire(spot, 1, now(), random() % 4 == 0 ? 1us : hawser::never);
            answer.to_wake.ring_all();
            bool held = answer.result == admitted::granted;
            if (answer.result == admitted::queued) {
                if (random() % 5 == 0) {
                    auto left = queue.withdraw(spot, now());
                    left.to_wake.ring_all();
                    if (left.bell_will_ring) spot.await_wake();
                    ++gone;
                } else {
                    spot.await_wake();
                    auto claim = queue.claim(spot, now());
                    claim.to_wake.ring_all();
                    held = claim.result == claimed::granted;
                    if (!held) ++out;
                }
                spot.rearm();
            } else if (!held) {
                ++refused;
                if (answer.retry_after < 1ms) ++zero;
            }
            if (!held) continue;
            ++in;
            auto const there = ++inside;
            for (auto seen = most.load(); there > seen;)
                if (most.compare_exchange_weak(seen, there)) break;
            if (random() % 4 == 0) std::this_thread::yield();
            --inside;
            queue.release(1, now()).ring_all();
        }
    });
    CHECK(most == 1);
    CHECK(zero == 0);
    CHECK(in + refused + out + gone == calls);
    CHECK(in > 0);
    CHECK(is_whole(queue));
}

TEST_CASE("admission_queue: may be asked and resized while threads use it") {
    admission_queue queue{{.permits = 2, .places = 4}};
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::atomic<std::int64_t> clock{0};
    auto const now = [&] { return t0 + 1us * clock.fetch_add(1, std::memory_order_relaxed); };
    std::jthread asks{[&] {
        for (std::uint32_t turn = 0; !done; ++turn) {
            auto const told = queue.wait_of(static_cast<std::uint8_t>(turn % 8), 1, now());
            if (told.is_known && told.at_least > told.expected) ++wrong;
            if (queue.retry_after(0, now()) < 1ms) ++wrong;
            if (queue.snapshot(now()).most_waiting > 4) ++wrong;
            queue.resize(1 + turn % 3, now()).ring_all();
        }
    }};
    support::on_threads(3, [&](int) {
        parking_spot spot;
        for (int i = 0; i != 2'000; ++i) {
            auto answer = queue.acquire(spot, 1, now());
            answer.to_wake.ring_all();
            bool held = answer.result == admitted::granted;
            if (answer.result == admitted::queued) {
                spot.await_wake();
                auto claim = queue.claim(spot, now());
                claim.to_wake.ring_all();
                held = claim.result == claimed::granted;
                spot.rearm();
            }
            if (held) queue.release(1, now()).ring_all();
        }
    });
    done = true;
    asks.join();
    CHECK(wrong == 0);
    CHECK(is_whole(queue));
}
