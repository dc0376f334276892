// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/buffered_channel.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using hawser::buffered_channel;
using hawser::transfer;
namespace overflow = hawser::overflow;

namespace {

struct length {
    std::uint64_t operator()(std::string const& text) const noexcept { return text.size(); }
};

/// Hears of the watermarks.
struct listener {
    std::vector<bool>* heard;
    void operator()(bool high) const noexcept { heard->push_back(high); }
};

/// A time that is of use until then.
struct as_deadline : hawser::unit_weight {
    [[nodiscard]] hawser::time_point deadline_of(hawser::time_point value) const noexcept {
        return value;
    }
};

/// Stands still, and is moved by the test.
struct told_time {
    hawser::time_point* at;
    [[nodiscard]] hawser::time_point now() const noexcept { return *at; }
    hawser::wake_reason park(hawser::parking_spot& spot, hawser::time_point until,
                             std::stop_token const& stop) const {
        return spot.park(until, stop);
    }
    [[nodiscard]] hawser::null_sink& sink() const noexcept {
        static hawser::null_sink none;
        return none;
    }
};

template <class Channel>
std::vector<int> all_of(Channel& ints) {
    std::vector<int> all;
    while (auto value = ints.try_receive()) all.push_back(*value);
    return all;
}

template <class Overflow>
std::vector<int> left_of_five(Overflow policy = {}) {
    buffered_channel<int, Overflow> ints{{.capacity = 3}, std::move(policy)};
    for (int value = 1; value <= 5; ++value) (void)ints.try_send(value);
    return all_of(ints);
}

}  // namespace

TEST_CASE("buffered_channel: its policy says what becomes of a value without room") {
    using ints = std::vector<int>;
    CHECK(left_of_five<overflow::block>() == ints{1, 2, 3});
    CHECK(left_of_five<overflow::reject>() == ints{1, 2, 3});
    CHECK(left_of_five<overflow::drop_newest>() == ints{1, 2, 3});
    CHECK(left_of_five<overflow::drop_oldest>() == ints{3, 4, 5});
    CHECK(left_of_five<overflow::drop_all>() == ints{4, 5});
    CHECK(left_of_five<overflow::keep_latest>() == ints{5});
    auto add = [](int& kept, int& more) { kept += more; };
    CHECK(left_of_five(overflow::conflate{add}) == ints{1, 2, 12});
}

TEST_CASE("buffered_channel: a policy that rejects does not wait") {
    buffered_channel<int, overflow::reject> ints{{.capacity = 1}};
    CHECK(ints.send(1));
    CHECK(ints.send(2).what() == transfer::would_wait);
}

TEST_CASE("buffered_channel: a value above the whole weight is refused, and stays with its owner") {
    buffered_channel<std::string, overflow::block, length> texts{{.weight = 5}};
    std::string text = "longer";
    CHECK(texts.send(std::move(text)).what() == transfer::too_large);
    CHECK(text == "longer");
    CHECK(texts.size() == 0);
}

TEST_CASE("buffered_channel: a heavy value waits its turn, and light ones behind it do too") {
    buffered_channel<std::string, overflow::block, length> texts{{.weight = 6}};
    REQUIRE(texts.send("four"));
    std::jthread const heavy{[&] { CHECK(texts.send("heavy!")); }};
    while (texts.core().waiting_now().senders != 1) std::this_thread::yield();

    CHECK(texts.try_send("x").what() == transfer::would_wait);  // There is room for it.
    CHECK(*texts.receive() == "four");
    CHECK(*texts.receive() == "heavy!");
    CHECK(texts.try_send("x"));
}

TEST_CASE("buffered_channel: who waits behind one that gives up may be lighter, and gets in") {
    buffered_channel<std::string, overflow::block, length> texts{{.weight = 6}};
    REQUIRE(texts.send("four"));
    std::stop_source stop;
    auto ended = transfer::done;
    std::jthread heavy{[&] { ended = texts.send("heavy!", stop.get_token()).what(); }};
    while (texts.core().waiting_now().senders != 1) std::this_thread::yield();
    std::jthread light{[&] { CHECK(texts.send("x")); }};
    while (texts.core().waiting_now().senders != 2) std::this_thread::yield();

    stop.request_stop();
    heavy.join();
    light.join();
    CHECK(ended == transfer::cancelled);
    CHECK(*texts.receive() == "four");
    CHECK(*texts.receive() == "x");
}

