// SPDX-License-Identifier: BSL-1.0
#include <hawser/limit/semaphore.hpp>

#include <hawser/compose/parking.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <cstdint>
#include <random>
#include <stop_token>
#include <thread>

using namespace std::chrono_literals;
using hawser::acquired;
using hawser::claimed;
using hawser::parking_spot;
using hawser::semaphore;

static constexpr hawser::time_point t0{1h};

namespace {

/// What a call that waits for its bell does. True if it then holds the permits.
bool wait_and_claim(semaphore& permits, parking_spot& spot) {
    spot.await_wake();
    auto const answer = permits.claim(spot, t0);
    spot.rearm();
    return answer.result == claimed::granted;
}

/// What a call whose wait is limited does: asked again whether its bell has rung or not.
bool claim_early(semaphore& permits, parking_spot& spot) {
    auto const answer = permits.claim(spot, t0);
    if (answer.result != claimed::expired) spot.await_wake();
    spot.rearm();
    return answer.result == claimed::granted;
}

/// What a call that is stopped does.
void withdraw(semaphore& permits, parking_spot& spot) {
    auto const gone = permits.withdraw(spot, t0);
    if (gone.bell_will_ring) spot.await_wake();
    spot.rearm();
}

bool is_whole(semaphore const& permits) {
    auto const seen = permits.snapshot();
    return seen.free == seen.capacity && seen.held == 0 && seen.on_the_way == 0 &&
           seen.waiting == 0;
}

/// Counts who is inside, and the most that ever were.
struct head_count {
    void enter(std::uint32_t count) {
        auto const now_in = in += count;
        for (auto seen = most.load(); seen < now_in;)
            if (most.compare_exchange_weak(seen, now_in)) break;
    }
    void leave(std::uint32_t count) { in -= count; }

    std::atomic<std::uint32_t> in{0}, most{0};
};

}  // namespace

TEST_CASE("semaphore: threads that only try never hold more than there is") {
    semaphore permits{{.permits = 3}};
    head_count inside;
    support::on_threads(4, [&](int thread) {
        auto const count = static_cast<std::uint32_t>(1 + thread % 3);
        for (int i = 0; i < 30'000; ++i) {
            if (!permits.try_acquire(count)) continue;
            inside.enter(count);
            inside.leave(count);
            (void)permits.release(count, t0);
        }
    });
    CHECK(inside.most <= 3);
    CHECK(is_whole(permits));
}

TEST_CASE("semaphore: one permit excludes, and hands on what was written under it") {
    semaphore permits{{.permits = 1}};
    std::uint64_t total = 0;  // Guarded by the permit alone.
    support::on_threads(4, [&](int) {
        parking_spot spot;
        for (int i = 0; i < 5'000; ++i) {
            // Whom it lets go first is rung at the end of this line, before it waits itself.
            auto const result = permits.acquire(spot, 1, t0).result;
            if (result == acquired::queued && !wait_and_claim(permits, spot)) continue;
            ++total;
            (void)permits.release(1, t0);
        }
    });
    CHECK(total == 20'000);
    CHECK(is_whole(permits));
}

TEST_CASE("semaphore: a grant that races with a withdrawal is run or given back, never both") {
    semaphore permits{{.permits = 1}};
    std::atomic<int> held{0}, withdrawn{0};
    for (int round = 0; round < 3'000; ++round) {
        REQUIRE(permits.try_acquire());
        parking_spot spot;
        REQUIRE(permits.acquire(spot, 1, t0).result == acquired::queued);
        support::on_threads(2, [&](int thread) {
            if (thread == 0) {
                (void)permits.release(1, t0);
            } else if (round % 2 == 0) {
                withdraw(permits, spot);
                ++withdrawn;
            } else if (claim_early(permits, spot)) {
                ++held;
                (void)permits.release(1, t0);
            }
        });
        REQUIRE(is_whole(permits));
    }
    CHECK(withdrawn == 1'500);
    CHECK(held <= 1'500);
}

TEST_CASE("semaphore: a permit that comes back while somebody queues for it is not missed") {
    constexpr int rounds = 100'000;
    semaphore permits{{.permits = 1}};
    std::atomic<int> go{0}, released{0};
    std::jthread const releaser{[&] {
        for (int round = 1; round <= rounds; ++round) {
            while (go != round) std::this_thread::yield();
            (void)permits.release(1, t0);
            released = round;
        }
    }};
    parking_spot spot;
    int missed = 0;
    for (int round = 1; round <= rounds; ++round) {
        REQUIRE(permits.try_acquire());  // For the other thread to give back.
        go = round;
        auto const result = permits.acquire(spot, 1, t0).result;
        while (released != round) std::this_thread::yield();
        if (result == acquired::queued) {  // By now its bell has rung, or it never will.
            missed += spot.is_woken() ? 0 : 1;
            if (!claim_early(permits, spot)) continue;
        }
        (void)permits.release(1, t0);
    }
    CHECK(missed == 0);
    CHECK(is_whole(permits));
}

TEST_CASE("semaphore: calls that wait, give up and are stopped lose no permit and hold no more") {
    auto const seed = GENERATE(1U, 2U, 3U);
    INFO("seed " << seed);
    semaphore permits{{.permits = 4, .places = 3}};
    head_count inside;
    std::atomic<std::uint64_t> given_back{0}, woken{0};
    support::on_threads(4, [&](int thread) {
        std::mt19937 random{seed * 100 + static_cast<unsigned>(thread)};
        parking_spot spot;
        for (int i = 0; i < 5'000; ++i) {
            auto const count = static_cast<std::uint32_t>(1 + random() % 4);
            auto holds = false;
            switch (permits.acquire(spot, count, t0).result) {
                case acquired::granted: holds = true; break;
                case acquired::queued:
                    if (auto const how = random() % 3; how == 0)
                        holds = wait_and_claim(permits, spot);
                    else if (how == 1)
                        holds = claim_early(permits, spot);
                    else
                        withdraw(permits, spot);
                    break;
                default: break;
            }
            if (!holds) continue;
            inside.enter(count);
            inside.leave(count);
            given_back += count;
            woken += permits.release(count, t0).ring_all();
        }
    });
    CHECK(inside.most <= 4);
    CHECK(woken <= given_back);
    CHECK(is_whole(permits));
}

TEST_CASE("semaphore: resizing while calls come and go loses and mints no permit") {
    semaphore permits{{.permits = 4, .places = 100}};
    std::atomic<bool> done{false};
    std::jthread const resizer{[&] {
        std::mt19937 random{7};
        while (!done) {
            (void)permits.resize(static_cast<std::uint32_t>(1 + random() % 8), t0);
            auto const seen = permits.snapshot();
            if (seen.free + seen.held + seen.on_the_way != seen.capacity) std::terminate();
            std::this_thread::yield();
        }
    }};
    head_count inside;
    support::on_threads(3, [&](int thread) {
        std::mt19937 random{static_cast<unsigned>(thread)};
        parking_spot spot;
        for (int i = 0; i < 4'000; ++i) {
            auto const count = static_cast<std::uint32_t>(1 + random() % 4);
            auto const result = permits.acquire(spot, count, t0).result;
            if (result == acquired::queued ? !wait_and_claim(permits, spot)
                                           : result != acquired::granted)
                continue;
            inside.enter(count);
            inside.leave(count);
            (void)permits.release(count, t0);
        }
    });
    done = true;
    CHECK(inside.most <= 8);
    while (!is_whole(permits)) std::this_thread::yield();
}
