// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/detail/shaped_word.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

namespace {

/// Whole if all its numbers are the same.
struct shape {
    std::array<std::uint64_t, 64> numbers;  // Many, so that reading them takes its time.

    explicit shape(std::uint64_t number) { numbers.fill(number); }
    [[nodiscard]] bool is_whole() const {
        for (auto const number : numbers)
            if (number != numbers.front()) return false;
        return true;
    }
};

using word_type = hawser::detail::shaped_word<shape>;

bool add_one(word_type& word) {
    auto const seen = word.look();
    return word.swap(seen, seen.state() + 1);
}

}  // namespace

TEST_CASE("shaped_word: a shape is seen whole, and with the state that it came with") {
    // The state says which shape it came with, and so do all numbers of the shape.
    word_type word{shape{0}};
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> torn{0}, foreign{0};
    support::on_threads(4, [&](int thread) {
        if (thread == 0) {
            for (std::uint64_t i = 1; i <= 50'000; ++i)
                word.replace(shape{i}, [&](shape const&, std::uint64_t) { return i; });
            done = true;
        }
        while (!done) {
            auto const seen = word.look();
            if (!seen.shape.is_whole()) ++torn;
            if (seen.shape.numbers.front() != seen.state()) ++foreign;
        }
    });
    CHECK(torn == 0);
    CHECK(foreign == 0);
}

TEST_CASE("shaped_word: a shape is seen whole where the word is as it was before") {
    // The state stays, so that after two replacements the word is the same.
    word_type word{shape{0}};
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> torn{0};
    support::on_threads(4, [&](int thread) {
        if (thread == 0) {
            for (std::uint64_t i = 1; i <= 100'000; ++i)
                word.replace(shape{i}, [](shape const&, std::uint64_t state) { return state; });
            done = true;
        }
        while (!done)
            if (!word.look().shape.is_whole()) ++torn;
    });
    CHECK(torn == 0);
}

TEST_CASE("shaped_word: neither a swap nor a replacement is lost, whoever comes between") {
    word_type word{shape{0}};
    support::on_threads(4, [&](int thread) {
        for (int i = 0; i < 20'000; ++i) {
            if (thread == 0)
                word.replace(shape{1}, [](shape const&, std::uint64_t state) { return state + 1; });
            else
                while (!add_one(word)) {}
        }
    });
    CHECK(word.look().state() == 80'000);
}
