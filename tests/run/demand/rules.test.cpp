// SPDX-License-Identifier: BSL-1.0
//
// The rules of the Reactive Streams specification (version 1.0.4) that a test can check, in words
// of our own, numbered as there. Which cannot be checked, and why, stands in
// docs/reference/demand.md.
#include <hawser/run/demand/from_range.hpp>
#include <hawser/run/demand/generate.hpp>
#include <hawser/run/demand/map.hpp>
#include <hawser/run/demand/map_async.hpp>
#include <hawser/run/demand/merge.hpp>
#include <hawser/run/demand/window.hpp>

#include "run/demand/probe.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace demand = hawser::demand;
using support::diary;
using support::everything;
using support::hand_publisher;
using support::probe;
using support::rogue_publisher;

namespace {

std::vector<int> numbers(int count) {
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 1);
    return all;
}

/// Any publisher of ints, so that a rule is compiled once.
struct any_publisher {
    void subscribe(probe<int> to) const { begin(std::move(to)); }
    std::function<void(probe<int>)> begin;
};

using rule = std::function<void(any_publisher const&, diary<int>&)>;

/// Runs `check(publisher of 1 to count, diary)` over every kind of publisher there is.
void with_every_publisher(int count, rule const& check) {
    auto const run = [&](std::string const& kind, auto from) {
        INFO(kind);
        diary<int> told;
        check({[&](probe<int> to) { from.subscribe(std::move(to)); }}, told);
        told.handle.cancel();
        CHECK(told.is_let_go());
    };
    run("from_range", demand::from_range(numbers(count)));
    run("generate", demand::generate([count, next = 0]() mutable -> std::optional<int> {
            if (next == count) return std::nullopt;
            return ++next;
        }));
    run("map", demand::from_range(numbers(count)) | demand::map([](int i) { return i; }));
    run("map_async",
        demand::from_range(numbers(count)) |
            demand::map_async<int>([](int i, demand::completion<int> done) { done(i); }));
    run("merge", demand::merge({.prefetch = 3}, demand::from_range(numbers(count)),
                               demand::from_range(std::vector<int>{})));
    run("window", demand::from_range(numbers(count)) | demand::window(1) |
                      demand::map([](std::vector<int> const& batch) { return batch.at(0); }));
    hand_publisher<int> hand;
    for (int i = 1; i <= count; ++i) hand.bring(i);
    hand.complete();
    run("flow", hand);
}

}  // namespace

TEST_CASE("rule 1.1: a publisher sends no more than was asked for") {
    with_every_publisher(20, [](any_publisher const& from, diary<int>& told) {
        from.subscribe(probe<int>{told});
        CHECK(told.items.empty());
        told.request(1);
        CHECK(told.items.size() == 1);
        told.request(3);
        told.request(2);
        CHECK(told.items == numbers(6));
        CHECK(told.completed == 0);
        CHECK(told.kept_the_rules());
    });
}

TEST_CASE("rule 1.1: more than was asked for ends the flow at the stage it reaches") {
    rogue_publisher<int> rogue;
    diary<int> told;
    demand::merge({.prefetch = 8}, rogue).subscribe(probe<int>{told});
    SECTION("unasked") {
        rogue.out->on_next(0);
        CHECK(told.items.empty());
    }
    SECTION("with no room left") {
        told.request(1);
        for (int i = 0; i < 10; ++i) rogue.out->on_next(i);
        CHECK(told.items.size() == 1);
    }
    SECTION("with room left") {
        told.request(5);  // One less than makes it ask again.
        for (int i = 0; i < 9; ++i) rogue.out->on_next(i);
        CHECK(told.items.size() == 5);
    }
    CHECK(told.failed == 1);
    CHECK(told.complaint() == "rule 1.1: more items have come than were asked for");
    CHECK(rogue.asked->cancels == 1);
    CHECK(told.kept_the_rules());
}

