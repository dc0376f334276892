// SPDX-License-Identifier: BSL-1.0
#include <hawser/containers/keyed_map.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using hawser::key_place;
using hawser::keyed_map;

namespace {

auto const always = [](auto const&) noexcept { return true; };
auto const never_goes = [](auto const&) noexcept { return false; };

/// Keeps an entry for `key` with `value` in it, and says where it was.
template <class Map, class K, class Value, class MayEvict>
key_place put(Map& map, K const& key, Value value, MayEvict may_evict) {
    return map.visit_or_create(key, may_evict, [&](key_place, Value* at) noexcept {
        if (at != nullptr) *at = value;
        return true;
    });
}

template <class Map, class K>
bool has(Map& map, K const& key) {
    return map.visit(key, [](auto&) noexcept {});
}

struct view_only_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return text.size(); }
};

struct hash_to_one {
    std::size_t operator()(auto const&) const noexcept { return 42; }
};

/// A copy, a comparison or a hash throws when its turn comes.
struct touchy {
    static inline int until_throw = -1;
    static void touch() {
        if (until_throw >= 0 && until_throw-- == 0) throw std::runtime_error{"touched"};
    }
    int number = 0;
    touchy() = default;
    touchy(int n) : number{n} {}
    touchy(touchy const& other) : number{other.number} { touch(); }
    touchy& operator=(touchy const& other) {
        touch();
        number = other.number;
        return *this;
    }
    friend bool operator==(touchy const& left, touchy const& right) {
        touch();
        return left.number == right.number;
    }
};
struct touchy_hash {
    std::size_t operator()(touchy const& key) const {
        touchy::touch();
        return static_cast<std::size_t>(key.number % 4);  // So that there is much to compare.
    }
};

}  // namespace

