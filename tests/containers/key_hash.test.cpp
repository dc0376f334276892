// SPDX-License-Identifier: BSL-1.0
#include <hawser/containers/key_hash.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>

using hawser::key_equal;
using hawser::string_hash;

TEST_CASE("string_hash: the same text has one hash, whatever type it stands in") {
    string_hash const hash{1};
    for (std::size_t length = 0; length < 100; ++length) {
        std::string const text(length, 'x');
        CHECK(hash(text) == hash(std::string_view{text}));
        CHECK(hash(text) == hash(text.c_str()));
    }
}

TEST_CASE("string_hash: every byte of a text of any length counts") {
    string_hash const hash{2};
    std::set<std::size_t> seen;
    std::size_t count = 0;
    for (std::size_t length = 0; length < 70; ++length) {
        std::string text(length, 'a');
        seen.insert(hash(text));
        ++count;
        for (auto& letter : text) {
            letter = 'b';
            seen.insert(hash(text));
            ++count;
            letter = 'a';
        }
    }
    CHECK(seen.size() == count);
}

TEST_CASE("string_hash: numbered names fill low and high bits alike") {
    string_hash const hash{3};
    constexpr int bins = 256, names = 256 * 64;
    int low[bins]{}, high[bins]{};
    for (int i = 0; i < names; ++i) {
        auto const bits = std::uint64_t{hash("user-" + std::to_string(i))};
        ++low[bits % bins];
        ++high[bits >> 56U];
    }
    // A bin holds 64 on average, with a standard deviation of 8: six of them are never left.
    for (int i = 0; i < bins; ++i) {
        CHECK((low[i] > 16 && low[i] < 112));
        CHECK((high[i] > 16 && high[i] < 112));
    }
}

TEST_CASE("string_hash: two objects hash apart, so that collisions cannot be prepared") {
    string_hash const one, other, copy{one}, seeded{7}, again{7}, differently{8};
    CHECK(one("key") == copy("key"));
    CHECK(seeded("key") == again("key"));
    for (auto const* text : {"", "k", "key", "a key of some length", "a key that is even longer"}) {
        CHECK(one(text) != other(text));
        CHECK(seeded(text) != differently(text));
    }
}

TEST_CASE("string_hash: texts that collide under one seed do not under another") {
    // The words of a long text are mixed in with numbers that are drawn: whatever two texts make
    // of one pair of numbers, it holds for that pair alone.
    string_hash const one{1}, other{2};
    std::set<std::uint64_t> seen;
    std::string first, second;
    for (std::uint32_t i = 0; first.empty(); ++i) {
        auto text = "a text of more than sixteen bytes, number " + std::to_string(i);
        if (!seen.insert(one(text) & 0xffffffU).second) second = text;
        if (second.empty()) continue;
        for (std::uint32_t j = 0; j < i; ++j) {
            auto earlier = "a text of more than sixteen bytes, number " + std::to_string(j);
            if ((one(earlier) & 0xffffffU) == (one(second) & 0xffffffU)) first = earlier;
        }
    }
    CHECK((one(first) & 0xffffffU) == (one(second) & 0xffffffU));
    CHECK((other(first) & 0xffffffU) != (other(second) & 0xffffffU));
}

TEST_CASE("key_hash: is string_hash of a string, and std::hash of anything else") {
    STATIC_REQUIRE(std::is_same_v<hawser::key_hash<std::string>, string_hash>);
    STATIC_REQUIRE(std::is_same_v<hawser::key_hash<int>, std::hash<int>>);
}

TEST_CASE("key_equal: compares across types, and throws only what == throws") {
    constexpr key_equal equal;
    CHECK(equal(std::string{"a"}, std::string_view{"a"}));
    CHECK(equal(std::string{"a"}, "a"));
    CHECK_FALSE(equal(std::string{"a"}, "b"));
    STATIC_REQUIRE(noexcept(equal(1, 2)));
}
