// SPDX-License-Identifier: BSL-1.0
#include <hawser/containers/queueing/codel.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"

#include <cmath>
#include <deque>
#include <optional>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::time_point;
using hawser::queueing::codel;
using hawser::queueing::fate;
using support::counting_waiter;

static constexpr time_point t0{1h};

namespace {

struct codel_scene {
    ~codel_scene() { clear(); }
    counting_waiter& push(time_point now) {
        auto& node = nodes.emplace_back(static_cast<int>(nodes.size()));
        node.since = now;
        queue.push(node, now);
        return node;
    }
    fate take(time_point now) {
        auto* const node = queue.first(now);
        REQUIRE(node != nullptr);
        return queue.take(*node, now);
    }
    /// Takes until one is served, or nobody is left; says how many were turned away.
    int serve(time_point now) {
        int turned_away = 0;
        while (queue.size() > 0 && take(now) == fate::turn_away) ++turned_away;
        return turned_away;
    }
    void clear() {
        queue.for_each([&](hawser::waiter& node) { queue.remove(node); });
    }

    std::deque<counting_waiter> nodes;
    codel queue;
};

/// The pseudo-code of RFC 8289, section 5, packets being arrival times, with a backlog of nothing
/// behind a packet for its "less than an MTU". One `dequeue` gives everything until one is served.
class rfc_8289 {
public:
    void enqueue(time_point now) { queue_.push_back(now); }
    void withdraw(std::size_t index) {
        queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(index));
        if (!queue_.empty()) return;
        first_above_.reset();
        dropping_ = false;
    }
    [[nodiscard]] std::size_t size() const { return queue_.size(); }

    /// How many are dropped before one is delivered, if there is one.
    int dequeue(time_point now) {
        int dropped = 0;
        auto ok_to_drop = dodequeue(now);
        if (dropping_) {
            if (!ok_to_drop) dropping_ = false;
            while (dropping_ && now >= drop_next_) {
                ++dropped;
                ++count_;
                ok_to_drop = dodequeue(now);
                if (!ok_to_drop)
                    dropping_ = false;
                else
                    drop_next_ = control_law(drop_next_);
            }
        } else if (ok_to_drop) {
            ++dropped;
            (void)dodequeue(now);
            dropping_ = true;
            auto const delta = count_ - last_count_;
            count_ = 1;
            if (delta > 1 && now - drop_next_ < 16 * 100ms) count_ = delta;
            drop_next_ = control_law(now);
            last_count_ = count_;
        }
        return dropped;
    }

private:
    bool dodequeue(time_point now) {
        auto const sojourn = now - queue_.front();
        queue_.pop_front();
        if (sojourn < 5ms || queue_.empty()) {
            first_above_.reset();
            if (queue_.empty()) dropping_ = false;
            return false;
        }
        if (!first_above_) {
            first_above_ = now + 100ms;
            return false;
        }
        return now >= *first_above_;
    }
    [[nodiscard]] time_point control_law(time_point from) const {
        auto const step = 1e8 / std::sqrt(static_cast<double>(count_));
        return from + duration{static_cast<duration::rep>(step)};
    }

    std::deque<time_point> queue_;
    std::optional<time_point> first_above_;
    time_point drop_next_{};
    std::uint64_t count_ = 0, last_count_ = 0;
    bool dropping_ = false;
};

}  // namespace

TEST_CASE("codel: serves everybody in order while waits are below the target") {
    codel_scene on;
    for (auto now = t0; now < t0 + 10s; now += 10ms) {
        auto& node = on.push(now);
        on.push(now);
        REQUIRE(on.queue.first(now) == &node);
        REQUIRE(on.serve(now + 5ms - 1ns) == 0);
        REQUIRE(on.serve(now + 5ms - 1ns) == 0);
    }
    CHECK_FALSE(on.queue.is_shedding());
}

TEST_CASE("codel: a burst that is worked off within an interval loses nobody") {
    codel_scene on;
    for (int i = 0; i != 100; ++i) on.push(t0);
    auto now = t0;
    int turned_away = 0;
    while (on.queue.size() > 0) turned_away += on.serve(now += 1ms);
    CHECK(turned_away == 0);  // From 5 ms on they are late, for 95 ms.
}

