// SPDX-License-Identifier: BSL-1.0
//
// One sender and one receiver that wait, time out, are stopped, and are closed upon. What a channel
// promises whatever is between its ends is tested with `channel`.
#include <hawser/run/spsc_channel.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <stop_token>
#include <thread>

using namespace std::chrono_literals;
using hawser::spsc_channel;
using hawser::transfer;

namespace {

using parcel = std::unique_ptr<std::uint32_t>;

/// Sends 1, 2, 3 and on by ways chosen at random; how many went in.
std::uint32_t send_all(spsc_channel<parcel>& to, std::uint32_t count, unsigned seed) {
    std::mt19937 random{seed};
    std::stop_source stopped;
    stopped.request_stop();
    std::uint32_t sent = 0;
    while (sent != count) {
        auto next = std::make_unique<std::uint32_t>(sent + 1);
        auto end = transfer::done;
        switch (random() % 4) {
            case 0: end = to.try_send(std::move(next)).what(); break;
            case 1: end = to.send_until(hawser::time_point{}, std::move(next)).what(); break;
            case 2: end = to.send(std::move(next), stopped.get_token()).what(); break;
            default: end = to.send(std::move(next)).what();
        }
        if (end == transfer::closed) break;
        if (end == transfer::done) ++sent;
    }
    return sent;
}

/// Receives until the channel is closed and empty; how many came, and zero if out of order.
std::uint32_t receive_all(spsc_channel<parcel>& from, unsigned seed) {
    std::mt19937 random{seed};
    std::uint32_t received = 0;
    for (;;) {
        auto got = random() % 3 == 0   ? from.try_receive()
                   : random() % 2 == 0 ? from.receive_until(hawser::time_point{})
                                       : from.receive();
        if (got.what() == transfer::closed) return received;
        if (got && **got != ++received) return 0;
    }
}

}  // namespace

TEST_CASE("spsc_channel: whatever way they wait, values arrive once and in their order") {
    for (std::size_t const capacity : {0U, 1U, 3U, 64U}) {
        INFO("capacity " << capacity);
        constexpr std::uint32_t count = 3'000;
        spsc_channel<parcel> parcels{{.capacity = capacity}};
        std::jthread const sender{[&] {
            CHECK(send_all(parcels, count, 1) == count);
            parcels.close();
        }};
        CHECK(receive_all(parcels, 2) == count);
    }
}

TEST_CASE("spsc_channel: a capacity out of range is refused by name") {
    CHECK_THROWS_WITH((spsc_channel<int>{{.capacity = (std::size_t{1} << 31U) + 1}}),
                      "spsc_channel: capacity is not in [0, 2147483648]");
}

TEST_CASE("spsc_channel: closed from elsewhere, what was sent is received") {
    for (unsigned round = 0; round != 200; ++round) {
        spsc_channel<parcel> parcels{{.capacity = round % 4}};
        std::uint32_t sent = 0;
        std::uint32_t received = 0;
        {
            std::jthread const sender{[&] { sent = send_all(parcels, 1'000'000, round); }};
            std::jthread const closer{[&] {
                for (unsigned turn = 0; turn != round; ++turn) std::this_thread::yield();
                parcels.close();
            }};
            received = receive_all(parcels, round);
        }
        REQUIRE(sent == received);
    }
}
