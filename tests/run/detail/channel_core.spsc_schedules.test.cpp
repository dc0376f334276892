// SPDX-License-Identifier: BSL-1.0
//
// The core of the channel for one sender and one receiver, in every order in which what they do to
// shared memory can follow each other.
#define HAWSER_TESTS_ONE_AT_EACH_END
#include "run/detail/channel_scene.hpp"

#include "support/catch.hpp"

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

template <class Cast>
void play_all(char const* name, int preemptions, Cast cast) {
    for (std::size_t const capacity : {0U, 1U, 2U}) {
        auto const stops = preemptions - fewer;
        auto const seen = support::explore({.preemptions = stops}, [&](support::run& run) {
            scene s{run, capacity};
            cast(s);
            s.play();
        });
        std::printf("%s, capacity %zu: %llu schedules, %llu states; at most %d preemptions\n", name,
                    capacity, static_cast<unsigned long long>(seen.schedules),
                    static_cast<unsigned long long>(seen.states), stops);
        INFO(name << ", capacity " << capacity);
        CHECK(seen.failure == "");
        CHECK(seen.schedules >= (fewer == 0 ? 200 : 20));
    }
}

}  // namespace

TEST_CASE("spsc_channel: one sender and one receiver lose nothing, in every order") {
    play_all("1 sends 3, 1 receives 3", 3, [](scene& s) {
        s.sender(1, 3);
        s.receiver(3);
    });
}

TEST_CASE("spsc_channel: a close at any point loses nothing, in every order") {
    play_all("1 sends 2, 1 receives 3, close", 2, [](scene& s) {
        s.sender(1, 2);
        s.receiver(3);
        s.closer();
    });
}

TEST_CASE("spsc_channel: whoever is stopped takes no value along, in every order") {
    flag stop_sending, stop_receiving;
    play_all("1 sends 2, 1 receives 2, both are stopped", 2, [&](scene& s) {
        stop_sending = stop_receiving = {};
        s.sender(1, 2, &stop_sending);
        s.receiver(2, &stop_receiving);
        s.canceller(stop_sending);
        s.canceller(stop_receiving);
    });
}
