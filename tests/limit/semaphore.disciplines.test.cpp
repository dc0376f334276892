// SPDX-License-Identifier: BSL-1.0
//
// The semaphore in the orders of its disciplines: who is let in, who is turned away, and that no
// permit is lost over it.
#include <hawser/limit/semaphore.hpp>

#include <hawser/containers/queueing/adaptive_lifo.hpp>
#include <hawser/containers/queueing/codel.hpp>
#include <hawser/containers/queueing/fair_by_key.hpp>
#include <hawser/containers/queueing/priority.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"

#include <cstdint>
#include <deque>
#include <random>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using hawser::acquired;
using hawser::basic_semaphore;
using hawser::claimed;
using support::bell_log;
using support::counting_waiter;
namespace queueing = hawser::queueing;

static constexpr hawser::time_point t0{1h};

namespace {

template <class Discipline>
struct scene {
    template <class... Args>
    explicit scene(hawser::semaphore_options const& options, Args&&... discipline)
        : permits{options, std::forward<Args>(discipline)...} {}
    ~scene() {
        for (auto& node : nodes)
            if (node.queued || node.granted) (void)permits.withdraw(node, t0);
    }

    counting_waiter& call() { return nodes.emplace_back(static_cast<int>(nodes.size()), &woken); }
    acquired ask(counting_waiter& node, hawser::time_point now, std::uint32_t count = 1) {
        woken.clear();
        return permits.acquire(node, count, now).result;
    }
    bell_log release(hawser::time_point now) {
        woken.clear();
        (void)permits.release(1, now);
        return woken;
    }
    claimed claim(counting_waiter& node) {
        auto const result = permits.claim(node, t0).result;
        node.rearm();
        return result;
    }

    bell_log woken;
    std::deque<counting_waiter> nodes;
    basic_semaphore<Discipline> permits;
};

}  // namespace

TEST_CASE("semaphore: with priorities, a higher class that comes later is let in first") {
    scene<queueing::priority> on{{.permits = 1}};
    REQUIRE(on.permits.try_acquire());
    auto &low = on.call(), &high = on.call();
    high.priority = 5;
    CHECK(on.ask(low, t0) == acquired::queued);
    CHECK(on.ask(high, t0 + 1ms) == acquired::queued);
    CHECK(on.release(t0 + 2ms) == bell_log{1});
    CHECK(on.release(t0 + 3ms) == bell_log{0});
}

TEST_CASE("semaphore: with priorities, who comes first in order and finds enough does not wait") {
    scene<queueing::priority> on{{.permits = 3}};
    REQUIRE(on.permits.try_acquire(2));
    auto &big = on.call(), &high = on.call();
    high.priority = 5;
    REQUIRE(on.ask(big, t0, 3) == acquired::queued);
    CHECK(on.ask(high, t0) == acquired::granted);
    CHECK_FALSE(high.granted);  // It holds a permit; there is no bell to wait for.
    CHECK(on.permits.snapshot().on_the_way == 0);
    CHECK(on.permits.snapshot().held == 3);
}

TEST_CASE("semaphore: with priorities, a full queue turns the last away for a higher class") {
    scene<queueing::priority> on{{.permits = 1, .places = 2}};
    REQUIRE(on.permits.try_acquire());
    auto &first = on.call(), &last = on.call(), &high = on.call(), &low = on.call();
    high.priority = 1;
    REQUIRE(on.ask(first, t0) == acquired::queued);
    REQUIRE(on.ask(last, t0 + 1ms) == acquired::queued);
    CHECK(on.ask(low, t0 + 2ms) == acquired::full);
    CHECK(on.woken.empty());
    CHECK(on.ask(high, t0 + 2ms) == acquired::queued);
    CHECK(on.woken == bell_log{last.id});
    CHECK(on.claim(last) == claimed::turned_away);
    CHECK(on.permits.snapshot().waiting == 2);
}

TEST_CASE("semaphore: with controlled delay, late waiters are turned away and the next is let in") {
    scene<queueing::codel> on{{.permits = 1}};
    REQUIRE(on.permits.try_acquire());
    for (int i = 0; i != 5; ++i) REQUIRE(on.ask(on.call(), t0) == acquired::queued);
    CHECK(on.release(t0 + 10ms) == bell_log{0});  // Above the target: from now an interval on.
    CHECK(on.claim(on.nodes[0]) == claimed::granted);
    CHECK(on.release(t0 + 110ms) == bell_log{1, 2});
    CHECK(on.claim(on.nodes[1]) == claimed::turned_away);
    CHECK(on.claim(on.nodes[2]) == claimed::granted);
    CHECK(on.permits.snapshot().held == 1);
}

