// SPDX-License-Identifier: BSL-1.0
#include <hawser/containers/ring.hpp>

#include "support/catch.hpp"

#include <deque>
#include <memory>
#include <random>

using hawser::ring;

TEST_CASE("ring: agrees with a deque of bounded length") {
    auto const seed = GENERATE(range(1U, 21U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    auto const capacity = 1 + random() % 9;
    ring<unsigned> subject{capacity};
    std::deque<unsigned> model;
    for (unsigned i = 0; i < 2'000; ++i) {
        switch (random() % 8) {
            case 0:
            case 1:
            case 2:
                REQUIRE(subject.try_push_back(i) == (model.size() < capacity));
                if (model.size() < capacity) model.push_back(i);
                break;
            case 3:
                REQUIRE(subject.push_back_evicting(i) == (model.size() == capacity));
                if (model.size() == capacity) model.pop_front();
                model.push_back(i);
                break;
            case 4:
                if (random() % 20 != 0) break;
                subject.clear();
                model.clear();
                break;
            default:
                if (model.empty()) break;
                REQUIRE(subject.pop_front() == model.front());
                model.pop_front();
        }
        REQUIRE(subject.size() == model.size());
        REQUIRE(subject.empty() == model.empty());
        REQUIRE(subject.full() == (model.size() == capacity));
        for (std::size_t k = 0; k < model.size(); ++k) REQUIRE(subject[k] == model[k]);
        if (model.empty()) continue;
        REQUIRE(subject.front() == model.front());
        REQUIRE(subject.back() == model.back());
    }
}

TEST_CASE("ring: with its capacity in the type holds its values inside itself") {
    ring<int, 4> subject;
    CHECK(subject.capacity() == 4);
    for (int i = 0; i < 4; ++i) CHECK(subject.try_push_back(i));
    CHECK_FALSE(subject.try_push_back(4));
    auto const* const inside = reinterpret_cast<char const*>(&subject.front());
    auto const* const begin = reinterpret_cast<char const*>(&subject);
    CHECK(inside >= begin);
    CHECK(inside < begin + sizeof subject);
}

TEST_CASE("ring: holds values that only move") {
    ring<std::unique_ptr<int>> subject{2};
    subject.try_push_back(std::make_unique<int>(1));
    subject.push_back_evicting(std::make_unique<int>(2));
    subject.push_back_evicting(std::make_unique<int>(3));
    CHECK(*subject.pop_front() == 2);
    CHECK(*subject.pop_front() == 3);
}

TEST_CASE("ring: moves its values along, and leaves an empty ring behind") {
    ring<int> from{3};
    for (int i = 0; i < 5; ++i) from.push_back_evicting(i);
    ring<int> to{std::move(from)};
    CHECK(from.empty());  // NOLINT(bugprone-use-after-move): the promise.
    CHECK(from.full());
    CHECK_FALSE(from.try_push_back(1));
    CHECK(to.front() == 2);
    from = std::move(to);
    CHECK(from.capacity() == 3);
    CHECK(from.back() == 4);

    ring<int, 3> inside;
    inside.try_push_back(7);
    auto other = std::move(inside);
    CHECK(inside.empty());  // NOLINT(bugprone-use-after-move)
    CHECK(other.front() == 7);
    other = std::move(*&other);
    CHECK(other.front() == 7);
}

TEST_CASE("ring: refuses to have no room at all") {
    CHECK_THROWS_WITH(ring<int>{0}, "ring: capacity is zero");
}
