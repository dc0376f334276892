// SPDX-License-Identifier: BSL-1.0
#include <hawser/limit/admission_queue.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <deque>
#include <queue>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using hawser::admission_options;
using hawser::admission_queue;
using hawser::admitted;
using hawser::claimed;
using hawser::duration;
using hawser::time_point;
using support::bell_log;
using support::counting_waiter;

static constexpr time_point t0{1h};

namespace {

/// What a server is given to do. Times are drawn from the seed alone.
struct server_load {
    unsigned seed = 1;
    std::uint32_t permits = 10;
    duration service = 10ms;       ///< Of one call, on average,
    bool varies = true;            ///< exponentially, or always.
    std::array<double, 8> rate{};  ///< Calls a second, of each class.
    duration patience = hawser::never;
    bool says_so = true;  ///< To the queue.
    duration length = 5s;
};

/// A server in virtual time: calls come, wait, are served or not.
class server {
public:
    struct call {
        call(int id, bell_log& bells) : node{id, &bells} {}
        counting_waiter node;
        time_point came{};
        duration patience = hawser::never;
        hawser::wait_estimate told{};
        enum { waiting, served, too_late, full, turned_away, expired } end = waiting;
        duration waited{};       ///< Until that end.
        duration retry_after{};  ///< If refused.
    };

    server(server_load const& load, admission_options options)
        : load_{load}, random_{load.seed}, queue{(options.permits = load.permits, options)} {}

    void run() {
        for (std::size_t rank = 0; rank != 8; ++rank) come_next(rank, t0);
        while (!events_.empty()) {
            auto const next = events_.top();
            events_.pop();
            now = next.at;
            if (next.what == kind::comes) arrive(next.of);
            if (next.what == kind::done) queue.release(1, now).ring_all();
            if (next.what == kind::gives_up) give_up(calls[next.of]);
            hear_bells();
        }
    }

    std::deque<call> calls;
    time_point now = t0;

private:
    enum class kind { done, gives_up, comes };
    struct event {
        time_point at;
        kind what;
        std::size_t of;
        std::uint64_t turn;
        bool operator<(event const& other) const {
            return at != other.at ? at > other.at : turn > other.turn;
        }
    };

    void after(duration wait, kind what, std::size_t of) {
        events_.push({now + wait, what, of, ++turns_});
    }
    duration drawn(double mean) {
        auto const u = std::uniform_real_distribution<>{1e-9, 1}(random_);
        return duration{static_cast<duration::rep>(-mean * std::log(u))};
    }
    void come_next(std::size_t rank, time_point from) {
        if (load_.rate[rank] <= 0) return;
        now = from;
        auto const gap = drawn(1e9 / load_.rate[rank]);
        if (from + gap < t0 + load_.length) after(gap, kind::comes, rank);
    }
    void arrive(std::size_t rank) {
        auto const id = static_cast<int>(calls.size());
        auto& one = calls.emplace_back(id, bells_);
        one.came = now;
        one.node.priority = static_cast<std::uint8_t>(rank);
        one.patience = load_.patience == hawser::never
                           ? hawser::never
                           : drawn(static_cast<double>(load_.patience.count()));
        one.told = queue.wait_of(one.node.priority, 1, now);
        auto answer = queue.acquire(one.node, 1, now, load_.says_so ? one.patience : hawser::never);
        one.retry_after = answer.retry_after;
        switch (answer.result) {
            case admitted::granted: start(one); break;
            case admitted::queued:
                if (one.patience != hawser::never)
                    after(one.patience, kind::gives_up, static_cast<std::size_t>(id));
                break;
            case admitted::full: end(one, call::full); break;
            case admitted::too_late: end(one, call::too_late); break;
            case admitted::turned_away: end(one, call::turned_away); break;
            case admitted::too_large: FAIL("no call is too large");
        }
        answer.to_wake.ring_all();
        come_next(rank, now);
    }
    void start(call& one) {
        end(one, call::served);
        auto const mean = static_cast<double>(load_.service.count());
        after(load_.varies ? drawn(mean) : load_.service, kind::done, 0);
    }
    void end(call& one, decltype(call::end) how) {
        one.end = how;
        one.waited = now - one.came;
    }
    void give_up(call& one) {
        if (one.end != call::waiting) return;
        auto answer = queue.claim(one.node, now);
        REQUIRE(answer.result == claimed::expired);
        one.retry_after = queue.retry_after(one.node.priority, now, one.patience);
        end(one, call::expired);
        answer.to_wake.ring_all();
    }
    void hear_bells() {
        while (!bells_.empty()) {
            auto const rung = std::exchange(bells_, {});
            for (auto const id : rung) {
                auto& one = calls[static_cast<std::size_t>(id)];
                auto answer = queue.claim(one.node, now);
                if (answer.result == claimed::granted) {
                    start(one);
                } else {
                    one.retry_after = queue.retry_after(one.node.priority, now);
                    end(one, call::turned_away);
                }
                answer.to_wake.ring_all();
            }
        }
    }

