// SPDX-License-Identifier: BSL-1.0
//
// What a bulkhead tells its queue of a call, and what it makes of the queue's answers. The hooks
// are called as a driver calls them, so that one thread has many calls waiting.
#include <hawser/containers/queueing/fair_by_key.hpp>
#include <hawser/containers/queueing/priority.hpp>
#include <hawser/hawser.hpp>
#include <hawser/policy/bulkhead.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"

#include <chrono>
#include <cstdint>
#include <iterator>
#include <list>
#include <stop_token>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using hawser::errc;
using hawser::step;
using support::bell_log;
namespace queueing = hawser::queueing;

namespace {

using facts_type = hawser::call_facts<std::string>;

struct known_call {
    static constexpr bool has_facts = true;
    facts_type said;
    hawser::time_point at;

    [[nodiscard]] facts_type const& facts() const noexcept { return said; }
    [[nodiscard]] std::string const& key() const noexcept { return said.key; }
    [[nodiscard]] hawser::time_point now() const noexcept { return at; }
    [[nodiscard]] bool stop_requested() const noexcept { return said.stop.stop_requested(); }
    [[nodiscard]] bool fits(hawser::duration wait) const noexcept {
        return at + wait < said.deadline;
    }
};

/// A call before a bulkhead, and what it has been told there.
template <class Limit>
struct asking {
    asking(Limit& at, int id, bell_log& log, facts_type facts)
        : limit{at}, call{std::move(facts), hawser::time_point{id * 1ms}}, node{id, &log} {
        ask();
    }
    void ask() { answer = limit.before(held, call, node); }
    bool withdraw() { return limit.withdraw(held, call, node); }
    void leave() {
        hawser::outcome<int> out;
        limit.after(held, call, out);
    }

    Limit& limit;
    known_call call;
    support::counting_waiter node;
    typename Limit::call_state held{};
    step answer{};
};

/// Calls before a bulkhead, numbered from 1 as they come, one each millisecond.
template <class Limit>
struct crowd {
    Limit& limit;
    std::list<asking<Limit>> calls{};
    bell_log bells{};

    auto& add(facts_type const& facts = {}) {
        return calls.emplace_back(limit, static_cast<int>(calls.size()) + 1, bells, facts);
    }
    auto& number(int id) {
        auto at = calls.begin();
        std::advance(at, id - 1);
        return *at;
    }
    /// Lets whose bells ring in and out again, until none rings.
    bell_log const& let_all_through() {
        for (std::size_t next = 0; next != bells.size(); ++next) {
            auto& woken = number(bells[next]);
            woken.ask();
            REQUIRE(woken.answer.action == step::kind::proceed);
            woken.leave();
        }
        return bells;
    }
};
template <class Limit>
crowd(Limit&) -> crowd<Limit>;

template <class Limit>
bool is_whole(Limit& limit) {
    auto const now = limit.permits().snapshot();
    return now.held == 0 && now.on_the_way == 0 && now.waiting == 0 && now.free == now.capacity;
}

}  // namespace

TEST_CASE(
    "bulkhead: a queue of classes is told the priority, and what is off its scale as its end") {
    hawser::bulkhead limit{{.permits = 1},
                           hawser::wait_up_to{1s},
                           hawser::queued_by<queueing::priority>{{.ageing = 1h}}};
    crowd all{limit};
    auto& first = all.add();
    for (int const priority : {1, -300, 3, 0, 4, 300}) all.add({.priority = priority});
    REQUIRE(limit.permits().snapshot().waiting == 6);

    first.leave();

    CHECK(all.let_all_through() == bell_log{6, 7, 4, 2, 5, 3});
    CHECK(is_whole(limit));
}

TEST_CASE("bulkhead: a queue is made of its options") {
    hawser::bulkhead limit{{.permits = 1},
                           hawser::queued_by<queueing::priority>{{.ageing = 0s}},
                           hawser::wait_up_to{1s}};
    crowd all{limit};
    auto& first = all.add();
    for (int const priority : {0, 7, 3}) all.add({.priority = priority});

    first.leave();

    CHECK(all.let_all_through() == bell_log{2, 3, 4});  // Classes mean nothing without ageing.
}

