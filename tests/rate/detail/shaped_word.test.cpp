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
    auto start = word.load();
    while (!word.swap(start, 7)) {}
    word.replace({.first = 3, .second = 4}, [](shape const& old, std::uint64_t state) {
        return old.first + old.second + state;
    });
    auto const changed = word.load();
    CHECK(word_type::state_of(changed) == 10);
    CHECK(word.shape_of(changed).first == 3);
    CHECK(word.shape_of(changed).second == 4);
}

TEST_CASE("shaped_word: who read before a replacement finds its shape whole, and cannot swap") {
    word_type word{shape{.first = 1, .second = 2}};
    auto seen = word.load();
    word.replace({.first = 3, .second = 4}, [](shape const&, std::uint64_t state) {
        return state;  // The same state: only the shape's place tells the words apart.
    });
    CHECK(word.shape_of(seen).first == 1);
    CHECK(word.shape_of(seen).second == 2);
    CHECK_FALSE(word.still(seen));
    CHECK_FALSE(word.swap(seen, 5));
    CHECK(seen == word.load());
    CHECK(word.shape_of(seen).first == 3);
}

TEST_CASE("shaped_word: what is granted while a state is translated is translated too") {
    word_type word{shape{.first = 1, .second = 2}};
    bool first = true;
    word.replace({.first = 3, .second = 4}, [&](shape const&, std::uint64_t state) {
        if (first) {  // Another thread's grant, at the worst time.
            auto seen = word.load();
            while (!word.swap(seen, 20)) {}
        }
        first = false;
        return state + 1;
    });
    CHECK(word_type::state_of(word.load()) == 21);
}
