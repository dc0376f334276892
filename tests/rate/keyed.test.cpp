// SPDX-License-Identifier: BSL-1.0
#include <hawser/rate/keyed.hpp>
#include <hawser/rate/sliding_window_log.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

using namespace std::chrono_literals;
using hawser::asked_of;
using hawser::duration;
using hawser::full_table;
using hawser::keyed;
using hawser::never;
using hawser::time_point;
using hawser::token_bucket;

static constexpr time_point t0{1h};

namespace {

/// A bucket for each key, for ever: what `keyed` would be if memory were free.
template <class Key>
class unlimited {
public:
    explicit unlimited(hawser::token_bucket_options const& options) : options_{options} {}

    token_bucket& operator[](Key const& key) {
        auto& bucket = buckets_[key];
        if (!bucket) bucket = std::make_unique<token_bucket>(options_);
        return *bucket;
    }

private:
    hawser::token_bucket_options options_;
    std::map<Key, std::unique_ptr<token_bucket>> buckets_;
};

template <class Limiter>
std::uint32_t drain(Limiter& limiter, auto const& key, time_point now) {
    std::uint32_t granted = 0;
    while (limiter.try_acquire(key, now).granted) ++granted;
    return granted;
}

/// Of `Ones` keys at most as many hashes.
template <std::uint32_t Hashes>
struct hash_to_few {
    std::size_t operator()(std::uint32_t key) const noexcept { return key % Hashes; }
};

/// So many requests in each second that begins with one: a limiter that cannot be copied.
class by_second {
public:
    by_second() = default;
    by_second(by_second const&) = delete;

    hawser::admission try_acquire(time_point now, std::uint32_t count) noexcept {
        if (fresh_in(now) == duration::zero()) used_ = 0;
        if (count > 3) return {.granted = false, .retry_after = never};
        if (used_ + count > 3) return {.granted = false, .retry_after = fresh_in(now)};
        if (used_ == 0) since_ = now;
        used_ += count;
        return {.granted = true};
    }
    [[nodiscard]] duration fresh_in(time_point now) const noexcept {
        return used_ == 0 || now >= since_ + 1s ? duration::zero() : since_ + 1s - now;
    }

private:
    std::uint32_t used_ = 0;
    time_point since_{};
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
    touchy(touchy const&) = default;
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
        return static_cast<std::size_t>(key.number % 3);
    }
};

}  // namespace

TEST_CASE("keyed: refuses options that describe no limiter, and names the field") {
    using limiter = keyed<token_bucket>;
    CHECK_THROWS_WITH(limiter({.rate = 0}), "token_bucket: rate is zero");
    CHECK_THROWS_WITH(limiter({}, {.keys = 0}), "keyed: keys is not in [1, 2^30]");
    CHECK_THROWS_WITH(limiter({}, {.keys = 1U << 31U}), "keyed: keys is not in [1, 2^30]");
    CHECK_THROWS_WITH(limiter({}, {.keys = 8, .shards = 5}),
                      "keyed_map: shards is not a power of two up to 1024");
    CHECK_THROWS_WITH((keyed<by_second>{[] { return by_second{}; },
                                        {.keys = 8, .when_full = full_table::shares}}),
                      "keyed: when_full is shares, of a limiter that cannot be");
}

TEST_CASE("keyed: each key has a limit of its own") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 3}};
    CHECK(drain(limiter, "a", t0) == 3);
    CHECK(drain(limiter, "b", t0) == 3);
    auto const refused = limiter.try_acquire("a", t0);
    CHECK_FALSE(refused);
    CHECK(refused.retry_after == 1s);
    CHECK(refused.from == asked_of::own);
    CHECK_FALSE(limiter.try_acquire("a", t0 + 1s - 1ns));
    CHECK(limiter.try_acquire("a", t0 + 1s));
    CHECK(limiter.available("b", t0 + 2s) == 2);
    CHECK(limiter.available("c", t0) == 3);
}

