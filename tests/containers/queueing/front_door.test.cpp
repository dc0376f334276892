// SPDX-License-Identifier: BSL-1.0
#include <hawser/containers/queueing/front_door.hpp>

#include <hawser/containers/queueing/codel.hpp>
#include <hawser/containers/queueing/detail/control_law.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using hawser::duration;
using hawser::time_point;
using hawser::queueing::fate;
using hawser::queueing::front_door;
using hawser::queueing::front_door_options;
using support::bell_log;
using support::counting_waiter;

static constexpr time_point t0{1h};

namespace {

struct door_scene {
    explicit door_scene(front_door_options const& options = {}) : queue{options} {}
    ~door_scene() {
        queue.for_each([&](hawser::waiter& node) { queue.remove(node); });
    }
    counting_waiter& push(time_point now, int priority = 3, std::uint32_t permits = 1) {
        auto& node = nodes.emplace_back(static_cast<int>(nodes.size()));
        node.priority = static_cast<std::uint8_t>(priority);
        node.permits = permits;
        node.since = now;
        queue.push(node, now);
        return node;
    }
    /// Who leaves, and what becomes of it.
    std::pair<int, fate> take(time_point now) {
        auto* const node = queue.first(now);
        REQUIRE(node != nullptr);
        auto const what = queue.take(*node, now);
        return {static_cast<counting_waiter*>(node)->id, what};
    }
    /// Takes until one is served; says which, and keeps who was turned away for it.
    int serve(time_point now) {
        while (queue.size() > 0) {
            auto const [id, what] = take(now);
            if (what == fate::serve) return id;
            shed.push_back(id);
        }
        return -1;
    }
    bell_log serve_all(time_point now) {
        bell_log served;
        while (queue.size() > 0) served.push_back(serve(now));
        return served;
    }
    /// One comes each half millisecond, and one is served each millisecond.
    void overload(time_point& now, duration length, int priority = 3) {
        for (auto const end = now + length; now < end;) {
            push(now, priority);
            push(now + 500us, priority);
            serve(now += 1ms);
        }
    }

    std::deque<counting_waiter> nodes;
    bell_log shed;
    front_door queue;
};

/// The same, told again: lists of arrivals, and the words of the class and of RFC 8289.
class door_model {
public:
    struct one {
        int id;
        time_point since;
    };

    void push(int id, std::size_t rank, time_point now) {
        auto& its = ranks_[rank];
        if (its.waiting.empty() && !its.owed) its.passed_over = now;
        its.waiting.push_back({id, now});
    }
    void withdraw(int id) {
        for (auto& its : ranks_)
            std::erase_if(its.waiting, [&](one const& each) {
                if (each.id == id) its.owed = true;
                return each.id == id;
            });
        forget_empty();
    }
    std::pair<int, fate> take(time_point now) {
        auto const late = size() > 1 && any([&](auto& its) { return is_late(its, now); });
        bool gone = false;
        if (!late) {
            dropping_ = moved_ = false;
        } else if (!dropping_) {
            gone = true;
            auto const delta = count_ - last_count_;
            count_ = delta > 1 && now - drop_next_ < 1600ms ? delta : 1;
            last_count_ = count_;
            drop_next_ = control_law(now);
            dropping_ = true;
        } else {
            if (std::exchange(moved_, false)) drop_next_ = control_law(drop_next_);
            gone = moved_ = now >= drop_next_;
            if (gone) ++count_;
        }
        row* from = gone ? lowest() : nullptr;
        auto at = 0U;
        for (auto& its : ranks_)
            if (!gone && size() > 1 && !its.waiting.empty() && turned(its, now) &&
                now - its.waiting.front().since >= 10ms) {
                gone = true;
                from = &its;
            }
        if (!gone) {
            from = next();
            if (turned(*from, now) || is_late(*from, now) ||
                now - from->waiting.front().since >= 105ms)
                at = static_cast<unsigned>(from->waiting.size() - 1);
        }
        look(now);
        auto const id = from->waiting[at].id;
        from->waiting.erase(from->waiting.begin() + at);
        from->owed = gone;
        if (!gone) from->passed_over = now;
        forget_empty();
        return {id, gone ? fate::turn_away : fate::serve};
    }
    [[nodiscard]] std::size_t size() const {
        std::size_t sum = 0;
        for (auto const& its : ranks_) sum += its.waiting.size();
        return sum;
    }

private:
    struct row {
        std::deque<one> waiting;
        time_point passed_over{};
        std::optional<time_point> above;  ///< Since when it has been, as far as anybody looked.
        std::optional<time_point> stood;  ///< When it was last seen above, if it stands.
        bool owed = false;
    };

