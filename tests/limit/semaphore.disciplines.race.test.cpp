// SPDX-License-Identifier: BSL-1.0
#include <hawser/limit/semaphore.hpp>

#include <hawser/compose/parking.hpp>
#include <hawser/containers/queueing/adaptive_lifo.hpp>
#include <hawser/containers/queueing/codel.hpp>
#include <hawser/containers/queueing/fair_by_key.hpp>
#include <hawser/containers/queueing/priority.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <cstdint>
#include <latch>
#include <random>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using hawser::acquired;
using hawser::claimed;
using hawser::parking_spot;
namespace queueing = hawser::queueing;

namespace {

/// Calls of one thread that wait, are turned away, or give up, on a semaphore that others use.
template <class Semaphore>
class caller {
public:
    caller(Semaphore& permits, std::atomic<std::int64_t>& clock, unsigned seed)
        : permits_{permits}, clock_{clock}, random_{seed} {}

    /// Whether the call holds what it asked for.
    bool enter(std::uint32_t count) {
        spot_.flow = random_() % 4;
        spot_.priority = static_cast<std::uint8_t>(random_() % 8);
        auto const result = permits_.acquire(spot_, count, now()).result;
        if (result != acquired::queued) return result == acquired::granted;
        auto holds = false;
        if (random_() % 3 == 0) {
            if (permits_.withdraw(spot_, now()).bell_will_ring) spot_.await_wake();
        } else {
            spot_.await_wake();
            holds = permits_.claim(spot_, now()).result == claimed::granted;
        }
        spot_.rearm();
        return holds;
    }
    void leave(std::uint32_t count) { (void)permits_.release(count, now()); }

private:
    /// Every look at the clock is half a millisecond later than the one before.
    hawser::time_point now() { return hawser::time_point{1h + (clock_ += 500) * 1us}; }

    Semaphore& permits_;
    std::atomic<std::int64_t>& clock_;
    std::mt19937 random_;
    parking_spot spot_;
};

}  // namespace

TEMPLATE_TEST_CASE("semaphore: threads in any order hold no more than there is, and lose none",
                   "[template]", queueing::fifo, queueing::adaptive_lifo, queueing::codel,
                   queueing::priority, queueing::fair_by_key) {
    hawser::basic_semaphore<TestType> permits{{.permits = 3, .places = 3}};
    std::atomic<std::int64_t> clock{0};
    std::atomic<std::uint32_t> inside{0}, too_many{0};
    std::latch start{5};
    {
        std::vector<std::jthread> threads;
        for (unsigned thread = 0; thread != 5; ++thread)
            threads.emplace_back([&, thread] {
                caller one{permits, clock, thread};
                start.arrive_and_wait();
                for (std::uint32_t i = 0; i != 3'000; ++i) {
                    auto const count = 1 + i % 3;
                    if (!one.enter(count)) continue;
                    if ((inside += count) > 3) ++too_many;
                    std::this_thread::yield();
                    inside -= count;
                    one.leave(count);
                }
            });
    }
    CHECK(too_many == 0);
    auto const seen = permits.snapshot();
    CHECK(seen.free == 3);
    CHECK(seen.on_the_way == 0);
    CHECK(seen.waiting == 0);
}
