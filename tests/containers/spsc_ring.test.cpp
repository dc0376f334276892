// SPDX-License-Identifier: BSL-1.0
#include <hawser/containers/spsc_ring.hpp>

#include "support/catch.hpp"
#include "support/interleave.hpp"

#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using hawser::ring_answer;
using hawser::spsc_ring;

namespace {

template <class Ring>
bool push(Ring& ring, int number) {
    return ring.try_push(number) == ring_answer::done;
}
template <class Ring>
std::optional<int> pop(Ring& ring) {
    std::optional<int> got;
    (void)ring.try_pop([&](int&& value) noexcept { got.emplace(value); });
    return got;
}

/// Where operations follow each other in one order, no fence is needed.
struct no_fence {
    void light() const noexcept {}
    void heavy() const noexcept {}
};
using ring_of_fibers = spsc_ring<int, support::interleaved, no_fence>;

}  // namespace

TEST_CASE("spsc_ring: agrees with a plain queue over thousands of laps, at any capacity") {
    for (std::size_t const capacity : {1U, 2U, 3U, 5U, 8U, 13U}) {
        auto const seed = static_cast<unsigned>(capacity);
        INFO("capacity and seed " << seed);
        std::mt19937 random{seed};
        spsc_ring<int> ring{capacity};
        CHECK(ring.capacity() == capacity);
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

TEST_CASE("spsc_ring: a capacity out of range is refused by name") {
    CHECK_THROWS_AS(spsc_ring<int>{spsc_ring<int>::capacity_max + 1}, std::invalid_argument);
    try {
        spsc_ring<int> const ring{0};
        FAIL("made");
    } catch (std::invalid_argument const& error) {
        CHECK(std::string{error.what()} == "spsc_ring: capacity is not in [1, 2147483648]");
    }
}

TEST_CASE("spsc_ring: a gate keeps its end shut, and not the other, and not for the lock") {
    spsc_ring<std::unique_ptr<int>> ring{2};
    auto one = std::make_unique<int>(1), two = std::make_unique<int>(2);
    auto const drop = [](std::unique_ptr<int>&&) noexcept {};
    ring.raise_push_gate();
    CHECK(ring.try_push(one) == ring_answer::gated);
    REQUIRE(one != nullptr);
    CHECK(ring.push_gated(one) == ring_answer::done);
    CHECK(ring.try_pop(drop) == ring_answer::done);

    ring.raise_pop_gate();
    CHECK(ring.push_gated(two) == ring_answer::done);
    CHECK(ring.try_pop(drop) == ring_answer::gated);
    CHECK(ring.pop_gated(drop) == ring_answer::done);
    CHECK(ring.pop_gated(drop) == ring_answer::none);

    ring.lower_push_gate();
    ring.lower_pop_gate();
    two = std::make_unique<int>(3);
    CHECK(ring.try_push(two) == ring_answer::done);
    CHECK(ring.try_pop(drop) == ring_answer::done);
}

TEST_CASE("spsc_ring: destroys each value once, those that are left too") {
    auto const counted = std::make_shared<int>(0);
    {
        spsc_ring<std::shared_ptr<int>> ring{3};
        for (int n = 0; n != 7; ++n) {
            auto one = counted, two = counted;
            CHECK(ring.try_push(one) == ring_answer::done);
            CHECK(ring.try_push(two) == ring_answer::done);
            CHECK(counted.use_count() == 3);
            if (n == 6) break;
            CHECK(ring.try_pop([](std::shared_ptr<int>&&) noexcept {}) == ring_answer::done);
            CHECK(ring.try_pop([](std::shared_ptr<int>&&) noexcept {}) == ring_answer::done);
            CHECK(counted.use_count() == 1);
        }
    }
    CHECK(counted.use_count() == 1);
}

TEST_CASE("spsc_ring: in every order, values pass once and in their order") {
    for (std::size_t const capacity : {1U, 2U, 3U}) {
        auto const seen = support::explore({.preemptions = 6}, [&](support::run& run) {
            ring_of_fibers ring{capacity};
            int in = 0, out = 0;
            run.fiber([&] {
                for (int n = 1; n <= 3; ++n)
                    if (push(ring, in + 1)) ++in;
            });
            run.fiber([&] {
                for (int n = 1; n <= 3; ++n)
                    if (auto const got = pop(ring)) run.check(*got == ++out, "out of order");
            });
            run.fiber([&] { run.check(ring.size() <= capacity, "more than there is room for"); });
            run.go();
            while (auto const got = pop(ring)) run.check(*got == ++out, "out of order");
            run.check(in == out, "lost, or made up");
        });
        std::printf("spsc_ring, capacity %zu: %llu schedules, at most 6 preemptions\n", capacity,
                    static_cast<unsigned long long>(seen.schedules));
        CHECK(seen.failure == "");
        CHECK(seen.schedules > 500);
    }
}

TEST_CASE("spsc_ring: in every order, nobody gets past a gate once it has been raised") {
    for (std::size_t const capacity : {1U, 2U}) {
        auto const seen = support::explore({.preemptions = 4}, [&](support::run& run) {
            ring_of_fibers ring{capacity};
            std::size_t in = 0, out = 0;
            run.fiber([&] {
                for (int n = 1; n <= 2; ++n)
                    if (push(ring, n)) ++in;
            });
            run.fiber([&] {
                for (int n = 1; n <= 2; ++n)
                    if (pop(ring)) ++out;
            });
            run.fiber([&] {
                ring.raise_push_gate();
                ring.raise_pop_gate();
                auto const size = ring.size();
                std::size_t left = 0;  // Those that got past are counted, and come out.
                while (ring.pop_gated([](int&&) noexcept {}) == ring_answer::done) ++left;
                run.check(left == size, "somebody got past");
                out += left;
            });
            run.go();
            run.check(in == out && ring.size() == 0, "lost, or made up");
        });
        CHECK(seen.failure == "");
        CHECK(seen.schedules > 100);
    }
}