    template <class Ask>
    bool any(Ask ask) {
        return std::any_of(ranks_.begin(), ranks_.end(), ask);
    }
    static bool is_above(row const& its, time_point now) {
        return !its.waiting.empty() && now - its.waiting.front().since >= 5ms;
    }
    static bool is_late(row const& its, time_point now) {
        return is_above(its, now) && its.above && now - *its.above >= 100ms;
    }
    static bool turned(row const& its, time_point now) {
        return its.stood && now - *its.stood < 100ms;
    }
    void look(time_point now) {
        for (auto& its : ranks_) {
            if (is_late(its, now) || (turned(its, now) && is_above(its, now)))
                its.stood = now;
            else if (!turned(its, now))
                its.stood.reset();
            if (!is_above(its, now)) its.above.reset();
            if (is_above(its, now) && !its.above) its.above = now;
        }
    }
    void forget_empty() {
        for (auto& its : ranks_)
            if (its.waiting.empty()) its.above.reset();
        if (size() == 0) dropping_ = moved_ = false;
    }
    row* lowest() {
        return &*std::find_if(ranks_.begin(), ranks_.end(),
                              [](row const& its) { return !its.waiting.empty(); });
    }
    row* next() {
        row* best = nullptr;
        auto best_place = time_point::max();
        for (int at = 7; at >= 0; --at) {
            auto& its = ranks_[static_cast<std::size_t>(at)];
            auto const place = its.passed_over + (7 - at) * 20ms;
            if (!its.waiting.empty() && place < best_place) best = &its, best_place = place;
        }
        return best;
    }
    [[nodiscard]] time_point control_law(time_point from) const {
        auto const step = 1e8 / std::sqrt(static_cast<double>(count_));
        return from + duration{static_cast<duration::rep>(step)};
    }

    std::array<row, 8> ranks_;
    time_point drop_next_{};
    std::uint64_t count_ = 0, last_count_ = 0;
    bool dropping_ = false, moved_ = false;
};

}  // namespace

TEST_CASE("front_door: is a discipline that displaces") {
    STATIC_REQUIRE(hawser::queueing::discipline<front_door>);
    STATIC_REQUIRE(hawser::queueing::displacing<front_door>);
}

TEST_CASE("front_door: serves higher classes first, and the oldest first in each") {
    door_scene on;
    for (auto const priority : {1, 7, 1, 7, 200}) on.push(t0, priority);
    CHECK(on.serve_all(t0 + 1ms) == bell_log{1, 3, 4, 0, 2});
}

TEST_CASE("front_door: agrees with its model over random schedules") {
    for (unsigned seed = 1; seed <= 1200; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random{seed};
        door_scene on{{.ageing = 20ms}};
        door_model model;
        auto now = t0;
        auto const ranks = 1 + random() % 8;
        auto const load = 1 + random() % 4;
        std::vector<int> waiting;
        for (int step = 0; step != 400; ++step) {
            now += duration{static_cast<duration::rep>(random() % 3'000'000)};
            for (auto comers = random() % (load + 1); comers != 0; --comers) {
                auto const rank = random() % ranks;
                auto const& node = on.push(now, static_cast<int>(rank));
                model.push(node.id, rank, now);
                waiting.push_back(node.id);
            }
            if (!waiting.empty() && random() % 20 == 0) {
                auto const id = waiting[random() % waiting.size()];
                on.queue.remove(on.nodes[static_cast<std::size_t>(id)]);
                model.withdraw(id);
                std::erase(waiting, id);
            }
            for (bool served = false; !waiting.empty() && !served;) {
                auto const seen = on.take(now);
                auto const expected = model.take(now);
                if (seen != expected) FAIL(seen.first << ", not " << expected.first);
                std::erase(waiting, seen.first);
                served = seen.second == fate::serve;
            }
            if (on.queue.size() != waiting.size() || on.queue.permits_before(0) != waiting.size())
                FAIL(on.queue.size() << ", not " << waiting.size());
            if (random() % 150 == 0) now += 700ms;
        }
    }
}

