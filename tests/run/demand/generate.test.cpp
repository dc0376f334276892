// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/demand/generate.hpp>

#include "run/demand/probe.hpp"
#include "support/catch.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace demand = hawser::demand;
using support::diary;
using support::probe;

TEST_CASE("generate: the function is called for an item that is asked for, and at no other time") {
    int calls = 0;
    diary<int> told;
    demand::generate([&]() -> std::optional<int> { return ++calls; }).subscribe(probe<int>{told});
    CHECK(calls == 0);
    told.request(3);
    CHECK(calls == 3);
    told.handle.cancel();
    told.request(1);
    CHECK(calls == 3);
}

TEST_CASE("generate: no item is the end, and the function is not called after it") {
    int calls = 0;
    diary<int> told;
    demand::generate([&]() -> std::optional<int> {
        if (++calls > 2) return std::nullopt;
        return calls;
    }).subscribe(probe<int>{told});
    told.request(9);
    told.request(9);
    CHECK(calls == 3);
    CHECK(told.items == std::vector<int>{1, 2});
    CHECK(told.completed == 1);
}

TEST_CASE("generate: items may be such as cannot be copied") {
    struct sum {
        void on_subscribe(demand::subscription handle) noexcept { handle.request(3); }
        void on_next(std::unique_ptr<int> item) { *total += *item; }
        void on_error(std::exception_ptr) noexcept {}
        void on_complete() noexcept {}
        int* total;
    };
    int total = 0;
    auto make = [next = 0]() mutable -> std::optional<std::unique_ptr<int>> {
        return std::make_unique<int>(++next);
    };
    demand::generate(make).subscribe(sum{&total});
    CHECK(total == 6);
}

TEST_CASE("generate: each subscriber has a function of its own") {
    auto const from =
        demand::generate([next = 0]() mutable -> std::optional<int> { return ++next; });
    diary<int> one, other;
    from.subscribe(probe<int>{one});
    from.subscribe(probe<int>{other});
    one.request(3);
    other.request(1);
    CHECK(one.items == std::vector<int>{1, 2, 3});
    CHECK(other.items == std::vector<int>{1});
    one.handle.cancel();
    other.handle.cancel();
}
