// SPDX-License-Identifier: BSL-1.0
#include <hawser/flow/bounded_buffer.hpp>
#include <hawser/flow/overflow.hpp>
#include <hawser/trace/names.hpp>

#include "support/catch.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using hawser::bounded_buffer;
using hawser::bounded_buffer_options;
using hawser::drop_cause;
using hawser::drop_list;
using hawser::pushed;
using hawser::time_point;
namespace overflow = hawser::overflow;

static constexpr time_point t0{1h};

namespace {

/// A string weighs as many bytes as it has.
struct length {
    std::uint64_t operator()(std::string const& text) const noexcept { return text.size(); }
};

/// What is dropped, as "text:cause ".
template <class List>
std::string told(List& drops) {
    std::string all;
    drops.for_each([&](std::string const& text, drop_cause cause) {
        all += text + ':' + label_of(cause) + ' ';
    });
    drops.clear();
    return all;
}

/// A buffer, and the list for all that it drops.
template <class Overflow>
struct stage {
    explicit stage(bounded_buffer_options const& options, Overflow policy = {})
        : buffer{options, std::move(policy)} {}

    pushed push(std::string text) { return buffer.push(std::move(text), t0, drops).result; }
    /// All that is queued, oldest first, one after the other.
    std::string rest() {
        std::string all;
        while (auto text = buffer.pop(t0, drops).item) all += *text + ' ';
        return all;
    }

    bounded_buffer<std::string, Overflow, length> buffer;
    drop_list<std::string, 16> drops;
};

/// Appends, unless the text is bad: then it throws, and has changed nothing.
struct append {
    void operator()(std::string& kept, std::string const& text) const {
        if (text == "bad") throw std::runtime_error{"cannot be merged"};
        kept += text;
    }
};

}  // namespace

TEST_CASE("block: an item without room stays with its owner, who may wait") {
    stage<overflow::block> s{{.capacity = 2}};
    CHECK(s.push("a") == pushed::stored);
    CHECK(s.push("b") == pushed::stored);
    std::string mine = "mine";
    auto const answer = s.buffer.push(std::move(mine), t0, s.drops);
    CHECK(answer.result == pushed::full);
    CHECK(answer.dropped == 0);
    CHECK_FALSE(is_taken(answer.result));
    CHECK(mine == "mine");  // NOLINT(bugprone-use-after-move): the promise.
    CHECK(s.drops.empty());
    CHECK(s.buffer.snapshot().pushed == 2);

    CHECK(s.buffer.pop(t0, s.drops).item == "a");
    CHECK(s.buffer.push(std::move(mine), t0, s.drops).result == pushed::stored);
    CHECK(s.rest() == "b mine ");
}

TEST_CASE("reject: an item without room stays with its owner, who is not to wait") {
    stage<overflow::reject> s{{.capacity = 1}};
    CHECK(s.push("a") == pushed::stored);
    std::string mine = "mine";
    CHECK(s.buffer.push(std::move(mine), t0, s.drops).result == pushed::refused);
    CHECK(mine == "mine");  // NOLINT(bugprone-use-after-move): the promise.
    CHECK(s.buffer.snapshot().dropped.total() == 0);
    CHECK(s.rest() == "a ");
}

TEST_CASE("drop_newest: what is queued stays, and the new item is dropped and counted") {
    stage<overflow::drop_newest> s{{.capacity = 2}};
    CHECK(s.push("a") == pushed::stored);
    CHECK(s.push("b") == pushed::stored);
    auto const answer = s.buffer.push("c", t0, s.drops);
    CHECK(answer.result == pushed::dropped);
    CHECK(answer.dropped == 1);
    CHECK(told(s.drops) == "c:newest ");
    CHECK(s.buffer.snapshot().dropped[drop_cause::newest] == 1);
    CHECK(s.buffer.snapshot().pushed == 3);
    CHECK(s.rest() == "a b ");
}

TEST_CASE("drop_oldest: the oldest goes for the new one") {
    stage<overflow::drop_oldest> s{{.capacity = 2}};
    for (auto const* text : {"a", "b", "c", "d"}) CHECK(s.push(text) == pushed::stored);
    CHECK(told(s.drops) == "a:oldest b:oldest ");
    CHECK(s.buffer.snapshot().dropped[drop_cause::oldest] == 2);
    CHECK(s.rest() == "c d ");
}