TEST_CASE("front_door: a single class turns the first away just when codel does") {
    int compared = 0;
    for (unsigned seed = 1; seed <= 400; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random{seed};
        door_scene on;
        hawser::queueing::codel codel;
        std::deque<counting_waiter> twins;
        auto now = t0;
        auto const load = 1 + random() % 3;
        for (bool shed = false; !shed && now < t0 + 800ms;) {
            now += duration{static_cast<duration::rep>(random() % 3'000'000)};
            for (auto comers = random() % (load + 1); comers != 0; --comers) {
                auto& twin = twins.emplace_back(on.push(now).id);
                twin.since = now;
                codel.push(twin, now);
            }
            if (codel.size() == 0) continue;
            auto* const twin = static_cast<counting_waiter*>(codel.first(now));
            auto const what = codel.take(*twin, now);
            REQUIRE(on.take(now) == std::pair{twin->id, what});
            shed = what == fate::turn_away;
            compared += shed;
        }
        codel.for_each([&](hawser::waiter& node) { codel.remove(node); });
    }
    CHECK(compared > 100);
}

TEST_CASE("front_door: what stands again soon is shed at the rate that helped last time") {
    auto const pause = GENERATE(duration{500ms}, duration{5s});
    hawser::queueing::detail::control_law law{100ms};
    auto const overload = [&](time_point from, duration length) {
        int turned_away = 0;
        for (auto now = from; now < from + length; now += 1ms) {
            if (law.sheds_at(now)) ++turned_away;
            law.look(now);
        }
        law.stop();
        return turned_away;
    };
    REQUIRE(overload(t0, 2s) > 20);
    auto const again = overload(t0 + 2s + pause, 300ms);
    if (pause < 1600ms)
        CHECK(again > 10);  // Not in sixteen intervals: it begins where it was.
    else
        CHECK(again == 5);  // At 0, 100, 171, 229 and 279 ms.
}

TEST_CASE("front_door: a burst that is worked off within an interval loses nobody") {
    door_scene on;
    for (int i = 0; i != 100; ++i) on.push(t0);
    for (int i = 0; i != 100; ++i) CHECK(on.serve(t0 + (i + 1) * 1ms) == i);
    CHECK(on.shed.empty());
}

TEST_CASE("front_door: a class that stands serves the newest, and nobody who waited too long") {
    door_scene on;
    auto now = t0;
    on.overload(now, 200ms);
    REQUIRE(on.queue.stands(now));
    for (int i = 0; i != 2000; ++i) {
        auto const& newest = on.push(now);
        on.push(now - 500us).since = now - 500us;
        on.queue.remove(on.nodes.back());
        CHECK(on.serve(now) == newest.id);
        on.push(now + 300us);
        auto const served = on.serve(now += 1ms);
        CHECK(now - on.nodes[static_cast<std::size_t>(served)].since < 10ms);
    }
    CHECK(on.queue.size() < 20);
}

TEST_CASE("front_door: turns back when nobody was late for an interval") {
    door_scene on;
    auto now = t0;
    on.overload(now, 200ms);
    REQUIRE(on.queue.stands(now));
    on.serve_all(now);
    auto const& first = on.push(now);
    auto const& second = on.push(now);
    CHECK(on.serve(now + 1ms) == second.id);  // Empty once is not enough.
    CHECK(on.serve(now + 1ms) == first.id);

    now += 100ms;
    CHECK_FALSE(on.queue.stands(now));
    auto const& third = on.push(now);
    on.push(now);
    CHECK(on.serve(now + 1ms) == third.id);
}

