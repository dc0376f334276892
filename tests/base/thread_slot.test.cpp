// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/thread_slot.hpp>

#include "support/catch.hpp"

#include <array>
#include <atomic>
#include <latch>
#include <set>
#include <thread>
#include <vector>

using hawser::thread_slot;
using hawser::thread_slot_limit;

namespace {

/// The slots of `count` threads that live at one time.
std::vector<std::uint32_t> slots_of(std::size_t count) {
    std::vector<std::uint32_t> slots(count);
    std::latch all_have{static_cast<std::ptrdiff_t>(count)};
    std::vector<std::jthread> threads;
    for (auto& slot : slots)
        threads.emplace_back([&] {
            slot = thread_slot();
            all_have.arrive_and_wait();  // None ends, and returns its slot, before all have one.
        });
    threads.clear();
    return slots;
}

}  // namespace

TEST_CASE("thread_slot: a thread keeps its number") {
    auto const first = thread_slot();
    for (int i = 0; i < 10; ++i) CHECK(thread_slot() == first);
    CHECK(first < thread_slot_limit);
}

TEST_CASE("thread_slot: no two living threads have the same number") {
    auto const mine = thread_slot();
    auto const others = slots_of(20);
    std::set<std::uint32_t> distinct{others.begin(), others.end()};
    CHECK(distinct.size() == 20);
    CHECK_FALSE(distinct.contains(mine));
}

TEST_CASE("thread_slot: a number is given again after its thread has ended, the lowest first") {
    auto const mine = thread_slot();
    for (int i = 0; i < 100; ++i) CHECK(slots_of(1).front() == (mine == 0 ? 1 : 0));
}

TEST_CASE("thread_slot: threads beyond the limit share the limit as their number") {
    static_cast<void>(thread_slot());  // This thread holds one of them.
    auto const slots = slots_of(thread_slot_limit + 6);
    std::set<std::uint32_t> own;
    std::size_t sharing = 0;
    for (auto const slot : slots) {
        CHECK(slot <= thread_slot_limit);
        if (slot == thread_slot_limit)
            ++sharing;
        else
            own.insert(slot);
    }
    CHECK(sharing == 7);
    CHECK(own.size() == thread_slot_limit - 1);

    // Those that shared gave back nothing that was not theirs.
    CHECK(slots_of(1).front() < thread_slot_limit);
}

TEST_CASE("thread_slot: what runs after a thread has given its number back shares") {
    static std::atomic<std::uint32_t> seen{0};
    std::jthread{[] {
        // Destroyed after the slot's owner, which is constructed later.
        struct last {
            ~last() { seen = thread_slot(); }
        };
        static thread_local last const at_exit;
        static_cast<void>(&at_exit);
        static_cast<void>(thread_slot());
    }}.join();
    CHECK(seen == thread_slot_limit);
}
