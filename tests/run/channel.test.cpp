// SPDX-License-Identifier: BSL-1.0
//
// The channel for threads. What it decides in every order of events: run.detail.channel_core.
#include <hawser/run/channel.hpp>

#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/unwound.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using hawser::channel;
using hawser::manual_time;
using hawser::no_deadline;
using hawser::transfer;
using hawser::testing::manual_environment;

static constexpr hawser::time_point long_ago{};

namespace {

using owned = std::unique_ptr<int>;

/// Returns once so many wait.
template <class Channel>
void until_waiting(Channel& ch, std::size_t senders, std::size_t receivers) {
    for (;;) {
        auto const now = ch.core().waiting_now();
        if (now.senders == senders && now.receivers == receivers) return;
        std::this_thread::yield();
    }
}

/// What `work()` answers on a thread of its own. The checks are for the test's own thread.
template <class Work>
class on_thread {
public:
    explicit on_thread(Work work)
        : thread_{[this, work = std::move(work)] { answer_.emplace(work()); }} {}
    on_thread(on_thread const&) = delete;
    on_thread& operator=(on_thread const&) = delete;

    auto get() {
        thread_.join();
        return *std::move(answer_);
    }

private:
    std::optional<std::invoke_result_t<Work const&>> answer_;
    std::jthread thread_;
};

/// All that is in it.
template <class Channel>
std::vector<int> drained(Channel& ch) {
    std::vector<int> all;
    while (auto got = ch.try_receive()) all.push_back(*got);
    return all;
}

}  // namespace

TEST_CASE("channel: values come out in the order in which they went in") {
    channel<int> ch{{.capacity = 3}};
    CHECK(ch.send(1));
    CHECK(ch.try_send(2));
    CHECK(ch.send_until(long_ago, 3));
    CHECK(ch.size() == 3);
    CHECK(*ch.receive() == 1);
    CHECK(*ch.try_receive() == 2);
    CHECK(*ch.receive_until(long_ago) == 3);
    CHECK(ch.size() == 0);
}

TEST_CASE("channel: holds as many as it was told, and not one more") {
    for (std::size_t const capacity : {1U, 2U, 3U, 64U, 1000U}) {
        channel<int> ch{{.capacity = capacity}};
        CHECK(ch.capacity() == capacity);
        for (std::size_t n = 0; n != capacity; ++n) REQUIRE(ch.try_send(static_cast<int>(n)));
        CHECK(ch.try_send(0) == transfer::would_wait);
        CHECK(drained(ch).size() == capacity);
    }
}

TEST_CASE("channel: options out of range are refused by name") {
    auto const made = [](std::size_t capacity) { channel<int> const ch{{.capacity = capacity}}; };
    CHECK_THROWS_AS(made((std::size_t{1} << 31U) + 1), std::invalid_argument);
    try {
        made(~std::size_t{0});
    } catch (std::invalid_argument const& error) {
        CHECK(std::string{error.what()} == "channel: capacity is not in [0, 2147483648]");
    }
}

TEST_CASE("channel: a value is left as it was on any answer but success") {
    manual_time time;
    channel<owned, manual_environment<>> ch{{.capacity = 1, .waiters = 1},
                                            manual_environment{time}};
    auto first = std::make_unique<int>(1), second = std::make_unique<int>(2);
    CHECK(ch.send(std::move(first)));
    CHECK(first == nullptr);

    std::stop_source stop;
    stop.request_stop();
    CHECK(ch.try_send(std::move(second)) == transfer::would_wait);
    CHECK(ch.send_until(long_ago, std::move(second)) == transfer::timed_out);
    CHECK(ch.send(std::move(second), stop.get_token()) == transfer::cancelled);
    on_thread waits{[&] { return ch.send(std::make_unique<int>(3)); }};
    until_waiting(ch, 1, 0);
    CHECK(ch.send(std::move(second)) == transfer::crowded);
    ch.close();
    CHECK(waits.get() == transfer::closed);
    CHECK(ch.send(std::move(second)) == transfer::closed);
    CHECK(ch.try_send(std::move(second)) == transfer::closed);
    CHECK(ch.send_until(long_ago, std::move(second)) == transfer::closed);
    REQUIRE(second != nullptr);
    CHECK(*second == 2);
    CHECK(**ch.receive() == 1);
}

TEST_CASE("channel: a value given by reference is copied, and stays") {
    channel<std::string> ch{{.capacity = 2}};
    std::string const cargo{"a value long enough to live on the heap"};
    auto mine = cargo;
    CHECK(ch.send(cargo));
    CHECK(ch.try_send(mine));
    CHECK(mine == cargo);
    CHECK(*ch.receive() == cargo);
    CHECK(ch.send_until(long_ago, mine));
    CHECK(*ch.receive() == cargo);
    CHECK(*ch.receive() == cargo);
}

