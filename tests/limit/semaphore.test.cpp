// SPDX-License-Identifier: BSL-1.0
#include <hawser/limit/semaphore.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"

#include <array>
#include <deque>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using hawser::acquired;
using hawser::claimed;
using hawser::semaphore;
using support::bell_log;
using support::counting_waiter;

static constexpr hawser::time_point t0{1h};

namespace {

/// A semaphore, and calls that come and go; who is woken is written down.
struct scene {
    explicit scene(hawser::semaphore_options const& options) : permits{options} {}

    acquired ask(counting_waiter& node, std::uint32_t count = 1) {
        node.log = &woken;
        return permits.acquire(node, count, t0).result;
    }
    bell_log release(std::uint32_t count = 1) {
        woken.clear();
        (void)permits.release(count, t0);
        return woken;
    }
    bell_log resize(std::uint32_t count) {
        woken.clear();
        (void)permits.resize(count, t0);
        return woken;
    }

    semaphore permits;
    bell_log woken;
};

bool is_whole(semaphore const& permits, std::uint32_t capacity) {
    auto const seen = permits.snapshot();
    return seen.capacity == capacity && seen.free == capacity && seen.held == 0 &&
           seen.on_the_way == 0 && seen.waiting == 0;
}

}  // namespace

TEST_CASE("semaphore: lends the permits it has, and no more") {
    semaphore permits{{.permits = 3}};
    CHECK(permits.try_acquire());
    CHECK(permits.try_acquire(2));
    CHECK_FALSE(permits.try_acquire());
    CHECK(permits.in_use() == 3);
    (void)permits.release(3, t0);
    CHECK(permits.try_acquire(3));
    (void)permits.release(3, t0);
    CHECK(is_whole(permits, 3));
}

TEST_CASE("semaphore: a request is granted whole or not at all") {
    semaphore permits{{.permits = 3, .places = 0}};
    REQUIRE(permits.try_acquire(2));
    CHECK_FALSE(permits.try_acquire(2));
    CHECK(permits.snapshot().free == 1);
    (void)permits.release(2, t0);
}

TEST_CASE("semaphore: a permit that is given back is the first waiter's") {
    scene on{{.permits = 1}};
    counting_waiter a{1}, b{2};
    REQUIRE(on.permits.try_acquire());
    CHECK(on.ask(a) == acquired::queued);
    CHECK(on.ask(b) == acquired::queued);

    CHECK(on.release() == bell_log{1});
    CHECK(a.granted);
    CHECK_FALSE(a.queued);
    CHECK(on.permits.snapshot().on_the_way == 1);
    CHECK(on.permits.snapshot().held == 0);
    CHECK(on.permits.claim(a, t0).result == claimed::granted);
    CHECK(on.permits.snapshot().on_the_way == 0);
    CHECK(on.permits.snapshot().held == 1);
    CHECK(on.release() == bell_log{2});
    CHECK(on.permits.claim(b, t0).result == claimed::granted);
    CHECK(on.release().empty());
    CHECK(is_whole(on.permits, 1));
}

TEST_CASE("semaphore: nobody takes a permit while somebody waits for more than there are") {
    scene on{{.permits = 3}};
    counting_waiter big{1}, small{2};
    REQUIRE(on.permits.try_acquire(2));
    REQUIRE(on.ask(big, 2) == acquired::queued);
    CHECK_FALSE(on.permits.try_acquire());  // One is free.
    CHECK(on.ask(small) == acquired::queued);
    CHECK(on.release(2) == bell_log{1, 2});
    CHECK(on.permits.snapshot().on_the_way == 3);
    for (auto* node : {&big, &small}) CHECK(on.permits.claim(*node, t0).result == claimed::granted);
    (void)on.release(3);
    CHECK(is_whole(on.permits, 3));
}

TEST_CASE("semaphore: a big request is not starved by small ones that keep coming") {
    scene on{{.permits = 4}};
    counting_waiter big{-1};
    REQUIRE(on.permits.try_acquire());
    REQUIRE(on.permits.try_acquire());
    REQUIRE(on.ask(big, 4) == acquired::queued);
    std::deque<counting_waiter> small;
    for (int id = 0; id != 20; ++id) CHECK(on.ask(small.emplace_back(id)) == acquired::queued);
    CHECK(on.release().empty());
    CHECK(on.release() == bell_log{-1});
    CHECK(on.permits.claim(big, t0).result == claimed::granted);
    CHECK(on.release(4) == bell_log{0, 1, 2, 3});
    for (auto& node : small) (void)on.permits.withdraw(node, t0);
    CHECK(is_whole(on.permits, 4));
}

