// SPDX-License-Identifier: BSL-1.0
//
// The script on a real server, but with a time that the test chooses: in place of the server's
// clock it reads a key.
#include <hawser/adapt/redis/gcra_script.hpp>
#include <hawser/adapt/redis/quota.hpp>
#include <hawser/base/random.hpp>

#include "support/catch.hpp"
#include "support/redis_server.hpp"

#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using hawser::redis_quota;
using hawser::redis_span;

namespace {

std::string replaced(std::string text, std::string const& old, std::string const& fresh) {
    auto const at = text.find(old);
    REQUIRE(at != std::string::npos);
    REQUIRE(text.find(old, at + 1) == std::string::npos);
    return text.replace(at, old.size(), fresh);
}

struct decision {
    std::string error{};
    bool granted = false;
    std::uint64_t wait = 0;
    std::uint64_t generation = 0;
    std::uint64_t share = 0;
    std::uint64_t nodes = 0;
    std::vector<redis_span> owed{};
};

struct request {
    std::vector<std::string> keys{"limit"};
    std::uint32_t count = 1;
    std::string client = "client";
    std::uint64_t known = 0;
    std::string node = "node";
    std::uint64_t lease = 0;
    std::uint64_t number = 0;  ///< Zero: the next one.
};

/// A server whose script reads `now`, in microseconds. Keys live a minute longer than they have
/// to, for the time of the test passes without them.
class scripted {
public:
    explicit scripted(redis_quota const& quota, bool real_time = false) : quotas{quota} {
        text = std::string{hawser::detail::gcra_script};
        if (!real_time) {
            text = replaced(text, "redis.call('TIME')", "{redis.call('GET', 'now'), '0'}");
            text = replaced(text, "tonumber(time[1]) * 1000000", "tonumber(time[1])");
            text = replaced(text, "text(life)", "text(life + 60000)");
        }
        script = {text};
        REQUIRE(connection.open(deadline));
    }