TEST_CASE("front_door: sheds the lowest class while it is a higher one that is late") {
    door_scene on;
    auto now = t0;
    // High ones wait for 7 ms, in turn; of low ones there is always one that has just come.
    for (int i = 0; i != 7; ++i) on.push(now, 5);
    while (on.shed.empty() && now < t0 + 1s) {
        on.push(now, 5);
        on.push(now, 2);
        on.serve(now += 1ms);
    }
    REQUIRE_FALSE(on.shed.empty());
    for (auto const id : on.shed) CHECK(on.nodes[static_cast<std::size_t>(id)].priority == 2);
}

TEST_CASE("front_door: a class loses nobody while a lower one waits, unless it stands itself") {
    for (unsigned seed = 1; seed <= 100; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random{seed};
        door_scene on;
        auto now = t0;
        for (int step = 0; step != 1000; ++step) {
            now += duration{static_cast<duration::rep>(random() % 2'000'000)};
            for (auto comers = random() % 4; comers != 0; --comers)
                on.push(now, static_cast<int>(random() % 3));
            if (on.queue.size() == 0) continue;
            std::array<bool, 8> stood{};
            bool alone = on.queue.size() == 1;
            std::uint8_t lowest = 7;
            on.queue.for_each(
                [&](hawser::waiter const& node) { lowest = std::min(lowest, node.priority); });
            for (std::uint8_t rank = 0; rank != 8; ++rank)
                stood[rank] = on.queue.ahead_of(rank, now).own == 0;
            auto const [id, what] = on.take(now);
            auto const rank = on.nodes[static_cast<std::size_t>(id)].priority;
            if (what == fate::turn_away) {
                REQUIRE_FALSE(alone);
                REQUIRE((rank == lowest || stood[rank]));
            }
        }
    }
}

TEST_CASE("front_door: who stands alone is served, however long it has waited") {
    door_scene on;
    for (int i = 0; i != 50; ++i) {
        on.push(t0 + i * 1s);
        CHECK(on.take(t0 + i * 1s + 900ms) == std::pair{i, fate::serve});
    }
}

TEST_CASE("front_door: a class that waits is passed over for so long, and no longer") {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random{seed};
        door_scene on{{.target = 59min, .interval = 1h, .ageing = 10ms}};  // Sheds nobody.
        auto now = t0;
        std::array<std::vector<int>, 8> turns_beyond{};
        for (auto& row : turns_beyond) row.assign(8, 0);
        std::array<time_point, 8> since{};
        std::array<int, 8> waiting{};
        for (int step = 0; step != 600; ++step) {
            now += duration{static_cast<duration::rep>(random() % 5'000'000)};
            for (auto comers = random() % 3; comers != 0; --comers) {
                auto const rank = std::max(random() % 8, random() % 8);  // Rather high ones.
                if (waiting[rank]++ == 0) {
                    since[rank] = now;
                    turns_beyond[rank].assign(8, 0);
                }
                on.push(now, static_cast<int>(rank));
            }
            if (on.queue.size() == 0) continue;
            auto const served = on.serve(now);
            auto const turn = on.nodes[static_cast<std::size_t>(served)].priority;
            --waiting[turn];
            since[turn] = now;
            turns_beyond[turn].assign(8, 0);
            for (std::size_t rank = 0; rank != turn; ++rank)
                if (waiting[rank] > 0 && now >= since[rank] + (turn - rank) * 10ms)
                    REQUIRE(++turns_beyond[rank][turn] <= 1);
        }
    }
}

