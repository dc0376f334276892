// SPDX-License-Identifier: BSL-1.0
#include <hawser/containers/spsc_ring.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

using hawser::ring_answer;
using hawser::spsc_ring;

TEST_CASE("spsc_ring: two threads lose nothing, in order, while others raise its gates") {
    for (std::size_t const capacity : {1U, 5U, 64U}) {
        INFO("capacity " << capacity);
        constexpr std::uint32_t count = 20'000;
        spsc_ring<std::unique_ptr<std::uint32_t>> ring{capacity};
        std::mutex lock;  // The one that the gates stand for.
        std::atomic<bool> done{false};
        std::uint64_t disorder = 0, wrong = 0;

        std::jthread const gates{[&] {
            while (!done) {
                {
                    std::lock_guard const guard{lock};
                    ring.raise_push_gate();
                    ring.raise_pop_gate();
                    auto const size = ring.size();
                    if (size > capacity) ++wrong;
                    std::this_thread::yield();
                    if (ring.size() != size) ++wrong;  // Nobody has come past.
                    ring.lower_pop_gate();
                    ring.lower_push_gate();
                }
                std::this_thread::yield();
            }
        }};
        std::jthread producer{[&] {
            for (std::uint32_t n = 1; n <= count; ++n) {
                auto one = std::make_unique<std::uint32_t>(n);
                for (;;) {
                    auto answer = ring.try_push(one);
                    if (answer == ring_answer::gated) {
                        std::lock_guard const guard{lock};
                        answer = ring.push_gated(one);
                    }
                    if (answer == ring_answer::done) break;
                    std::this_thread::yield();
                }
            }
        }};
        for (std::uint32_t next = 1; next <= count;) {
            auto const take = [&](std::unique_ptr<std::uint32_t>&& got) noexcept {
                if (*got != next++) ++disorder;
            };
            auto answer = ring.try_pop(take);
            if (answer == ring_answer::gated) {
                std::lock_guard const guard{lock};
                answer = ring.pop_gated(take);
            }
            if (answer == ring_answer::none) std::this_thread::yield();
        }
        producer.join();
        done = true;
        CHECK(disorder == 0);
        CHECK(ring.size() == 0);
        CHECK(wrong == 0);
    }
}
