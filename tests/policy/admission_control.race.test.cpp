// SPDX-License-Identifier: BSL-1.0
#include <hawser/hawser.hpp>
#include <hawser/policy/admission_control.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <stop_token>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// Hears of overloads, one at a time, begun and over in turn.
struct in_turn {
    int last = 0, told = 0, wrong = 0;  // Not atomic: nobody else is told meanwhile.
    void on(hawser::overload_changed const& event) {
        if (event.began != (last == 0)) ++wrong;
        last = event.began ? 1 : 0;
        ++told;
    }
};

}  // namespace

TEST_CASE("admission_control: threads that wait, give up and are shed lose and make no permit") {
    in_turn heard;
    hawser::admission_control door{
        {.permits = 1, .places = 8, .queue = {.target = 2us, .interval = 50us, .ageing = 1ms}},
        hawser::wait_up_to{500us},
        hawser::told_by_reference(heard)};
    auto const line = hawser::compose(hawser::borrow(door));
    std::atomic<int> inside{0}, most{0}, ran{0};
    auto const work = [&](unsigned seed) {
        for (int call = 0; call != 2'000; ++call) {
            std::stop_source caller;
            auto const turn = seed + static_cast<unsigned>(call);
            if (turn % 7 == 0) caller.request_stop();
            hawser::call_facts<> const facts{.stop = caller.get_token(),
                                             .priority = static_cast<std::int32_t>(turn % 3)};
            (void)hawser::try_execute(line, facts, [&] {
                auto const now = inside.fetch_add(1) + 1;
                for (auto seen = most.load();
                     now > seen && !most.compare_exchange_weak(seen, now);) {}
                if (call % 3 == 0) std::this_thread::yield();
                inside.fetch_sub(1);
                ++ran;
            });
        }
    };
    {
        std::vector<std::jthread> threads;
        for (unsigned seed = 0; seed != 4; ++seed) threads.emplace_back(work, seed);
        threads.emplace_back([&] {
            for (std::uint32_t turn = 0; turn != 500; ++turn) door.resize(1 + turn % 2);
        });
    }
    auto const end = door.permits().snapshot(hawser::time_point::max()).permits;
    CHECK(most <= 2);
    CHECK(ran > 0);
    CHECK(heard.wrong == 0);
    CHECK(end.held == 0);
    CHECK(end.on_the_way == 0);
    CHECK(end.waiting == 0);
    CHECK(end.free == end.capacity);
}
