// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/demand/map_async.hpp>

#include <hawser/run/demand/from_range.hpp>
#include <hawser/run/demand/generate.hpp>

#include "run/demand/probe.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace demand = hawser::demand;
using demand::completion;
using demand::map_async;
using support::diary;
using support::everything;
using support::hand_publisher;
using support::probe;
using support::rogue_publisher;

namespace {

std::exception_ptr error(char const* what) {
    return std::make_exception_ptr(std::runtime_error{what});
}

/// Work that a test finishes by hand: the items that were begun, and their completions.
template <class T>
struct desk {
    std::vector<T> begun;
    std::map<T, completion<T>> open;

    auto start() {
        return [this](T item, completion<T> done) {
            begun.push_back(item);
            open.emplace(item, std::move(done));
        };
    }
    completion<T> pick_up(T item) {
        auto node = open.extract(item);
        REQUIRE(!node.empty());
        return std::move(node.mapped());
    }
    void finish(T item) { pick_up(item)(item * 10); }
};

/// Items 1 to `count` wait in `hand`.
void fill(hand_publisher<int> const& hand, int count) {
    for (int i = 1; i <= count; ++i) hand.bring(i);
}

}  // namespace

TEST_CASE("map_async: results go in the order of their items, whichever is done first") {
    hand_publisher<int> hand;
    desk<int> work;
    diary<int> told;
    fill(hand, 3);
    (hand | map_async<int>(work.start())).subscribe(probe<int>{told});
    told.request(5);
    work.finish(3);
    work.finish(2);
    CHECK(told.items.empty());
    work.finish(1);
    CHECK(told.items == std::vector<int>{10, 20, 30});
    hand.complete();
    CHECK(told.completed == 1);
    CHECK(told.kept_the_rules());
}

TEST_CASE("map_async: out of order, results go as they come") {
    hand_publisher<int> hand;
    desk<int> work;
    diary<int> told;
    fill(hand, 4);
    (hand | map_async<int>(work.start(), {.in_order = false})).subscribe(probe<int>{told});
    told.request(1);
    for (int const i : {3, 1, 4, 2}) work.finish(i);
    CHECK(told.items == std::vector<int>{30});
    told.request(1);
    CHECK(told.items == std::vector<int>{30, 10});
    told.request(2);
    CHECK(told.items == std::vector<int>{30, 10, 40, 20});
    told.handle.cancel();
}

TEST_CASE("map_async: results found at once go in the order of their coming") {
    // All come while the flow is busy, so that it finds them at once.
    hand_publisher<int> hand;
    desk<int> work;
    diary<int> told;
    fill(hand, 4);
    (hand | map_async<int>(work.start(), {.in_order = false})).subscribe(probe<int>{told});
    told.on_next = [&](int first) {
        if (first == 20)
            for (int const i : {4, 1, 3}) work.finish(i);
    };
    told.request(9);
    work.finish(2);
    CHECK(told.items == std::vector<int>{20, 40, 10, 30});
    told.handle.cancel();
}

TEST_CASE("map_async: begins nothing, and asks for nothing, before a result is asked for") {
    rogue_publisher<int> rogue;
    desk<int> work;
    diary<int> told;
    (rogue | map_async<int>(work.start(), {.parallelism = 4})).subscribe(probe<int>{told});
    CHECK(rogue.asked->requests.empty());
    told.request(1);
    CHECK(rogue.asked->requests == std::vector<std::int64_t>{4});
    for (int i = 1; i <= 2; ++i) rogue.out->on_next(i);
    CHECK(work.begun == std::vector<int>{1, 2});
    work.finish(1);
    CHECK(told.items == std::vector<int>{10});
    rogue.out->on_next(3);
    CHECK(work.begun.size() == 2);
    told.request(1);
    CHECK(work.begun.size() == 3);
    CHECK(rogue.asked->requests == std::vector<std::int64_t>{4, 3});
    told.handle.cancel();
    CHECK(rogue.asked->cancels == 1);
}

