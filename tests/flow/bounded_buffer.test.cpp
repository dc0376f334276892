// SPDX-License-Identifier: BSL-1.0
#include <hawser/flow/bounded_buffer.hpp>

#include "support/catch.hpp"
#include "support/parcel.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using hawser::bounded_buffer;
using hawser::bounded_buffer_options;
using hawser::crossing;
using hawser::drop_cause;
using hawser::drop_list;
using hawser::pushed;
using hawser::time_point;
using support::parcel;
using support::parcel_weight;
namespace overflow = hawser::overflow;

static constexpr time_point t0{1h};

namespace {

struct request {
    int id = 0;
    time_point deadline;
};
/// Requests weigh the same, and are of use until their deadline.
struct by_request : hawser::unit_weight {
    [[nodiscard]] time_point deadline_of(request const& of) const noexcept { return of.deadline; }
};

/// A number weighs what it says.
struct value {
    std::uint64_t operator()(std::uint64_t number) const noexcept { return number; }
};

template <class Overflow = overflow::block>
using weighed = bounded_buffer<std::uint64_t, Overflow, value>;

/// The numbers of the parcels on a list.
template <class List>
std::vector<int> ids_on(List& drops) {
    std::vector<int> ids;
    drops.for_each([&](parcel const& item, drop_cause) { ids.push_back(item.id()); });
    return ids;
}

}  // namespace

TEST_CASE("bounded_buffer: gives items in the order in which they came, round and round") {
    bounded_buffer<int> buffer{{.capacity = 3}};
    drop_list<int> drops;
    for (int i = 0; i < 100; i += 2) {
        CHECK(buffer.push(int{i}, t0, drops).result == pushed::stored);
        CHECK(buffer.push(i + 1, t0, drops).result == pushed::stored);
        CHECK(buffer.pop(t0, drops).item == i);
        CHECK(buffer.pop(t0, drops).item == i + 1);
        CHECK_FALSE(buffer.pop(t0, drops).item);
    }
    CHECK(buffer.snapshot().pushed == 100);
    CHECK(buffer.snapshot().popped == 100);
}

TEMPLATE_TEST_CASE("bounded_buffer: an item heavier than the whole has its own answer, at no cost",
                   "[template]", overflow::block, overflow::reject, overflow::drop_newest,
                   overflow::drop_oldest, overflow::drop_all, overflow::keep_latest) {
    weighed<TestType> buffer{{.capacity = 2, .weight = 10, .max_age = 1ms}};
    drop_list<std::uint64_t> drops;
    CHECK(buffer.push(10, t0, drops).result == pushed::stored);
    auto const answer = buffer.push(11, t0 + 1h, drops);
    CHECK(answer.result == pushed::too_large);
    CHECK_FALSE(is_taken(answer.result));
    CHECK(drops.empty());  // Not even what is too old.
    CHECK(buffer.snapshot().pushed == 1);
    CHECK(buffer.weight() == 10);
}

TEST_CASE("bounded_buffer: is bounded by count and by weight, whichever is reached first") {
    weighed<> buffer{{.capacity = 3, .weight = 10}};
    drop_list<std::uint64_t> drops;
    CHECK(buffer.push(6, t0, drops).result == pushed::stored);
    CHECK(buffer.push(5, t0, drops).result == pushed::full);
    CHECK(buffer.push(4, t0, drops).result == pushed::stored);
    CHECK(buffer.push(1, t0, drops).result == pushed::full);
    CHECK(buffer.push(0, t0, drops).result == pushed::stored);  // Weighs nothing, takes a place.
    CHECK(buffer.push(0, t0, drops).result == pushed::full);
    CHECK(buffer.pop(t0, drops).item == 6U);
    CHECK(buffer.weight() == 4);
    CHECK(buffer.push(6, t0, drops).result == pushed::stored);
}

TEST_CASE("bounded_buffer: has_room tells beforehand what a push would find") {
    weighed<overflow::drop_oldest> buffer{{.capacity = 2, .weight = 10}};
    drop_list<std::uint64_t> drops;
    CHECK(buffer.has_room(10));
    CHECK_FALSE(buffer.has_room(11));
    (void)buffer.push(7, t0, drops);
    CHECK(buffer.has_room(3));
    CHECK_FALSE(buffer.has_room(4));
    (void)buffer.push(0, t0, drops);
    CHECK_FALSE(buffer.has_room());
}

