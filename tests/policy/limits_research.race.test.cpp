// SPDX-License-Identifier: BSL-1.0
//
// Limits under threads: never more calls at one time than a limit allows, nothing lost, and every
// call counted once.
#include <hawser/base/random.hpp>
#include <hawser/hawser.hpp>
#include <hawser/limit/aimd.hpp>

#include "support/catch.hpp"
#include "support/threads.hpp"
#include "support/told_limit.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::sample_outcome;
using hawser::try_execute;

namespace {

/// How many are in, and the most that ever were.
struct crowd {
    std::atomic<std::uint32_t> in{0}, most{0};

    void enter() {
        auto const now = ++in;
        for (auto seen = most.load(); now > seen && !most.compare_exchange_weak(seen, now);) {}
    }
    void leave() { --in; }
};

}  // namespace

TEST_CASE("limits research: threads never hold more than a learning limit, and it hears of each") {
    std::vector<hawser::limit_sample> heard;
    std::uint32_t three = 3;
    hawser::concurrency_limit limit{support::told_options{&heard, &three},
                                    hawser::wait_up_to{100us}, hawser::places{2}};
    auto const line = hawser::compose(borrow(limit));
    crowd inside;
    std::atomic<std::size_t> ran{0};
    support::on_threads(std::uint64_t{4}, [&](std::uint64_t thread) {
        for (std::uint64_t call = 0; call != 3'000; ++call) {
            std::stop_source caller;
            if (call % 5 == thread) caller.request_stop();
            (void)try_execute(line, {.stop = caller.get_token()}, [&]() -> int {
                inside.enter();
                ++ran;
                if (call % 3 == 0) std::this_thread::yield();
                inside.leave();
                if (call % 7 == 0) throw std::runtime_error{"down"};
                return 1;
            });
        }
    });
    CHECK(inside.most <= 3);
    auto const end = limit.permits().snapshot();
    CHECK(end.free == 3);
    CHECK(end.held == 0);
    CHECK(end.on_the_way == 0);
    CHECK(end.waiting == 0);
    // Those that were let in and found themselves stopped are heard of too, as nothing.
    auto const measures =
        std::count_if(heard.begin(), heard.end(), [](hawser::limit_sample const& sample) {
            CHECK(sample.inflight_at_start >= 1);
            CHECK(sample.inflight_at_start <= 3);
            return sample.outcome == sample_outcome::success;
        });
    CHECK(heard.size() >= ran);
    CHECK(static_cast<std::size_t>(measures) <= ran);
    CHECK(static_cast<std::size_t>(measures) >= ran - ran / 3);
}

TEST_CASE("limits research: a limit that moves all the time loses no permit and wakes who waits") {
    hawser::concurrency_limit limit{
        hawser::limits::aimd_options{.initial = 2, .floor = 1, .ceiling = 3, .backoff = 0.5},
        hawser::wait_up_to{10s}, hawser::places{10},
        hawser::sampled_by{[](hawser::outcome<std::uint64_t> const& out) noexcept {
            return out.value() % 3 == 0 ? sample_outcome::dropped : sample_outcome::success;
        }}};
    auto const line = hawser::compose(borrow(limit));
    crowd inside;
    std::atomic<int> refused{0};
    support::on_threads(std::uint64_t{4}, [&](std::uint64_t thread) {
        for (std::uint64_t call = 0; call != 3'000; ++call) {
            auto const out = try_execute(line, [&] {
                inside.enter();
                inside.leave();
                return hawser::random_at(thread, call);
            });
            refused += out.has_value() ? 0 : 1;
        }
    });
    CHECK(refused == 0);  // Nobody is left to wait for ten seconds.
    CHECK(inside.most <= 3);
    auto const end = limit.permits().snapshot();
    CHECK(end.held == 0);
    CHECK(end.waiting == 0);
    CHECK(end.free == end.capacity);
    CHECK(end.capacity == limit.limit());
}

TEST_CASE("limits research: threads and pipelines that share one bucket get its burst together") {
    hawser::token_bucket bucket{{.rate = 1, .period = 24h, .burst = 1'000}};
    hawser::rate_limit reads{borrow(bucket)}, writes{borrow(bucket)};
    auto const reading = hawser::compose(borrow(reads)), writing = hawser::compose(borrow(writes));
    std::atomic<int> ran{0};
    support::on_threads(std::uint64_t{4}, [&](std::uint64_t thread) {
        for (int call = 0; call != 500; ++call)
            if (thread % 2 == 0)
                (void)try_execute(reading, [&] { ++ran; });
            else
                (void)try_execute(writing, [&] { ++ran; });
    });
    CHECK(ran == 1'000);
}

TEST_CASE("limits research: a throttle counts every call of many threads once") {
    hawser::throttle shed{{.multiplier = 100, .window = 1h}};  // Refuses nobody here.
    auto const line = hawser::compose(borrow(shed), hawser::attempt_timeout{1h});
    support::on_threads(std::uint64_t{4}, [&](std::uint64_t thread) {
        for (int call = 0; call != 1'000; ++call)
            (void)try_execute(line, [&] {
                if (thread == 0) throw std::runtime_error{"says nothing"};
            });
    });
    // Three thousand were accepted: so many refusals of a hundred for each begin to show.
    auto& chances = shed.chances();
    auto const now = hawser::steady_clock_source{}.now();
    for (int call = 0; call != 297'000; ++call) chances.on_result(now, sample_outcome::dropped);
    CHECK(chances.rejection_probability(now) == 0);
    chances.on_result(now, sample_outcome::dropped);
    CHECK(chances.rejection_probability(now) > 0);
}