TEST_CASE("keyed: at one instant a key is granted its burst, whatever the rate") {
    auto const rate = GENERATE(1U, 3U, 7U, 100U, 999'999'937U);
    auto const period = GENERATE(duration{1s}, duration{1'000'000'007});
    keyed<token_bucket> limiter{{.rate = rate, .period = period, .burst = 4}};
    for (int step = 0; step < 100; ++step) {
        auto const now = t0 + step * (10s + 1ns);
        CHECK(drain(limiter, "a", now) == 4);
        CHECK(drain(limiter, "b", now) == 4);
        CHECK(drain(limiter, "a", now) == 0);
    }
    keyed<token_bucket> fast{{.rate = 1, .period = 1ns, .burst = 4}};
    CHECK(drain(fast, "a", t0) == 4);
    CHECK(drain(fast, "a", t0 + 1ns) == 1);
}

TEST_CASE("keyed: what a key has at one instant is lent to no other") {
    // A nanosecond before its next token is due, one key asks beside many that begin a burst.
    keyed<token_bucket> limiter{{.rate = 7, .burst = 3}};
    for (int second = 0; second < 3; ++second) {
        auto const start = t0 + second * 10s;
        REQUIRE(drain(limiter, "asks", start) == 3);
        auto const wait = limiter.try_acquire("asks", start).retry_after;
        for (int key = 0; key < 5'000; ++key) {
            REQUIRE(limiter.try_acquire(std::to_string(key), start + wait - 1ns));
            REQUIRE_FALSE(limiter.try_acquire("asks", start + wait - 1ns));
        }
        CHECK(limiter.try_acquire("asks", start + wait));
    }
}

TEST_CASE("keyed: of a token bucket a key has eight bytes") {
    STATIC_REQUIRE(sizeof(hawser::per_key<token_bucket>::state) == 8);
}

TEST_CASE("keyed: with room for all keys, every answer is that of a bucket of the key's own") {
    auto const seed = GENERATE(range(1U, 60U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    hawser::token_bucket_options const options{.rate = 1U + seed * 7919U % 1'000U,
                                               .period = duration{1'000'000 + seed * 104'729},
                                               .burst = 1U + seed % 9U};
    keyed<token_bucket> limiter{options, {.keys = 64, .shards = 1, .seed = seed}};
    unlimited<std::string> model{options};
    auto now = t0;
    for (int step = 0; step < 4'000; ++step) {
        now += duration{random() % 300'000};
        auto const key = "user-" + std::to_string(random() % 64);
        auto const count = 1 + static_cast<std::uint32_t>(random() % (options.burst + 1));
        auto const answer = limiter.try_acquire(key, now, count);
        auto const expected = model[key].try_acquire(now, count);
        REQUIRE(answer.granted == expected.granted);
        REQUIRE(answer.retry_after == expected.retry_after);
        REQUIRE(limiter.available(key, now) == model[key].available(now));
    }
}

TEST_CASE("keyed: without room it is stricter than a bucket for each key, and only so") {
    auto const seed = GENERATE(range(1U, 60U));
    auto const when_full = seed % 2 == 0 ? full_table::refuses : full_table::shares;
    INFO("seed " << seed);
    std::mt19937 random{seed};
    hawser::token_bucket_options const options{
        .rate = 1U + seed % 3U, .period = 1ms, .burst = 2U + seed % 4U};
    keyed<token_bucket> limiter{
        options,
        {.keys = 4U << seed % 4U, .when_full = when_full, .shards = 1U << seed % 3U, .seed = seed}};
    unlimited<std::string> model{options};
    auto now = t0;
    int granted = 0, unknown = 0;
    for (int step = 0; step < 4'000; ++step) {
        now += duration{random() % 60'000};
        auto const key = std::to_string(random() % 100);
        auto const count = 1 + static_cast<std::uint32_t>(random() % options.burst);
        auto const would = model[key].available(now) >= count;
        auto const answer = limiter.try_acquire(key, now, count);
        if (answer.granted) {
            REQUIRE(model[key].try_acquire(now, count));
            ++granted;
        } else {
            REQUIRE(answer.retry_after > duration::zero());
            if (when_full == full_table::refuses && answer.from == asked_of::own)
                REQUIRE_FALSE(would);
        }
        unknown += answer.from != asked_of::own ? 1 : 0;
        REQUIRE(limiter.size() <= limiter.capacity());
    }
    CHECK(granted > 100);
    CHECK(unknown > 10);
}

TEST_CASE("keyed: a key that owes never comes back fresh, however many others come") {
    auto const when_full = GENERATE(full_table::refuses, full_table::shares);
    keyed<token_bucket> limiter{
        {.rate = 1, .burst = 5},
        {.keys = 32, .when_full = when_full, .shards = 1, .seed = GENERATE(1U, 2U, 3U)}};
    REQUIRE(drain(limiter, "debtor", t0) == 5);
    for (int i = 0; i < 10'000; ++i) (void)limiter.try_acquire(std::to_string(i), t0 + 900ms);
    CHECK_FALSE(limiter.try_acquire("debtor", t0 + 1s - 1ns));
    CHECK(drain(limiter, "debtor", t0 + 1s) == 1);
}

TEST_CASE("keyed: a key that owes nothing makes room, and loses nothing by it") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 2}, {.keys = 16, .shards = 1}};
    for (int key = 0; key < 16; ++key) REQUIRE(drain(limiter, std::to_string(key), t0) == 2);
    CHECK_FALSE(limiter.try_acquire("new", t0 + 2s - 1ns));
    CHECK(drain(limiter, "new", t0 + 2s) == 2);
    CHECK(limiter.size() == 16);
    for (int key = 0; key < 16; ++key)
        CHECK(drain(limiter, std::to_string(key), t0 + 2s) == (key < 15 ? 2 : 0));
}

TEST_CASE("keyed: only a grant makes an entry") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 2}, {.keys = 16, .shards = 1}};
    auto const too_much = limiter.try_acquire("a", t0, 3);
    CHECK_FALSE(too_much);
    CHECK(too_much.retry_after == never);
    CHECK(limiter.try_acquire("a", t0, 0));
    CHECK(limiter.size() == 0);
    CHECK(limiter.try_acquire("a", t0, 2));
    CHECK(limiter.size() == 1);
    CHECK(limiter.try_acquire("a", t0, 0));
    CHECK_FALSE(limiter.try_acquire("a", t0, 1));
}

TEST_CASE("keyed: a full table that refuses says when the first of those it saw can go") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 9}, {.keys = 10, .shards = 1}};
    for (std::uint32_t key = 0; key < 10; ++key)
        REQUIRE(limiter.try_acquire(std::to_string(key), t0, key == 6 ? 2 : 4));
    auto const refused = limiter.try_acquire("new", t0 + 500ms);
    CHECK_FALSE(refused);
    CHECK(refused.from == asked_of::nobody);
    CHECK(refused.retry_after == 1500ms);
    CHECK_FALSE(limiter.try_acquire("new", t0 + 2s - 1ns));
    auto const granted = limiter.try_acquire("new", t0 + 2s);
    CHECK(granted);
    CHECK(granted.from == asked_of::own);
}