TEST_CASE("semaphore: a request for more than all permits is refused at once") {
    scene on{{.permits = 4}};
    counting_waiter impossible, behind;
    CHECK(on.ask(impossible, 5) == acquired::too_large);
    CHECK(on.ask(impossible, ~0U) == acquired::too_large);
    CHECK_FALSE(impossible.queued);
    CHECK(on.ask(behind, 4) == acquired::granted);
    CHECK(on.ask(impossible, 5) == acquired::too_large);
    (void)on.release(4);
    CHECK(is_whole(on.permits, 4));
}

TEST_CASE("semaphore: the queue has as many places as it says") {
    scene on{{.permits = 1, .places = 2}};
    std::array<counting_waiter, 3> nodes;
    REQUIRE(on.permits.try_acquire());
    CHECK(on.ask(nodes[0]) == acquired::queued);
    CHECK(on.ask(nodes[1]) == acquired::queued);
    CHECK(on.ask(nodes[2]) == acquired::full);
    CHECK_FALSE(nodes[2].queued);
    CHECK(on.permits.withdraw(nodes[1], t0).bell_will_ring == false);
    CHECK(on.ask(nodes[2]) == acquired::queued);
    for (auto* node : {&nodes[0], &nodes[2]}) (void)on.permits.withdraw(*node, t0);
    (void)on.release();
    CHECK(is_whole(on.permits, 1));
}

TEST_CASE("semaphore: without places nobody waits") {
    scene on{{.permits = 1, .places = 0}};
    counting_waiter node;
    CHECK(on.ask(node) == acquired::granted);
    CHECK(on.ask(node) == acquired::full);
    CHECK(on.release().empty());
    CHECK(on.permits.try_acquire());
    (void)on.release();
}

TEST_CASE("semaphore: a withdrawn head lets the next that fits go") {
    scene on{{.permits = 3}};
    counting_waiter big{1}, second{2}, third{3};
    REQUIRE(on.permits.try_acquire());
    REQUIRE(on.ask(big, 3) == acquired::queued);
    REQUIRE(on.ask(second) == acquired::queued);
    REQUIRE(on.ask(third) == acquired::queued);

    auto gone = on.permits.withdraw(big, t0);

    CHECK_FALSE(gone.bell_will_ring);
    CHECK(gone.to_wake.ring_all() == 2);
    CHECK(on.woken == bell_log{2, 3});
    CHECK(big.rung == 0);
    CHECK_FALSE(big.queued);
}

TEST_CASE("semaphore: a waiter leaves the queue from anywhere, and the others keep their order") {
    auto const leaves = GENERATE(0, 1, 2, 3, 4);
    scene on{{.permits = 1}};
    REQUIRE(on.permits.try_acquire());
    std::deque<counting_waiter> nodes;
    bell_log left;
    for (int id = 0; id != 5; ++id) {
        REQUIRE(on.ask(nodes.emplace_back(id)) == acquired::queued);
        if (id != leaves) left.push_back(id);
    }
    auto const gone = on.permits.withdraw(nodes[static_cast<std::size_t>(leaves)], t0);
    CHECK_FALSE(gone.bell_will_ring);
    CHECK(gone.to_wake.empty());
    on.woken.clear();
    for (auto const id : left) {
        (void)on.permits.release(1, t0);
        CHECK(on.permits.claim(nodes[static_cast<std::size_t>(id)], t0).result == claimed::granted);
    }
    CHECK(on.woken == left);
    (void)on.permits.release(1, t0);
    CHECK(is_whole(on.permits, 1));
}