TEST_CASE("buffered_channel: a merge that throws leaves both values, and the channel works on") {
    auto throws = [](std::string&, std::string&) { throw std::runtime_error{"no"}; };
    buffered_channel<std::string, overflow::conflate<decltype(throws)>> texts{
        {.capacity = 1}, overflow::conflate{throws}};
    REQUIRE(texts.send("kept"));
    std::string text = "mine";
    CHECK_THROWS_AS(texts.send(std::move(text)), std::runtime_error);
    CHECK(text == "mine");
    CHECK(*texts.receive() == "kept");
    CHECK(texts.send(std::move(text)));
    CHECK(*texts.receive() == "mine");
}

TEST_CASE("buffered_channel: a value that is too old is dropped on its way out, and counted") {
    hawser::time_point now{1h};
    buffered_channel<int, overflow::block, hawser::unit_weight, hawser::no_watch, told_time> ints{
        {.capacity = 8, .max_age = 10ms}, {}, {}, {}, told_time{&now}};
    REQUIRE(ints.send(1));
    now += 6ms;
    REQUIRE(ints.send(2));
    now += 6ms;
    CHECK(*ints.try_receive() == 2);
    CHECK(ints.snapshot().dropped[hawser::drop_cause::expired] == 1);
}

TEST_CASE("buffered_channel: a value past its own deadline is dropped on its way out") {
    hawser::time_point now{1h};
    buffered_channel<hawser::time_point, overflow::block, as_deadline, hawser::no_watch, told_time>
        deadlines{{.capacity = 8}, {}, {}, {}, told_time{&now}};
    REQUIRE(deadlines.send(now + 5ms));
    REQUIRE(deadlines.send(now + 10ms));
    now += 6ms;
    CHECK(*deadlines.try_receive() == now + 4ms);
    CHECK(deadlines.snapshot().dropped[hawser::drop_cause::expired] == 1);
}

TEST_CASE("buffered_channel: a watch that wants what is dropped is given it, with the cause") {
    using drop = std::pair<std::string, hawser::drop_cause>;
    struct keeps {
        std::vector<drop>* all;
        void operator()(bool) const noexcept {}
        void dropped(std::string&& text, hawser::drop_cause cause) const noexcept {
            all->emplace_back(std::move(text), cause);
        }
    };
    std::vector<drop> all;
    hawser::time_point now{1h};
    buffered_channel<std::string, overflow::drop_oldest, hawser::unit_weight, keeps, told_time>
        texts{{.capacity = 2, .max_age = 10ms}, {}, {}, {&all}, told_time{&now}};
    for (auto const* text : {"one", "two", "three", "four"}) REQUIRE(texts.send(text));
    CHECK(all == std::vector<drop>{{"one", hawser::drop_cause::oldest},
                                   {"two", hawser::drop_cause::oldest}});
    now += 11ms;
    CHECK_FALSE(texts.try_receive());
    REQUIRE(all.size() == 4);
    CHECK(all[3] == drop{"four", hawser::drop_cause::expired});
}

TEST_CASE("buffered_channel: all that is dropped at once is given away, more than a list holds") {
    struct counts {
        buffered_channel<int, overflow::drop_all, hawser::unit_weight, counts>** channel;
        int* all;
        void operator()(bool) const noexcept {}
        void dropped(int, hawser::drop_cause) const noexcept {
            *all += static_cast<int>((*channel)->size() <= 1);  // It may be looked at: no lock.
        }
    };
    int all = 0;
    buffered_channel<int, overflow::drop_all, hawser::unit_weight, counts>* channel = nullptr;
    buffered_channel<int, overflow::drop_all, hawser::unit_weight, counts> ints{
        {.capacity = 50}, {}, {}, {&channel, &all}};
    channel = &ints;
    for (int value = 0; value != 51; ++value) REQUIRE(ints.send(value));
    CHECK(all == 50);
}

TEST_CASE("buffered_channel: watermarks are told in turn, and not inside the band") {
    std::vector<bool> heard;
    buffered_channel<int, overflow::block, hawser::unit_weight, listener> ints{
        {.capacity = 8, .high_watermark = 6, .low_watermark = 2}, {}, {}, {&heard}};
    for (int value = 0; value != 6; ++value) REQUIRE(ints.send(value));
    CHECK(heard == std::vector{true});
    for (int round = 0; round != 3; ++round) {
        CHECK(ints.receive());
        REQUIRE(ints.send(round));
    }
    CHECK(heard == std::vector{true});
    for (int value = 0; value != 4; ++value) CHECK(ints.receive());
    CHECK(heard == std::vector{true, false});
    CHECK(all_of(ints).size() == 2);
    for (int value = 0; value != 6; ++value) REQUIRE(ints.send(value));
    CHECK(heard == std::vector{true, false, true});
}