    server_load load_;
    std::mt19937_64 random_;
    std::priority_queue<event> events_;
    std::uint64_t turns_ = 0;
    bell_log bells_;

public:
    admission_queue queue;
};

using call = server::call;

duration p99_wait(server const& it, std::size_t rank, time_point from) {
    std::vector<duration> waits;
    for (auto const& one : it.calls)
        if (one.node.priority == rank && one.end == call::served && one.came >= from)
            waits.push_back(one.waited);
    REQUIRE(waits.size() > 100);
    std::sort(waits.begin(), waits.end());
    return waits[waits.size() * 99 / 100];
}
auto count_of(server const& it, std::size_t rank, decltype(call::end) how) {
    return std::count_if(it.calls.begin(), it.calls.end(), [&](call const& one) {
        return one.node.priority == rank && one.end == how;
    });
}

/// A queue in which all permits are out, and whose turns are known: one each `gap`.
struct paced_queue {
    explicit paced_queue(admission_options const& options = {.permits = 1, .places = 1000},
                         duration gap = 1ms)
        : queue{options} {
        REQUIRE(queue.try_acquire(options.permits));
        for (int i = 0; i != 70; ++i) wait();
        for (int i = 0; i != 69; ++i) serve(now += gap);
        (void)queue.withdraw(nodes.back(), now);
    }
    ~paced_queue() {
        for (auto& node : nodes)
            if (node.queued) (void)queue.withdraw(node, now);
    }
    counting_waiter& wait(int priority = 3) {
        auto& node = nodes.emplace_back();
        node.priority = static_cast<std::uint8_t>(priority);
        REQUIRE(queue.acquire(node, 1, now).result == admitted::queued);
        return node;
    }
    /// A permit comes back, and whoever is next has it.
    void serve(time_point at) {
        queue.release(1, at).ring_all();
        for (auto& node : nodes)
            if (node.granted && node.rung == 1 && ++node.rung != 0) (void)queue.claim(node, at);
    }

    time_point now = t0;
    std::deque<counting_waiter> nodes;
    admission_queue queue;
};

}  // namespace

