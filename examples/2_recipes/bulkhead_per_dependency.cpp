// SPDX-License-Identifier: BSL-1.0
//
// How do I keep a slow dependency from taking all my threads?
//
// Output:
//     slow search: 2 inside, 1 waiting, the fourth is told: bulkhead full
//     prices go on: 42
#include <hawser/hawser.hpp>

#include <chrono>
#include <cstdio>
#include <latch>
#include <thread>
#include <vector>

int main() {
    using namespace std::chrono_literals;

    // [bulkhead]
    // Two calls at one time, and one more that may wait a second. Each dependency has its own.
    hawser::bulkhead search{{.permits = 2, .places = 1}, hawser::wait_up_to{1s}};
    hawser::bulkhead prices{{.permits = 2}};

    auto const searching = hawser::compose(hawser::borrow(search), hawser::attempt_timeout{2s});
    auto const pricing = hawser::compose(hawser::borrow(prices), hawser::attempt_timeout{2s});
    // [/bulkhead]

    std::latch answer{1};
    std::vector<std::jthread> callers;
    for (int caller = 0; caller != 3; ++caller)
        callers.emplace_back([&] { (void)hawser::try_execute(searching, [&] { answer.wait(); }); });
    auto const busy = [&] {
        auto const now = search.permits().snapshot();
        return now.held == 2 && now.waiting == 1;
    };
    while (!busy()) std::this_thread::yield();

    auto const fourth = hawser::try_execute(searching, [] {});
    std::printf("slow search: 2 inside, 1 waiting, the fourth is told: %s\n",
                hawser::to_string(fourth.code()));
    auto const price = hawser::execute(pricing, [] { return 42; });
    std::printf("prices go on: %d\n", price);
    answer.count_down();
    return fourth.code() == hawser::errc::bulkhead_full && price == 42 ? 0 : 1;
}
