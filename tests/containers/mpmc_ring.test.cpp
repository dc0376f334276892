// SPDX-License-Identifier: BSL-1.0
#include <hawser/containers/mpmc_ring.hpp>

#include "support/catch.hpp"
#include "support/interleave.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using hawser::mpmc_ring;
using hawser::ring_answer;

namespace {

template <class Ring>
bool push(Ring& ring, int number) {
    return ring.try_push(number) == ring_answer::done;
}
template <class T, class Sync>
std::optional<T> pop(mpmc_ring<T, Sync>& ring) {
    std::optional<T> got;
    (void)ring.try_pop([&](T&& value) noexcept { got.emplace(std::move(value)); });
    return got;
}

}  // namespace

TEST_CASE("mpmc_ring: values come out in the order in which they went in") {
    mpmc_ring<int> ring{4};
    CHECK(push(ring, 1));
    CHECK(push(ring, 2));
    CHECK(push(ring, 3));
    CHECK(pop(ring) == 1);
    CHECK(pop(ring) == 2);
    CHECK(push(ring, 4));
    CHECK(pop(ring) == 3);
    CHECK(pop(ring) == 4);
    CHECK_FALSE(pop(ring));
}

TEST_CASE("mpmc_ring: holds as many as it was told, of any number, and not one more") {
    for (std::size_t const capacity : {1U, 2U, 3U, 4U, 5U, 7U, 8U, 64U, 1000U, 1023U, 1024U}) {
        INFO("capacity " << capacity);
        mpmc_ring<int> ring{capacity};
        CHECK(ring.capacity() == capacity);
        for (int lap = 0; lap != 3; ++lap) {
            for (std::size_t n = 0; n != capacity; ++n) REQUIRE(push(ring, static_cast<int>(n)));
            int more = 1;
            CHECK(ring.try_push(more) == ring_answer::none);
            CHECK(ring.size() == capacity);
            for (std::size_t n = 0; n != capacity; ++n) REQUIRE(pop(ring) == static_cast<int>(n));
            CHECK_FALSE(pop(ring));
            CHECK(ring.size() == 0);
        }
    }
}

TEST_CASE("mpmc_ring: agrees with a plain queue over thousands of laps") {
    for (std::size_t const capacity : {1U, 2U, 3U, 5U, 8U, 13U}) {
        auto const seed = static_cast<unsigned>(capacity);
        INFO("capacity and seed " << seed);
        std::mt19937 random{seed};
        mpmc_ring<int> ring{capacity};
        std::deque<int> model;
        for (int n = 0; n != 20'000; ++n) {
            // In turns more in than out, and the other way round.
            if (random() % 8 < (n / 100 % 2 == 0 ? 5U : 3U)) {
                REQUIRE(push(ring, n) == (model.size() < capacity));
                if (model.size() < capacity) model.push_back(n);
            } else {
                auto const got = pop(ring);
                REQUIRE(got.has_value() == !model.empty());
                if (got) REQUIRE(*got == model.front());
                if (got) model.pop_front();
            }
            REQUIRE(ring.size() == model.size());
        }
    }
}

TEST_CASE("mpmc_ring: a capacity out of range is refused by name") {
    CHECK_THROWS_AS(mpmc_ring<int>{0}, std::invalid_argument);
    CHECK_THROWS_AS(mpmc_ring<int>{mpmc_ring<int>::capacity_max + 1}, std::invalid_argument);
    try {
        mpmc_ring<int> const ring{0};
    } catch (std::invalid_argument const& error) {
        CHECK(std::string{error.what()} == "mpmc_ring: capacity is not in [1, 2147483648]");
    }
}

TEST_CASE("mpmc_ring: a value that finds no room stays where it is") {
    mpmc_ring<std::unique_ptr<int>> ring{1};
    auto first = std::make_unique<int>(1), second = std::make_unique<int>(2);
    CHECK(ring.try_push(first) == ring_answer::done);
    CHECK(first == nullptr);
    CHECK(ring.try_push(second) == ring_answer::none);
    CHECK(ring.push_gated(second) == ring_answer::none);
    ring.raise_push_gate();
    CHECK(ring.try_push(second) == ring_answer::gated);
    REQUIRE(second != nullptr);
    CHECK(*second == 2);
    CHECK(**pop(ring) == 1);
}