TEST_CASE("drop_oldest: drops as many as the weight of the new one needs, and no more") {
    stage<overflow::drop_oldest> s{{.capacity = 10, .weight = 10}};
    for (auto const* text : {"aaa", "bb", "ccc", "dd"}) CHECK(s.push(text) == pushed::stored);
    CHECK(s.drops.empty());
    auto const answer = s.buffer.push("eeee", t0, s.drops);
    CHECK(answer.result == pushed::stored);
    CHECK(answer.dropped == 2);
    CHECK(told(s.drops) == "aaa:oldest bb:oldest ");
    CHECK(s.buffer.weight() == 9);
    CHECK(s.push("ffffffffff") == pushed::stored);  // The whole buffer's weight.
    CHECK(told(s.drops) == "ccc:oldest dd:oldest eeee:oldest ");
    CHECK(s.rest() == "ffffffffff ");
}

TEST_CASE("drop_all: everything queued goes, and the new one begins anew") {
    stage<overflow::drop_all> s{{.capacity = 3}};
    for (auto const* text : {"a", "b", "c"}) CHECK(s.push(text) == pushed::stored);
    CHECK(s.drops.empty());
    auto const answer = s.buffer.push("d", t0, s.drops);
    CHECK(answer.result == pushed::stored);
    CHECK(answer.dropped == 3);
    CHECK(told(s.drops) == "a:all b:all c:all ");
    CHECK(s.buffer.snapshot().dropped[drop_cause::all] == 3);
    CHECK(s.rest() == "d ");
}

TEST_CASE("keep_latest: only the newest is kept, whatever the capacity is told") {
    stage<overflow::keep_latest> s{{.capacity = 1000, .weight = 3}};
    CHECK(s.buffer.capacity() == 1);
    for (auto const* text : {"a", "bb", "ccc"}) {
        CHECK(s.push(text) == pushed::stored);
        CHECK(s.buffer.size() == 1);
    }
    CHECK(told(s.drops) == "a:replaced bb:replaced ");
    CHECK(s.buffer.snapshot().dropped[drop_cause::replaced] == 2);
    CHECK(s.rest() == "ccc ");
}

TEST_CASE("conflate: without a place, the new one goes into the newest") {
    stage s{{.capacity = 2}, overflow::conflate{append{}}};
    CHECK(s.push("a") == pushed::stored);
    CHECK(s.push("b") == pushed::stored);
    auto const answer = s.buffer.push("c", t0, s.drops);
    CHECK(answer.result == pushed::merged);
    CHECK(is_taken(answer.result));
    CHECK(answer.dropped == 1);
    CHECK(s.push("d") == pushed::merged);
    CHECK(s.drops.empty());
    CHECK(s.buffer.snapshot().dropped[drop_cause::merged] == 2);
    CHECK(s.buffer.snapshot().pushed == 4);
    CHECK(s.rest() == "a bcd ");
}

TEST_CASE("conflate: a merge that throws loses neither item, and the buffer stays usable") {
    stage s{{.capacity = 2, .weight = 100}, overflow::conflate{append{}}};
    CHECK(s.push("a") == pushed::stored);
    CHECK(s.push("b") == pushed::stored);
    auto const before = s.buffer.snapshot();
    std::string mine = "bad";
    CHECK_THROWS_WITH((void)s.buffer.push(std::move(mine), t0, s.drops), "cannot be merged");
    CHECK(mine == "bad");  // NOLINT(bugprone-use-after-move): the promise.
    auto const after = s.buffer.snapshot();
    CHECK(after.pushed == before.pushed);
    CHECK(after.dropped == before.dropped);
    CHECK(after.weight == before.weight);
    CHECK(s.push("c") == pushed::merged);
    CHECK(s.buffer.weight() == 3);
    CHECK(s.rest() == "a bc ");
    CHECK(s.push(mine) == pushed::stored);
    CHECK(s.rest() == "bad ");
}

TEST_CASE("conflate: an item that lacks weight waits, as merging makes none") {
    stage s{{.capacity = 2, .weight = 6}, overflow::conflate{append{}}};
    CHECK(s.push("aaa") == pushed::stored);
    CHECK(s.push("bbbb") == pushed::full);  // There is a place.
    CHECK(s.push("b") == pushed::stored);
    CHECK(s.push("cc") == pushed::merged);
    CHECK(s.push("d") == pushed::full);  // Neither a place nor the weight.
    CHECK(s.push("") == pushed::merged);
    CHECK(s.buffer.weight() == 6);
    CHECK(s.rest() == "aaa bcc ");
}