TEST_CASE("rule 1.2: a publisher may send fewer than were asked for, and end") {
    with_every_publisher(3, [](any_publisher const& from, diary<int>& told) {
        from.subscribe(probe<int>{told});
        told.request(100);
        CHECK(told.items == numbers(3));
        CHECK(told.completed == 1);
        CHECK(told.kept_the_rules());
    });
}

TEST_CASE("rule 1.3: signals do not overlap, also where each asks for the next") {
    with_every_publisher(50, [](any_publisher const& from, diary<int>& told) {
        told.on_subscribe = [&] { told.request(1); };
        told.on_next = [&](int) { told.request(2); };
        from.subscribe(probe<int>{told});
        CHECK(told.items == numbers(50));
        CHECK(told.overlaps == 0);
        CHECK(told.kept_the_rules());
    });
}

TEST_CASE("rule 1.4: a publisher that fails says so by on_error") {
    auto const fails_at = [](int at) {
        return demand::generate([at, next = 0]() mutable -> std::optional<int> {
            if (++next == at) throw std::runtime_error{"no more paper"};
            return next;
        });
    };
    diary<int> told;
    fails_at(3).subscribe(probe<int>{told});
    told.request(10);
    CHECK(told.items == numbers(2));
    CHECK(told.complaint() == "no more paper");
    CHECK(told.is_let_go());
    CHECK(told.kept_the_rules());
}

TEST_CASE("rule 1.5: a publisher that has sent all says so by on_complete, unasked") {
    auto const check = [](auto from) {
        diary<int> told;
        from.subscribe(probe<int>{told});
        told.request(3);
        CHECK(told.completed == 0);
        told.request(1);
        CHECK(told.completed == 1);
        CHECK(told.failed == 0);
        CHECK(told.kept_the_rules());
    };
    check(demand::from_range(numbers(4)));
    check(demand::merge(demand::from_range(numbers(2)), demand::from_range(numbers(2))));
    check(demand::from_range(numbers(8)) | demand::window(2) |
          demand::map([](std::vector<int> const& batch) { return batch.front(); }));
}

TEST_CASE("rule 1.6: a flow that has ended counts as cancelled") {
    auto const fails = GENERATE(false, true);
    hand_publisher<int> hand;
    diary<int> told;
    hand.subscribe(probe<int>{told});
    fails ? hand.fail(std::make_exception_ptr(std::runtime_error{"x"})) : hand.complete();
    CHECK(hand.is_closed());
    CHECK(told.is_let_go());
    told.request(0);
    told.request(5);
    told.handle.cancel();
    CHECK(told.completed + told.failed == 1);
    CHECK(told.items.empty());
}

TEST_CASE("rule 1.7: nothing is sent after the end") {
    with_every_publisher(5, [](any_publisher const& from, diary<int>& told) {
        from.subscribe(probe<int>{told});
        told.request(everything);
        REQUIRE(told.completed == 1);
        told.request(5);
        told.request(-1);
        CHECK(told.completed == 1);
        CHECK(told.failed == 0);
        CHECK(told.items.size() == 5);
        CHECK(told.kept_the_rules());
    });
}

TEST_CASE("rule 1.7: what comes after the end of a publisher goes no further") {
    rogue_publisher<int> rogue;
    hand_publisher<int> other;
    diary<int> told;
    demand::merge({.prefetch = 4}, rogue, other).subscribe(probe<int>{told});
    told.request(10);
    rogue.out->on_next(1);
    rogue.out->on_complete();
    rogue.out->on_next(2);
    rogue.out->on_error(std::make_exception_ptr(std::runtime_error{"late"}));
    rogue.out->on_complete();
    CHECK(told.items == std::vector<int>{1});
    other.complete();
    CHECK(told.completed == 1);
    CHECK(told.kept_the_rules());
}

