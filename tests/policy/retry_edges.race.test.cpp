// SPDX-License-Identifier: BSL-1.0
//
// Calls on several threads that share one budget.
#include <hawser/hawser.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <optional>
#include <stop_token>

using namespace std::chrono_literals;

TEST_CASE("retry: calls that fail on four threads make as many attempts as the budget has tokens") {
    hawser::manual_time time;
    hawser::retry_budget budget{{.ratio = 0, .floor = 10'000, .per = 1h, .capacity = 10'000}};
    auto const line = hawser::compose_in(
        hawser::testing::manual_environment{time},
        hawser::retry{{.max_attempts = 4}, hawser::backoff::none{}, hawser::borrow(budget)});
    std::atomic<int> wire{0};
    support::on_threads(4, [&](int) {
        for (int i = 0; i < 2'500; ++i)
            (void)hawser::try_execute(line, [&] {
                ++wire;
                throw 1;
            });
    });
    CHECK(wire == 4 * 2'500 + 10'000);
    CHECK(budget.available(time.now()) == 0);
}

namespace {

/// The caller of the call that runs on this thread.
thread_local std::stop_source* caller = nullptr;

}  // namespace

TEST_CASE("retry: callers on four threads that stop before their wait give every token back") {
    hawser::manual_time time;
    hawser::retry_budget budget{{.ratio = 0, .floor = 3, .per = 1h, .capacity = 3}};
    auto const line = hawser::compose_in(
        hawser::testing::manual_environment{time},
        hawser::retry{
            {.max_attempts = 2}, hawser::borrow(budget), hawser::delay_from{[](auto const&) {
                caller->request_stop();
                return std::optional<hawser::duration>{1ms};
            }}});
    std::atomic<int> wire{0};
    support::on_threads(4, [&](int) {
        for (int i = 0; i < 5'000; ++i) {
            std::stop_source own;
            caller = &own;
            (void)hawser::try_execute(line, {.stop = own.get_token()}, [&] {
                ++wire;
                throw 1;
            });
        }
    });
    CHECK(wire == 4 * 5'000);
    CHECK(budget.available(time.now()) == 3);
}