TEST_CASE("channel: a send waits for room, and a receive for a value") {
    channel<int> ch{{.capacity = 1}};
    CHECK(ch.send(1));
    on_thread sender{[&] { return ch.send(2); }};
    until_waiting(ch, 1, 0);
    CHECK(*ch.receive() == 1);
    CHECK(sender.get());
    CHECK(*ch.receive() == 2);

    on_thread receiver{[&] { return ch.receive(); }};
    until_waiting(ch, 0, 1);
    CHECK(ch.send(3));
    CHECK(*receiver.get() == 3);
}

TEST_CASE("channel: senders that wait are served in their order, and nobody gets in before them") {
    channel<int> ch{{.capacity = 1}};
    CHECK(ch.send(0));
    std::vector<std::jthread> senders;
    for (int n = 1; n <= 4; ++n) {
        senders.emplace_back([&ch, n] { (void)ch.send(n); });
        until_waiting(ch, static_cast<std::size_t>(n), 0);
        CHECK(ch.try_send(9) == transfer::would_wait);
    }
    for (int n = 0; n <= 4; ++n) CHECK(*ch.receive() == n);
    CHECK(ch.try_receive().what() == transfer::would_wait);
}

TEST_CASE("channel: who only tries does not wait, and hears why") {
    channel<int> ch{{.capacity = 1}};
    CHECK(ch.try_receive().what() == transfer::would_wait);
    CHECK(ch.try_send(1));
    CHECK(ch.try_send(2) == transfer::would_wait);
    ch.close();
    CHECK(ch.try_send(3) == transfer::closed);
    CHECK(*ch.try_receive() == 1);
    CHECK(ch.try_receive().what() == transfer::closed);
}

TEST_CASE("channel: waits until its time, and not at all after it") {
    manual_time time;
    auto const start = time.now();
    channel<int, manual_environment<>> ch{{.capacity = 1}, manual_environment{time}};
    CHECK(ch.receive_until(start + 2s).what() == transfer::timed_out);
    CHECK(time.now() == start + 2s);
    CHECK(ch.send_until(start + 3s, 1));
    CHECK(time.now() == start + 2s);
    CHECK(ch.send_until(start + 3s, 2) == transfer::timed_out);
    CHECK(time.now() == start + 3s);
    CHECK(ch.send_until(start, 2) == transfer::timed_out);
    CHECK(time.now() == start + 3s);
    CHECK(ch.core().waiting_now().senders == 0);
    CHECK(ch.core().waiting_now().receivers == 0);
    CHECK(drained(ch) == std::vector{1});
}

TEST_CASE("channel: what can be done at once is done whatever the time and the stop") {
    channel<int> ch{{.capacity = 1}};
    std::stop_source stop;
    stop.request_stop();
    CHECK(ch.send_until(long_ago, 1, stop.get_token()));
    CHECK(*ch.receive_until(long_ago, stop.get_token()) == 1);
    CHECK(ch.send(2, stop.get_token()));
    CHECK(*ch.receive(stop.get_token()) == 2);
}

TEST_CASE("channel: a stop ends a wait, before it or in it") {
    channel<int> ch{{.capacity = 1}};
    std::stop_source stop;
    SECTION("before it") {
        stop.request_stop();
        CHECK(ch.receive(stop.get_token()).what() == transfer::cancelled);
        CHECK(ch.send(1));
        CHECK(ch.send(2, stop.get_token()) == transfer::cancelled);
    }
    SECTION("in a receive") {
        on_thread receiver{[&] { return ch.receive(stop.get_token()); }};
        until_waiting(ch, 0, 1);
        stop.request_stop();
        CHECK(receiver.get().what() == transfer::cancelled);
    }
    SECTION("in a send") {
        CHECK(ch.send(1));
        on_thread sender{[&] { return ch.send(2, stop.get_token()); }};
        until_waiting(ch, 1, 0);
        stop.request_stop();
        CHECK(sender.get() == transfer::cancelled);
    }
}

TEST_CASE("channel: after a wait that ended with nothing the way without the lock is open again") {
    channel<int> ch{{.capacity = 1}};
    std::optional<int> got;
    int one = 1;
    CHECK(ch.receive_until(long_ago).what() == transfer::timed_out);
    CHECK(ch.core().send_at_once(one));
    CHECK(ch.send_until(long_ago, 2) == transfer::timed_out);
    CHECK(ch.core().receive_at_once(got));
    CHECK(ch.core().send_at_once(one));
}