TEST_CASE("buffered_channel: what watches may call the channel") {
    struct draining {
        buffered_channel<int, overflow::block, hawser::unit_weight, draining>** ints;
        void operator()(bool high) const noexcept {
            if (high)
                while ((*ints)->try_receive()) {}
        }
    };
    buffered_channel<int, overflow::block, hawser::unit_weight, draining>* self = nullptr;
    buffered_channel<int, overflow::block, hawser::unit_weight, draining> ints{
        {.capacity = 4, .high_watermark = 4, .low_watermark = 0}, {}, {}, {&self}};
    self = &ints;
    for (int value = 0; value != 40; ++value) CHECK(ints.try_send(value));
}

TEST_CASE("buffered_channel: close drains, and turns away who waits to send") {
    buffered_channel<int> ints{{.capacity = 1}};
    REQUIRE(ints.send(1));
    std::jthread const waits{[&] { CHECK(ints.send(2).what() == transfer::closed); }};
    while (ints.core().waiting_now().senders != 1) std::this_thread::yield();
    ints.close();
    CHECK(*ints.receive() == 1);
    CHECK(ints.receive().what() == transfer::closed);
    CHECK(ints.send(3).what() == transfer::closed);
}

TEST_CASE("buffered_channel: under threads in is out and dropped and left, by cause") {
    std::atomic<int> paused{0}, resumed{0};
    struct counting {
        std::atomic<int>*paused, *resumed;
        void operator()(bool high) const noexcept { ++*(high ? paused : resumed); }
    };
    buffered_channel<int, overflow::drop_oldest, hawser::unit_weight, counting> ints{
        {.capacity = 16, .high_watermark = 12, .low_watermark = 4}, {}, {}, {&paused, &resumed}};
    std::atomic<std::uint64_t> received{0};
    {
        std::vector<std::jthread> threads;
        std::atomic<int> sending{3};
        for (int sender = 0; sender != 3; ++sender)
            threads.emplace_back([&] {
                for (int value = 0; value != 3'000; ++value) CHECK_NOTHROW(ints.send(value));
                if (--sending == 0) ints.close();
            });
        for (int receiver = 0; receiver != 2; ++receiver)
            threads.emplace_back([&] {
                while (ints.receive()) ++received;
            });
        threads.clear();
    }
    auto const end = ints.snapshot();
    CHECK(end.pushed == 9'000);
    CHECK(end.popped == received);
    CHECK(end.pushed == end.popped + end.dropped.total() + end.depth);
    CHECK((paused == resumed || paused == resumed + 1));
    CHECK(end.is_high == (paused != resumed));
}

TEST_CASE("buffered_channel: who waits is woken before the watch is told") {
    struct waits_for {
        std::atomic<bool>* received;
        void operator()(bool high) const noexcept {
            while (high && !*received) std::this_thread::yield();
        }
    };
    std::atomic<bool> received{false};
    buffered_channel<int, overflow::block, hawser::unit_weight, waits_for> ints{
        {.capacity = 1, .high_watermark = 1, .low_watermark = 0}, {}, {}, {&received}};
    std::jthread const receiver{[&] {
        CHECK(*ints.receive() == 1);
        received = true;
    }};
    while (ints.core().waiting_now().receivers != 1) std::this_thread::yield();
    CHECK(ints.send(1));
}

TEST_CASE("buffered_channel: a value too large does not wait behind others") {
    buffered_channel<std::string, overflow::block, length> texts{{.weight = 5}};
    REQUIRE(texts.send("four"));
    std::jthread const waits{[&] { CHECK(texts.send("xx")); }};
    while (texts.core().waiting_now().senders != 1) std::this_thread::yield();
    CHECK(texts.try_send("too large").what() == transfer::too_large);
    CHECK(texts.send("too large").what() == transfer::too_large);
    CHECK(*texts.receive() == "four");
    CHECK(*texts.receive() == "xx");
}

TEST_CASE("buffered_channel: a sender that waits is let in when all before it are too old") {
    hawser::time_point now{1h};
    buffered_channel<int, overflow::block, hawser::unit_weight, hawser::no_watch, told_time> ints{
        {.capacity = 2, .max_age = 10ms}, {}, {}, {}, told_time{&now}};
    REQUIRE(ints.send(1));
    REQUIRE(ints.send(2));
    std::jthread const waits{[&] { CHECK(ints.send(3)); }};
    while (ints.core().waiting_now().senders != 1) std::this_thread::yield();
    now += 1s;
    CHECK(*ints.receive() == 3);
    CHECK(ints.snapshot().dropped[hawser::drop_cause::expired] == 2);
}