TEST_CASE("rule 1.8: a cancelled flow stops, at once if cancelled from inside") {
    with_every_publisher(50, [](any_publisher const& from, diary<int>& told) {
        told.on_next = [&](int i) {
            if (i == 7) told.handle.cancel();
        };
        from.subscribe(probe<int>{told});
        told.request(everything);
        CHECK(told.items == numbers(7));
        CHECK(told.completed + told.failed == 0);
        CHECK(told.kept_the_rules());
    });
}

TEST_CASE("rule 1.9: on_subscribe comes first, once, and before subscribe returns") {
    with_every_publisher(0, [](any_publisher const& from, diary<int>& told) {
        from.subscribe(probe<int>{told});
        CHECK(told.subscribed == 1);
        CHECK(told.early == 0);
        told.request(1);
        CHECK(told.completed == 1);
        CHECK(told.kept_the_rules());
    });
}

TEST_CASE("rule 1.9: items that are asked for in on_subscribe come after it") {
    with_every_publisher(5, [](any_publisher const& from, diary<int>& told) {
        told.on_subscribe = [&] {
            told.request(2);
            CHECK(told.items.empty());
        };
        from.subscribe(probe<int>{told});
        CHECK(told.items.size() == 2);
        CHECK(told.overlaps == 0);
    });
}

TEST_CASE("rule 1.9: a stage whose publisher does not call on_subscribe says so") {
    rogue_publisher<int> silent{false};
    diary<int> told;
    demand::merge(silent).subscribe(probe<int>{told});
    CHECK(told.subscribed == 1);
    CHECK(told.complaint() == "rule 1.9: subscribe returned before on_subscribe was called");
}

TEST_CASE("rules 1.10 and 1.11: each subscriber has all items, and a demand of its own") {
    auto const from = demand::from_range(numbers(4)) | demand::map([](int i) { return 2 * i; });
    diary<int> one, other;
    from.subscribe(probe<int>{one});
    from.subscribe(probe<int>{other});
    one.request(1);
    other.request(3);
    CHECK(one.items == std::vector<int>{2});
    CHECK(other.items == std::vector<int>{2, 4, 6});
    one.handle.cancel();
    other.request(1);
    CHECK(other.completed == 1);
}

TEST_CASE("rule 2.1: a stage asks for items, and for none before somebody wants one") {
    rogue_publisher<int> rogue;
    diary<int> told;
    demand::merge({.prefetch = 8}, rogue).subscribe(probe<int>{told});
    CHECK(rogue.asked->requests.empty());
    told.request(1);
    CHECK(rogue.asked->requests == std::vector<std::int64_t>{8});
    told.request(100);
    for (int i = 0; i < 6; ++i) rogue.out->on_next(i);
    CHECK(rogue.asked->requests == std::vector<std::int64_t>{8, 6});
    told.handle.cancel();
}

TEST_CASE("rules 2.3 and 2.4: a stage asks nothing of a publisher that has ended") {
    rogue_publisher<int> rogue;
    hand_publisher<int> other;
    diary<int> told;
    demand::merge({.prefetch = 4}, rogue, other).subscribe(probe<int>{told});
    told.request(1);
    for (int i = 0; i < 4; ++i) rogue.out->on_next(i);
    REQUIRE(rogue.asked->requests.size() == 1);
    rogue.out->on_complete();
    CHECK(rogue.asked->requests.size() == 1);
    CHECK(rogue.asked->cancels == 0);
    told.handle.cancel();
}

TEST_CASE("rule 2.5: a stage cancels a second subscription, and keeps the first") {
    rogue_publisher<int> rogue;
    diary<int> told;
    demand::merge({.prefetch = 8}, rogue).subscribe(probe<int>{told});
    auto const second = std::make_shared<support::asked_of>();
    rogue.out->on_subscribe(demand::subscription{second});
    CHECK(second->cancels == 1);
    CHECK(rogue.asked->cancels == 0);
    told.request(1);
    CHECK(rogue.asked->requests.size() == 1);
    CHECK(second->requests.empty());
    told.handle.cancel();
}