TEST_CASE("map_async: so many are in work or wait, and as many more are on their way") {
    auto const in_order = GENERATE(true, false);
    hand_publisher<int> hand;
    desk<int> work;
    diary<int> told;
    fill(hand, 100);
    (hand | map_async<int>(work.start(), {.parallelism = 3, .in_order = in_order}))
        .subscribe(probe<int>{told});
    told.request(1);
    CHECK(work.begun == std::vector<int>{1, 2, 3});
    CHECK(hand.left() == 94);
    work.finish(1);  // Sent: its slot is free, and nothing is asked for.
    work.finish(2);
    work.finish(3);
    CHECK(told.items == std::vector<int>{10});
    CHECK(work.begun.size() == 3);
    told.request(1);
    CHECK(work.begun == std::vector<int>{1, 2, 3, 4});
    told.request(everything);
    CHECK(told.items == std::vector<int>{10, 20, 30});
    CHECK(work.open.size() == 3);
    CHECK(hand.left() == 91);
    told.handle.cancel();
}

TEST_CASE("map_async: completes when the publisher has, and all results are sent") {
    auto const in_order = GENERATE(true, false);
    hand_publisher<int> hand;
    desk<int> work;
    diary<int> told;
    fill(hand, 2);
    (hand | map_async<int>(work.start(), {.in_order = in_order})).subscribe(probe<int>{told});
    told.request(1);
    hand.complete();
    work.finish(1);
    CHECK(told.completed == 0);
    work.finish(2);
    CHECK(told.completed == 0);
    told.request(1);
    CHECK(told.items == std::vector<int>{10, 20});
    CHECK(told.completed == 1);
    CHECK(told.is_let_go());
}

TEST_CASE("map_async: of a publisher without items it completes unasked") {
    desk<int> work;
    diary<int> told;
    hand_publisher<int> hand;
    (hand | map_async<int>(work.start())).subscribe(probe<int>{told});
    hand.complete();
    CHECK(told.completed == 1);
}

TEST_CASE("map_async: a completion that fails ends the flow at once, before results that wait") {
    auto const in_order = GENERATE(true, false);
    hand_publisher<int> hand;
    desk<int> work;
    diary<int> told;
    fill(hand, 4);
    (hand | map_async<int>(work.start(), {.in_order = in_order})).subscribe(probe<int>{told});
    told.request(1);
    work.finish(1);
    work.finish(2);
    work.pick_up(4).fail(error("out of ink"));
    CHECK(told.items == std::vector<int>{10});
    CHECK(told.complaint() == "out of ink");
    CHECK(hand.is_closed());
    CHECK(told.is_let_go());
    work.finish(3);
    CHECK(told.kept_the_rules());
}

TEST_CASE("map_async: the first of two errors is told") {
    hand_publisher<int> hand;
    desk<int> work;
    diary<int> told;
    fill(hand, 3);
    (hand | map_async<int>(work.start())).subscribe(probe<int>{told});
    told.on_next = [&](int) {
        work.pick_up(3).fail(error("first"));
        work.pick_up(2).fail(error("second"));
    };
    told.request(9);
    work.finish(1);
    CHECK(told.complaint() == "first");
}

TEST_CASE("map_async: a failure without a reason is a failure") {
    hand_publisher<int> hand;
    desk<int> work;
    diary<int> told;
    fill(hand, 1);
    (hand | map_async<int>(work.start())).subscribe(probe<int>{told});
    told.request(1);
    work.pick_up(1).fail(nullptr);
    CHECK(told.failed == 1);
    CHECK(told.complaint() == "map_async: a failure without a reason");
}

TEST_CASE("map_async: what start throws ends the flow, and nothing more is begun") {
    auto const how = GENERATE("throws", "fails at once");
    INFO(how);
    hand_publisher<int> hand;
    diary<int> told;
    int begun = 0;
    fill(hand, 9);
    (hand | map_async<int>([&, throws = std::string{how} == "throws"](int i, completion<int> done) {
         ++begun;
         if (i != 3) return done(i);
         if (throws) throw std::runtime_error{"not three"};
         done.fail(error("not three"));
     })).subscribe(probe<int>{told});
    told.request(9);
    CHECK(begun == 3);
    CHECK(told.items.empty());
    CHECK(told.complaint() == "not three");
    CHECK(hand.is_closed());
    CHECK(told.kept_the_rules());
}

TEST_CASE("map_async: an error of the publisher overtakes work and results") {
    hand_publisher<int> hand;
    desk<int> work;
    diary<int> told;
    fill(hand, 2);
    (hand | map_async<int>(work.start())).subscribe(probe<int>{told});
    told.request(9);
    work.finish(2);
    hand.fail(error("no more paper"));
    CHECK(told.complaint() == "no more paper");
    CHECK(told.items.empty());
    work.finish(1);
    CHECK(told.kept_the_rules());
}

