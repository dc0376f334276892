// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/detail/buffered_core.hpp>
#include <hawser/run/detail/channel_news.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using hawser::bounded_buffer;
using hawser::detail::passage;
namespace overflow = hawser::overflow;

namespace {

/// A bell that counts.
template <class T>
struct end final : hawser::detail::channel_waiter<T> {
    end() : hawser::detail::channel_waiter<T>{&ring} {}
    static void ring(hawser::waiter& node) noexcept {
        auto& self = static_cast<end&>(static_cast<hawser::detail::channel_waiter<T>&>(node));
        ++self.rung;
        self.on_ring();
    }
    int rung = 0;
    std::function<void()> on_ring = [] {};
};

/// An environment in which nobody parks, and nobody listens.
struct told_time {
    hawser::time_point* at;
    [[nodiscard]] hawser::time_point now() const noexcept { return *at; }
    [[nodiscard]] hawser::null_sink& sink() const noexcept {
        static hawser::null_sink nobody;
        return nobody;
    }
};
using news_type = hawser::detail::channel_news<told_time>;
struct calls {
    std::function<void(bool)>* what;
    void operator()(bool high) const noexcept { (*what)(high); }
};

/// A value that tells when the last of it is destroyed.
struct item {
    std::shared_ptr<void> own;
    std::uint64_t weight = 1;
};
struct weight_of {
    std::uint64_t operator()(item const& of) const noexcept { return of.weight; }
};

using core_type =
    hawser::detail::buffered_core<item, bounded_buffer<item, overflow::block, weight_of>, news_type,
                                  calls>;

struct fixture {
    explicit fixture(hawser::bounded_buffer_options const& options)
        : core{news, 100, calls{&watch}, options} {}

    hawser::time_point now{1h};
    news_type news{told_time{&now}, "buffered_channel"};
    std::function<void(bool)> watch = [](bool) {};
    core_type core;

    passage send(std::uint64_t weight = 1, std::shared_ptr<void> own = nullptr) {
        item value{std::move(own), weight};
        auto const answer = core.send_by_lock(value, nullptr);
        return answer.result;
    }
    passage send(item& value, end<item>& node) {
        auto const answer = core.send_by_lock(value, &node);
        return answer.result;
    }
    std::optional<item> receive() {
        std::optional<item> got;
        auto const answer = core.receive_by_lock(got, nullptr);
        CHECK((answer.result == passage::done) == got.has_value());
        return got;
    }
};

std::shared_ptr<void> at_end_of(std::function<void()> call) {
    return {nullptr, [call = std::move(call)](void*) { call(); }};
}

}  // namespace

TEST_CASE("buffered_core: who is let in while dropped items are handed out overtakes no place") {
    // A hundred items are too old, and as many wait. The first that is destroyed has one who waits
    // give up, which lets in the others where the dropped ones still are.
    fixture at{{.capacity = 40, .max_age = 1ms}};
    std::deque<end<item>> nodes(40);
    std::deque<item> values(40);
    bool gave_up = false;
    auto give_up = at_end_of([&] {
        gave_up = true;
        auto const left = at.core.withdraw_sender(nodes[0]);
        CHECK_FALSE(left.bell_will_ring);
    });
    for (int each = 0; each != 40; ++each)
        REQUIRE(at.send(1, each == 0 ? std::move(give_up) : nullptr) == passage::done);
    for (std::size_t each = 0; each != 40; ++each)
        REQUIRE(at.send(values[each], nodes[each]) == passage::waits);

    at.now += 1s;
    REQUIRE(at.receive());
    CHECK(gave_up);
    for (std::size_t each = 1; each != 40; ++each) CHECK(nodes[each].rung == 1);
    CHECK(nodes[0].rung == 0);
    std::size_t received = 1;
    while (at.receive()) ++received;
    CHECK(received == 39);
    auto const end = at.core.snapshot();
    CHECK(end.pushed == end.popped + end.dropped.total());
    CHECK(end.highest_depth == 40);
}

TEST_CASE(
    "buffered_core: those woken are told before a watch is, and before values are destroyed") {
    std::vector<std::string> order;
    fixture at{{.capacity = 2, .high_watermark = 2, .low_watermark = 0, .max_age = 1ms}};
    at.watch = [&](bool high) { order.push_back(high ? "high" : "low"); };
    end<item> receiver, sender;
    receiver.on_ring = [&] { order.push_back("receiver"); };
    sender.on_ring = [&] { order.push_back("sender"); };

    REQUIRE(at.send() == passage::done);
    REQUIRE(at.receive());
    std::optional<item> got;
    {
        auto const answer = at.core.receive_by_lock(got, &receiver);
        REQUIRE(answer.result == passage::waits);
    }
    REQUIRE(at.send(1, at_end_of([&] { order.push_back("destroyed"); })) == passage::done);
    REQUIRE(at.send() == passage::done);
    CHECK(order == std::vector<std::string>{"receiver", "high"});

    item waiting;
    REQUIRE(at.send(waiting, sender) == passage::waits);
    at.now += 1s;
    order.clear();
    REQUIRE(at.receive());  // Of the three, two are too old.
    CHECK(order == std::vector<std::string>{"sender", "destroyed", "low"});
}