TEST_CASE("rule 2.6: a stage that is no longer wanted cancels its publishers") {
    hand_publisher<int> one, other;
    diary<int> told;
    demand::merge(one, other).subscribe(probe<int>{told});
    told.request(1);
    CHECK_FALSE(one.is_closed());
    SECTION("by a cancel") { told.handle.cancel(); }
    SECTION("by a misuse") { told.handle.request(0); }
    SECTION("by an error of one") { one.fail(std::make_exception_ptr(1)); }
    CHECK(one.is_closed());
    CHECK(other.is_closed());
}

TEST_CASE("rule 2.8: a stage lives with items that come after it has cancelled") {
    rogue_publisher<int> rogue;
    diary<int> told;
    demand::merge({.prefetch = 4}, rogue).subscribe(probe<int>{told});
    told.request(4);
    told.handle.cancel();
    CHECK(rogue.asked->cancels == 1);
    rogue.out->on_next(1);
    rogue.out->on_complete();
    CHECK(told.items.empty());
    CHECK(told.completed == 0);
}

TEST_CASE("rule 2.9: a flow may complete before anything was asked for") {
    hand_publisher<int> empty;
    diary<int> told, merged;
    demand::from_range(std::vector<int>{}).subscribe(probe<int>{told});
    CHECK(told.completed == 1);
    demand::merge(empty).subscribe(probe<int>{merged});
    CHECK(merged.completed == 0);
    empty.complete();
    CHECK(merged.completed == 1);
}

TEST_CASE("rule 2.10: a flow may fail before anything was asked for") {
    hand_publisher<int> broken;
    diary<int> told;
    (demand::merge(broken) | demand::map([](int i) { return i; })).subscribe(probe<int>{told});
    broken.fail(std::make_exception_ptr(std::runtime_error{"broken"}));
    CHECK(told.complaint() == "broken");
    CHECK(told.kept_the_rules());
}

TEST_CASE("rule 2.13: a subscriber that throws is cancelled, and told its own error as the last") {
    with_every_publisher(50, [](any_publisher const& from, diary<int>& told) {
        told.on_next = [](int i) {
            if (i == 3) throw std::runtime_error{"cannot eat three"};
        };
        from.subscribe(probe<int>{told});
        told.request(everything);
        CHECK(told.items == numbers(3));
        CHECK(told.failed == 1);
        CHECK(told.complaint() == "cannot eat three");
        CHECK(told.is_let_go());
        CHECK(told.kept_the_rules());
    });
}

TEST_CASE("rule 2.13: a subscriber that throws has its publisher cancelled, through all stages") {
    hand_publisher<int> hand;
    diary<std::vector<int>> told;
    told.on_next = [](auto const&) { throw std::runtime_error{"x"}; };
    (hand | demand::map([](int i) { return i; }) | demand::window(2))
        .subscribe(probe<std::vector<int>>{told});
    told.request(5);
    hand.bring(1);
    CHECK_FALSE(hand.is_closed());
    hand.bring(2);
    CHECK(hand.is_closed());
    CHECK(told.failed == 1);
}

TEST_CASE("rule 2.13: a subscriber that cancels and throws hears nothing more") {
    diary<int> told;
    told.on_next = [&](int) {
        told.handle.cancel();
        throw std::runtime_error{"unheard"};
    };
    demand::from_range(numbers(3)).subscribe(probe<int>{told});
    told.request(3);
    CHECK(told.items.size() == 1);
    CHECK(told.failed == 0);
    CHECK(told.is_let_go());
}

TEST_CASE("rule 2.13: signals other than on_next may not throw, as the compiler checks") {
    struct throwing : probe<int> {
        void on_complete() {}
    };
    static_assert(demand::subscriber<probe<int>, int>);
    static_assert(!demand::subscriber<throwing, int>);
    SUCCEED();
}