TEST_CASE(
    "admission_queue: at twice the load waits stay near the target, and the high lose nobody") {
    for (unsigned seed = 1; seed <= 4; ++seed) {
        INFO("seed " << seed);
        server_load load{.seed = seed, .length = 10s};
        load.rate[6] = 400;
        load.rate[3] = 800;
        load.rate[1] = 800;
        server it{load, {.places = 1000}};
        it.run();

        CHECK(count_of(it, 6, call::served) + 0 ==
              std::count_if(it.calls.begin(), it.calls.end(),
                            [](call const& one) { return one.node.priority == 6; }));
        CHECK(p99_wait(it, 6, t0 + 500ms) < 10ms);
        CHECK(p99_wait(it, 3, t0 + 500ms) < 11ms);
        auto const served = count_of(it, 6, call::served) + count_of(it, 3, call::served) +
                            count_of(it, 1, call::served);
        CHECK(served > 9'500);  // Of a capacity of 10 000: it does not shed what it could serve.
        CHECK(count_of(it, 1, call::served) < 1'200);  // When nobody else waits.
        CHECK(count_of(it, 3, call::turned_away) > 0);
        for (auto const& one : it.calls)
            if (one.end != call::served) REQUIRE(one.retry_after >= 100ms);  // It stands.
        auto const seen = it.queue.snapshot(it.now);
        CHECK(seen.permits.free == 10);
        CHECK(seen.permits.waiting == 0);
    }
}

TEST_CASE("admission_queue: below its capacity it turns nobody away") {
    server_load load{.seed = 5, .varies = false, .length = 5s};
    load.rate[3] = 300;
    load.rate[5] = 300;
    server it{load, {}};
    it.run();
    for (auto const& one : it.calls) REQUIRE(one.end == call::served);
}

TEST_CASE("admission_queue: hardly anybody waits less than it is said that they do at least") {
    int said = 0, wrong = 0;
    for (unsigned seed = 1; seed <= 24; ++seed) {
        INFO("seed " << seed);
        auto const varies = seed % 2 == 0;
        server_load load{.seed = seed, .permits = seed % 3 == 0 ? 1U : 10U, .varies = varies};
        load.service = load.permits * 1ms;
        load.rate[seed % 5] = 500 + 40.0 * (seed % 12);
        load.rate[5] = 450;
        server it{load, {.places = 1000, .queue = {.interval = seed % 4 == 0 ? 2000ms : 100ms}}};
        it.run();
        int said_here = 0, wrong_here = 0;
        for (auto const& one : it.calls) {
            if (one.end != call::served || one.told.at_least <= 0ns) continue;
            ++said_here;
            if (one.waited < one.told.at_least) ++wrong_here;
            if (!varies && load.permits == 1) REQUIRE(one.waited >= one.told.at_least);
        }
        said += said_here;
        wrong += wrong_here;
    }
    INFO(wrong << " of " << said);
    CHECK(said > 10'000);
    CHECK(wrong <= said / 40);
}

TEST_CASE("admission_queue: who would wait too long is refused at once, and few wait in vain") {
    for (unsigned seed = 1; seed <= 4; ++seed) {
        INFO("seed " << seed);
        auto const varies = seed % 2 == 0;
        server_load load{.seed = seed, .permits = varies ? 10U : 1U, .varies = varies};
        load.service = load.permits * 1ms;
        load.patience = 20ms;
        load.rate[3] = 1200;
        admission_options const options{.places = 1000, .queue = {.interval = 500ms}};
        server told{load, options};
        told.run();
        load.says_so = false;
        server untold{load, options};
        untold.run();

        CHECK(count_of(told, 3, call::too_late) > 100);
        for (auto const& one : told.calls)
            if (one.end == call::too_late) {
                REQUIRE(one.waited == 0ns);
                REQUIRE(one.told.is_known);
                REQUIRE(one.patience < one.told.at_least);
            }
        // As the turns vary, so does what can be promised.
        CHECK(count_of(told, 3, call::expired) <
              count_of(untold, 3, call::expired) * (varies ? 8 : 5) / 10);
        CHECK(count_of(told, 3, call::served) > count_of(untold, 3, call::served) * 98 / 100);
    }
}

TEST_CASE("admission_queue: without data it refuses nobody for a wait") {
    admission_queue queue{{.permits = 1, .places = 100}};
    REQUIRE(queue.try_acquire());
    std::deque<counting_waiter> nodes(100);
    for (auto& node : nodes) {
        auto const told = queue.wait_of(0, 1, t0);
        CHECK_FALSE(told.is_known);
        CHECK(told.at_least == 0ns);
        CHECK(queue.acquire(node, 1, t0, 1ns).result == admitted::queued);
    }
    CHECK(queue.retry_after(0, t0) == 100ms);  // An interval.
    for (auto& node : nodes) (void)queue.withdraw(node, t0);
}

TEST_CASE("admission_queue: what was measured long ago is no data") {
    paced_queue on;
    CHECK(on.queue.wait_of(3, 1, on.now + 10s).is_known);
    CHECK_FALSE(on.queue.wait_of(3, 1, on.now + 10s + 1ns).is_known);
}

TEST_CASE("admission_queue: expects what those before one, and it, take to be served") {
    paced_queue on;
    for (int i = 0; i != 20; ++i) on.wait(3);
    for (int i = 0; i != 10; ++i) on.wait(5);
    for (int i = 0; i != 5; ++i) on.wait(1);
    auto const expects = [&](std::uint8_t priority, duration wait, duration at_least) {
        auto const told = on.queue.wait_of(priority, 1, on.now);
        CHECK(told.is_known);
        CHECK(std::chrono::abs(told.expected - wait) <= 10us);
        CHECK(std::chrono::abs(told.at_least - at_least) <= 10us);
    };
    expects(7, 1ms, 0ms);  // The turn under way may end at once.
    expects(5, 11ms, 10ms);
    expects(3, 31ms, 30ms);
    expects(0, 36ms, 35ms);

    counting_waiter late;
    late.priority = 3;
    CHECK(on.queue.acquire(late, 1, on.now, 29ms).result == admitted::too_late);
    CHECK_FALSE(late.queued);
    CHECK(on.queue.acquire(late, 1, on.now, 31ms).result == admitted::queued);
    (void)on.queue.withdraw(late, on.now);
}

TEST_CASE("admission_queue: promises nothing beyond the time in which the queue is in order") {
    paced_queue on;
    for (int i = 0; i != 500; ++i) on.wait(3);
    CHECK(on.queue.wait_of(3, 1, on.now).expected > 400ms);
    CHECK(on.queue.wait_of(3, 1, on.now).at_least <= 105ms);
    CHECK(on.queue.wait_of(3, 1, on.now + 105ms).at_least == 0ns);
}

TEST_CASE("admission_queue: says when the queue is short again, rounded up and never zero") {
    paced_queue on;
    for (int i = 0; i != 30; ++i) on.wait(3);
    // 31 ms for one more, of which 5 are good; for a shorter patience, fewer are.
    auto const soon = on.queue.retry_after(3, on.now);
    CHECK((soon == 26ms || soon == 27ms));
    auto const later = on.queue.retry_after(3, on.now, 1ms);
    CHECK(later == soon + 4ms);
    CHECK(on.queue.retry_after(4, on.now) == 1ms);  // Nobody before it.
    for (auto left = soon / 1ms; left > 0; --left) on.serve(on.now += 1ms);
    CHECK(on.queue.wait_of(3, 1, on.now).expected <= 5ms + 10us);
}

TEST_CASE("admission_queue: a queue that stands, or does not move, is not said to be short soon") {
    paced_queue on;
    on.wait(3);
    CHECK(on.queue.retry_after(7, on.now + 50ms) == 50ms);
    CHECK(on.queue.retry_after(7, on.now + 105ms) == 105ms);
    CHECK(on.queue.retry_after(7, on.now + 3s + 1ns) == 3001ms);
    CHECK(on.queue.retry_after(7, on.now + 1h) == 10s);
}

TEST_CASE("admission_queue: never says to wait for longer than it may") {
    paced_queue on{{.permits = 1, .places = 1000, .retry_after_max = 20'500us}};
    for (int i = 0; i != 100; ++i) on.wait(3);
    CHECK(on.queue.retry_after(3, on.now) == 20'500us);
}

TEST_CASE("admission_queue: says why it refuses, and counts it") {
    admission_queue queue{{.permits = 2, .places = 2}};
    REQUIRE(queue.try_acquire(2));
    counting_waiter low, middle, high, other, big;
    low.priority = 1, middle.priority = 3, high.priority = 5, other.priority = 1;

    auto const too_large = queue.acquire(big, 3, t0);
    CHECK(too_large.result == admitted::too_large);
    CHECK(too_large.retry_after == hawser::never);
    REQUIRE(queue.acquire(low, 1, t0).result == admitted::queued);
    REQUIRE(queue.acquire(middle, 1, t0).result == admitted::queued);
    auto const full = queue.acquire(other, 1, t0);
    CHECK(full.result == admitted::full);
    CHECK(full.retry_after == 100ms);
    {
        auto answer = queue.acquire(high, 1, t0);
        CHECK(answer.result == admitted::queued);
    }
    CHECK(low.rung == 1);
    CHECK(queue.claim(low, t0).result == claimed::turned_away);

    (void)queue.withdraw(middle, t0);
    queue.release(1, t0 + 7ms).ring_all();
    CHECK(queue.claim(high, t0 + 7ms).result == claimed::granted);
    auto const seen = queue.snapshot(t0 + 7ms);
    CHECK(seen.most_waiting == 2);
    CHECK(std::chrono::abs(seen.p99_wait - 7ms) < 120us);
    CHECK(seen.counts.served == 1);
    CHECK(seen.counts.displaced == 1);
    CHECK(seen.counts.full == 1);
    CHECK(seen.counts.shed == 0);
    CHECK(seen.counts.too_late == 0);
    CHECK(seen.permits.held == 2);
}

TEST_CASE("admission_queue: counts those that it sheds, and those that would be too late") {
    server_load load{.seed = 3, .patience = 50ms, .length = 2s};
    load.rate[3] = 2000;
    server it{load, {.places = 30}};
    it.run();
    auto const counts = it.queue.snapshot(it.now).counts;
    CHECK(static_cast<long>(counts.too_late) == count_of(it, 3, call::too_late));
    CHECK(static_cast<long>(counts.full) == count_of(it, 3, call::full));
    CHECK(static_cast<long>(counts.shed + counts.displaced) == count_of(it, 3, call::turned_away));
    CHECK(counts.shed > 0);
    CHECK(counts.displaced > 0);
    CHECK(it.queue.snapshot(it.now).most_waiting <= 30);
}

TEST_CASE("admission_queue: a comer that the queue sheds is turned away, not out of place") {
    admission_queue queue{{.permits = 2}};
    REQUIRE(queue.try_acquire(2));
    counting_waiter first, second, low;
    first.priority = second.priority = 5;
    REQUIRE(queue.acquire(first, 2, t0).result == admitted::queued);
    REQUIRE(queue.acquire(second, 2, t0).result == admitted::queued);
    queue.release(2, t0 + 6ms).ring_all();
    REQUIRE(queue.claim(first, t0 + 6ms).result == claimed::granted);
    // One is free, for who needs two and is late: a lower one is what there is to shed.
    queue.release(1, t0 + 110ms).ring_all();

    auto const answer = queue.acquire(low, 1, t0 + 111ms);

    CHECK(answer.result == admitted::turned_away);
    CHECK(answer.retry_after >= 100ms);
    CHECK(queue.snapshot(t0 + 111ms).counts.shed == 1);
    CHECK(queue.snapshot(t0 + 111ms).counts.full == 0);
    (void)queue.withdraw(second, t0 + 111ms);
    (void)queue.release(1, t0 + 111ms);
}

TEST_CASE("admission_queue: keeps every permit over random schedules") {
    for (unsigned seed = 1; seed <= 2000; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random{seed};
        admission_queue queue{{.permits = 4, .places = 6, .queue = {.ageing = 10ms}}};
        std::deque<counting_waiter> nodes;
        std::vector<counting_waiter*> waiting;
        std::vector<std::uint32_t> held;
        auto now = t0;
        for (int step = 0; step != 120; ++step) {
            now += duration{static_cast<duration::rep>(random() % 20'000'000)};
            auto const what = random() % 8;
            if (what < 4) {
                auto& node = nodes.emplace_back();
                node.priority = static_cast<std::uint8_t>(random() % 8);
                auto const count = static_cast<std::uint32_t>(1 + random() % 3);
                auto answer =
                    queue.acquire(node, count, now, duration{static_cast<duration::rep>(random())});
                if (answer.result == admitted::granted) held.push_back(count);
                if (answer.result == admitted::queued) waiting.push_back(&node);
                if (answer.result == admitted::granted || answer.result == admitted::queued)
                    REQUIRE(answer.retry_after == 0ns);
                else
                    REQUIRE(answer.retry_after >= 1ms);
            } else if (what < 6 && !held.empty()) {
                queue.release(held.back(), now).ring_all();
                held.pop_back();
            } else if (what == 6 && !waiting.empty()) {
                auto* const node = waiting[random() % waiting.size()];
                std::erase(waiting, node);
                auto const answer = queue.claim(*node, now);
                if (answer.result == claimed::granted) held.push_back(node->permits);
            } else if (!waiting.empty()) {
                auto* const node = waiting.front();
                std::erase(waiting, node);
                (void)queue.withdraw(*node, now);
            } else if (random() % 4 == 0) {
                queue.resize(3 + static_cast<std::uint32_t>(random() % 4), now).ring_all();
            }
            auto const seen = queue.snapshot(now).permits;
            REQUIRE(seen.free + seen.held + seen.on_the_way == seen.capacity);
            std::uint32_t sum = 0;
            for (auto const count : held) sum += count;
            REQUIRE(seen.held == sum);
        }
        for (auto* node : waiting) (void)queue.withdraw(*node, now);
        for (auto const count : held) (void)queue.release(count, now);
        auto const seen = queue.snapshot(now).permits;
        REQUIRE(seen.free == seen.capacity);
        REQUIRE(seen.waiting == 0);
    }
}

TEST_CASE("admission_queue: says which option is out of range") {
    auto const refused = [](admission_options const& options) {
        try {
            admission_queue const queue{options};
        } catch (std::invalid_argument const& wrong) {
            return std::string{wrong.what()};
        }
        return std::string{"not refused"};
    };
    CHECK(refused({.permits = 0}) == "semaphore: permits is not in [1, 1000000000]");
    CHECK(refused({.queue = {.target = 0ns}}) == "front_door: target is not in (0, interval)");
    for (auto const max : {duration{1ms} - 1ns, duration{1h} + 1ns})
        CHECK(refused({.retry_after_max = max}) ==
              "admission_queue: retry_after_max is not in [1 ms, 1 h]");
}