TEST_CASE("mpmc_ring: a gate keeps its end shut, and not the other, and not for the lock") {
    mpmc_ring<int> ring{3};
    REQUIRE(push(ring, 1));

    ring.raise_push_gate();
    int two = 2, three = 3;
    CHECK(ring.try_push(two) == ring_answer::gated);
    CHECK(ring.push_gated(two) == ring_answer::done);
    CHECK(ring.try_push(three) == ring_answer::gated);
    CHECK(pop(ring) == 1);

    ring.raise_pop_gate();
    CHECK(ring.try_pop([](int&&) noexcept {}) == ring_answer::gated);
    int got = 0;
    CHECK(ring.pop_gated([&](int&& value) noexcept { got = value; }) == ring_answer::done);
    CHECK(got == 2);
    CHECK(ring.pop_gated([](int&&) noexcept {}) == ring_answer::none);
    CHECK(ring.try_pop([](int&&) noexcept {}) == ring_answer::gated);

    ring.lower_push_gate();
    CHECK(push(ring, 3));
    CHECK(ring.try_pop([](int&&) noexcept {}) == ring_answer::gated);
    ring.lower_pop_gate();
    CHECK(pop(ring) == 3);
}

TEST_CASE("mpmc_ring: gates count for nothing in its size and its room") {
    for (std::size_t const capacity : {1U, 3U, 4U}) {
        mpmc_ring<int> ring{capacity};
        for (int lap = 0; lap != 5; ++lap) {
            ring.raise_push_gate();
            ring.raise_pop_gate();
            ring.raise_pop_gate();  // Once is enough.
            CHECK(ring.size() == 0);
            for (std::size_t n = 0; n != capacity; ++n) {
                int number = static_cast<int>(n);
                REQUIRE(ring.push_gated(number) == ring_answer::done);
                CHECK(ring.size() == n + 1);
            }
            int more = 0;
            CHECK(ring.push_gated(more) == ring_answer::none);
            ring.lower_push_gate();
            CHECK(ring.try_push(more) == ring_answer::none);
            CHECK(ring.size() == capacity);
            ring.lower_pop_gate();
            for (std::size_t n = 0; n != capacity; ++n) CHECK(pop(ring) == static_cast<int>(n));
            CHECK(ring.size() == 0);
        }
    }
}

TEST_CASE("mpmc_ring: destroys each value once, those that are left too") {
    auto const counted = std::make_shared<int>(0);
    {
        mpmc_ring<std::shared_ptr<int>> ring{3};
        for (int n = 0; n != 5; ++n) {
            auto one = counted, two = counted;
            CHECK(ring.try_push(one) == ring_answer::done);
            CHECK(ring.try_push(two) == ring_answer::done);
            CHECK(counted.use_count() == 3);
            if (n == 4) break;
            CHECK(pop(ring));
            CHECK(pop(ring));
            CHECK(counted.use_count() == 1);
        }
        ring.raise_push_gate();
        ring.raise_pop_gate();
    }
    CHECK(counted.use_count() == 1);
}

TEST_CASE("mpmc_ring: keeps values that ask for more alignment where they ask for it") {
    struct alignas(128) wide {
        std::uint64_t n = 0;
    };
    mpmc_ring<wide> ring{3};
    wide one{1}, two{2};
    CHECK(ring.try_push(one) == ring_answer::done);
    CHECK(ring.try_push(two) == ring_answer::done);
    CHECK(ring.try_pop([](wide&& got) noexcept {
        CHECK(reinterpret_cast<std::uintptr_t>(&got) % 128 == 0);
        CHECK(got.n == 1);
    }) == ring_answer::done);
}

TEST_CASE("mpmc_ring: in every order, values pass once and in order, and none is made up") {
    for (std::size_t const capacity : {1U, 2U, 3U}) {
        auto const seen = support::explore({.preemptions = 3}, [&](support::run& run) {
            mpmc_ring<int, support::interleaved> ring{capacity};
            std::vector<int> in, out;
            auto const pusher = [&](int who) {
                for (int n = 1; n <= 2; ++n)
                    if (push(ring, 10 * who + n)) in.push_back(10 * who + n);
            };
            auto const popper = [&] {
                int last[3] = {};
                for (int n = 1; n <= 2; ++n)
                    if (auto const got = pop(ring)) {
                        out.push_back(*got);
                        run.check(last[*got / 10] < *got, "overtaken");
                        last[*got / 10] = *got;
                    }
            };
            run.fiber([&] { pusher(1); });
            run.fiber([&] { pusher(2); });
            run.fiber(popper);
            run.go();
            while (auto const got = pop(ring)) out.push_back(*got);
            std::sort(in.begin(), in.end());
            std::sort(out.begin(), out.end());
            run.check(in == out, "lost, or made up");
        });
        std::printf("mpmc_ring, capacity %zu: %llu schedules, at most 3 preemptions\n", capacity,
                    static_cast<unsigned long long>(seen.schedules));
        CHECK(seen.failure == "");
        CHECK(seen.schedules > 500);
    }
}

