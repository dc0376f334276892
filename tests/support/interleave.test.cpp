// SPDX-License-Identifier: BSL-1.0
//
// The model checker itself: that it tries what it says, and finds what is there to be found.
#include "support/interleave.hpp"

#include "support/catch.hpp"

#include <set>
#include <string>
#include <utility>

using support::explore;
using support::interleaved;

TEST_CASE("interleave: tries every order of operations that matter to each other") {
    for (auto const& [preemptions, orders] : {std::pair{0, 2}, {1, 6}, {9, 20}}) {
        std::set<std::string> seen;
        (void)explore({.preemptions = preemptions}, [&](support::run& run) {
            interleaved::atomic<int> shared{0};
            std::string order;
            for (auto const who : {'a', 'b'})
                run.fiber([&, who] {
                    for (int n = 0; n != 3; ++n) {
                        (void)shared.fetch_or(1);
                        order += who;
                    }
                });
            run.go();
            seen.insert(order);
        });
        INFO(preemptions << " preemptions");
        CHECK(seen.size() == static_cast<std::size_t>(orders));
    }
}

TEST_CASE("interleave: finds a lost update, with one preemption and not without") {
    auto const played = [](int preemptions) {
        return explore({.preemptions = preemptions}, [](support::run& run) {
            interleaved::atomic<int> count{0};
            for (int who = 0; who != 2; ++who) run.fiber([&] { count.store(count.load() + 1); });
            run.go();
            run.check(count.load() == 2, "lost");
        });
    };
    CHECK(played(0).failure == "");
    CHECK(played(1).failure.starts_with("lost; schedule "));
}

TEST_CASE("interleave: a lock excludes, and who waits for it is not a preemption") {
    auto const seen = explore({.preemptions = 3}, [](support::run& run) {
        interleaved::mutex lock;
        interleaved::atomic<int> count{0};
        for (int who = 0; who != 3; ++who)
            run.fiber([&] {
                lock.lock();
                count.store(count.load() + 1);
                lock.unlock();
            });
        run.go();
        run.check(count.load() == 3, "lost");
    });
    CHECK(seen.failure == "");
    CHECK(seen.schedules >= 6);
}

TEST_CASE("interleave: who spins goes on when somebody has written, and not before") {
    auto const seen = explore({.preemptions = 2}, [](support::run& run) {
        interleaved::atomic<int> ready{0};
        run.fiber([&] {
            while (ready.load() != 2) interleaved::pause();
        });
        run.fiber([&] { ready.store(1); });
        run.fiber([&] {
            while (ready.load() != 1) interleaved::yield();
            ready.store(2);
        });
        run.go();
    });
    CHECK(seen.failure == "");
    CHECK(seen.longest < 100);
}

TEST_CASE("interleave: at rest begins when nobody else can go on") {
    auto const seen = explore({.preemptions = 2}, [](support::run& run) {
        auto open = false;
        int waiting = 0;
        for (int who = 0; who != 2; ++who)
            run.fiber([&] {
                run.point();
                ++waiting;
                run.wait_until([&] { return open; });
            });
        run.at_rest([&] {
            run.check(waiting == 2, "somebody could have gone on");
            open = true;
        });
        run.go();
    });
    CHECK(seen.failure == "");
}

TEST_CASE("interleave: a choice is made in each way, once") {
    std::multiset<std::size_t> seen;
    auto const all = explore({}, [&](support::run& run) {
        auto const first = run.choose(3);
        seen.insert(first == 2 ? 20 : 10 * first + run.choose(2));
    });
    CHECK(seen == std::multiset<std::size_t>{0, 1, 10, 11, 20});
    CHECK(all.schedules == 5);
}
