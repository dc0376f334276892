// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/detail/shaped_word.hpp>

#include "support/catch.hpp"
#include "support/four_threads.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

namespace {

/// Whole if all its numbers are the same.
struct shape {
    std::array<std::uint64_t, 8> numbers;

    explicit shape(std::uint64_t number) { numbers.fill(number); }
    [[nodiscard]] bool is_whole() const {
        for (auto const number : numbers)
            if (number != numbers.front()) return false;
        return true;
    }
};

using word_type = hawser::detail::shaped_word<shape>;

}  // namespace

TEST_CASE("shaped_word: a shape whose word still stands was read whole, and is the word's") {
    // Each replacement counts the state on, and the shape says which state it came with.
    word_type word{shape{0}};
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> torn{0}, foreign{0};
    support::on_four_threads([&](int thread) {
        if (thread == 0) {
            for (std::uint64_t i = 1; i <= 50'000; ++i)
                word.replace(shape{i}, [&](shape const&, std::uint64_t) { return i; });
            done = true;
        }
        while (!done) {
            auto const read = word.load();
            auto const found = word.shape_of(read);
            if (!word.still(read)) continue;
            if (!found.is_whole()) ++torn;
            if (found.numbers.front() != word_type::state_of(read)) ++foreign;
        }
    });
    CHECK(torn == 0);
    CHECK(foreign == 0);
}

TEST_CASE("shaped_word: neither a swap nor a replacement is lost, whoever comes between") {
    word_type word{shape{0}};
    support::on_four_threads([&](int thread) {
        for (int i = 0; i < 20'000; ++i) {
            if (thread == 0) {
                word.replace(shape{1}, [](shape const&, std::uint64_t state) { return state + 1; });
            } else {
                for (auto seen = word.load(); !word.swap(seen, word_type::state_of(seen) + 1);) {}
            }
        }
    });
    CHECK(word_type::state_of(word.load()) == 80'000);
}