TEST_CASE("bounded_buffer: weights without a bound of their own do not wrap round") {
    weighed<> buffer{{.capacity = 4}};
    drop_list<std::uint64_t> drops;
    constexpr auto all = std::numeric_limits<std::uint64_t>::max();
    CHECK(buffer.push(all - 1, t0, drops).result == pushed::stored);
    CHECK(buffer.push(2, t0, drops).result == pushed::full);
    CHECK(buffer.push(1, t0, drops).result == pushed::stored);
    CHECK(buffer.weight() == all);
    CHECK(buffer.snapshot().is_high == false);  // No watermark is not one that is out of sight.
    CHECK(buffer.snapshot().weight_limit == 0);
}

TEST_CASE("bounded_buffer: an item's weight is asked once, and can be asked before the lock") {
    int asked = 0;
    auto weigh = [&asked](parcel const& item) noexcept {
        ++asked;
        return item.weight;
    };
    support::parcel_log log;
    bounded_buffer<parcel, overflow::drop_oldest, decltype(weigh)> buffer{
        {.capacity = 1, .weight = 10}, {}, weigh};
    drop_list<parcel> drops;
    for (int i = 0; i != 3; ++i) (void)buffer.push(parcel{log, 3}, t0, drops);
    (void)buffer.pop(t0, drops);
    CHECK(asked == 3);

    parcel item{log, 4};
    auto const weight = buffer.weight_of(item);
    CHECK(asked == 4);
    (void)buffer.push(std::move(item), weight, t0, drops);
    CHECK(buffer.weight() == 4);
    CHECK(asked == 4);
}

TEST_CASE(
    "bounded_buffer: a watermark is reported once when it is crossed, and not inside the band") {
    bounded_buffer<int> buffer{{.capacity = 10, .high_watermark = 8, .low_watermark = 3}};
    drop_list<int> drops;
    auto const push = [&] { return buffer.push(0, t0, drops).crossed; };
    auto const pop = [&] { return buffer.pop(t0, drops).crossed; };
    for (int depth = 1; depth != 8; ++depth) CHECK(push() == crossing::none);
    CHECK(push() == crossing::high);
    CHECK(buffer.snapshot().is_high);
    for (int i = 0; i != 100; ++i) {  // Over the high one and back, and close to the low one.
        CHECK(push() == crossing::none);
        CHECK(pop() == crossing::none);
        CHECK(pop() == crossing::none);
        CHECK(push() == crossing::none);
    }
    for (int depth = 7; depth != 3; --depth) CHECK(pop() == crossing::none);
    CHECK(pop() == crossing::low);
    CHECK_FALSE(buffer.snapshot().is_high);
    for (int i = 0; i != 100; ++i) {  // Under the low one and back, and close to the high one.
        CHECK(pop() == crossing::none);
        CHECK(push() == crossing::none);
    }
    for (int depth = 4; depth != 8; ++depth) CHECK(push() == crossing::none);
    CHECK(push() == crossing::high);
}

TEST_CASE("bounded_buffer: a low watermark of zero is crossed when the buffer is empty") {
    bounded_buffer<int> buffer{{.capacity = 1, .high_watermark = 1}};
    drop_list<int> drops;
    for (int i = 0; i != 3; ++i) {
        CHECK(buffer.push(0, t0, drops).crossed == crossing::high);
        CHECK(buffer.push(0, t0, drops).crossed == crossing::none);
        CHECK(buffer.pop(t0, drops).crossed == crossing::low);
        CHECK(buffer.pop(t0, drops).crossed == crossing::none);
    }
}

TEST_CASE("bounded_buffer: watermarks of weight follow the weight, merges and drops included") {
    auto add = [](std::uint64_t& kept, std::uint64_t item) { kept += item; };
    bounded_buffer<std::uint64_t, overflow::conflate<decltype(add)>, value> merging{
        {.capacity = 1,
         .weight = 100,
         .high_watermark = 80,
         .low_watermark = 20,
         .watermarks_in = hawser::depth_in::weight},
        overflow::conflate{add}};
    drop_list<std::uint64_t, 8> drops;
    CHECK(merging.push(79, t0, drops).crossed == crossing::none);
    CHECK(merging.push(1, t0, drops).crossed == crossing::high);
    CHECK(merging.pop(t0, drops).crossed == crossing::low);

    weighed<overflow::drop_all> dropping{{.capacity = 4,
                                          .weight = 100,
                                          .high_watermark = 80,
                                          .low_watermark = 20,
                                          .watermarks_in = hawser::depth_in::weight}};
    for (auto const weight : {30U, 30U}) (void)dropping.push(weight, t0, drops);
    CHECK(dropping.push(40, t0, drops).crossed == crossing::high);
    CHECK(dropping.push(20, t0, drops).crossed == crossing::low);
    CHECK(dropping.weight() == 20);
}