TEST_CASE("map_async: a completion that is destroyed unused fails the flow") {
    auto const how = GENERATE("dropped in start", "dropped later", "assigned over");
    INFO(how);
    hand_publisher<int> hand;
    desk<int> work;
    diary<int> told;
    auto const at_once = std::string{how} == "dropped in start";
    (hand | map_async<int>([&](int i, completion<int> done) {
         if (!at_once) work.open.emplace(i, std::move(done));
     })).subscribe(probe<int>{told});
    told.request(9);
    fill(hand, 2);
    if (std::string{how} == "dropped later") work.open.erase(1);
    if (std::string{how} == "assigned over") work.open.at(1) = work.pick_up(2);
    CHECK(told.failed == 1);
    CHECK_THROWS_AS(std::rethrow_exception(told.why), demand::broken_promise);
    CHECK(told.complaint() == "broken promise: a completion was destroyed unused");
    CHECK(hand.is_closed());
}

TEST_CASE("map_async: a completion that was used or moved from breaks no promise") {
    hand_publisher<int> hand;
    desk<int> work;
    diary<int> told;
    fill(hand, 1);
    (hand | map_async<int>(work.start())).subscribe(probe<int>{told});
    told.request(2);
    {
        auto first = work.pick_up(1);
        CHECK(first);
        auto second = std::move(first);
        CHECK_FALSE(first);  // NOLINT(bugprone-use-after-move): it is said what is left.
        second(7);
        CHECK_FALSE(second);
    }
    CHECK(told.items == std::vector<int>{7});
    hand.complete();
    CHECK(told.completed == 1);
    CHECK(told.failed == 0);
}

TEST_CASE("map_async: after a cancel, what comes is destroyed, and so is what waits") {
    auto const in_order = GENERATE(true, false);
    using item = std::shared_ptr<int>;
    hand_publisher<int> hand;
    std::vector<completion<item>> open;
    diary<item> told;
    auto const held = std::make_shared<int>(0);
    std::weak_ptr<int> const start_lives = [&] {
        auto life = std::make_shared<int>(0);
        (hand | map_async<item>(
                    [&open, life](int, completion<item> done) { open.push_back(std::move(done)); },
                    {.in_order = in_order}))
            .subscribe(probe<item>{told});
        return std::weak_ptr<int>{life};
    }();
    fill(hand, 4);
    told.request(1);
    open.at(0)(nullptr);
    open.at(1)(held);
    CHECK(held.use_count() == 2);
    CHECK_FALSE(start_lives.expired());
    told.handle.cancel();
    CHECK(hand.is_closed());
    CHECK(told.is_let_go());
    CHECK(start_lives.expired());
    CHECK(held.use_count() == 1);
    open.at(2)(held);
    CHECK(held.use_count() == 1);
    open.at(3).fail(error("too late"));
    CHECK(told.items.size() == 1);
    CHECK(told.kept_the_rules());
}

TEST_CASE("map_async: a cancel from inside of start ends it") {
    hand_publisher<int> hand;
    diary<int> told;
    fill(hand, 9);
    (hand | map_async<int>(
                [&](int i, completion<int> done) {
                    told.handle.cancel();
                    done(i);
                },
                {.parallelism = 2}))
        .subscribe(probe<int>{told});
    told.request(9);
    CHECK(told.items.empty());
    CHECK(told.is_let_go());
    CHECK(hand.is_closed());
    CHECK(told.kept_the_rules());
}

TEST_CASE("map_async: a million items that complete inside of start take no more stack") {
    auto const parallelism = GENERATE(1U, 4U);
    auto const in_order = GENERATE(true, false);
    constexpr int count = 1'000'000;
    diary<int> told;
    char const* lowest = nullptr;
    std::ptrdiff_t depth = 0;
    int sent = 0, wrong = 0;
    told.on_next = [&](int i) {
        char here = 0;
        if (lowest == nullptr) lowest = &here;
        depth = std::max(depth, lowest - &here);
        if (i != sent++) ++wrong;
        told.items.clear();
        told.asked = 1;
        told.handle.request(1);
    };
    (demand::generate([next = 0]() mutable -> std::optional<int> {
         if (next == count) return std::nullopt;
         return next++;
     }) |
     map_async<int>([](int i, completion<int> done) { done(i); },
                    {.parallelism = parallelism, .in_order = in_order}))
        .subscribe(probe<int>{told});
    told.request(1);
    CHECK(sent == count);
    CHECK(wrong == 0);
    CHECK(depth < 4096);
    CHECK(told.completed == 1);
    CHECK(told.kept_the_rules());
}