TEST_CASE("codel: a queue that stands for an interval is shed, and then ever faster") {
    codel_scene on;
    std::vector<duration> shed_at;
    // One is served each millisecond, and one comes: a queue of 20 that never gets shorter.
    for (int i = 0; i != 20; ++i) on.push(t0);
    for (auto now = t0 + 1ms; now < t0 + 1s; now += 1ms) {
        auto const turned_away = on.serve(now);
        for (int i = 0; i != turned_away; ++i) shed_at.push_back(now - t0);
        for (int i = 0; i != turned_away + 1; ++i) on.push(now);
    }
    REQUIRE(shed_at.size() > 5);
    CHECK(shed_at[0] == 105ms);  // Above the target from 5 ms on.
    CHECK(shed_at[1] == 205ms);
    CHECK(shed_at[2] == 276ms);  // 205 + 100 / sqrt(2) = 275.7, as soon as somebody's turn comes.
    CHECK(shed_at[3] == 334ms);
    CHECK(on.queue.is_shedding());
}

TEST_CASE("codel: shedding ends with the first wait that is short enough") {
    codel_scene on;
    for (int i = 0; i != 3; ++i) on.push(t0);
    REQUIRE(on.serve(t0 + 50ms) == 0);
    for (int i = 0; i != 3; ++i) on.push(t0 + 50ms);
    REQUIRE(on.take(t0 + 150ms) == fate::turn_away);
    REQUIRE(on.queue.is_shedding());
    on.clear();
    CHECK_FALSE(on.queue.is_shedding());

    on.push(t0 + 200ms);
    on.push(t0 + 200ms);
    CHECK(on.serve(t0 + 204ms) == 0);
    CHECK_FALSE(on.queue.is_shedding());
}

TEST_CASE("codel: who stands alone is served, however long it has waited") {
    codel_scene on;
    for (int i = 0; i != 50; ++i) {
        on.push(t0 + i * 1s);
        CHECK(on.take(t0 + i * 1s + 900ms) == fate::serve);
    }
}

TEST_CASE("codel: who stood alone and waited long is no sign of a queue that stands") {
    codel_scene on;
    on.push(t0);
    REQUIRE(on.take(t0 + 900ms) == fate::serve);
    for (int i = 0; i != 3; ++i) on.push(t0 + 1s);
    CHECK(on.take(t0 + 1010ms) == fate::serve);  // More than an interval after the one before.
    CHECK(on.take(t0 + 1109ms) == fate::serve);
}

TEST_CASE("codel: a queue that stands again soon is shed at the rate that helped last time") {
    auto const pause = GENERATE(duration{500ms}, duration{5s});
    codel_scene on;
    auto const overload = [&](time_point from, duration length) {
        int turned_away = 0;
        for (int i = 0; i != 20; ++i) on.push(from);
        for (auto now = from + 1ms; now < from + length; now += 1ms) {
            auto const more = on.serve(now);
            turned_away += more;
            for (int i = 0; i != more + 1; ++i) on.push(now);
        }
        on.clear();
        return turned_away;
    };
    auto const first = overload(t0, 2s);
    auto const again = overload(t0 + 2s + pause, 400ms);
    REQUIRE(first > 20);
    if (pause < 1600ms)
        CHECK(again > 10);  // Not in sixteen intervals: it begins where it was.
    else
        CHECK(again == 5);  // At 105, 205, 276, 334 and 384 ms.
}

TEST_CASE("codel: agrees with the pseudo-code of RFC 8289 over random schedules") {
    for (unsigned seed = 1; seed <= 1500; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random{seed};
        codel_scene on;
        rfc_8289 model;
        std::deque<counting_waiter*> waiting;
        auto now = t0;
        auto const load = 1 + random() % 5;
        for (int step = 0; step != 400; ++step) {
            now += duration{static_cast<duration::rep>(random() % 4'000'000)};
            for (auto comers = random() % (load + 1); comers != 0; --comers) {
                waiting.push_back(&on.push(now));
                model.enqueue(now);
            }
            if (!waiting.empty() && random() % 20 == 0) {
                auto const index = random() % waiting.size();
                on.queue.remove(*waiting[index]);
                waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(index));
                model.withdraw(index);
            }
            if (!waiting.empty()) {
                REQUIRE(on.serve(now) == model.dequeue(now));
                while (waiting.size() > model.size()) waiting.pop_front();
            }
            REQUIRE(on.queue.size() == model.size());
            if (random() % 150 == 0) now += 700ms;
        }
    }
}

TEST_CASE("codel: time that runs backwards turns nobody away") {
    codel_scene on;
    for (int i = 0; i != 20; ++i) on.push(t0);
    for (int i = 0; i != 10; ++i) CHECK(on.take(t0 - i * 1h) == fate::serve);
}

TEST_CASE("codel: says which option is out of range") {
    for (auto const interval : {duration{0}, duration{-1}, duration{1h} + 1ns})
        CHECK_THROWS_WITH((codel{{.interval = interval}}), "codel: interval is not in (0, 1 h]");
    for (auto const target : {duration{0}, duration{100ms}, duration{-1}})
        CHECK_THROWS_WITH((codel{{.target = target}}), "codel: target is not in (0, interval)");
}
