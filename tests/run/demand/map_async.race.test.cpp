// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/demand/map_async.hpp>

#include <hawser/run/demand/from_range.hpp>
#include <hawser/run/demand/generate.hpp>

#include "run/demand/probe.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace demand = hawser::demand;
using demand::completion;
using demand::map_async;
using support::diary;
using support::everything;
using support::probe;

namespace {

/// A few threads that do what they are given; what is left when they stop is dropped.
class crew {
public:
    explicit crew(int count) {
        for (int i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
    }
    ~crew() { stop(); }

    void give(int item, completion<int> done) {
        {
            std::lock_guard const lock{mutex_};
            jobs_.emplace_back(item, std::move(done));
        }
        there_is_.notify_one();
    }
    void stop() {
        {
            std::lock_guard const lock{mutex_};
            stopped_ = true;
        }
        there_is_.notify_all();
        threads_.clear();
        jobs_.clear();
    }

    int fails_at = -1, drops_at = -1;

private:
    void work() {
        for (std::unique_lock lock{mutex_};;) {
            there_is_.wait(lock, [&] { return stopped_ || !jobs_.empty(); });
            if (stopped_) return;
            do_first(lock);
        }
    }

    void do_first(std::unique_lock<std::mutex>& lock) {
        {
            auto [item, completed] = std::move(jobs_.front());
            jobs_.pop_front();
            lock.unlock();
            if (item == fails_at)
                completed.fail(std::make_exception_ptr(std::runtime_error{"item"}));
            else if (item != drops_at)
                completed(item);
        }
        lock.lock();  // No completion is used, or dropped, under it.
    }

    std::mutex mutex_;
    std::condition_variable there_is_;
    std::deque<std::pair<int, completion<int>>> jobs_;
    bool stopped_ = false;
    std::vector<std::jthread> threads_;
};

std::vector<int> numbers(int count) {
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

}  // namespace

TEST_CASE("map_async: threads complete, each item is sent once, and no more are in work") {
    constexpr int count = 20'000, parallelism = 4;
    auto const in_order = GENERATE(true, false);
    std::atomic<int> in_work{0}, most{0};
    std::atomic<bool> over{false};
    std::vector<int> written(count);  // Guarded by the flow alone.
    int wrong = 0;
    diary<int> told;
    crew workers{3};
    told.on_next = [&](int i) {
        if (written[static_cast<std::size_t>(i)] != i) ++wrong;
        --in_work;
        if (told.items.size() % 2 == 0) told.request(2);
        if (told.items.size() == count) over = true, over.notify_all();
    };
    (demand::from_range(numbers(count)) | map_async<int>(
                                              [&](int i, completion<int> done) {
                                                  auto const now = ++in_work;
                                                  if (now > most)
                                                      most = now;  // One thread at a time is here.
                                                  written[static_cast<std::size_t>(i)] = i;
                                                  workers.give(i, std::move(done));
                                              },
                                              {.parallelism = parallelism, .in_order = in_order}))
        .subscribe(probe<int>{told});
    told.request(2);
    over.wait(false);
    workers.stop();
    CHECK(most == parallelism);
    CHECK(wrong == 0);
    if (in_order)
        CHECK(told.items == numbers(count));
    else
        CHECK(std::set<int>(told.items.begin(), told.items.end()).size() == count);
    CHECK(told.items.size() == count);
    CHECK(told.completed == 1);
    CHECK(told.kept_the_rules());
    CHECK(told.is_let_go());
}

TEST_CASE("map_async: completions come from threads while the flow ends, whichever way") {
    for (int round = 0; round < 900; ++round) {
        auto const how = round % 3;  // Cancelled, failed by an item, an item's work given up.
        diary<int> told;
        std::atomic<bool> some{false};
        crew workers{2};
        (how == 1 ? workers.fails_at : workers.drops_at) = how == 0 ? -1 : 5 + round % 7;
        told.on_next = [&](int) { some = true, some.notify_all(); };
        (demand::generate([next = 0]() mutable -> std::optional<int> { return next++; }) |
         map_async<int>([&](int i, completion<int> done) { workers.give(i, std::move(done)); },
                        {.parallelism = 3, .in_order = round % 2 == 0}))
            .subscribe(probe<int>{told});
        auto const handle = told.handle;
        told.asked = everything;
        std::jthread asks{[&] { handle.request(everything); }};
        if (how == 0) {
            some.wait(false);
            handle.cancel();
        }
        asks.join();
        while (!told.is_let_go()) std::this_thread::yield();
        workers.stop();
        REQUIRE(told.completed == 0);
        REQUIRE(told.failed == (how == 0 ? 0 : 1));
        REQUIRE(told.kept_the_rules());
    }
}