TEST_CASE("keyed_map: refuses options that describe no map, and names the field") {
    using map = keyed_map<int, int>;
    CHECK_THROWS_WITH(map({.capacity = 0}), "keyed_map: capacity is not in [1, 2^30]");
    CHECK_THROWS_WITH(map({.capacity = (1U << 30U) + 1}),
                      "keyed_map: capacity is not in [1, 2^30]");
    CHECK_THROWS_WITH(map({.capacity = 9, .shards = 3}),
                      "keyed_map: shards is not a power of two up to 1024");
    CHECK_THROWS_WITH(map({.capacity = 9'999, .shards = 2048}),
                      "keyed_map: shards is not a power of two up to 1024");
    CHECK_THROWS_WITH(map({.capacity = 7, .shards = 8}),
                      "keyed_map: shards are more than capacity");
}

TEST_CASE("keyed_map: holds what it was built for, rounded up to the shards") {
    CHECK(keyed_map<int, int>({.capacity = 1}).capacity() == 1);
    CHECK(keyed_map<int, int>({.capacity = 10, .shards = 4}).capacity() == 12);
    CHECK(keyed_map<int, int>({.capacity = 1'023}).shard_count() == 1);
    CHECK(keyed_map<int, int>({.capacity = 5'000}).shard_count() == 4);
    CHECK(keyed_map<int, int>({.capacity = 1'000'000}).shard_count() == 64);
}

TEST_CASE("keyed_map: a key is found again with the value it was left with") {
    keyed_map<std::string, int> map{{.capacity = 8}};
    CHECK(put(map, "a", 1, never_goes) == key_place::created);
    CHECK(put(map, "b", 2, never_goes) == key_place::created);
    CHECK(put(map, "a", 3, never_goes) == key_place::found);
    CHECK(map.size() == 2);
    CHECK(map.visit("a", [](int& value) noexcept { CHECK(value == 3); }));
    CHECK(map.visit("b", [](int& value) noexcept { CHECK(value == 2); }));
    CHECK_FALSE(has(map, "c"));
}

TEST_CASE("keyed_map: an entry that its user does not keep is none") {
    keyed_map<int, int> map{{.capacity = 2}};
    auto const release = [](key_place, int*) noexcept { return false; };
    CHECK(map.visit_or_create(1, never_goes, release) == key_place::created);
    CHECK_FALSE(has(map, 1));
    put(map, 1, 5, never_goes);
    CHECK(map.visit_or_create(1, never_goes, release) == key_place::found);
    CHECK(map.size() == 0);
    put(map, 2, 5, never_goes);
    put(map, 3, 5, never_goes);
    CHECK(map.size() == 2);
}

TEST_CASE("keyed_map: erase removes that key alone, vetoed or not") {
    keyed_map<int, int> map{{.capacity = 64}};
    for (int key = 0; key < 64; ++key) put(map, key, key, never_goes);
    CHECK(map.erase(7));
    CHECK_FALSE(map.erase(7));
    for (int key = 0; key < 64; ++key) CHECK(has(map, key) == (key != 7));
    CHECK(put(map, 100, 1, never_goes) == key_place::created);
}

TEST_CASE("keyed_map: one that is full of vetoes says so, and changes nothing") {
    keyed_map<int, int> map{{.capacity = 100, .shards = 1}};
    for (int key = 0; key < 100; ++key) REQUIRE(put(map, key, key, never_goes) != key_place::full);
    int asked = 0, told = 0;
    auto const place = map.visit_or_create(
        1'000,
        [&](int) noexcept {
            ++asked;
            return false;
        },
        [&](key_place said, int* value) noexcept {
            told += said == key_place::full && value == nullptr ? 1 : 0;
            return true;
        });
    CHECK(place == key_place::full);
    CHECK(told == 1);
    CHECK(asked == 16);  // And no more than that.
    for (int key = 0; key < 100; ++key) CHECK(has(map, key));
    CHECK_FALSE(has(map, 1'000));
}

TEST_CASE("keyed_map: evicts an entry that may go, and no other") {
    auto const seed = GENERATE(range(1U, 20U));
    INFO("seed " << seed);
    keyed_map<std::uint32_t, bool> map{{.capacity = 64, .shards = 1, .seed = seed}};
    auto const goes = [](bool value) noexcept { return value; };
    for (std::uint32_t key = 0; key < 64; ++key) put(map, key, key == seed % 64, never_goes);
    std::uint32_t next = 64, created = 0;
    for (int i = 0; i < 4; ++i, ++next)
        created += put(map, next, false, goes) == key_place::created;
    CHECK(created == 1);  // The hand has been round.
    CHECK(map.size() == 64);
    for (std::uint32_t key = 0; key < 64; ++key) CHECK(has(map, key) == (key != seed % 64));
}

TEST_CASE("keyed_map: the hand comes to every entry before it comes to one again") {
    keyed_map<int, int> map{{.capacity = 64, .shards = 1}};
    for (int key = 0; key < 64; ++key) put(map, key, key, never_goes);
    std::vector<int> asked;
    for (int turn = 0; turn < 8; ++turn)
        map.visit_or_create(
            1'000 + turn,
            [&](int value) noexcept {
                asked.push_back(value);
                return false;
            },
            [](key_place, int*) noexcept { return true; });
    REQUIRE(asked.size() == 128);
    CHECK(std::set<int>(asked.begin(), asked.begin() + 64).size() == 64);
    CHECK(std::set<int>(asked.begin() + 64, asked.end()).size() == 64);
}

TEST_CASE("keyed_map: a chosen victim goes only when the hand has come round to it") {
    keyed_map<int, int> map{{.capacity = 1'000, .shards = 1, .seed = 5}};
    for (int key = 0; key < 1'000; ++key) put(map, key, key, always);
    for (int i = 0; i < 500; ++i) put(map, 10'000 + i, 0, always);
    int left = 0;
    for (int key = 0; key < 1'000; ++key) left += has(map, key) ? 1 : 0;
    CHECK(left == 500);
    CHECK(map.size() == 1'000);
}

TEST_CASE("keyed_map: room is never asked for while there is some") {
    keyed_map<int, int> map{{.capacity = 1'000, .shards = 1, .seed = 3}};
    bool asked = false;
    for (int key = 0; key < 1'000; ++key)
        put(map, key, key, [&](int) noexcept { return asked = true; });
    CHECK_FALSE(asked);
}

TEST_CASE("keyed_map: fills to its capacity, whatever the stride of its keys") {
    auto const stride = GENERATE(1U, 2U, 3U, 64U, 4096U, 65'536U, 1U << 20U, 1U << 31U);
    auto const seed = GENERATE(1U, 2U, 0xffffffffU);
    INFO("stride " << stride << ", seed " << seed);
    keyed_map<std::uint64_t, int> map{{.capacity = 20'000, .shards = 1, .seed = seed}};
    int full = 0;
    for (std::uint64_t i = 0; i < 20'000; ++i)
        full += put(map, i * stride, 1, never_goes) == key_place::full ? 1 : 0;
    CHECK(full == 0);
}

TEST_CASE("keyed_map: keys spread over the shards") {
    keyed_map<std::uint64_t, int> map{{.capacity = 65'536, .seed = 11}};
    REQUIRE(map.shard_count() == 64);
    std::size_t held = 0;
    while (put(map, held, 1, never_goes) != key_place::full) ++held;
    CHECK(held > 58'000);  // The fullest shard of 64 is this much ahead of the rest by chance.
}

TEST_CASE("keyed_map: of keys that share one hash sixteen fit, and the map stays right") {
    keyed_map<int, int, hash_to_one> map{{.capacity = 1'000, .shards = 4}};
    for (int key = 0; key < 16; ++key)
        REQUIRE(put(map, key, key, never_goes) == key_place::created);
    CHECK(put(map, 16, 16, never_goes) == key_place::full);
    for (int key = 0; key < 16; ++key)
        CHECK(map.visit(key, [&](int& value) noexcept { CHECK(value == key); }));
    auto const is_seven = [](int value) noexcept { return value == 7; };
    CHECK(put(map, 16, 16, is_seven) == key_place::created);
    for (int key = 0; key <= 16; ++key) CHECK(has(map, key) == (key != 7));
    CHECK(map.size() == 16);
    CHECK(map.erase(16));
    CHECK(put(map, 17, 17, never_goes) == key_place::created);
}

TEST_CASE("keyed_map: a key of another type is found without being made into one") {
    keyed_map<std::string, int, view_only_hash> map{{.capacity = 8}};
    put(map, std::string_view{"view"}, 1, never_goes);
    CHECK(has(map, "view"));
    CHECK(has(map, std::string{"view"}));
    CHECK(put(map, "view", 2, never_goes) == key_place::found);
    CHECK(map.erase(std::string_view{"view"}));
}

TEST_CASE("keyed_map: without a transparent hash a key of another type is converted") {
    keyed_map<std::string, int, std::hash<std::string>> map{{.capacity = 8}};
    put(map, "literal", 1, never_goes);
    CHECK(has(map, std::string{"literal"}));
    CHECK(map.erase("literal"));
    keyed_map<std::int64_t, int> numbers{{.capacity = 8}};
    put(numbers, -1, 1, never_goes);
    CHECK(has(numbers, std::int64_t{-1}));
}

TEST_CASE("keyed_map: values need be neither copied nor moved, and keep their places") {
    struct fixed {
        explicit fixed(int n) : number{n} {}
        fixed(fixed const&) = delete;
        int number;
    };
    int made = 0;
    keyed_map<int, fixed> map{{.capacity = 100, .shards = 2}, [&] { return fixed{++made}; }};
    CHECK(made == 100);
    std::map<int, fixed*> places;
    auto const remember = [&](int key) {
        return [&places, key](key_place, fixed* at) noexcept {
            places[key] = at;
            return true;
        };
    };
    for (int key = 0; key < 40; ++key) map.visit_or_create(key, always, remember(key));
    for (int key = 0; key < 40; key += 2) map.erase(key);
    for (int key = 1'000; key < 1'020; ++key) map.visit_or_create(key, always, remember(key));
    for (int key = 1; key < 40; key += 2)
        CHECK(map.visit(key, [&](fixed& at) noexcept { CHECK(&at == places[key]); }));
}

TEST_CASE("keyed_map: values that a failed construction made are destroyed") {
    auto const alive = std::make_shared<int>(0);
    int left = 10;
    using map = keyed_map<int, std::shared_ptr<int>>;
    CHECK_THROWS_AS(map({.capacity = 100},
                        [&] {
                            if (left-- == 0) throw std::bad_alloc{};
                            return alive;
                        }),
                    std::bad_alloc);
    CHECK(alive.use_count() == 1);
}

TEST_CASE("keyed_map: whatever of a key throws, nothing is lost") {
    keyed_map<touchy, int, touchy_hash> map{{.capacity = 32, .shards = 1, .seed = 9}};
    std::map<int, int> model;
    for (int key = 0; key < 32; ++key) {
        put(map, touchy{key}, key, never_goes);
        model[key] = key;
    }
    int thrown = 0, evicted = 0;
    for (int turn = 0; turn < 40;
         ++turn) {  // Throws at the first thing that a key does, and so on.
        touchy::until_throw = turn;
        int victim = -1;
        try {
            put(map, touchy{100}, 100, [&](int value) noexcept {
                victim = value;
                return true;
            });
        } catch (std::runtime_error const&) {
            ++thrown;
        }
        touchy::until_throw = -1;
        if (victim >= 0) {
            evicted += static_cast<int>(model.erase(victim));
        }
        CHECK(has(map, touchy{100}) == (map.size() == model.size() + 1));
        map.erase(touchy{100});
        for (auto const& [key, value] : model)
            CHECK(map.visit(touchy{key}, [&, v = value](int& at) noexcept { CHECK(at == v); }));
        CHECK(map.size() == model.size());
    }
    CHECK(thrown > 3);
    CHECK(evicted == 1);
    CHECK(put(map, touchy{200}, 200, never_goes) == key_place::created);
}

TEST_CASE("keyed_map: agrees with a std::map, but for what it says it evicted") {
    auto const seed = GENERATE(range(1U, 40U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    keyed_map<std::string, int> map{{.capacity = 1 + seed % 60, .shards = 1, .seed = seed},
                                    hawser::string_hash{seed}};
    std::map<std::string, int> model;
    for (int step = 0; step < 3'000; ++step) {
        auto const key = std::to_string(random() % 80);
        auto const value = static_cast<int>(step);
        switch (random() % 4) {
            case 0: CHECK(map.erase(key) == (model.erase(key) == 1)); break;
            case 1: {
                bool const found =
                    map.visit(key, [&](int& at) noexcept { CHECK(at == model.at(key)); });
                CHECK(found == model.contains(key));
                break;
            }
            default: {
                int gone = -1;
                bool const known = model.contains(key);
                auto const place = put(map, key, value, [&](int at) noexcept {
                    bool const goes = at % 3 == 0;
                    if (goes) gone = at;
                    return goes;
                });
                CHECK((place == key_place::found) == known);
                if (gone >= 0)
                    std::erase_if(model, [&](auto const& entry) { return entry.second == gone; });
                if (place == key_place::full)
                    CHECK(model.size() == map.capacity());
                else
                    model[key] = value;
            }
        }
        REQUIRE(map.size() == model.size());
    }
    for (auto const& [key, value] : model)
        CHECK(map.visit(key, [&, v = value](int& at) noexcept { CHECK(at == v); }));
}