TEST_CASE("semaphore: a granted waiter that is withdrawn hands its permits on") {
    scene on{{.permits = 2}};
    counting_waiter both{1}, second{2}, third{3};
    REQUIRE(on.permits.try_acquire(2));
    REQUIRE(on.ask(both, 2) == acquired::queued);
    REQUIRE(on.ask(second) == acquired::queued);
    REQUIRE(on.ask(third) == acquired::queued);
    auto bells = on.permits.release(2, t0);  // Granted under the lock, not rung yet.

    auto gone = on.permits.withdraw(both, t0);

    CHECK(gone.bell_will_ring);
    CHECK(gone.to_wake.ring_all() == 2);
    CHECK(on.woken == bell_log{2, 3});
    CHECK(bells.ring_all() == 1);
    CHECK(both.rung == 1);
    CHECK(on.permits.snapshot().on_the_way == 2);
    CHECK(on.permits.snapshot().free == 0);
}

TEST_CASE("semaphore: permits of a granted waiter that is withdrawn are free if nobody waits") {
    scene on{{.permits = 2}};
    counting_waiter node;
    REQUIRE(on.permits.try_acquire(2));
    REQUIRE(on.ask(node, 2) == acquired::queued);
    (void)on.release(2);
    CHECK(on.permits.withdraw(node, t0).bell_will_ring);
    CHECK(is_whole(on.permits, 2));
    CHECK(on.permits.try_acquire(2));
    (void)on.release(2);
}

TEST_CASE("semaphore: a waiter whose wait is over is out of the queue, and the next goes") {
    scene on{{.permits = 2}};
    counting_waiter big{1}, small{2};
    REQUIRE(on.permits.try_acquire());
    REQUIRE(on.ask(big, 2) == acquired::queued);
    REQUIRE(on.ask(small) == acquired::queued);
    auto over = on.permits.claim(big, t0);
    CHECK(over.result == claimed::expired);
    CHECK_FALSE(big.queued);
    over.to_wake.ring_all();
    CHECK(on.woken == bell_log{2});
    CHECK(on.permits.claim(small, t0).result == claimed::granted);
    (void)on.release(2);
    CHECK(is_whole(on.permits, 2));
}

TEST_CASE("semaphore: shrinking below what is held waits for nobody, and the excess drains") {
    scene on{{.permits = 5}};
    for (int i = 0; i != 5; ++i) REQUIRE(on.permits.try_acquire());
    CHECK(on.resize(2).empty());
    CHECK(on.permits.snapshot().free == -3);
    CHECK(on.permits.snapshot().held == 5);
    CHECK(on.permits.capacity() == 2);
    for (int held = 4; held >= 2; --held) {
        (void)on.release();
        CHECK_FALSE(on.permits.try_acquire());
    }
    (void)on.release();
    CHECK(on.permits.try_acquire());
    CHECK_FALSE(on.permits.try_acquire());
    (void)on.release(2);
    CHECK(is_whole(on.permits, 2));
}

TEST_CASE("semaphore: growing again while it drains mints no permit") {
    scene on{{.permits = 5}};
    for (int i = 0; i != 5; ++i) REQUIRE(on.permits.try_acquire());
    (void)on.resize(2);
    (void)on.release();
    (void)on.resize(5);
    CHECK(on.permits.snapshot().free == 1);
    CHECK(on.permits.try_acquire());
    CHECK_FALSE(on.permits.try_acquire());
    (void)on.resize(1);
    (void)on.resize(5);
    CHECK_FALSE(on.permits.try_acquire());
    (void)on.release(5);
    CHECK(is_whole(on.permits, 5));
}

TEST_CASE("semaphore: waiters wait on while it drains, and get what it then has") {
    scene on{{.permits = 3}};
    counting_waiter node{1};
    REQUIRE(on.permits.try_acquire(3));
    REQUIRE(on.ask(node) == acquired::queued);
    (void)on.resize(1);
    CHECK(on.release().empty());
    CHECK(on.release().empty());
    CHECK(on.release() == bell_log{1});
}

TEST_CASE("semaphore: growing grants those that wait") {
    scene on{{.permits = 1}};
    std::deque<counting_waiter> nodes;
    REQUIRE(on.permits.try_acquire());
    for (int id = 0; id != 4; ++id) REQUIRE(on.ask(nodes.emplace_back(id)) == acquired::queued);
    CHECK(on.resize(3) == bell_log{0, 1});
    for (auto& node : nodes) (void)on.permits.withdraw(node, t0);
    (void)on.release();
    CHECK(is_whole(on.permits, 3));
}