TEST_CASE("bounded_buffer: an item comes out up to its greatest age, and is dropped beyond it") {
    bounded_buffer<int> buffer{{.capacity = 4, .max_age = 10ms}};
    drop_list<int> drops;
    CHECK(buffer.needs_time());
    (void)buffer.push(1, t0, drops);
    (void)buffer.push(2, t0, drops);
    (void)buffer.push(3, t0 + 1ms, drops);
    CHECK(buffer.pop(t0 + 10ms, drops).item == 1);

    auto const answer = buffer.pop(t0 + 10ms + 1ns, drops);
    CHECK(answer.item == 3);
    CHECK(answer.expired == 1);
    CHECK(drops.size() == 1);
    drops.for_each([](int item, drop_cause cause) {
        CHECK(item == 2);
        CHECK(cause == drop_cause::expired);
    });
    CHECK(buffer.snapshot().dropped[drop_cause::expired] == 1);
    CHECK(buffer.snapshot().popped == 2);
}

TEST_CASE("bounded_buffer: an item that is too old takes no room from a new one") {
    bounded_buffer<int, overflow::reject> buffer{{.capacity = 2, .max_age = 10ms}};
    drop_list<int> drops;
    (void)buffer.push(1, t0, drops);
    (void)buffer.push(2, t0 + 5ms, drops);
    CHECK(buffer.push(3, t0 + 10ms, drops).result == pushed::refused);
    auto const answer = buffer.push(3, t0 + 11ms, drops);
    CHECK(answer.result == pushed::stored);
    CHECK(answer.expired == 1);
    CHECK(answer.dropped == 0);
    CHECK(buffer.pop(t0 + 11ms, drops).item == 2);
}

TEST_CASE("bounded_buffer: an item with a deadline of its own comes out up to that, in its turn") {
    bounded_buffer<request, overflow::reject, by_request> buffer{{.capacity = 3}};
    drop_list<request> drops;
    CHECK(buffer.needs_time());
    (void)buffer.push({1, t0 + 20ms}, t0, drops);
    (void)buffer.push({2, t0 + 5ms}, t0, drops);
    (void)buffer.push({3, hawser::no_deadline}, t0, drops);
    // The second is too late, and waits for its turn to say so: it is not at the front.
    CHECK(buffer.push({4, hawser::no_deadline}, t0 + 10ms, drops).result == pushed::refused);
    CHECK(buffer.pop(t0 + 20ms, drops).item->id == 1);
    auto const answer = buffer.pop(t0 + 20ms, drops);
    CHECK(answer.expired == 1);
    CHECK(answer.item->id == 3);
    CHECK(buffer.snapshot().dropped[drop_cause::expired] == 1);
}

TEST_CASE("bounded_buffer: the earlier of an item's age and deadline is the end of it") {
    bounded_buffer<request, overflow::block, by_request> buffer{{.capacity = 3, .max_age = 10ms}};
    drop_list<request> drops;
    (void)buffer.push({1, t0 + 20ms}, t0, drops);
    (void)buffer.push({2, t0 + 5ms}, t0 + 1ms, drops);
    (void)buffer.push({3, t0 + 5ms}, t0 + 1ms, drops);
    CHECK(buffer.pop(t0 + 5ms, drops).item->id == 1);
    CHECK(buffer.pop(t0 + 5ms, drops).item->id == 2);
    CHECK(buffer.pop(t0 + 5ms + 1ns, drops).expired == 1);
    (void)buffer.push({4, t0 + 30ms}, t0 + 6ms, drops);
    CHECK(buffer.pop(t0 + 16ms + 1ns, drops).expired == 1);
}

TEST_CASE("bounded_buffer: a merged item has the deadline that it says") {
    auto later = [](request& kept, request& added) {
        kept.deadline = std::max(kept.deadline, added.deadline);
    };
    bounded_buffer<request, overflow::conflate<decltype(later)>, by_request> buffer{
        {.capacity = 1}, overflow::conflate{later}};
    drop_list<request> drops;
    (void)buffer.push({1, t0 + 20ms}, t0, drops);
    CHECK(buffer.push({2, t0 + 5ms}, t0, drops).result == pushed::merged);
    CHECK(buffer.pop(t0 + 20ms, drops).item->id == 1);
    (void)buffer.push({3, t0 + 5ms}, t0, drops);
    CHECK(buffer.push({4, t0 + 20ms}, t0, drops).result == pushed::merged);
    CHECK(buffer.pop(t0 + 20ms, drops).item->id == 3);
}

