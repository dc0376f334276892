// SPDX-License-Identifier: BSL-1.0
#include <hawser/compose/parking.hpp>

#include "support/catch.hpp"
#include "support/unwound.hpp"

#include <atomic>
#include <stop_token>
#include <thread>

using namespace std::chrono_literals;
using hawser::no_deadline;
using hawser::parking_spot;
using hawser::wake_reason;

namespace {
constexpr hawser::time_point long_ago{};
}

TEST_CASE("parking: returns at once when the time has come") {
    parking_spot spot;
    CHECK(spot.park(long_ago, {}) == wake_reason::time);
    CHECK(spot.park(hawser::time_point::min(), {}) == wake_reason::time);
}

TEST_CASE("parking: a wake that came before counts") {
    parking_spot spot;
    spot.wake();
    CHECK(spot.is_woken());
    CHECK(spot.park(no_deadline, {}) == wake_reason::woken);
}

TEST_CASE("parking: of several reasons a wake comes first, then a stop, then the time") {
    std::stop_source stop;
    stop.request_stop();
    parking_spot spot;
    CHECK(spot.park(long_ago, stop.get_token()) == wake_reason::stopped);
    CHECK(spot.park(no_deadline, stop.get_token()) == wake_reason::stopped);
    spot.wake();
    CHECK(spot.park(long_ago, stop.get_token()) == wake_reason::woken);
}

TEST_CASE("parking: is ready for another grant after rearm") {
    parking_spot spot;
    spot.granted = true;
    spot.wake();
    spot.rearm();
    CHECK_FALSE(spot.granted);
    CHECK_FALSE(spot.is_woken());
    CHECK(spot.park(long_ago, {}) == wake_reason::time);
}

TEST_CASE("parking: a thread is woken by another") {
    parking_spot spot;
    std::atomic<bool> parks{false};
    std::jthread const waker{[&] {
        parks.wait(false);
        spot.wake();
    }};
    parks = true;
    parks.notify_one();
    CHECK(spot.park(no_deadline, {}) == wake_reason::woken);
}

TEST_CASE("parking: a thread is stopped by another") {
    std::stop_source stop;
    parking_spot spot;
    std::atomic<bool> parks{false};
    std::jthread const stopper{[&] {
        parks.wait(false);
        stop.request_stop();
    }};
    parks = true;
    parks.notify_one();
    CHECK(spot.park(no_deadline, stop.get_token()) == wake_reason::stopped);
}

TEST_CASE("parking: the spot may go the moment its thread is woken") {
    for (int i = 0; i < 2000; ++i) {
        std::atomic<parking_spot*> given{nullptr};
        std::jthread const waker{[&] {
            given.wait(nullptr);
            given.load()->wake();
        }};
        parking_spot spot;
        given = &spot;
        given.notify_one();
        REQUIRE(spot.park(no_deadline, {}) == wake_reason::woken);
    }
}

TEST_CASE("parking: a thread that is cancelled unwinds from a park, not from a certain wake") {
    parking_spot spot;
    SECTION("from a park") {
        CHECK(support::unwound([&] { (void)spot.park(no_deadline, {}); }, [] {}));
    }
    SECTION("from a certain wake") {
        std::atomic<bool> came_back{false};
        support::doomed_thread waits{[&] {
            spot.await_wake();
            came_back = true;
            pthread_testcancel();
        }};
        waits.cancel();
        spot.wake();
        CHECK(waits.join());
        CHECK(came_back);
    }
}
