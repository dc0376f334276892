// SPDX-License-Identifier: BSL-1.0
#include <hawser/containers/mpmc_ring.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

using hawser::mpmc_ring;
using hawser::ring_answer;

namespace {

/// Whose it is and its number; on the heap, so that what was written there is read elsewhere.
using message = std::unique_ptr<std::array<std::uint32_t, 2>>;
message made(std::uint32_t who, std::uint32_t number) {
    return std::make_unique<message::element_type>(message::element_type{who, number});
}

}  // namespace

TEST_CASE("mpmc_ring: threads lose nothing, and each producer's values come in their order") {
    constexpr std::uint32_t each = 5'000;
    for (std::size_t const capacity : {1U, 3U, 64U, 1000U}) {
        INFO("capacity " << capacity);
        mpmc_ring<message> ring{capacity};
        std::atomic<std::uint64_t> count{0}, sum{0}, disorder{0};
        support::on_threads(4, [&](int thread) {
            if (thread < 2) {
                for (std::uint32_t n = 1; n <= each; ++n) {
                    auto one = made(static_cast<std::uint32_t>(thread), n);
                    while (ring.try_push(one) != ring_answer::done) std::this_thread::yield();
                }
                return;
            }
            std::array<std::uint32_t, 2> last{};
            while (count < 2 * each) {
                message got;
                if (ring.try_pop([&](message&& m) noexcept { got = std::move(m); }) !=
                    ring_answer::done) {
                    std::this_thread::yield();
                    continue;
                }
                ++count;
                sum += (*got)[1];
                if ((*got)[1] <= last[(*got)[0]]) ++disorder;
                last[(*got)[0]] = (*got)[1];
            }
        });
        CHECK(count == 2 * each);
        CHECK(sum == std::uint64_t{each} * (each + 1));
        CHECK(disorder == 0);
        CHECK(ring.size() == 0);
    }
}

TEST_CASE("mpmc_ring: its size is never more than its capacity, under load too") {
    for (std::size_t const capacity : {1U, 3U, 8U}) {
        mpmc_ring<int> ring{capacity};
        std::atomic<std::uint64_t> wrong{0};
        support::on_threads(3, [&](int thread) {
            for (int n = 0; n != 30'000; ++n) {
                auto one = n;
                if (thread == 0) (void)ring.try_push(one);
                if (thread == 1) (void)ring.try_pop([](int&&) noexcept {});
                if (thread == 2 && ring.size() > capacity) ++wrong;
            }
        });
        CHECK(wrong == 0);
    }
}

TEST_CASE("mpmc_ring: nobody gets past a raised gate under load, and size counts who did before") {
    constexpr int rounds = 200;
    mpmc_ring<int> ring{64};
    std::mutex lock;  // The one that the gates stand for.
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> pushed{0}, popped{0}, wrong{0};
    support::on_threads(4, [&](int thread) {
        auto const pop = [&] {
            return ring.pop_gated([](int&&) noexcept {}) == ring_answer::done ? 1U : 0U;
        };
        if (thread == 0) {
            for (int round = 0; round != rounds; ++round) {
                auto const before = pushed.load();
                while (pushed == before) std::this_thread::yield();
                std::lock_guard const guard{lock};
                ring.raise_push_gate();
                ring.raise_pop_gate();
                auto const size = ring.size();
                std::size_t out = 0;
                while (pop() != 0) ++out;
                // Nobody has come in since, and nobody has taken any.
                if (out != size || ring.size() != 0) ++wrong;
                popped += out;
                ring.lower_pop_gate();
                ring.lower_push_gate();
            }
            done = true;
            return;
        }
        while (!done) {
            auto one = 1;
            auto answer = thread == 3 ? ring.try_pop([](int&&) noexcept {}) : ring.try_push(one);
            if (answer == ring_answer::gated) {
                std::lock_guard const guard{lock};
                answer = thread == 3 ? ring.pop_gated([](int&&) noexcept {}) : ring.push_gated(one);
            }
            if (answer == ring_answer::done) ++(thread == 3 ? popped : pushed);
        }
    });
    CHECK(wrong == 0);
    CHECK(pushed == popped + ring.size());
}