TEST_CASE("bounded_buffer: without a greatest age the time is not looked at") {
    bounded_buffer<int> buffer{{.capacity = 4}};
    drop_list<int> drops;
    CHECK_FALSE(buffer.needs_time());
    (void)buffer.push(1, time_point::min(), drops);
    (void)buffer.push(2, time_point::max(), drops);
    CHECK(buffer.pop(time_point::max(), drops).item == 1);
    CHECK(buffer.pop(time_point::min(), drops).item == 2);
}

TEST_CASE("bounded_buffer: holds at the extremes of time") {
    bounded_buffer<int> buffer{{.capacity = 4, .max_age = hawser::duration::max()}};
    drop_list<int> drops;
    (void)buffer.push(1, t0, drops);
    (void)buffer.push(2, time_point::max(), drops);
    (void)buffer.push(3, time_point::min(), drops);
    CHECK(buffer.pop(time_point::max(), drops).item == 1);
    CHECK(buffer.pop(time_point::min(), drops).item == 2);
    CHECK(buffer.pop(time_point::max(), drops).expired == 1);
}

TEST_CASE("bounded_buffer: destroys no item that it drops; who empties the list does") {
    support::parcel_log log;
    bounded_buffer<parcel, overflow::drop_oldest> buffer{{.capacity = 1, .max_age = 1ms}};
    drop_list<parcel> drops;
    (void)buffer.push(parcel{log}, t0, drops);
    (void)buffer.push(parcel{log}, t0, drops);
    (void)buffer.pop(t0 + 1h, drops);
    CHECK(log.ends_of(0) == 0);
    CHECK(log.ends_of(1) == 0);
    CHECK(log.objects == 2);
    drops.clear();
    CHECK(log.each_ended_once());
}

TEST_CASE("bounded_buffer: what finds no place on the list waits for the next, counted already") {
    support::parcel_log log;
    bounded_buffer<parcel, overflow::drop_all, parcel_weight> buffer{{.capacity = 9, .weight = 9}};
    drop_list<parcel, 2> drops;
    for (int i = 0; i != 9; ++i) (void)buffer.push(parcel{log}, t0, drops);
    auto const answer = buffer.push(parcel{log, 9}, t0, drops);
    CHECK(answer.result == pushed::stored);
    CHECK(answer.dropped == 9);
    CHECK(answer.more);
    CHECK(ids_on(drops) == std::vector{0, 1});
    CHECK(buffer.size() == 1);
    CHECK(buffer.weight() == 9);
    CHECK(buffer.snapshot().dropped[drop_cause::all] == 9);
    CHECK(buffer.snapshot().to_collect == 7);

    drops.clear();
    CHECK(buffer.collect(drops));
    CHECK(ids_on(drops) == std::vector{2, 3});
    drops.clear();
    auto early = buffer.pop(t0, drops);
    CHECK_FALSE(early.item);  // First what was dropped.
    CHECK(early.more);
    CHECK(ids_on(drops) == std::vector{4, 5});
    drops.clear();
    CHECK(buffer.collect(drops));
    drops.clear();
    CHECK_FALSE(buffer.collect(drops));
    CHECK(ids_on(drops) == std::vector{8});
    drops.clear();
    CHECK_FALSE(buffer.collect(drops));
    CHECK(buffer.pop(t0, drops).item->id() == 9);
    CHECK(log.each_ended_once());
}

TEST_CASE("bounded_buffer: a full buffer whose dropped items wait takes new ones all the same") {
    bounded_buffer<int, overflow::drop_all> buffer{{.capacity = 8}};
    int seen = 0;
    for (int i = 0; i != 1000; ++i) {
        drop_list<int, 1> drops;  // Nobody collects.
        CHECK(buffer.push(int{i}, t0, drops).result == pushed::stored);
        drops.for_each([&](int item, drop_cause) { CHECK(item == seen++); });
    }
    auto const now = buffer.snapshot();
    CHECK(now.pushed == now.popped + now.dropped.total() + now.depth);
    CHECK(static_cast<std::uint64_t>(seen) + now.to_collect == now.dropped.total());
}

TEST_CASE("bounded_buffer: a dropped new item has its place on the list before those that wait") {
    support::parcel_log log;
    bounded_buffer<parcel, overflow::drop_newest, parcel_weight> buffer{
        {.capacity = 4, .weight = 10, .max_age = 1ms}};
    drop_list<parcel, 2> drops;
    for (auto const weight : {1U, 1U, 1U}) (void)buffer.push(parcel{log, weight}, t0, drops);
    (void)buffer.push(parcel{log, 7}, t0 + 1h, drops);
    auto const answer = buffer.push(parcel{log, 4}, t0 + 1h, drops);
    CHECK(answer.result == pushed::dropped);
    CHECK(answer.expired == 3);
    CHECK(answer.more);
    CHECK(ids_on(drops) == std::vector{0, 4});
}