TEST_CASE("conflate: a merged item is weighed again, and counts for no more than both did") {
    auto const blow_up = [](std::string& kept, std::string const& text) {
        kept = text == "-" ? "" : kept + std::string(1000, '!');
    };
    stage s{{.capacity = 1, .weight = 10}, overflow::conflate{blow_up}};
    CHECK(s.push("aaaa") == pushed::stored);
    CHECK(s.push("-") == pushed::merged);
    CHECK(s.buffer.weight() == 0);
    CHECK(s.push("bbb") == pushed::merged);
    CHECK(s.buffer.weight() == 3);
    CHECK(s.buffer.snapshot().highest_weight == 4);
    CHECK(s.buffer.pop(t0, s.drops).item->size() == 1000);
    CHECK(s.buffer.weight() == 0);
}

TEST_CASE("conflate: the age of a merged item is counted from the merge") {
    stage s{{.capacity = 1, .max_age = 10ms}, overflow::conflate{append{}}};
    CHECK(s.push("a") == pushed::stored);
    CHECK(s.buffer.push("b", t0 + 10ms, s.drops).result == pushed::merged);
    auto const answer = s.buffer.pop(t0 + 20ms, s.drops);
    CHECK(answer.item == "ab");
    CHECK(answer.expired == 0);
}

TEST_CASE("conflate: an item that is too old makes room instead of being merged into") {
    stage s{{.capacity = 1, .max_age = 10ms}, overflow::conflate{append{}}};
    CHECK(s.push("stale") == pushed::stored);
    CHECK(s.buffer.push("fresh", t0 + 11ms, s.drops).result == pushed::stored);
    CHECK(told(s.drops) == "stale:expired ");
    CHECK(s.buffer.pop(t0 + 11ms, s.drops).item == "fresh");
}

TEST_CASE("conflate: merges items that only move, with a merge that has state") {
    int merges = 0;
    auto sum = [&merges](std::unique_ptr<int>& kept, std::unique_ptr<int>& item) {
        *kept += *item;
        ++merges;
    };
    bounded_buffer<std::unique_ptr<int>, overflow::conflate<decltype(sum)>> buffer{
        {.capacity = 1}, overflow::conflate{sum}};
    drop_list<std::unique_ptr<int>> drops;
    for (int i = 1; i <= 4; ++i) (void)buffer.push(std::make_unique<int>(i), t0, drops);
    CHECK(merges == 3);
    CHECK(**buffer.pop(t0, drops).item == 10);
}

namespace {

/// Somebody's own: one of the oldest may go for a new item, and no more.
struct drop_one_or_refuse {
    static constexpr drop_cause cause = drop_cause::oldest;
    overflow::decision operator()(auto& room) const noexcept {
        room.drop_oldest();
        return room.is_there() ? overflow::decision::store : overflow::decision::refuse;
    }
};

/// Claims to have made room.
struct boaster {
    static constexpr drop_cause cause = drop_cause::oldest;
    overflow::decision operator()(auto&) const noexcept { return overflow::decision::store; }
};

}  // namespace

TEST_CASE("overflow: a policy of one's own makes room by the same verbs") {
    stage<drop_one_or_refuse> s{{.capacity = 3, .weight = 6}};
    for (auto const* text : {"aa", "bb", "cc"}) CHECK(s.push(text) == pushed::stored);
    CHECK(s.push("dd") == pushed::stored);
    CHECK(told(s.drops) == "aa:oldest ");
    auto const answer = s.buffer.push("eeee", t0, s.drops);
    CHECK(answer.result == pushed::refused);
    CHECK(answer.dropped == 1);
    CHECK(told(s.drops) == "bb:oldest ");
    CHECK(s.rest() == "cc dd ");
}

TEST_CASE("overflow: a policy that says there is room when there is none breaks no bound") {
    stage<boaster> s{{.capacity = 1}};
    CHECK(s.push("a") == pushed::stored);
    CHECK(s.push("b") == pushed::full);
    CHECK(s.rest() == "a ");
}