TEST_CASE("semaphore: newest first once the queue stands, and a full one gives up its oldest") {
    scene<queueing::adaptive_lifo> on{{.permits = 1, .places = 3}};
    REQUIRE(on.permits.try_acquire());
    for (int i = 0; i != 3; ++i) REQUIRE(on.ask(on.call(), t0) == acquired::queued);
    CHECK(on.ask(on.call(), t0 + 100ms) == acquired::full);
    CHECK(on.ask(on.call(), t0 + 101ms) == acquired::queued);
    CHECK(on.woken == bell_log{0});
    CHECK(on.release(t0 + 102ms) == bell_log{4});
    CHECK(on.release(t0 + 102ms) == bell_log{2});
}

TEST_CASE("semaphore: with fair shares, a flow of one is let in beside a flow of many") {
    scene<queueing::fair_by_key> on{{.permits = 1, .places = 4}};
    REQUIRE(on.permits.try_acquire());
    for (int i = 0; i != 4; ++i) REQUIRE(on.ask(on.call(), t0) == acquired::queued);
    auto& other = on.call();
    other.flow = 1;
    CHECK(on.ask(other, t0) == acquired::queued);
    CHECK(on.woken == bell_log{3});  // The newest of those that have all places gives up its own.
    CHECK(on.release(t0) == bell_log{0});
    CHECK(on.release(t0) == bell_log{other.id});
}

TEMPLATE_TEST_CASE("semaphore: in any order, every call ends in one way and no permit is lost",
                   "[template]", queueing::fifo, queueing::adaptive_lifo, queueing::codel,
                   queueing::priority, queueing::fair_by_key) {
    for (unsigned seed = 1; seed <= 400; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random{seed};
        auto const below = [&](std::size_t limit) {
            return static_cast<std::uint32_t>(random() % limit);
        };
        basic_semaphore<TestType> permits{{.permits = 1 + below(5), .places = below(12)}};
        bell_log woken;
        std::deque<counting_waiter> nodes;
        std::vector<counting_waiter*> asleep;
        std::vector<std::uint32_t> held;
        std::uint32_t held_now = 0;
        auto now = t0;
        auto const end_a_wait = [&](std::size_t index, bool asked_again) {
            auto& node = *asleep[index];
            asleep.erase(asleep.begin() + static_cast<std::ptrdiff_t>(index));
            auto const granted = node.granted, gets = granted && !node.turned_away;
            if (!asked_again) {
                REQUIRE(permits.withdraw(node, now).bell_will_ring == granted);
            } else {
                auto const result = permits.claim(node, now).result;
                REQUIRE((result == claimed::granted) == gets);
                REQUIRE((result == claimed::expired) == !granted);
                if (gets) held.push_back(node.permits);
                if (gets) held_now += node.permits;
            }
            REQUIRE(node.rung == (granted ? 1 : 0));
            REQUIRE_FALSE(node.queued);
        };
        auto const give_back = [&](std::size_t index) {
            auto const count = held[index];
            held.erase(held.begin() + static_cast<std::ptrdiff_t>(index));
            held_now -= count;
            (void)permits.release(count, now);
        };
        for (int step = 0; step != 150; ++step) {
            now += std::chrono::milliseconds{below(20)};
            auto const what = below(100);
            if (what < 50) {
                auto& node = nodes.emplace_back(static_cast<int>(nodes.size()), &woken);
                node.priority = static_cast<std::uint8_t>(below(9));
                node.flow = below(5);
                auto const count = 1 + below(3);
                auto const result = permits.acquire(node, count, now).result;
                if (result == acquired::queued) asleep.push_back(&node);
                if (result == acquired::granted) held.push_back(count);
                if (result == acquired::granted) held_now += count;
                REQUIRE_FALSE(node.granted);
            } else if (what < 70 && !held.empty()) {
                give_back(below(held.size()));
            } else if (what < 95 && !asleep.empty()) {
                end_a_wait(below(asleep.size()), what < 88);
            } else if (what >= 98) {
                (void)permits.resize(1 + below(6), now);
            }
            auto const seen = permits.snapshot();
            std::uint32_t on_the_way = 0;
            std::size_t waiting = 0;
            for (auto const* node : asleep) {
                if (!node->granted) ++waiting;
                if (node->granted && !node->turned_away) on_the_way += node->permits;
            }
            REQUIRE(seen.held == held_now);
            REQUIRE(seen.on_the_way == on_the_way);
            REQUIRE(seen.waiting == waiting);
            REQUIRE(seen.free + seen.held + seen.on_the_way == seen.capacity);
        }
        while (!asleep.empty()) end_a_wait(0, false);
        while (!held.empty()) give_back(0);
        REQUIRE(permits.snapshot().free == permits.capacity());
        REQUIRE(permits.snapshot().waiting == 0);
    }
}
