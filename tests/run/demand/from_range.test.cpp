// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/demand/from_range.hpp>

#include "run/demand/probe.hpp"
#include "support/catch.hpp"

#include <array>
#include <list>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace demand = hawser::demand;
using support::diary;
using support::everything;
using support::probe;

TEST_CASE("from_range: sends the elements in order, from the beginning, to each subscriber") {
    auto const from = demand::from_range(std::list<std::string>{"a", "b", "c"});
    for (int i = 0; i < 2; ++i) {
        diary<std::string> told;
        from.subscribe(probe<std::string>{told});
        told.request(everything);
        CHECK(told.items == std::vector<std::string>{"a", "b", "c"});
        CHECK(told.completed == 1);
    }
}

TEST_CASE("from_range: keeps its range, moved in or not") {
    diary<int> kept, moved;
    {
        auto const from = demand::from_range(std::array<int, 3>{1, 2, 3});
        from.subscribe(probe<int>{kept});
    }
    demand::from_range(std::vector<int>{4, 5}).subscribe(probe<int>{moved});
    kept.request(9);
    moved.request(9);
    CHECK(kept.items == std::vector<int>{1, 2, 3});
    CHECK(moved.items == std::vector<int>{4, 5});
}

TEST_CASE("from_range: a span is of elements that stand elsewhere") {
    std::vector<int> elements{1, 2, 3};
    diary<int> told;
    demand::from_range(std::span<int const>{elements}).subscribe(probe<int>{told});
    elements[2] = 7;
    told.request(9);
    CHECK(told.items == std::vector<int>{1, 2, 7});
}

TEST_CASE("from_range: an element that cannot be copied is an error") {
    struct uncopied {
        uncopied() = default;
        uncopied(uncopied const& other) : fails{other.fails} {
            if (fails) throw std::runtime_error{"no copy"};
        }
        uncopied(uncopied&&) = default;
        uncopied& operator=(uncopied const&) = default;
        bool fails = false;
    };
    std::vector<uncopied> elements(2);
    diary<uncopied> told;
    demand::from_range(std::span<uncopied>{elements}).subscribe(probe<uncopied>{told});
    elements[1].fails = true;
    told.request(2);
    CHECK(told.items.size() == 1);
    CHECK(told.complaint() == "no copy");
}
