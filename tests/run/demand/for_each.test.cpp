// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/demand/for_each.hpp>

#include <hawser/run/demand/from_range.hpp>

#include "run/demand/probe.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <stdexcept>
#include <vector>

namespace demand = hawser::demand;
using demand::flow_end;
using support::rogue_publisher;

TEST_CASE("for_each: hands each item to the function, and says when it is over") {
    std::vector<int> items;
    int ends = 0;
    demand::from_range(std::vector<int>{1, 2, 3, 4, 5})
        .subscribe(demand::for_each([&](int i) { items.push_back(i); },
                                    [&](flow_end const& end) { ends += end.is_complete() ? 1 : 9; },
                                    2));
    CHECK(items == std::vector<int>{1, 2, 3, 4, 5});
    CHECK(ends == 1);
}

TEST_CASE("for_each: what the function throws is the end") {
    std::exception_ptr why;
    int calls = 0;
    demand::from_range(std::vector<int>{1, 2, 3})
        .subscribe(demand::for_each(
            [&](int) {
                ++calls;
                throw std::runtime_error{"x"};
            },
            [&](flow_end end) { why = end.error; }));
    CHECK(calls == 1);
    CHECK_THROWS_AS(std::rethrow_exception(why), std::runtime_error);
}

TEST_CASE("for_each: asks for its prefetch, and for three quarters of it as they are used") {
    rogue_publisher<int> rogue;
    rogue.subscribe(demand::for_each([](int) {}, [](flow_end const&) {}, 4));
    for (int i = 0; i < 6; ++i) rogue.out->on_next(i);
    CHECK(rogue.asked->requests == std::vector<std::int64_t>{4, 3, 3});
}

TEST_CASE("for_each: without limit, it asks once") {
    rogue_publisher<int> rogue;
    rogue.subscribe(
        demand::for_each([](int) {}, [](flow_end const&) {}, hawser::replenishment::unbounded));
    for (int i = 0; i < 600; ++i) rogue.out->on_next(i);
    CHECK(rogue.asked->requests == std::vector<std::int64_t>{support::everything});
}

TEST_CASE("for_each: a prefetch of nothing is refused") {
    CHECK_THROWS_AS(demand::for_each([](int) {}, [](flow_end const&) {}, 0), std::invalid_argument);
}
