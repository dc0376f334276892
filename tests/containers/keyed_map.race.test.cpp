// SPDX-License-Identifier: BSL-1.0
#include <hawser/containers/keyed_map.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <cstdint>
#include <random>
#include <string>

using hawser::key_place;
using hawser::keyed_map;

namespace {

auto const never_goes = [](auto const&) noexcept { return false; };

}  // namespace

TEST_CASE("keyed_map: threads that create one key at once share one entry") {
    keyed_map<std::string, std::uint64_t> map{{.capacity = 4'096, .shards = 4}};
    std::atomic<int> created{0};
    support::on_threads(std::uint32_t{4}, [&](std::uint32_t) {
        for (int key = 0; key < 2'000; ++key) {
            auto const place = map.visit_or_create(std::to_string(key), never_goes,
                                                   [](key_place, std::uint64_t* value) noexcept {
                                                       ++*value;
                                                       return true;
                                                   });
            created += place == key_place::created ? 1 : 0;
        }
    });
    CHECK(created == 2'000);
    CHECK(map.size() == 2'000);
    for (int key = 0; key < 2'000; ++key)
        CHECK(map.visit(std::to_string(key),
                        [](std::uint64_t& value) noexcept { CHECK(value == 4); }));
}

TEST_CASE("keyed_map: no update is lost to an entry that is evicted beside it") {
    // What an entry counted is moved to `gone` when it goes: the sum is that of all updates.
    keyed_map<std::uint32_t, std::uint64_t> map{{.capacity = 64, .shards = 2, .seed = 4}};
    std::atomic<std::uint64_t> gone{0}, updates{0};
    support::on_threads(std::uint32_t{4}, [&](std::uint32_t thread) {
        std::mt19937 random{thread};
        for (int i = 0; i < 20'000; ++i) {
            std::uint64_t moved = 0, updated = 0;
            map.visit_or_create(
                static_cast<std::uint32_t>(random() % 200),
                [&](std::uint64_t value) noexcept {
                    bool const goes = value % 2 == 0;
                    if (goes) moved = value;
                    return goes;
                },
                [&](key_place place, std::uint64_t* value) noexcept {
                    if (value == nullptr) return true;
                    if (place == key_place::created) *value = 0;
                    ++*value;
                    updated = 1;
                    return true;
                });
            gone += moved;
            updates += updated;
            if (i % 64 == 0) (void)map.size();
        }
    });
    std::uint64_t left = 0;
    for (std::uint32_t key = 0; key < 200; ++key)
        map.visit(key, [&](std::uint64_t& value) noexcept { left += value; });
    CHECK(gone + left == updates);
    CHECK(map.size() <= 64);
}

TEST_CASE("keyed_map: keys may be erased and created at once") {
    keyed_map<std::string, int> map{{.capacity = 32, .shards = 1}};
    std::atomic<int> balance{0};
    support::on_threads(std::uint32_t{4}, [&](std::uint32_t thread) {
        for (int i = 0; i < 10'000; ++i) {
            auto const key = "a key that is too long to stand in itself " + std::to_string(i % 8);
            if (thread % 2 == 0)
                balance -= map.erase(key) ? 1 : 0;
            else
                balance += map.visit_or_create(key, never_goes, [](key_place, int*) noexcept {
                    return true;
                }) == key_place::created;
        }
    });
    CHECK(map.size() == static_cast<std::size_t>(balance.load()));
}