TEST_CASE("keyed: a full table grants no tokens, and says never to more than there can be") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 2}, {.keys = 1}};
    REQUIRE(limiter.try_acquire("owner", t0));
    CHECK(limiter.try_acquire("new", t0, 0));
    CHECK(limiter.try_acquire("new", t0, 1).retry_after == 1s);
    CHECK(limiter.try_acquire("new", t0, 3).retry_after == never);
}

TEST_CASE("keyed: a full table says never to more than there can be, whatever it keeps for a key") {
    keyed<hawser::sliding_window_log> limiter{{.limit = 2, .window = 1s}, {.keys = 1}};
    REQUIRE(limiter.try_acquire("owner", t0));
    CHECK(limiter.try_acquire("new", t0, 2).retry_after == 1s);
    CHECK(limiter.try_acquire("new", t0, 3).retry_after == never);
    CHECK(limiter.reserve("new", t0, 3, 1h).wait == never);
    CHECK(limiter.try_acquire("new", t0 + 1s, 2));  // Nothing was taken by asking.
}

TEST_CASE("keyed: a full table refuses no key for ever") {
    // Nine of ten keys owe for an hour. Room that there is among them is found by those who ask.
    keyed<token_bucket> limiter{{.rate = 1, .burst = 3'600}, {.keys = 1'000, .shards = 1}};
    for (std::uint32_t key = 0; key < 1'000; ++key)
        REQUIRE(limiter.try_acquire(std::to_string(key), t0, key % 10 == 0 ? 1 : 3'600));
    std::uint32_t let_in = 0, asked = 0;
    for (; let_in < 100 && asked < 100 + 1'000 / 16; ++asked)
        let_in += limiter.try_acquire("new-" + std::to_string(asked), t0 + 1s).granted ? 1 : 0;
    CHECK(let_in == 100);
}

TEST_CASE("keyed: a flood of keys that come once is let through as fast as they are forgotten") {
    keyed<token_bucket> limiter{{.rate = 1, .period = 1s, .burst = 10},
                                {.keys = 1'000, .shards = 1}};
    auto now = t0;
    int refused = 0;
    for (int key = 0; key < 100'000; ++key, now += 1ms + 1us)  // 999 of them owe at one time.
        refused += limiter.try_acquire(std::to_string(key), now).granted ? 0 : 1;
    CHECK(refused == 0);
    CHECK(limiter.size() <= 1'000);
}

TEST_CASE("keyed: keys that find no room share the tokens of one") {
    auto const shards = GENERATE(1U, 4U);
    keyed<token_bucket> limiter{
        {.rate = 1, .burst = 5},
        {.keys = 8, .when_full = full_table::shares, .shards = shards, .seed = 3}};
    std::uint32_t own = 0, shared = 0;
    for (int key = 0; key < 1'000; ++key) {
        auto const answer = limiter.try_acquire(std::to_string(key), t0, 5);
        own += answer.granted && answer.from == asked_of::own ? 1 : 0;
        shared += answer.granted && answer.from == asked_of::shared ? 1 : 0;
    }
    CHECK(own <= 8);
    CHECK(shared == 1);
    auto const refused = limiter.try_acquire("new", t0 + 1s, 5);
    CHECK(refused.from == asked_of::shared);
    CHECK(refused.retry_after == 4s);
}

TEST_CASE("keyed: a key that shared has no second burst when there is room for it") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 5},
                                {.keys = 2, .when_full = full_table::shares}};
    REQUIRE(limiter.try_acquire("one", t0, 1));
    REQUIRE(limiter.try_acquire("two", t0, 1));
    auto const shared = limiter.try_acquire("tail", t0, 5);
    REQUIRE(shared);
    REQUIRE(shared.from == asked_of::shared);
    auto const own = limiter.try_acquire("tail", t0 + 1s, 1);
    CHECK(own);
    CHECK(own.from == asked_of::own);
    CHECK(drain(limiter, "tail", t0 + 1s) == 0);
    CHECK(limiter.available("tail", t0 + 3s) == 2);
}

TEST_CASE("keyed: what others shared is not owed by a key that never did") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 5},
                                {.keys = 2, .when_full = full_table::shares, .seed = 1},
                                hawser::string_hash{1}};
    REQUIRE(limiter.try_acquire("one", t0, 1));
    REQUIRE(limiter.try_acquire("two", t0, 1));
    REQUIRE(limiter.try_acquire("tail", t0, 5).from == asked_of::shared);
    CHECK(limiter.available("new", t0 + 1s) == 5);
    CHECK(limiter.available("tail", t0 + 1s) == 1);
    CHECK(drain(limiter, "new", t0 + 1s) == 5);
}

TEST_CASE("keyed: once all is paid, keys that shared begin like any other") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 5},
                                {.keys = 1, .when_full = full_table::shares}};
    REQUIRE(limiter.try_acquire("one", t0, 5));
    REQUIRE(limiter.try_acquire("tail", t0, 5));
    CHECK(limiter.available("tail", t0 + 5s) == 5);
    CHECK(limiter.try_acquire("tail", t0 + 5s, 5).from == asked_of::own);
}