TEST_CASE("front_door: the lowest class does not starve under a flood, even as it is shed") {
    door_scene on{{.ageing = 100ms}};
    auto now = t0;
    std::array<int, 8> served{};
    for (int step = 0; step != 10'000; ++step) {
        on.push(now, 7);
        if (step % 20 == 0) on.push(now, 0);
        if (step % 2 == 0) on.push(now, 7);
        auto const id = on.serve(now += 1ms);
        ++served[on.nodes[static_cast<std::size_t>(id)].priority];
    }
    CHECK(served[0] >= 10'000 / (7 * 100 + 100));
    CHECK(served[7] > 9'800);
}

TEST_CASE("front_door: without ageing, classes take turns") {
    door_scene on{{.ageing = 0ns}};
    for (int i = 0; i != 3; ++i) on.push(t0, 7);
    for (int i = 0; i != 3; ++i) on.push(t0, 0);
    bell_log served;
    for (int i = 1; i <= 6; ++i) served.push_back(on.serve(t0 + i * 1ms));
    CHECK(served == bell_log{0, 3, 1, 4, 2, 5});
}

TEST_CASE(
    "front_door: gives up the newest of the lowest class for a higher one, while it is good") {
    door_scene on;
    on.push(t0, 5);
    on.push(t0, 2);
    auto const& newest = on.push(t0, 2);
    counting_waiter comer;
    comer.priority = 3;
    CHECK(on.queue.displaced_by(comer, t0) == &newest);
    comer.priority = 2;
    CHECK(on.queue.displaced_by(comer, t0) == nullptr);
    comer.priority = 1;
    CHECK(on.queue.displaced_by(comer, t0) == nullptr);
}

TEST_CASE("front_door: gives up the oldest of the lowest class once it stands, for its own too") {
    door_scene on;
    on.push(t0, 5);
    auto const& oldest = on.push(t0, 2);
    on.push(t0, 2);
    counting_waiter comer;
    auto const late = t0 + 105ms;  // Nobody's turn has come: it stands all the same.
    comer.priority = 3;
    CHECK(on.queue.displaced_by(comer, late) == &oldest);
    comer.priority = 2;
    CHECK(on.queue.displaced_by(comer, late) == &oldest);
    CHECK(on.queue.displaced_by(comer, late - 1ns) == nullptr);
    comer.priority = 1;
    CHECK(on.queue.displaced_by(comer, late) == nullptr);
}

TEST_CASE("front_door: one that weighs more than who is next is not what holds it up") {
    door_scene on;
    auto now = t0;
    on.push(now, 2, 9);
    for (int step = 0; step != 300; ++step) {
        on.push(now, 3);
        on.push(now, 3);
        now += 1ms;
        auto const* const first = on.queue.first(now);
        REQUIRE(first->permits == 1);
        on.serve(now);
    }
    CHECK(std::count(on.shed.begin(), on.shed.end(), 0) == 0);
    CHECK(on.shed.size() > 100);  // Of a class that stands, beyond help.
}

TEST_CASE("front_door: says what is sure to be served before one that comes") {
    door_scene on;
    on.push(t0, 5, 3);
    on.push(t0, 3, 2);
    on.push(t0, 3, 2);
    on.push(t0, 1);
    auto const line = on.queue.ahead_of(3, t0 + 1ms);
    CHECK(line.own == 4);
    CHECK(line.higher == 3);
    CHECK(line.in_order_for == 100ms);  // A class without waiters has that long at least.
    CHECK(line.classes_for == 2999ms);  // Its turn by age, and two of its own before it.
    CHECK(on.queue.permits_before(3) == 7);
    CHECK(on.queue.permits_before(0) == 8);

    CHECK(on.queue.ahead_of(3, t0 + 50ms).in_order_for == 55ms);
    auto const late = on.queue.ahead_of(3, t0 + 105ms);
    CHECK(late.own == 0);
    CHECK(late.higher == 0);
}

TEST_CASE("front_door: time that runs backwards turns nobody away") {
    door_scene on;
    for (int i = 0; i != 20; ++i) on.push(t0);
    for (int i = 0; i != 10; ++i) CHECK(on.take(t0 - i * 1h).second == fate::serve);
    CHECK(on.queue.ahead_of(3, time_point::min()).own == 10);
}

TEST_CASE("front_door: says which option is out of range") {
    for (auto const interval : {duration{0}, duration{-1}, duration{1h} + 1ns})
        CHECK_THROWS_WITH((front_door{{.interval = interval}}),
                          "front_door: interval is not in (0, 1 h]");
    for (auto const target : {duration{0}, duration{100ms}, duration{-1}})
        CHECK_THROWS_WITH((front_door{{.target = target}}),
                          "front_door: target is not in (0, interval)");
    for (auto const ageing : {duration{-1}, duration{1h} + 1ns})
        CHECK_THROWS_WITH((front_door{{.ageing = ageing}}),
                          "front_door: ageing is not in [0, 1 h]");
}
