// SPDX-License-Identifier: BSL-1.0
#include <hawser/limit/detail/throughput_response.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <random>

using hawser::limits::detail::response;
using hawser::limits::detail::throughput_response;

namespace {

/// Windows of a server that can have so many at work, at 20 to 40 in flight.
void serve(throughput_response& seen, double capacity, int windows, double noise = 0,
           unsigned seed = 1) {
    std::mt19937 random{seed};
    for (int i = 0; i < windows; ++i) {
        double const inflight = 20 + i * 7 % 21;
        auto const chance = (static_cast<double>(random()) / 4294967296.0 - 0.5) * noise;
        seen.record(inflight, std::min(inflight, capacity) * std::exp(chance));
    }
}

}  // namespace

TEST_CASE("throughput_response: follows where each call more is done, stalls where none is") {
    throughput_response follows{0.96}, stalls{0.96};
    serve(follows, 1000, 30);
    serve(stalls, 5, 30);
    CHECK(follows.answer_at(30) == response::follows);
    CHECK(stalls.answer_at(30) == response::stalls);
}

TEST_CASE("throughput_response: tells them apart through noise, and seldom says the contrary") {
    int right = 0, wrong = 0;
    for (unsigned seed = 1; seed <= 200; ++seed) {
        throughput_response follows{0.96}, stalls{0.96};
        serve(follows, 1000, 60, 0.4, seed);
        serve(stalls, 5, 60, 0.4, seed);
        right += follows.answer_at(30) == response::follows;
        right += stalls.answer_at(40) == response::stalls;
        wrong += follows.answer_at(40) == response::stalls;
        wrong += stalls.answer_at(30) == response::follows;
    }
    INFO("seeds 1 to 200");
    CHECK(right > 380);
    CHECK(wrong < 4);
}

TEST_CASE("throughput_response: knows nothing from few windows, or from windows alike") {
    throughput_response few{0.96}, alike{0.96};
    serve(few, 1000, 3);
    CHECK(few.answer_at(30) == response::unknown);
    for (int i = 0; i < 100; ++i) alike.record(100 + i % 2, 100);
    CHECK(alike.answer_at(100) == response::unknown);
}

TEST_CASE("throughput_response: what stalls at many calls is not said to stall at fewer") {
    throughput_response seen{0.96};
    serve(seen, 5, 30);
    CHECK(seen.answer_at(40) == response::stalls);
    CHECK(seen.answer_at(15) == response::unknown);
}

TEST_CASE("throughput_response: forgets windows of long ago") {
    throughput_response seen{0.96};
    serve(seen, 28, 30);  // Bends in the middle.
    serve(seen, 1000, 100);
    CHECK(seen.answer_at(30) == response::follows);
    serve(seen, 22, 100);
    CHECK(seen.answer_at(30) == response::stalls);
}

TEST_CASE("throughput_response: a fall of what the server can do is no throughput that follows") {
    throughput_response seen{0.96};
    for (int i = 0; i < 50; ++i) seen.record(200 + i % 3, 200);
    // A seventh of it is left, while the limit is taken back.
    for (auto const inflight : {200, 170, 140, 120, 100, 85, 70}) {
        seen.record(inflight, 30);
        CHECK(seen.answer_at(inflight) != response::follows);
    }
}