TEST_CASE("semaphore: shrinking turns away who waits for more than there are now") {
    scene on{{.permits = 4}};
    counting_waiter big{1}, small{2}, bigger{3};
    REQUIRE(on.permits.try_acquire());
    REQUIRE(on.ask(big, 4) == acquired::queued);
    REQUIRE(on.ask(small) == acquired::queued);
    REQUIRE(on.ask(bigger, 3) == acquired::queued);

    CHECK(on.resize(2) == bell_log{1, 3, 2});

    CHECK(on.permits.claim(big, t0).result == claimed::turned_away);
    CHECK(on.permits.claim(small, t0).result == claimed::granted);
    CHECK(on.permits.withdraw(bigger, t0).bell_will_ring);
    (void)on.release(2);
    CHECK(is_whole(on.permits, 2));
}

TEST_CASE("semaphore: a release wakes as many as its permits serve, and not everybody") {
    scene on{{.permits = 4}};
    std::deque<counting_waiter> nodes;
    REQUIRE(on.permits.try_acquire(4));
    for (int id = 0; id != 10; ++id) REQUIRE(on.ask(nodes.emplace_back(id)) == acquired::queued);
    CHECK(on.release(1).size() == 1);
    CHECK(on.release(3).size() == 3);
    for (auto& node : nodes) (void)on.permits.withdraw(node, t0);
    CHECK(is_whole(on.permits, 4));
}

TEST_CASE("semaphore: a call is not woken for what it is told at once") {
    scene on{{.permits = 2}};
    counting_waiter first{1}, node{2};
    REQUIRE(on.permits.try_acquire(2));
    REQUIRE(on.ask(first) == acquired::queued);
    (void)on.release(2);
    CHECK(on.ask(node) == acquired::granted);
    CHECK(node.rung == 0);
    CHECK_FALSE(node.granted);
    CHECK(on.permits.snapshot().on_the_way == 1);
}

TEST_CASE("semaphore: the time is not asked for while nobody waits") {
    semaphore permits{{.permits = 1}};
    counting_waiter first, second;
    int asked = 0;
    auto const now = [&]() noexcept {
        ++asked;
        return t0;
    };
    CHECK(permits.acquire(first, 1, now).result == acquired::granted);
    (void)permits.release(1, now);
    CHECK(asked == 0);
    CHECK(permits.acquire(first, 1, now).result == acquired::granted);
    CHECK(permits.acquire(second, 1, now).result == acquired::queued);
    CHECK(asked == 1);
    CHECK(second.since == t0);
    CHECK(permits.release(1, now).ring_all() == 1);
    CHECK(asked == 2);
}

TEST_CASE("semaphore: says which option is out of range") {
    auto const message = [](std::uint32_t permits) -> std::string {
        try {
            semaphore const made{{.permits = permits}};
        } catch (std::invalid_argument const& why) {
            return why.what();
        }
        return "none";
    };
    for (auto const permits : {0U, 1'000'000'001U, ~0U})
        CHECK(message(permits) == "semaphore: permits is not in [1, 1000000000]");
    CHECK(message(1) == "none");
    CHECK(message(1'000'000'000) == "none");
    semaphore permits{{.permits = 7}};
    CHECK_THROWS_AS(permits.resize(0, t0), std::invalid_argument);
    CHECK_THROWS_AS(permits.resize(~0U, t0), std::invalid_argument);
    CHECK(is_whole(permits, 7));
}

TEST_CASE("semaphore: holds at the largest capacity, shrunk and grown") {
    constexpr auto most = semaphore::permits_max;
    scene on{{.permits = most}};
    REQUIRE(on.permits.try_acquire(most));
    (void)on.resize(1);
    CHECK(on.permits.snapshot().free == 1 - std::int64_t{most});
    (void)on.resize(most);
    CHECK(on.permits.snapshot().held == most);
    counting_waiter node{1};
    REQUIRE(on.ask(node, most) == acquired::queued);
    CHECK(on.release(most) == bell_log{1});
    CHECK(on.permits.withdraw(node, t0).bell_will_ring);
    CHECK(is_whole(on.permits, most));
}