TEST_CASE("bulkhead: a fair queue tells calls apart by their key") {
    hawser::bulkhead limit{
        {.permits = 1}, hawser::wait_up_to{1s}, hawser::queued_by<queueing::fair_by_key>{}};
    crowd all{limit};
    auto& first = all.add();
    for (auto const* const key : {"a", "a", "a", "b", "b"}) all.add({.key = key});

    first.leave();

    CHECK(all.let_all_through() == bell_log{2, 5, 3, 6, 4});
    CHECK(is_whole(limit));
}

TEST_CASE("bulkhead: a call that the queue turns away is refused as overloaded") {
    hawser::bulkhead limit{{.permits = 1, .places = 1},
                           hawser::wait_up_to{1s},
                           hawser::queued_by<queueing::priority>{}};
    crowd all{limit};
    auto& first = all.add();
    auto& low = all.add({.priority = 0});
    REQUIRE(low.answer.action == step::kind::park);
    all.add({.priority = 1});
    CHECK(all.bells == bell_log{2});

    low.ask();
    CHECK(low.answer.action == step::kind::refuse);
    CHECK(low.answer.code == errc::overloaded);
    CHECK(low.held.count == 0);

    all.bells.clear();
    first.leave();
    CHECK(all.let_all_through() == bell_log{3});
    CHECK(is_whole(limit));
}

TEST_CASE("bulkhead: a call that is over before it waits pushes nobody out of a full queue") {
    hawser::bulkhead limit{{.permits = 1, .places = 1},
                           hawser::wait_up_to{1s},
                           hawser::queued_by<queueing::priority>{}};
    crowd all{limit};
    auto& first = all.add();
    auto& low = all.add({.priority = 0});
    std::stop_source caller;
    caller.request_stop();

    auto& stopped = all.add({.stop = caller.get_token(), .priority = 4});
    auto& late = all.add({.deadline = hawser::time_point{4ms}, .priority = 4});

    // The driver ends them there, as cancelled and timed out.
    CHECK(stopped.answer.action == step::kind::park);
    CHECK(late.answer.action == step::kind::park);
    CHECK(stopped.withdraw());
    CHECK(late.withdraw());
    CHECK(all.bells.empty());
    first.leave();
    low.ask();
    CHECK(low.answer.action == step::kind::proceed);
    low.leave();
    CHECK(is_whole(limit));
}

TEST_CASE("bulkhead: a call that is turned away and withdrawn hears that its bell will ring") {
    hawser::bulkhead limit{{.permits = 1, .places = 1},
                           hawser::wait_up_to{1s},
                           hawser::queued_by<queueing::priority>{}};
    crowd all{limit};
    auto& first = all.add();
    auto& low = all.add({.priority = 0});
    auto& high = all.add({.priority = 1});

    CHECK_FALSE(low.withdraw());
    CHECK(high.withdraw());
    first.leave();

    CHECK(is_whole(limit));
}

TEST_CASE("bulkhead: a call that waited holds, and gives back, as many permits as it costs") {
    std::uint32_t cost = 3;
    auto const size = [&cost](auto const&) noexcept { return cost; };
    hawser::bulkhead limit{{.permits = 4}, hawser::wait_up_to{1s}, hawser::cost_by{size}};
    crowd all{limit};
    auto& first = all.add();
    cost = 2;
    auto& second = all.add();
    REQUIRE(second.answer.action == step::kind::park);
    CHECK(limit.permits().snapshot().held == 3);

    first.leave();
    CHECK(limit.permits().snapshot().on_the_way == 2);
    second.ask();
    CHECK(limit.permits().snapshot().held == 2);

    cost = 5;
    auto const large = all.add().answer;
    CHECK(large.code == errc::too_large);
    CHECK(large.delay == hawser::never);
    second.leave();
    CHECK(is_whole(limit));
}
