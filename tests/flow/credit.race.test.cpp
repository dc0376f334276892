// SPDX-License-Identifier: BSL-1.0
#include <hawser/flow/credit.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

using hawser::credit;
using turn = hawser::credit::turn;

namespace {

/// Calls `send` in the turn, until it is given up.
void serve(credit& account, turn whose, auto send) {
    if (whose != turn::begin) return;
    do send();
    while (!account.end_turn());
}

}  // namespace

TEST_CASE("credit: what several threads ask for is sent once, by one at a time") {
    credit account;
    REQUIRE(account.end_turn());
    std::uint64_t sent = 0;  // Guarded by the turn alone.
    support::on_threads(4, [&](int) {
        for (int i = 1; i <= 20'000; ++i)
            serve(account, account.request(1 + i % 3), [&] {
                while (account.try_take()) ++sent;
            });
    });
    // By three, 6666 of the numbers leave no rest, 6667 leave 1 and 6667 leave 2.
    CHECK(sent == 4 * (6'666 * 1 + 6'667 * 2 + 6'667 * 3));
    CHECK(account.available() == 0);
}

TEST_CASE("credit: what was done before an item was asked for is seen by who sends it") {
    constexpr int items = 50'000;
    credit account;
    REQUIRE(account.end_turn());
    std::vector<int> written(items), seen;
    seen.reserve(items);
    auto const send = [&] {
        while (account.try_take()) seen.push_back(written[seen.size()]);
    };
    support::on_threads(2, [&](int thread) {
        for (int i = 0; i < items; ++i) {
            if (thread == 0) {
                written[static_cast<std::size_t>(i)] = i + 1;
                serve(account, account.request(1), send);
            } else {
                serve(account, account.wake(), send);
            }
        }
    });
    REQUIRE(seen.size() == items);
    for (int i = 0; i < items; ++i) REQUIRE(seen[static_cast<std::size_t>(i)] == i + 1);
}

TEST_CASE("credit: what was done before a request is seen within a turn that goes on") {
    constexpr int items = 20'000;
    credit account;  // The turn stays with this thread.
    std::vector<int> written(items);
    std::jthread const asks{[&] {
        for (int i = 0; i < items; ++i) {
            written[static_cast<std::size_t>(i)] = i + 1;
            (void)account.request(1);
        }
    }};
    int wrong = 0;
    for (int i = 0; i < items; ++i) {
        while (!account.try_take()) std::this_thread::yield();
        wrong += written[static_cast<std::size_t>(i)] == i + 1 ? 0 : 1;
    }
    CHECK(wrong == 0);
}

TEST_CASE("credit: an item that comes while the turn ends is not left lying") {
    constexpr int items = 50'000;
    credit account;
    (void)account.request(items);
    while (!account.end_turn()) {}
    std::atomic<int> brought{0};
    int sent = 0;  // Guarded by the turn alone.
    support::on_threads(3, [&](int) {
        for (int i = 0; i < items / 5; ++i) {
            // Relaxed: only the account orders it.
            brought.fetch_add(1, std::memory_order_relaxed);
            serve(account, account.wake(), [&] {
                while (sent < brought.load(std::memory_order_relaxed) && account.try_take()) ++sent;
            });
        }
    });
    CHECK(sent == 3 * (items / 5));
}

TEST_CASE("credit: whoever cancels, one turn sees it, and the receiver is let go once") {
    for (int round = 0; round < 2'000; ++round) {
        credit account;
        REQUIRE(account.end_turn());
        bool held = true;  // What is let go of, guarded by the turn alone.
        int let_go = 0, sent = 0;
        auto const send = [&] {
            while (account.try_take()) ++sent;
            if (account.is_over() && std::exchange(held, false)) ++let_go;
        };
        support::on_threads(3, [&](int thread) {
            if (thread == 0)
                for (int i = 0; i < 20; ++i) serve(account, account.request(1), send);
            else
                serve(account, account.cancel(), send);
        });
        REQUIRE(let_go == 1);
        REQUIRE(sent <= 20);
        REQUIRE(account.cancel() == turn::leave);
    }
}