TEST_CASE("keyed: a key that is refused at first takes no room from others") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 5},
                                {.keys = 1, .when_full = full_table::shares}};
    REQUIRE(limiter.try_acquire("one", t0, 1));
    REQUIRE(limiter.try_acquire("tail", t0, 5).from == asked_of::shared);
    auto const refused = limiter.try_acquire("tail", t0 + 1s, 2);  // Starts with what is owed.
    CHECK_FALSE(refused);
    CHECK(refused.from == asked_of::own);
    CHECK(limiter.size() == 0);
}

TEST_CASE("keyed: keys whose hashes all collide are as strict as the rest") {
    auto const seed = GENERATE(range(1U, 20U));
    auto const when_full = GENERATE(full_table::refuses, full_table::shares);
    INFO("seed " << seed);
    std::mt19937 random{seed};
    hawser::token_bucket_options const options{.rate = 5, .period = 1ms, .burst = 3};
    keyed<token_bucket, std::uint32_t, hash_to_few<1>> limiter{
        options, {.keys = 256, .when_full = when_full, .seed = seed}};
    unlimited<std::uint32_t> model{options};
    auto now = t0;
    for (int step = 0; step < 3'000; ++step) {
        now += duration{random() % 40'000};
        auto const key = static_cast<std::uint32_t>(random() % 40);
        if (limiter.try_acquire(key, now)) REQUIRE(model[key].try_acquire(now));
        REQUIRE(limiter.size() <= 16);
    }
}

TEST_CASE("keyed: keys of another type are the same keys") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 3}};
    CHECK(limiter.try_acquire("key", t0));
    CHECK(limiter.try_acquire(std::string{"key"}, t0));
    CHECK(limiter.try_acquire(std::string_view{"key"}, t0));
    CHECK_FALSE(limiter.try_acquire("key", t0));
    CHECK(limiter.size() == 1);
    keyed<token_bucket, std::string, std::hash<std::string>> converting{{.rate = 1, .burst = 2}};
    CHECK(converting.try_acquire("key", t0));
    CHECK(converting.try_acquire(std::string{"key"}, t0));
    CHECK_FALSE(converting.try_acquire("key", t0));
}

