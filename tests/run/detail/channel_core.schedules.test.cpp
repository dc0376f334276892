// SPDX-License-Identifier: BSL-1.0
//
// The core of the channel, the ring below it and the threads that wait at its ends, in every order
// in which their operations on shared memory can follow each other.
#include "run/detail/channel_scene.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>

using channel_tests::flag;
using channel_tests::scene;

namespace {

// What the address sanitizer looks for does not take every order, and it takes its time.
#ifdef HAWSER_TESTS_ASAN
constexpr int fewer = 1;
#else
constexpr int fewer = 0;
#endif

/// Plays `cast(scene)` for each capacity in every order that stops a thread so many times, and
/// prints how many there were. With capacity 2, where less happens, one time less, if that is left.
template <class Cast>
void play_all(char const* name, int preemptions, std::uint64_t at_least, Cast cast) {
    for (std::size_t const capacity : {0U, 1U, 2U}) {
        auto const most = preemptions - (capacity == 2 ? 1 : 0) - fewer;
        auto const stops = std::max(most, std::min(preemptions, 1));
        auto const seen = support::explore({.preemptions = stops}, [&](support::run& run) {
            scene s{run, capacity};
            cast(s);
        });
        std::printf("%s, capacity %zu: %llu schedules, %llu states; at most %d preemptions\n", name,
                    capacity, static_cast<unsigned long long>(seen.schedules),
                    static_cast<unsigned long long>(seen.states), stops);
        INFO(name << ", capacity " << capacity);
        CHECK(seen.failure == "");
        CHECK(seen.schedules >= (fewer == 0 ? at_least : 20));
    }
}

void two_and_two(scene& s, int values) {
    s.sender(1, values);
    s.sender(2, values);
    s.receiver(values);
    s.receiver(values);
    s.play();
}

void with_close(scene& s, int received) {
    s.sender(1, 1);
    s.sender(2, 1);
    s.receiver(received);
    s.receiver(received);
    s.closer();
    s.play();
}

void with_stopped_receiver(scene& s, int received) {
    flag stop;
    s.sender(1, 1);
    s.sender(2, 1);
    s.receiver(received, &stop);
    s.receiver(received);
    s.canceller(stop);
    s.play();
}

void with_stopped_sender(scene& s, int sends) {
    flag stop;
    s.sender(1, sends, &stop);
    s.sender(2, sends);
    s.receiver(1);
    s.canceller(stop);
    s.play();
}

void with_messages(scene& s, int received) {
    flag stop;
    s.sender(1, 1);
    s.sender(2, 1);
    s.told_by_message(received, &stop);
    s.told_by_message(received);
    s.canceller(stop);
    s.play();
}

void with_tries(scene& s, int received) {
    s.sender(1, 1);
    s.trying_sender(2);
    s.receiver(received);
    s.trying_receiver();
    s.play();
}

void all_at_once(scene& s) {
    flag stop_sending, stop_receiving;
    s.sender(1, 2, &stop_sending);
    s.sender(2, 1);
    s.receiver(2, &stop_receiving);
    s.told_by_message(2);
    s.canceller(stop_sending);
    s.canceller(stop_receiving);
    s.closer();
    s.play();
}

}  // namespace

TEST_CASE("channel_core: two senders and two receivers lose nothing, in every order") {
    play_all("2 send 1, 2 receive 1", 2, 300, [](scene& s) { two_and_two(s, 1); });
    play_all("2 send 2, 2 receive 2", 1, 300, [](scene& s) { two_and_two(s, 2); });
}

TEST_CASE("channel_core: a close at any point loses nothing, in every order") {
    play_all("2 send 1, 2 receive 1, close", 2, 300, [](scene& s) { with_close(s, 1); });
    play_all("2 send 1, 2 receive 2, close", 1, 300, [](scene& s) { with_close(s, 2); });
}

TEST_CASE("channel_core: a receiver that is stopped takes no value along, in every order") {
    play_all("2 send 1, 2 receive 1, 1 is stopped", 2, 300,
             [](scene& s) { with_stopped_receiver(s, 1); });
    play_all("2 send 1, 2 receive 2, 1 is stopped", 1, 300,
             [](scene& s) { with_stopped_receiver(s, 2); });
}

TEST_CASE("channel_core: a sender that is stopped has sent or has not, in every order") {
    play_all("2 send 1, 1 is stopped, 1 receives 1", 2, 300,
             [](scene& s) { with_stopped_sender(s, 1); });
    play_all("2 send 2, 1 is stopped, 1 receives 1", 1, 300,
             [](scene& s) { with_stopped_sender(s, 2); });
}

TEST_CASE("channel_core: a receiver that is told by a message takes no value along") {
    play_all("2 send 1, 2 are told 1, 1 is stopped", 2, 300, [](scene& s) { with_messages(s, 1); });
    play_all("2 send 1, 2 are told 2, 1 is stopped", 1, 300, [](scene& s) { with_messages(s, 2); });
}

TEST_CASE("channel_core: those that only try disturb nobody that waits, in every order") {
    play_all("1 sends, 1 tries, 1 receives 1, 1 tries", 2, 300, [](scene& s) { with_tries(s, 1); });
    play_all("1 sends, 1 tries, 1 receives 2, 1 tries", 2, 300, [](scene& s) { with_tries(s, 2); });
}

TEST_CASE("channel_core: close, stops and waits of all kinds lose nothing, in every order") {
    play_all("2 send, 2 receive, 2 are stopped, close", 0, 300, all_at_once);
}

// Minutes, and for whoever changes the core: `run.detail.channel_core.schedules [.deep]`.
TEST_CASE("channel_core: with one preemption more nothing is lost either", "[.deep]") {
    play_all("2 send 1, 2 receive 1", 3, 300, [](scene& s) { two_and_two(s, 1); });
    play_all("2 send 2, 2 receive 2", 2, 300, [](scene& s) { two_and_two(s, 2); });
    play_all("2 send 1, 2 receive 2, close", 2, 300, [](scene& s) { with_close(s, 2); });
    play_all("2 send 1, 2 receive 2, 1 is stopped", 2, 300,
             [](scene& s) { with_stopped_receiver(s, 2); });
    play_all("2 send 2, 1 is stopped, 1 receives 1", 2, 300,
             [](scene& s) { with_stopped_sender(s, 2); });
    play_all("2 send 1, 2 are told 2, 1 is stopped", 2, 300, [](scene& s) { with_messages(s, 2); });
    play_all("2 send, 2 receive, 2 are stopped, close", 1, 300, all_at_once);
}