TEST_CASE("mpmc_ring: in every order, a full ring says so only while it is full") {
    // One in and one out of a ring of two that holds one: there is always room.
    auto const seen = support::explore({.preemptions = 4}, [](support::run& run) {
        mpmc_ring<int, support::interleaved> ring{2};
        REQUIRE(push(ring, 1));
        run.fiber([&] { run.check(push(ring, 2), "no room beside one value"); });
        run.fiber([&] { run.check(pop(ring) == 1, "nothing beside a value"); });
        run.fiber([&] { run.check(ring.size() <= 2, "more than there is room for"); });
        run.go();
        run.check(ring.size() == 1, "size at the end");
    });
    CHECK(seen.failure == "");
    CHECK(seen.schedules > 100);
}

TEST_CASE("mpmc_ring: in every order, room and a value that are counted are there") {
    auto const seen = support::explore({.preemptions = 3}, [](support::run& run) {
        mpmc_ring<int, support::interleaved> ring{1};
        REQUIRE(push(ring, 1));
        run.fiber([&] { run.check(pop(ring) == 1, "nothing beside a value"); });
        run.fiber([&] {
            while (ring.size() != 0) support::interleaved::pause();
            run.check(push(ring, 2), "no room where room is being made");
        });
        run.go();
    });
    CHECK(seen.failure == "");
    auto const other = support::explore({.preemptions = 3}, [](support::run& run) {
        mpmc_ring<int, support::interleaved> ring{1};
        run.fiber([&] { run.check(push(ring, 1), "no room beside nothing"); });
        run.fiber([&] {
            while (ring.size() == 0) support::interleaved::pause();
            run.check(pop(ring) == 1, "nothing where a value comes");
        });
        run.go();
    });
    CHECK(other.failure == "");
}

TEST_CASE("mpmc_ring: in every order, its size is one that it has had") {
    auto const seen = support::explore({.preemptions = 3}, [](support::run& run) {
        mpmc_ring<int, support::interleaved> ring{3};
        REQUIRE(push(ring, 1));
        REQUIRE(push(ring, 2));
        run.fiber([&] {
            for (int n = 3; n <= 5; ++n)
                run.check(push(ring, n) && pop(ring) == n - 2, "its order");
        });
        run.fiber([&] {
            auto const size = ring.size();
            run.check(size == 2 || size == 3, "a size that it never had");
        });
        run.go();
    });
    CHECK(seen.failure == "");
    CHECK(seen.schedules > 50);
}

TEST_CASE("mpmc_ring: in every order, nobody gets past a gate once it has been raised") {
    for (std::size_t const capacity : {1U, 2U}) {
        auto const seen = support::explore({.preemptions = 3}, [&](support::run& run) {
            mpmc_ring<int, support::interleaved> ring{capacity};
            std::size_t past = 0;
            for (int who = 1; who <= 2; ++who)
                run.fiber([&, who] {
                    if (push(ring, who)) ++past;
                });
            run.fiber([&] {
                ring.raise_push_gate();
                ring.raise_pop_gate();
                auto const size = ring.size();
                std::size_t out = 0;  // Those that got past are counted, and come out.
                while (ring.pop_gated([](int&&) noexcept {}) == ring_answer::done) ++out;
                run.check(out == size, "past the gate, and not counted");
                run.check(ring.size() == 0, "past a gate that was up");
                past -= out;
            });
            run.go();
            run.check(past == 0, "lost, or past a gate that was up");
        });
        CHECK(seen.failure == "");
        CHECK(seen.schedules > 100);
    }
}

TEST_CASE("mpmc_ring: in every order, nobody takes a value past a gate once it has been raised") {
    auto const seen = support::explore({.preemptions = 3}, [](support::run& run) {
        mpmc_ring<int, support::interleaved> ring{2};
        REQUIRE(push(ring, 1));
        REQUIRE(push(ring, 2));
        std::size_t left = 0;
        for (int who = 1; who <= 2; ++who) run.fiber([&] { (void)pop(ring); });
        run.fiber([&] {
            ring.raise_pop_gate();
            left = ring.size();
        });
        run.go();
        run.check(ring.size() == left, "past a gate that was up");
    });
    CHECK(seen.failure == "");
    CHECK(seen.schedules > 100);
}