TEST_CASE("keyed: whatever of a key throws, nothing is granted and nothing forgotten") {
    keyed<token_bucket, touchy, touchy_hash> limiter{{.rate = 1, .burst = 4},
                                                     {.keys = 8, .shards = 1}};
    for (int key = 0; key < 8; ++key) REQUIRE(limiter.try_acquire(touchy{key}, t0, 4));
    auto const ask_and_throw = [&](int key, hawser::time_point now, std::uint32_t count, int turn) {
        touchy::until_throw = turn;
        bool thrown = false, granted = false;
        try {
            granted = limiter.try_acquire(touchy{key}, now, count).granted;
        } catch (std::runtime_error const&) {
            thrown = true;
        }
        touchy::until_throw = -1;
        return std::pair{thrown, granted};
    };
    int throws = 0;
    for (int turn = 0; turn < 20; ++turn)
        for (int key = 0; key < 10; ++key) {
            auto const [thrown, granted] = ask_and_throw(key, t0, 1, turn);
            throws += thrown ? 1 : 0;
            CHECK_FALSE(granted);
            CHECK(limiter.size() == 8);
        }
    CHECK(throws > 10);
    // One that owes nothing goes for a newcomer whose copy throws, and owes nothing after.
    int turn = 0;
    while (ask_and_throw(100, t0 + 4s, 4, turn).first) ++turn;
    CHECK(turn > 1);
    CHECK_FALSE(limiter.try_acquire(touchy{100}, t0 + 4s));
    for (int key = 0; key < 7; ++key) CHECK(limiter.try_acquire(touchy{key}, t0 + 4s, 4));
}

TEST_CASE("keyed: time that runs backwards refills nothing") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 3}};
    REQUIRE(drain(limiter, "a", t0) == 3);
    CHECK(drain(limiter, "a", t0 - 1h) == 0);
    CHECK(drain(limiter, "a", t0) == 0);
    CHECK(drain(limiter, "a", t0 + 1s) == 1);
}

TEST_CASE("keyed: with a clock that is ahead, a key gains what the clock is ahead by") {
    // Threads whose clocks differ by two seconds take turns, and many keys come between.
    keyed<token_bucket> limiter{{.rate = 1, .burst = 3}, {.keys = 8, .shards = 1}};
    std::uint32_t granted = 0;
    for (int second = 0; second < 20; ++second) {
        auto const now = t0 + second * 1s;
        granted += drain(limiter, "a", now);
        for (int key = 0; key < 20; ++key) (void)limiter.try_acquire(std::to_string(key), now + 2s);
        granted += drain(limiter, "a", now + 2s);
    }
    CHECK(granted <= 3 + 19 + 2);
}

TEST_CASE("keyed: forgets what a key owes when it is told to") {
    keyed<token_bucket> limiter{{.rate = 1, .burst = 3}};
    drain(limiter, "a", t0);
    drain(limiter, "b", t0);
    CHECK(limiter.forget("a"));
    CHECK_FALSE(limiter.forget("a"));
    CHECK(drain(limiter, "a", t0) == 3);
    CHECK(drain(limiter, "b", t0) == 0);
}

TEST_CASE("keyed: any limiter that says when it is fresh can be kept for each key") {
    int made = 0;
    keyed<by_second, int> limiter{[&] {
                                      ++made;
                                      return by_second{};
                                  },
                                  {.keys = 4, .shards = 1}};
    CHECK(made == 4);
    for (int key = 0; key < 4; ++key) CHECK(drain(limiter, key, t0 + key * 100ms) == 3);
    CHECK(limiter.try_acquire(0, t0 + 300ms).retry_after == 700ms);
    auto const full = limiter.try_acquire(4, t0 + 300ms);
    CHECK(full.from == asked_of::nobody);
    CHECK(full.retry_after == 700ms);
    CHECK(drain(limiter, 4, t0 + 1s) == 3);
    CHECK(limiter.size() == 4);
    CHECK(drain(limiter, 1, t0 + 1s) == 0);
}
