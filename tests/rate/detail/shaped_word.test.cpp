// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/detail/shaped_word.hpp>

#include "support/catch.hpp"

#include <cstdint>

namespace {

struct shape {
    std::uint64_t first, second;
};

using word_type = hawser::detail::shaped_word<shape>;

}  // namespace

TEST_CASE("shaped_word: a new shape comes with the state that was translated for it") {
    word_type word{shape{.first = 1, .second = 2}};
    while (!word.swap(word.look(), 7)) {}
    word.replace({.first = 3, .second = 4}, [](shape const& old, std::uint64_t state) {
        return old.first + old.second + state;
    });
    auto const changed = word.look();
    CHECK(changed.state() == 10);
    CHECK(changed.shape.first == 3);
    CHECK(changed.shape.second == 4);
}

TEST_CASE("shaped_word: who looked before a replacement cannot swap after it") {
    word_type word{shape{.first = 1, .second = 2}};
    auto const seen = word.look();
    word.replace({.first = 3, .second = 4}, [](shape const&, std::uint64_t state) {
        return state;  // The same state: only the shape's place tells the words apart.
    });
    CHECK_FALSE(word.swap(seen, 5));
    CHECK(word.look().state() == 0);
    CHECK(word.look().shape.first == 3);
}

TEST_CASE("shaped_word: a replacement counts twice, and what is granted meanwhile is translated") {
    word_type word{shape{.first = 1, .second = 2}};
    auto const before = word.look();
    bool first = true;
    word.replace({.first = 3, .second = 4}, [&](shape const&, std::uint64_t state) {
        if (first) {  // Another thread's grant, at the worst time.
            auto const seen = word.look();
            CHECK(seen.changes == before.changes + 1);
            CHECK(seen.shape.first == 1);
            while (!word.swap(seen, 20)) {}
        }
        first = false;
        return state + 1;
    });
    CHECK(word.look().state() == 21);
    CHECK(word.look().changes == before.changes + 2);
}