TEST_CASE("rule 3.2: items may be asked for from inside of on_subscribe and on_next") {
    with_every_publisher(10, [](any_publisher const& from, diary<int>& told) {
        told.on_subscribe = [&] { told.request(1); };
        told.on_next = [&](int) { told.request(1); };
        from.subscribe(probe<int>{told});
        CHECK(told.items == numbers(10));
        CHECK(told.completed == 1);
        CHECK(told.kept_the_rules());
    });
}

TEST_CASE("rule 3.3: a million items, each asked for in the one before, take no more stack") {
    static constexpr int count = 1'000'000;
    auto const run = [](auto from) {
        diary<int> told;
        std::uintptr_t lowest = ~std::uintptr_t{0}, highest = 0;
        told.on_subscribe = [&] { told.request(1); };
        told.on_next = [&](int) {
            char here = 0;
            auto const at = reinterpret_cast<std::uintptr_t>(&here);
            lowest = std::min(lowest, at);
            highest = std::max(highest, at);
            told.request(1);
        };
        from.subscribe(probe<int>{told});
        CHECK(told.items.size() == count);
        CHECK(told.completed == 1);
        CHECK(highest - lowest < 16'384);
    };
    run(demand::from_range(numbers(count)));
    run(demand::merge({.prefetch = 4}, demand::from_range(numbers(count / 2)),
                      demand::from_range(numbers(count / 2))) |
        demand::map([](int i) { return i; }));
    run(demand::from_range(numbers(count)) | demand::window(1) |
        demand::map([](std::vector<int> const& batch) { return batch.front(); }));
}

TEST_CASE("rules 3.5 and 3.7: cancelling again does nothing") {
    with_every_publisher(5, [](any_publisher const& from, diary<int>& told) {
        told.on_next = [&](int) {
            told.handle.cancel();
            told.handle.cancel();
        };
        from.subscribe(probe<int>{told});
        told.request(3);
        told.handle.cancel();
        told.handle.cancel();
        CHECK(told.items.size() == 1);
        CHECK(told.completed + told.failed == 0);
    });
}

TEST_CASE("rule 3.6: asking after cancelling does nothing, whatever the number") {
    with_every_publisher(5, [](any_publisher const& from, diary<int>& told) {
        from.subscribe(probe<int>{told});
        told.request(1);
        told.handle.cancel();
        told.request(1);
        told.request(0);
        told.request(-5);
        told.request(everything);
        CHECK(told.items.size() == 1);
        CHECK(told.completed + told.failed == 0);
    });
}

TEST_CASE("rule 3.8: requests add up") {
    hand_publisher<int> hand;
    diary<int> told;
    hand.subscribe(probe<int>{told});
    told.request(2);
    told.request(3);
    for (int i = 1; i <= 9; ++i) hand.bring(i);
    CHECK(told.items == numbers(5));
    CHECK(hand.left() == 4);
    told.handle.cancel();
}

TEST_CASE("rule 3.9: asking for less than one ends the flow with an error that names the rule") {
    auto const count = GENERATE(std::int64_t{0}, std::int64_t{-1}, -everything - 1);
    with_every_publisher(5, [count](any_publisher const& from, diary<int>& told) {
        from.subscribe(probe<int>{told});
        told.request(1);
        told.request(count);
        told.request(3);
        CHECK(told.items.size() == 1);
        CHECK(told.failed == 1);
        CHECK(told.complaint() == "rule 3.9: a request is for one item at least");
        CHECK_THROWS_AS(std::rethrow_exception(told.why), std::invalid_argument);
        CHECK(told.is_let_go());
        CHECK(told.kept_the_rules());
    });
}

TEST_CASE("rule 3.9: the error of a misuse from inside of a signal comes after the signal") {
    diary<int> told;
    told.on_next = [&](int) {
        told.request(0);
        CHECK(told.failed == 0);
    };
    demand::from_range(numbers(5)).subscribe(probe<int>{told});
    told.request(5);
    CHECK(told.items.size() == 1);
    CHECK(told.failed == 1);
    CHECK(told.kept_the_rules());
}

TEST_CASE("rules 3.10 and 3.11: items and the end may come before request returns") {
    with_every_publisher(2, [](any_publisher const& from, diary<int>& told) {
        from.subscribe(probe<int>{told});
        told.request(3);
        CHECK(told.items.size() == 2);
        CHECK(told.completed == 1);
    });
}

TEST_CASE("rule 3.12: a cancel reaches the source, through all stages") {
    hand_publisher<int> hand;
    diary<std::vector<int>> told;
    (demand::merge(hand | demand::map([](int i) { return i; })) | demand::window(3))
        .subscribe(probe<std::vector<int>>{told});
    told.request(1);
    told.handle.cancel();
    CHECK(hand.is_closed());
}

TEST_CASE("rule 3.13: a subscriber is let go when its flow is cancelled, or has ended") {
    auto const how = GENERATE("cancelled", "completed", "misused");
    INFO(how);
    with_every_publisher(2, [how = std::string{how}](any_publisher const& from, diary<int>& told) {
        from.subscribe(probe<int>{told});
        CHECK_FALSE(told.is_let_go());
        if (how == "cancelled") told.handle.cancel();
        if (how == "completed") told.request(3);
        if (how == "misused") told.request(0);
        CHECK(told.is_let_go());
    });
}

TEST_CASE("rule 3.13: a subscriber that cancels from inside of a signal is let go after it") {
    diary<int> told;
    told.on_next = [&](int) {
        told.handle.cancel();
        CHECK_FALSE(told.is_let_go());
    };
    demand::from_range(numbers(3)).subscribe(probe<int>{told});
    told.request(3);
    CHECK(told.is_let_go());
}

TEST_CASE("rules 3.15 and 3.16: request and cancel do not throw") {
    demand::subscription const none;
    static_assert(noexcept(none.cancel())&& noexcept(none.request(1)));
    none.request(0);
    none.cancel();
    CHECK_FALSE(none);
}

TEST_CASE("rule 3.17: demand may be asked for without end, and adds up to no overflow") {
    with_every_publisher(100, [](any_publisher const& from, diary<int>& told) {
        from.subscribe(probe<int>{told});
        told.request(1);
        told.request(everything);
        told.request(everything);
        CHECK(told.items == numbers(100));
        CHECK(told.completed == 1);
        CHECK(told.kept_the_rules());
    });
    hand_publisher<int> hand;
    diary<int> told;
    hand.subscribe(probe<int>{told});
    for (int i = 0; i < 100; ++i) told.request(everything);
    hand.bring(1);
    CHECK(told.items.size() == 1);
    told.handle.cancel();
}

TEST_CASE("rule 4.1: a stage passes all of the above on both sides") {
    std::vector<int> made;
    diary<std::vector<int>> told;
    (demand::generate([next = 0]() mutable -> std::optional<int> { return ++next; }) |
     demand::map([&](int i) {
         made.push_back(i);
         return i;
     }) |
     demand::window(4))
        .subscribe(probe<std::vector<int>>{told});
    CHECK(made.empty());
    told.request(2);
    CHECK(told.items.size() == 2);
    CHECK(made.size() <= 8 + 4);  // What was asked for, and the batch under way.
    told.handle.cancel();
    CHECK(told.kept_the_rules());
}

TEST_CASE("rule 4.2: a stage passes an error on at once") {
    hand_publisher<int> hand, other;
    diary<std::vector<int>> told;
    (demand::merge(hand, other) | demand::map([](int i) { return i; }) | demand::window(9))
        .subscribe(probe<std::vector<int>>{told});
    told.request(1);
    hand.bring(1);
    other.fail(std::make_exception_ptr(std::runtime_error{"at once"}));
    CHECK(told.complaint() == "at once");
    CHECK(told.items.empty());
    CHECK(hand.is_closed());
    CHECK(told.kept_the_rules());
}