TEST_CASE("map_async: items and results that only move pass through it") {
    hand_publisher<std::unique_ptr<int>> hand;
    diary<std::unique_ptr<std::string>> told;
    (hand |
     map_async<std::unique_ptr<std::string>>([](std::unique_ptr<int> i,
                                                completion<std::unique_ptr<std::string>> done) {
         done(std::make_unique<std::string>(std::to_string(*i)));
     })).subscribe(probe<std::unique_ptr<std::string>>{told});
    told.request(1);
    hand.bring(std::make_unique<int>(4));
    REQUIRE(told.items.size() == 1);
    CHECK(*told.items[0] == "4");
    told.handle.cancel();
}

TEST_CASE("map_async: a result whose move throws is a failure") {
    struct brittle {
        explicit brittle(int left) : moves_left{left} {}
        brittle(brittle&& other) : moves_left{other.moves_left - 1} {
            if (moves_left < 0) throw std::runtime_error{"it broke"};
        }
        brittle& operator=(brittle&&) = default;
        int moves_left;
    };
    hand_publisher<int> hand;
    diary<brittle> told;
    fill(hand, 1);
    (hand | map_async<brittle>([](int, completion<brittle> done) {
         done(brittle{0});
     })).subscribe(probe<brittle>{told});
    told.request(1);
    CHECK(told.complaint() == "it broke");
    CHECK(told.items.empty());
}

TEST_CASE("map_async: each subscriber has work of its own") {
    std::vector<int> const items{1, 2, 3};
    auto const from =
        demand::from_range(items) |
        map_async<int>([next = 0](int i, completion<int> done) mutable { done(i * 10 + next++); });
    for (int i = 0; i < 2; ++i) {
        diary<int> told;
        from.subscribe(probe<int>{told});
        told.request(everything);
        CHECK(told.items == std::vector<int>{10, 21, 32});
        CHECK(told.completed == 1);
    }
}

TEST_CASE("map_async: options out of range are refused") {
    auto const start = [](int, completion<int>) {};
    CHECK_THROWS_WITH(map_async<int>(start, {.parallelism = 0}),
                      "map_async: parallelism is not in [1, 1000000]");
    CHECK_THROWS_AS(map_async<int>(start, {.parallelism = 1'000'001}), std::invalid_argument);
}

TEST_CASE("map_async: agrees with a plain model over random schedules") {
    auto const seed = GENERATE(range(1U, 1'000U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    auto const parallelism = 1 + random() % 5;
    bool const in_order = random() % 2 == 0;
    hand_publisher<int> hand;
    desk<int> work;
    diary<int> told;
    (hand | map_async<int>(work.start(), {.parallelism = static_cast<std::uint32_t>(parallelism),
                                          .in_order = in_order}))
        .subscribe(probe<int>{told});

    std::vector<int> model_begun, model_open, model_done, model_sent;
    std::size_t brought = 0, asked = 0, next = 0;
    auto const settle = [&] {
        for (;;) {
            if (asked == model_sent.size()) return;
            while (next < brought && next - model_sent.size() < parallelism) {
                model_begun.push_back(static_cast<int>(++next));
                model_open.push_back(static_cast<int>(next));
            }
            auto const head = in_order ? std::find(model_done.begin(), model_done.end(),
                                                   10 * (static_cast<int>(model_sent.size()) + 1))
                                       : model_done.begin();
            if (head == model_done.end()) return;
            model_sent.push_back(*head);
            model_done.erase(head);
        }
    };
    for (int step = 0; step < 150; ++step) {
        auto const what = random() % 4;
        if (what == 0) {
            auto const more = 1 + random() % 3;
            asked += more;
            settle();
            told.request(static_cast<std::int64_t>(more));
        } else if (what == 1) {
            hand.bring(static_cast<int>(++brought));
            settle();
        } else if (!model_open.empty()) {
            auto const at = model_open.begin() + static_cast<long>(random() % model_open.size());
            auto const item = *at;
            model_open.erase(at);
            model_done.push_back(10 * item);
            settle();
            work.finish(item);
        }
        REQUIRE(work.begun == model_begun);
        REQUIRE(told.items == model_sent);
        REQUIRE(hand.left() + 2 * parallelism + model_sent.size() >= brought);
    }
    hand.complete();
    told.request(everything);
    while (!work.open.empty()) work.finish(work.open.begin()->first);
    REQUIRE(told.items.size() == brought);
    CHECK(told.completed == 1);
    CHECK(told.kept_the_rules());
}