    decision ask(request const& asked) {
        connection.command({"SET", "now", std::to_string(now)}, deadline);
        std::vector<std::string> words{"{t}:generation", asked.client, "{t}:leases"};
        words.insert(words.end(), asked.keys.begin(), asked.keys.end());
        number = asked.number != 0 ? asked.number : number + 1;
        words.push_back(std::to_string(number));
        words.push_back(std::to_string(asked.known));
        words.push_back(asked.node);
        for (auto const value : {asked.lease, std::uint64_t{1'000'000}, std::uint64_t{100'000}})
            words.push_back(std::to_string(value));
        for (std::size_t i = 0; i != asked.keys.size(); ++i) {
            auto const& quota = quotas[std::min(i, quotas.size() - 1)];
            auto const cost = quota.cost(asked.count), room = quota.cost(quota.burst());
            for (auto const value : {cost.whole, cost.part, room.whole, room.part, quota.parts()})
                words.push_back(std::to_string(value));
        }
        return run(words, 3 + asked.keys.size());
    }
    decision run(std::vector<std::string> const& words, std::size_t keys) {
        std::vector<std::string_view> const views(words.begin(), words.end());
        auto const reply = connection.evaluate(script, views, keys, deadline);
        REQUIRE(reply);
        if (reply->type == REDIS_REPLY_ERROR) return {.error = {reply->str, reply->len}};
        auto const at = [&](std::size_t i) {
            return static_cast<std::uint64_t>(reply->element[i]->integer);
        };
        decision answer{{}, at(0) == 1, at(1), at(2), at(3), at(4)};
        for (std::size_t i = 5; i + 1 < reply->elements; i += 2)
            answer.owed.push_back({at(i), at(i + 1)});
        return answer;
    }
    std::string get(std::string_view key) { return server.tell({"GET", key}); }
    std::int64_t life_of(std::string_view key) {
        return std::atoll(server.tell({"PTTL", key}).c_str());
    }

    support::redis_server server;
    hawser::redis_connection connection{server.endpoint()};
    hawser::time_point const deadline = hawser::steady_clock_source{}.now() + 100s;
    std::vector<redis_quota> quotas;
    std::string text;
    hawser::redis_script script;
    std::uint64_t now = 1'700'000'000'000'000;  // Of the year 2023, that numbers are as large.
    std::uint64_t number = 0;
};

}  // namespace

TEST_CASE("gcra_script: a full bucket grants its burst, then one token whenever one is due") {
    scripted redis{redis_quota{{.rate = 7, .period = 1s, .burst = 5}}};
    CHECK(redis.ask({.count = 5}).granted);
    auto const refused = redis.ask({});
    CHECK_FALSE(refused.granted);
    CHECK(refused.wait == 142'858);  // 142857 and 1/7, rounded up.
    redis.now += 142'857;
    CHECK_FALSE(redis.ask({}).granted);
    redis.now += 1;
    CHECK(redis.ask({}).granted);
    redis.now += 3'600'000'000;
    CHECK(redis.ask({.count = 5}).granted);
    CHECK_FALSE(redis.ask({}).granted);
}

TEST_CASE("gcra_script: decisions agree with a bucket of exact fractions, for random schedules") {
    struct shape {
        std::uint32_t rate;
        hawser::duration period;
        std::uint32_t burst;
    };
    std::uint64_t seed = 0;
    for (auto const& [rate, period, burst] :
         {shape{7, 1s, 5}, shape{1, 3s, 1}, shape{3'000'007, 1s, 1000}, shape{400'000'000, 1s, 9},
          shape{11, 1'000'001ns, 40}}) {
        redis_quota const quota{{.rate = rate, .period = period, .burst = burst}};
        scripted redis{quota};
        // The model counts in nanoseconds times the rate, in which all numbers are whole.
        using wide = hawser::detail::wide_int;
        wide const token = period.count(), room = token * burst;
        wide full_at = 0;
        ++seed;
        for (std::uint64_t i = 0; i != 1'000; ++i) {
            INFO("seed " << seed << ", request " << i);
            auto const draw = hawser::random_at(seed, i);
            auto const tokens = draw % 3;  // Time for up to two tokens, mostly less.
            auto const step = (period / rate).count() * static_cast<std::int64_t>(tokens) / 1000;
            redis.now += static_cast<std::uint64_t>(step) + (draw >> 8U) % 3;
            auto const count = static_cast<std::uint32_t>(1 + (draw >> 16U) % burst % 4);

            auto const answer = redis.ask({.count = count});
            wide const now = wide{static_cast<std::int64_t>(redis.now)} * 1000 * rate;
            auto const to = std::max(full_at, now) + token * count;
            auto const over = to - now - room;
            CHECK(answer.granted == (over <= 0));
            auto const per = wide{1000} * rate;
            CHECK(answer.wait ==
                  (over <= 0 ? 0 : static_cast<std::uint64_t>((over + per - 1) / per)));
            if (answer.granted) full_at = to;
        }
    }
}

TEST_CASE("gcra_script: a refusal writes nothing") {
    scripted redis{redis_quota{{.rate = 1, .period = 1s, .burst = 2}}};
    CHECK(redis.ask({.count = 2}).granted);
    auto const before = redis.get("limit") + redis.get("client") + redis.get("{t}:generation");
    CHECK_FALSE(redis.ask({}).granted);
    CHECK(redis.get("limit") + redis.get("client") + redis.get("{t}:generation") == before);
}

TEST_CASE("gcra_script: several limits are charged all or none, in any order") {
    scripted redis{redis_quota{{.rate = 1, .period = 1s, .burst = 10}}};
    redis.quotas.push_back(redis_quota{{.rate = 1, .period = 1s, .burst = 3}});
    CHECK(redis.ask({.keys = {"a", "b"}, .count = 3}).granted);
    auto const before = redis.get("a");
    auto const refused = redis.ask({.keys = {"a", "b"}, .count = 2});
    CHECK_FALSE(refused.granted);
    CHECK(refused.wait == 2'000'000);
    CHECK(redis.get("a") == before);
    std::swap(redis.quotas[0], redis.quotas[1]);
    CHECK_FALSE(redis.ask({.keys = {"b", "a"}, .count = 1}).granted);
    CHECK(redis.get("a") == before);
    CHECK(redis.ask({.keys = {"c", "a"}, .count = 3}).granted);
}

TEST_CASE("gcra_script: a request that is asked again under its number is charged once") {
    scripted redis{redis_quota{{.rate = 1, .period = 1h, .burst = 3}}};
    auto const first = redis.ask({.count = 2, .number = 1});
    auto const again = redis.ask({.count = 2, .number = 1});
    CHECK(again.granted);
    CHECK(again.owed == first.owed);
    CHECK(redis.ask({.client = "other", .number = 1}).granted);
    CHECK_FALSE(redis.ask({.number = 2}).granted);
    // And what was refused is decided anew.
    redis.now += 3'600'000'000;
    CHECK(redis.ask({.number = 2}).granted);
}

TEST_CASE("gcra_script: a late copy of a request that was answered charges nothing") {
    scripted redis{redis_quota{{.rate = 1, .period = 1h, .burst = 3}}};
    CHECK(redis.ask({.number = 5}).granted);
    CHECK(redis.ask({.number = 6}).granted);
    auto const before = redis.get("limit");
    CHECK(redis.ask({.number = 5}).error == "HAWSER a late copy");
    CHECK(redis.get("limit") == before);
}

TEST_CASE("gcra_script: a clock that is set back gives no tokens, and takes a burst at most") {
    scripted redis{redis_quota{{.rate = 1, .period = 1s, .burst = 10}}};
    CHECK(redis.ask({.count = 10}).granted);
    redis.now -= 3'600'000'000;
    auto const refused = redis.ask({});
    CHECK_FALSE(refused.granted);
    CHECK(refused.wait == 1'000'000);
    redis.now += 1'000'000;
    CHECK(redis.ask({}).granted);
    CHECK_FALSE(redis.ask({}).granted);
}

TEST_CASE("gcra_script: a node with a smaller burst forgives nothing to one with a larger") {
    scripted redis{redis_quota{{.rate = 1, .period = 1s, .burst = 10}}};
    CHECK(redis.ask({.count = 10}).granted);
    redis.quotas = {redis_quota{{.rate = 1, .period = 1s, .burst = 2}}};
    CHECK(redis.ask({}).wait == 9'000'000);
    redis.quotas = {redis_quota{{.rate = 1, .period = 1s, .burst = 10}}};
    CHECK(redis.ask({}).wait == 1'000'000);
}

TEST_CASE("gcra_script: a key expires after its bucket is full, and not much later") {
    scripted redis{redis_quota{{.rate = 10, .period = 1s, .burst = 50}}, true};
    CHECK(redis.ask({.count = 50}).granted);
    auto const life = redis.life_of("limit");
    CHECK(life <= 5'003);
    CHECK(life > 4'000);
    CHECK(redis.life_of("client") > 50'000);
    CHECK(redis.life_of("{t}:generation") > 86'000'000);

    // A bucket that is full again within a microsecond is kept all the same.
    redis.quotas = {redis_quota{{.rate = 400'000'000, .period = 1s, .burst = 1}}};
    CHECK(redis.ask({.keys = {"fast"}}).error.empty());
}

TEST_CASE("gcra_script: keys of all kinds expire") {
    scripted redis{redis_quota{{.rate = 10, .period = 1s, .burst = 50}}, true};
    CHECK(redis.ask({.lease = 10'000'000}).granted);
    for (auto const* key : {"limit", "client", "{t}:leases", "{t}:generation"}) {
        INFO(key);
        CHECK(redis.life_of(key) > 0);
    }
    CHECK(redis.life_of("{t}:leases") >= 109'000);
}

TEST_CASE("gcra_script: numbers that a double does not hold exactly are refused") {
    scripted redis{redis_quota{{.rate = 1, .period = 1s, .burst = 1}}};
    redis.ask({.keys = {"other"}});  // Sets the time.
    auto const with = [&](std::string const& cost, std::string const& room,
                          std::string const& parts) {
        auto const number = std::to_string(++redis.number);
        return redis
            .run({"{t}:generation", "client", "{t}:leases", "limit", number, "0", "node", "0", "1",
                  "1", cost, "0", room, "0", parts},
                 4)
            .error;
    };
    auto const over = std::string{"HAWSER a number over 2^53"};
    CHECK(with("1", "7400000000000000", "1") == over);
    CHECK(with("7400000000000000", "1", "1") == over);
    CHECK(with("1", "1", "9007199254740993") == over);
    CHECK(redis.server.tell({"EXISTS", "limit"}) == "0");
    CHECK(with("1", "7200000000000000", "1").empty());
}

TEST_CASE("gcra_script: a key that holds something else is an error, and is left alone") {
    scripted redis{redis_quota{{.rate = 1, .period = 1s, .burst = 1}}};
    redis.server.tell({"SET", "limit", "mine"});
    CHECK(redis.ask({}).error == "HAWSER not a bucket");
    redis.server.tell({"RPUSH", "list", "mine"});
    CHECK(redis.ask({.keys = {"list"}}).error.substr(0, 9) == "WRONGTYPE");
    CHECK(redis.get("limit") == "mine");
}

TEST_CASE("gcra_script: another rate takes a bucket over, with a microsecond to its loss at most") {
    scripted redis{redis_quota{{.rate = 7, .period = 1s, .burst = 5}}};
    CHECK(redis.ask({.count = 5}).granted);
    redis.quotas = {redis_quota{{.rate = 1, .period = 1s, .burst = 5}}};
    CHECK((redis.ask({}).owed == std::vector<redis_span>{{1'714'286, 0}}));
}

TEST_CASE("gcra_script: shares of all nodes are never more than all of the rate together") {
    scripted redis{redis_quota{{.rate = 1, .period = 1s, .burst = 1'000}}};
    auto const share_of = [&](std::string const& node) {
        return redis.ask({.client = node, .node = node, .lease = 10'000'000}).share;
    };
    CHECK(share_of("a") == 500'000);  // A node alone has half.
    CHECK(share_of("b") == 500'000);
    CHECK(share_of("c") == 100'000);  // Nothing is left but the least share, until
    CHECK(share_of("a") == 333'333);  // the others have renewed.
    CHECK(share_of("b") == 333'333);
    CHECK(share_of("c") == 333'333);
    redis.now += 9'000'000;
    CHECK(share_of("a") == 333'333);
    redis.now += 2'000'000;  // Two leases have ended; each of the two may go on with the least.
    auto const alone = redis.ask({.client = "a", .node = "a", .lease = 10'000'000});
    CHECK(alone.nodes == 1);
    CHECK(alone.share == 500'000);
    CHECK(redis.server.tell({"HLEN", "{t}:leases"}) == "3");
    redis.now += 110'000'000;
    CHECK(share_of("a") == 500'000);
    CHECK(redis.server.tell({"HLEN", "{t}:leases"}) == "1");
}

TEST_CASE("gcra_script: nodes whose leases have ended still count with the least share") {
    scripted redis{redis_quota{{.rate = 1, .period = 1s, .burst = 1'000}}};
    auto const share_of = [&](std::string const& node) {
        return redis.ask({.client = node, .node = node, .lease = 10'000'000}).share;
    };
    for (auto const* node : {"a", "b", "c", "d", "e", "f", "g", "h"}) share_of(node);
    redis.now += 11'000'000;
    CHECK(share_of("a") == 300'000);  // Of 700 thousand that seven others may admit.
}

TEST_CASE("gcra_script: a server without the generation that a client knew begins empty") {
    scripted redis{redis_quota{{.rate = 1, .period = 1s, .burst = 5}}};
    auto const generation = redis.ask({}).generation;
    CHECK(generation == redis.now);
    CHECK(redis.ask({.known = generation}).generation == generation);

    redis.server.tell({"FLUSHALL"});
    redis.now += 10'000'000;
    auto const lost = redis.ask({.known = generation});
    CHECK_FALSE(lost.granted);
    CHECK(lost.wait == 1'000'000);
    CHECK(lost.generation != generation);
    CHECK_FALSE(redis.ask({.keys = {"other"}}).granted);
    redis.now += 2'000'000;
    CHECK(redis.ask({.keys = {"other"}, .count = 2}).granted);
    CHECK_FALSE(redis.ask({.keys = {"other"}}).granted);
    // The next one that knew the old generation does not empty it once more.
    redis.now += 10'000'000;
    CHECK(redis.ask({.keys = {"third"}, .count = 5, .known = generation}).granted);
}

TEST_CASE("gcra_script: a new client that comes first after a loss does not hide it from others") {
    scripted redis{redis_quota{{.rate = 1, .period = 1s, .burst = 5}}};
    auto const generation = redis.ask({}).generation;
    redis.server.tell({"FLUSHALL"});
    redis.now += 10'000'000;
    CHECK(redis.ask({.keys = {"a"}, .count = 5}).granted);
    CHECK_FALSE(redis.ask({.keys = {"b"}, .known = generation}).granted);
    CHECK_FALSE(redis.ask({.keys = {"c"}}).granted);
}