TEST_CASE("channel: as many wait as may, and who comes then is told") {
    channel<int> ch{{.capacity = 1, .waiters = 1}};
    on_thread receiver{[&] { return ch.receive(); }};
    until_waiting(ch, 0, 1);
    CHECK(ch.receive().what() == transfer::crowded);
    CHECK(ch.try_receive().what() == transfer::would_wait);
    CHECK(ch.send(1));
    CHECK(*receiver.get() == 1);

    CHECK(ch.send(2));
    on_thread sender{[&] { return ch.send(3); }};
    until_waiting(ch, 1, 0);
    CHECK(ch.send(4) == transfer::crowded);
    CHECK(*ch.receive() == 2);
    CHECK(sender.get());
}

TEST_CASE("channel: with no place for waiters nobody waits") {
    channel<int> ch{{.capacity = 1, .waiters = 0}};
    CHECK(ch.receive().what() == transfer::crowded);
    CHECK(ch.send(1));
    CHECK(ch.send(2) == transfer::crowded);
    CHECK(*ch.receive() == 1);
}

TEST_CASE("channel: buffered values survive a close, and then receivers hear closed") {
    channel<int> ch{{.capacity = 3}};
    for (int n = 1; n <= 3; ++n) CHECK(ch.send(n));
    CHECK_FALSE(ch.is_closed());
    ch.close();
    CHECK(ch.is_closed());
    CHECK(*ch.receive() == 1);
    CHECK(*ch.try_receive() == 2);
    CHECK(*ch.receive_until(no_deadline) == 3);
    CHECK(ch.receive().what() == transfer::closed);
    CHECK(ch.try_receive().what() == transfer::closed);
    CHECK(ch.receive_until(long_ago).what() == transfer::closed);
}

TEST_CASE("channel: close wakes a sender that waits, and its value stays with it") {
    channel<owned> ch{{.capacity = 1}};
    CHECK(ch.send(std::make_unique<int>(1)));
    auto mine = std::make_unique<int>(2);
    on_thread sender{[&] { return ch.send(std::move(mine)); }};
    until_waiting(ch, 1, 0);
    ch.close();
    CHECK(sender.get() == transfer::closed);
    REQUIRE(mine != nullptr);
    CHECK(*mine == 2);
    CHECK(**ch.receive() == 1);
    CHECK(ch.receive().what() == transfer::closed);
}

TEST_CASE("channel: a send whose value nobody received after a close does not report success") {
    for (std::size_t const capacity : {0U, 1U}) {
        channel<int> ch{{.capacity = capacity}};
        if (capacity != 0) CHECK(ch.send(1));
        std::stop_source stop;
        on_thread sender{[&] { return ch.send(2, stop.get_token()); }};
        until_waiting(ch, 1, 0);
        ch.close();
        stop.request_stop();  // What came first is what counts.
        CHECK(sender.get() == transfer::closed);
        CHECK(drained(ch).size() == capacity);
    }
}

TEST_CASE("channel: try_send right after a cancelled receive works") {
    channel<int> ch{{.capacity = 16}};
    std::stop_source stop;
    on_thread receiver{[&] { return ch.receive(stop.get_token()); }};
    until_waiting(ch, 0, 1);
    stop.request_stop();
    CHECK(receiver.get().what() == transfer::cancelled);
    CHECK(ch.try_send(1));
    CHECK(*ch.try_receive() == 1);
}

TEST_CASE("channel: close wakes all receivers that wait") {
    for (std::size_t const capacity : {0U, 1U, 4U}) {
        channel<int> ch{{.capacity = capacity}};
        auto const work = [&] { return ch.receive(); };
        on_thread first{work}, second{work}, third{work};
        until_waiting(ch, 0, 3);
        ch.close();
        CHECK(first.get().what() == transfer::closed);
        CHECK(second.get().what() == transfer::closed);
        CHECK(third.get().what() == transfer::closed);
    }
}

TEST_CASE("channel: closing twice is closing once") {
    channel<int> ch{{.capacity = 2}};
    CHECK(ch.send(1));
    ch.close();
    ch.close();
    CHECK(*ch.receive() == 1);
    ch.close();
    CHECK(ch.receive().what() == transfer::closed);
    CHECK(ch.send(2) == transfer::closed);
}