TEST_CASE("buffered_core: a sender that gives up has those behind it told before the watch is") {
    std::vector<std::string> order;
    fixture at{{.weight = 6,
                .high_watermark = 6,
                .low_watermark = 1,
                .watermarks_in = hawser::depth_in::weight}};
    at.watch = [&](bool high) { order.push_back(high ? "high" : "low"); };
    end<item> heavy, light;
    light.on_ring = [&] { order.push_back("light"); };
    item heavy_item{nullptr, 6}, light_item{nullptr, 2};
    REQUIRE(at.send(4) == passage::done);
    REQUIRE(at.send(heavy_item, heavy) == passage::waits);
    REQUIRE(at.send(light_item, light) == passage::waits);
    {
        auto const left = at.core.withdraw_sender(heavy);
        CHECK_FALSE(left.bell_will_ring);
    }
    CHECK(heavy.rung == 0);
    CHECK(order == std::vector<std::string>{"light", "high"});
}

TEST_CASE("buffered_core: an item that no wait helps is not queued, whoever waits") {
    fixture at{{.weight = 6}};
    end<item> heavy, too_heavy;
    item heavy_item{nullptr, 6}, too_heavy_item{nullptr, 7};
    REQUIRE(at.send(4) == passage::done);
    REQUIRE(at.send(heavy_item, heavy) == passage::waits);
    CHECK(at.send(too_heavy_item, too_heavy) == passage::too_large);
    CHECK(at.core.waiting_now().senders == 1);
    REQUIRE(at.receive());
    CHECK(heavy.rung == 1);
}

TEST_CASE("buffered_core: a value may call the channel when it is destroyed") {
    fixture at{{.capacity = 4, .max_age = 1ms}};
    int depth_seen = -1;
    REQUIRE(at.send(1, at_end_of([&] {
                        depth_seen = static_cast<int>(at.core.size());
                        (void)at.send();
                    })) == passage::done);
    at.now += 1s;
    CHECK_FALSE(at.receive());
    CHECK(depth_seen == 0);
    CHECK(at.core.size() == 1);
}

TEST_CASE("buffered_core: who is queued has told and destroyed everything before") {
    // Once it is queued, its value may be sent, and its owner let the channel go.
    fixture at{{.weight = 6,
                .high_watermark = 6,
                .low_watermark = 4,
                .watermarks_in = hawser::depth_in::weight,
                .max_age = 1s}};
    int told = 0, destroyed = 0;
    end<item> sender;
    item heavy{nullptr, 5};
    REQUIRE(at.send(2, at_end_of([&] {
                        ++destroyed;
                        CHECK(at.core.waiting_now().senders == 0);
                    })) == passage::done);
    at.now += 1s;
    REQUIRE(at.send(4) == passage::done);
    at.watch = [&](bool high) {
        ++told;
        CHECK_FALSE(high);
        CHECK(at.core.waiting_now().senders == 0);
    };
    at.now += 1ms;  // The first is too old, and what it leaves is not enough.
    REQUIRE(at.send(heavy, sender) == passage::waits);
    CHECK(told == 1);
    CHECK(destroyed == 1);
    CHECK(at.core.waiting_now().senders == 1);
    REQUIRE(at.receive());
    CHECK(sender.rung == 1);
}

TEST_CASE("buffered_core: as many wait at each end as may") {
    news_type const news{told_time{nullptr}, "buffered_channel"};
    std::function<void(bool)> watch = [](bool) {};
    core_type core{news, 2, calls{&watch}, hawser::bounded_buffer_options{.capacity = 1}};
    item first, values[3];
    end<item> senders[3];
    {
        auto const answer = core.send_by_lock(first, nullptr);
        REQUIRE(answer.result == passage::done);
    }
    for (int each = 0; each != 3; ++each) {
        auto const answer = core.send_by_lock(values[each], &senders[each]);
        CHECK(answer.result == (each < 2 ? passage::waits : passage::crowded));
    }
    core.close().to_wake.ring_all();
    CHECK(senders[0].rung + senders[1].rung == 2);
    CHECK(senders[0].turned_away);
}

TEST_CASE("buffered_core: a watch that changes the level hears of it when it has returned") {
    std::vector<std::string> order;
    fixture at{{.capacity = 2, .high_watermark = 2, .low_watermark = 0}};
    at.watch = [&](bool high) {
        order.push_back(high ? "high" : "low");
        if (high)
            while (at.receive()) {}
        order.push_back("over");
    };
    REQUIRE(at.send() == passage::done);
    REQUIRE(at.send() == passage::done);
    CHECK(order == std::vector<std::string>{"high", "over", "low", "over"});
}

TEST_CASE("buffered_core: a receiver that was told and gives up has the next one told") {
    fixture at{{.capacity = 2}};
    end<item> first, second;
    for (auto* node : {&first, &second}) {
        auto const answer = at.core.await_value(*node);
        REQUIRE(answer.result == passage::waits);
    }
    REQUIRE(at.send() == passage::done);
    CHECK(first.rung == 1);
    {
        auto const left = at.core.withdraw_receiver(first);
        CHECK(left.bell_will_ring);
    }
    CHECK(second.rung == 1);
    CHECK(at.core.waiting_now().receivers == 0);
}
