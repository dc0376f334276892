// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/buffered_channel.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using hawser::buffered_channel;
namespace overflow = hawser::overflow;

namespace {

/// Hears the levels, which alternate. Its members are no atomics: one thread at a time is inside.
struct levels {
    struct state {
        bool high = false;
        std::uint64_t times = 0;
        bool twice = false;
    };
    state* of;
    void operator()(bool high) const noexcept {
        if (high == of->high) of->twice = true;
        of->high = high;
        ++of->times;
    }
};

/// Runs `count` threads of each, and ends when all have; `closes` is called once the senders have.
template <class Send, class Receive, class Close>
void together(int count, Send const& send, Receive const& receive, Close const& closes) {
    std::atomic<int> sending{count};
    std::vector<std::jthread> threads;
    for (int id = 0; id != count; ++id) {
        threads.emplace_back([&, id] {
            send(id);
            if (--sending == 0) closes();
        });
        threads.emplace_back([&] { receive(); });
    }
}

}  // namespace

TEST_CASE("buffered_channel: under threads levels alternate, and the last told is the true one") {
    for (int round = 0; round != 60; ++round) {
        levels::state heard;
        buffered_channel<int, overflow::block, hawser::unit_weight, levels> ints{
            {.capacity = 4, .high_watermark = 3, .low_watermark = 1}, {}, {}, {&heard}};
        together(
            2,
            [&](int) {
                for (int value = 0; value != 200; ++value) CHECK_NOTHROW(ints.send(value));
            },
            [&] {
                while (ints.receive()) {}
            },
            [&] { ints.close(); });
        REQUIRE(ints.size() == 0);
        CHECK_FALSE(heard.high);
        CHECK_FALSE(heard.twice);
        CHECK(heard.times % 2 == 0);
        CHECK_FALSE(ints.snapshot().is_high);
    }
}

TEST_CASE("buffered_channel: under threads nothing that is merged is lost") {
    auto add = [](std::uint64_t& kept, std::uint64_t& more) { kept += more; };
    buffered_channel<std::uint64_t, overflow::conflate<decltype(add)>> sums{
        {.capacity = 2}, overflow::conflate{add}};
    std::atomic<std::uint64_t> received{0};
    together(
        3,
        [&](int) {
            for (std::uint64_t value = 1; value <= 2'000; ++value) CHECK_NOTHROW(sums.send(value));
        },
        [&] {
            while (auto const sum = sums.receive()) received += *sum;
        },
        [&] { sums.close(); });
    CHECK(received == 3 * 2'000ULL * 2'001 / 2);
}

TEST_CASE("buffered_channel: under threads weights stay in their bound, and each value ends once") {
    struct heavy {
        std::shared_ptr<std::atomic<int>> alive;
        std::uint64_t weight = 1;
    };
    struct weigh {
        std::uint64_t operator()(heavy const& of) const noexcept { return of.weight; }
    };
    auto const alive = std::make_shared<std::atomic<int>>(0);
    buffered_channel<heavy, overflow::block, weigh> chunks{
        {.capacity = 8, .weight = 10, .max_age = 50us}};
    std::atomic<std::uint64_t> sent{0}, received{0};
    together(
        2,
        [&](int id) {
            for (std::uint64_t value = 0; value != 1'500; ++value) {
                auto const weight = 1 + (value * 7 + static_cast<std::uint64_t>(id)) % 10;
                auto const until =
                    value % 5 == 0 ? std::chrono::steady_clock::now() + 20us : hawser::no_deadline;
                if (chunks.send_until(until, heavy{alive, weight})) ++sent;
            }
        },
        [&] {
            while (chunks.receive()) ++received;
        },
        [&] { chunks.close(); });
    auto const end = chunks.snapshot();
    CHECK(end.highest_weight <= 10);
    CHECK(end.highest_depth <= 8);
    CHECK(end.pushed == sent);
    CHECK(end.popped == received);
    CHECK(sent == received + end.dropped.total() + end.depth);
    CHECK(alive.use_count() == 1 + static_cast<long>(end.depth));
}

TEST_CASE("buffered_channel: a close at any time ends everybody, and loses nothing") {
    for (int round = 0; round != 100; ++round) {
        buffered_channel<int> ints{{.capacity = 2}};
        std::atomic<int> sent{0}, received{0};
        {
            std::jthread const closes{[&] {
                for (int spin = 0; spin != round * 20; ++spin) (void)ints.size();
                ints.close();
            }};
            together(
                2,
                [&](int) {
                    while (ints.send(1)) ++sent;
                },
                [&] {
                    while (ints.receive()) ++received;
                },
                [] {});
        }
        CHECK(sent == received);
    }
}