TEST_CASE("channel: without capacity a send ends when a receiver has the value") {
    channel<owned> ch{{.capacity = 0}};
    CHECK(ch.capacity() == 0);
    auto mine = std::make_unique<int>(1);
    CHECK(ch.try_send(std::move(mine)) == transfer::would_wait);
    CHECK(ch.send_until(long_ago, std::move(mine)) == transfer::timed_out);
    CHECK(ch.try_receive().what() == transfer::would_wait);
    CHECK(ch.receive_until(long_ago).what() == transfer::timed_out);
    REQUIRE(mine != nullptr);
    on_thread receiver{[&] { return ch.receive(); }};
    until_waiting(ch, 0, 1);
    CHECK(ch.try_send(std::move(mine)));
    CHECK(mine == nullptr);
    CHECK(**receiver.get() == 1);

    on_thread sender{[&] { return ch.send(std::make_unique<int>(2)); }};
    until_waiting(ch, 1, 0);
    CHECK(ch.size() == 0);
    CHECK(**ch.try_receive() == 2);
    CHECK(sender.get());
    ch.close();
    CHECK(ch.send(std::make_unique<int>(3)) == transfer::closed);
    CHECK(ch.receive().what() == transfer::closed);
}

TEST_CASE("channel: a thread that is cancelled in a send has sent nothing, and bars nobody") {
    for (std::size_t const capacity : {0U, 1U}) {
        channel<int> ch{{.capacity = capacity}};
        if (capacity != 0) CHECK(ch.send(1));
        CHECK(support::unwound([&] { (void)ch.send(2); }, [&] { until_waiting(ch, 1, 0); }));
        until_waiting(ch, 0, 0);
        CHECK(drained(ch).size() == capacity);
        if (capacity != 0) CHECK(ch.try_send(3));
        CHECK(drained(ch).size() == capacity);
    }
}

TEST_CASE("channel: a thread that is cancelled in a receive takes nothing along, and bars nobody") {
    for (std::size_t const capacity : {0U, 1U}) {
        channel<int> ch{{.capacity = capacity}};
        CHECK(support::unwound([&] { (void)ch.receive(); }, [&] { until_waiting(ch, 0, 1); }));
        until_waiting(ch, 0, 0);
        CHECK(bool{ch.try_send(1)} == (capacity != 0));
        CHECK(drained(ch).size() == capacity);
    }
}

TEST_CASE("channel: a cancelled receiver that was told of a value has another told") {
    channel<int> ch{{.capacity = 4}};
    for (int round = 0; round != 200; ++round) {
        // The value and the cancellation race; whoever is left receives it.
        support::doomed_thread doomed{[&] { (void)ch.receive(); }};
        until_waiting(ch, 0, 1);
        std::stop_source stop;
        on_thread survivor{[&] { return ch.receive(stop.get_token()); }};
        until_waiting(ch, 0, 2);
        CHECK(ch.send(round));
        doomed.cancel();
        auto const unwound = doomed.join();
        if (!unwound) stop.request_stop();
        auto const got = survivor.get();
        CHECK(got.has_value() == unwound);
        if (got) CHECK(*got == round);
        REQUIRE(ch.size() == 0);
    }
}

TEST_CASE("channel: who leaves has another told before it waits for its own bell") {
    channel<int> ch{{.capacity = 4}};
    std::stop_source stop;
    on_thread leaver{[&] { return ch.receive(stop.get_token()); }};
    until_waiting(ch, 0, 1);
    on_thread stayer{[&] { return ch.receive(); }};
    until_waiting(ch, 0, 2);

    int one = 1;
    auto bells =
        ch.core().send_by_lock(one, nullptr).to_wake;  // Of a sender that stops right here.
    stop.request_stop();
    CHECK(*stayer.get() == 1);
    bells.ring_all();
    CHECK(leaver.get().what() == transfer::cancelled);
}

TEST_CASE("channel: destroys what is left in it, once") {
    auto const counted = std::make_shared<int>(0);
    {
        channel<std::shared_ptr<int>> ch{{.capacity = 3}};
        for (int n = 0; n != 3; ++n) CHECK(ch.send(counted));
        CHECK(ch.receive());
        CHECK(ch.send(counted));
        CHECK(counted.use_count() == 4);
        ch.close();
    }
    CHECK(counted.use_count() == 1);
}

TEST_CASE("channel: carries what can be moved, and need not be assigned or made from nothing") {
    struct fixed {
        explicit fixed(int n) noexcept : number{n} {}
        fixed(fixed&&) noexcept = default;
        fixed& operator=(fixed&&) = delete;
        int const number;
    };
    for (std::size_t const capacity : {0U, 1U}) {
        channel<fixed> ch{{.capacity = capacity}};
        on_thread receiver{[&] { return ch.receive(); }};
        until_waiting(ch, 0, 1);
        CHECK(ch.send(fixed{7}));
        CHECK(receiver.get()->number == 7);
    }
}

TEST_CASE("channel: is where it is: neither copied nor moved") {
    static_assert(!std::is_copy_constructible_v<channel<int>>);
    static_assert(!std::is_move_constructible_v<channel<int>>);
    static_assert(!std::is_move_assignable_v<channel<int>>);
    SUCCEED();
}