TEST_CASE("bounded_buffer: destroys what is left in it once") {
    support::parcel_log log;
    {
        bounded_buffer<parcel, overflow::drop_all> buffer{{.capacity = 4}};
        drop_list<parcel, 1> drops;
        for (int i = 0; i != 5; ++i) (void)buffer.push(parcel{log}, t0, drops);
        CHECK(buffer.size() == 1);
        CHECK(buffer.snapshot().to_collect == 3);  // Of four, one is on the list.
    }
    CHECK(log.each_ended_once());
}

TEST_CASE("bounded_buffer: asks of an item only that it moves") {
    STATIC_REQUIRE_FALSE(std::is_default_constructible_v<parcel>);
    STATIC_REQUIRE_FALSE(std::is_move_assignable_v<parcel>);
    struct alignas(64) aligned {
        explicit aligned(int i) : item{std::make_unique<int>(i)} {}
        std::unique_ptr<int> item;
    };
    bounded_buffer<aligned> buffer{{.capacity = 3}};
    drop_list<aligned> drops;
    for (int i = 0; i != 5; ++i) {
        CHECK(buffer.push(aligned{i}, t0, drops).result == pushed::stored);
        auto const popped = buffer.pop(t0, drops).item;
        CHECK(*popped->item == i);
        CHECK(reinterpret_cast<std::uintptr_t>(&*popped) % 64 == 0);
    }
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<bounded_buffer<int>>);
    STATIC_REQUIRE_FALSE(std::is_move_constructible_v<bounded_buffer<int>>);
}

TEST_CASE("bounded_buffer: remembers the greatest depth and weight there were") {
    weighed<> buffer{{.capacity = 4, .weight = 100}};
    drop_list<std::uint64_t> drops;
    for (auto const weight : {10U, 20U, 5U}) (void)buffer.push(weight, t0, drops);
    while (buffer.pop(t0, drops).item) {}
    (void)buffer.push(30, t0, drops);
    auto const now = buffer.snapshot();
    CHECK(now.depth == 1);
    CHECK(now.weight == 30);
    CHECK(now.highest_depth == 3);
    CHECK(now.highest_weight == 35);
    CHECK(now.capacity == 4);
    CHECK(now.weight_limit == 100);
}

TEST_CASE("bounded_buffer: rejects options out of range, naming the field") {
    using hawser::depth_in;
    auto const refusal = [](bounded_buffer_options const& options) -> std::string {
        try {
            bounded_buffer<int> const buffer{options};
        } catch (std::invalid_argument const& error) {
            return error.what();
        }
        return "none";
    };
    constexpr auto most = bounded_buffer_options::capacity_max;
    CHECK(refusal({.capacity = 0}) == "bounded_buffer: capacity is zero");
    CHECK(refusal({.capacity = most + 1}) == "bounded_buffer: capacity is above 16777216");
    CHECK(most == 16'777'216);
    CHECK(refusal({.max_age = -1ns}) == "bounded_buffer: max_age is negative");
    CHECK(refusal({.high_watermark = 5, .low_watermark = 5}) ==
          "bounded_buffer: low_watermark is not below high_watermark");
    CHECK(refusal({.low_watermark = 5}) ==
          "bounded_buffer: low_watermark is not below high_watermark");
    CHECK(refusal({.capacity = 4, .high_watermark = 5}) ==
          "bounded_buffer: high_watermark is above capacity");
    CHECK(refusal({.weight = 10, .high_watermark = 11, .watermarks_in = depth_in::weight}) ==
          "bounded_buffer: high_watermark is above weight");
    CHECK(refusal({.high_watermark = 1, .watermarks_in = depth_in::weight}) ==
          "bounded_buffer: watermarks_in is weight, and weight is zero");

    CHECK(refusal({}) == "none");
    CHECK(refusal({.capacity = 4, .high_watermark = 4, .low_watermark = 3}) == "none");
    CHECK(refusal({.weight = 10, .high_watermark = 10, .watermarks_in = depth_in::weight}) ==
          "none");
    CHECK_THROWS_WITH((bounded_buffer<int, overflow::keep_latest>{{.high_watermark = 2}}),
                      "bounded_buffer: high_watermark is above capacity");
}
