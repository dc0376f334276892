// SPDX-License-Identifier: BSL-1.0
#include <hawser/flow/dropped.hpp>
#include <hawser/trace/names.hpp>

#include "support/catch.hpp"
#include "support/parcel.hpp"

#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using hawser::drop_cause;
using hawser::drop_counts;
using hawser::drop_list;
using support::parcel;

TEST_CASE(
    "drop_list: shows its items in the order in which they were dropped, each with its cause") {
    support::parcel_log log;
    drop_list<parcel, 3> drops;
    CHECK(drops.empty());
    CHECK(drops.room() == 3);
    drops.add(parcel{log}, drop_cause::expired);
    drops.add(parcel{log}, drop_cause::oldest);
    CHECK(drops.size() == 2);
    CHECK(drops.room() == 1);

    std::vector<std::pair<int, drop_cause>> seen;
    drops.for_each([&](parcel& item, drop_cause cause) { seen.emplace_back(item.id(), cause); });
    CHECK(seen == std::vector<std::pair<int, drop_cause>>{{0, drop_cause::expired},
                                                          {1, drop_cause::oldest}});
}

TEST_CASE("drop_list: destroys each item once, when it is cleared or at its end") {
    support::parcel_log log;
    {
        drop_list<parcel, 3> drops;
        drops.add(parcel{log}, drop_cause::newest);
        drops.add(parcel{log}, drop_cause::newest);
        CHECK(log.objects == 2);
        drops.clear();
        CHECK(log.each_ended_once());
        CHECK(drops.room() == 3);
        drops.add(parcel{log}, drop_cause::newest);
        CHECK(log.ends_of(2) == 0);
    }
    CHECK(log.each_ended_once());
}

TEST_CASE("drop_list: a visitor that throws is heard, and the items still end") {
    support::parcel_log log;
    {
        drop_list<parcel> drops;
        drops.add(parcel{log}, drop_cause::all);
        CHECK_THROWS_AS(drops.for_each([](parcel&, drop_cause) { throw std::runtime_error{"no"}; }),
                        std::runtime_error);
        CHECK(drops.size() == 1);
    }
    CHECK(log.each_ended_once());
}

TEST_CASE("drop_counts: counts by cause, and all of them together") {
    drop_counts counts;
    CHECK(counts.total() == 0);
    counts[drop_cause::newest] = 1;
    counts[drop_cause::merged] = 2;
    ++counts[drop_cause::expired];
    CHECK(counts.total() == 4);
    CHECK(std::as_const(counts)[drop_cause::merged] == 2);
    CHECK(counts[drop_cause::oldest] == 0);
    CHECK(counts != drop_counts{});
}

TEST_CASE("drop_cause: each has a label of its own") {
    std::set<std::string> labels;
    for (auto const cause : hawser::drop_causes) labels.insert(label_of(cause));
    CHECK(labels ==
          std::set<std::string>{"newest", "oldest", "replaced", "merged", "all", "expired"});
    CHECK(label_of(static_cast<drop_cause>(6)) == std::string{"_OTHER"});
}
