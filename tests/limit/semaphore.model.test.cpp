// SPDX-License-Identifier: BSL-1.0
//
// The semaphore against a model that tells the same in the plainest way.
#include <hawser/limit/semaphore.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using hawser::acquired;
using hawser::claimed;
using hawser::semaphore;
using support::bell_log;
using support::counting_waiter;

static constexpr hawser::time_point t0{1h};

namespace {

/// What a first-come queue of weighted requests does, told as plainly as it can be.
class naive_model {
public:
    naive_model(std::int64_t capacity, std::size_t places) : capacity_{capacity}, places_{places} {}

    bool try_acquire(std::int64_t count) {
        if (!queue_.empty() || free() < count) return false;
        held += count;
        return true;
    }
    acquired acquire(int id, std::int64_t count) {
        if (try_acquire(count)) return acquired::granted;
        if (count > capacity_) return acquired::too_large;
        if (queue_.size() == places_) return acquired::full;
        queue_.push_back({id, count});
        return acquired::queued;
    }
    /// Who is woken by whatever has just changed.
    bell_log settle() {
        bell_log woken;
        for (auto it = queue_.begin(); it != queue_.end();)
            if (it->count > capacity_) {
                woken.push_back(it->id);
                it = queue_.erase(it);
            } else {
                ++it;
            }
        while (!queue_.empty() && free() >= queue_.front().count) {
            on_the_way += queue_.front().count;
            woken.push_back(queue_.front().id);
            queue_.pop_front();
        }
        return woken;
    }
    void leave(int id) {
        queue_.erase(
            std::find_if(queue_.begin(), queue_.end(), [&](auto& r) { return r.id == id; }));
    }
    [[nodiscard]] std::int64_t free() const { return capacity_ - held - on_the_way; }
    [[nodiscard]] std::size_t waiting() const { return queue_.size(); }
    [[nodiscard]] std::int64_t capacity() const { return capacity_; }
    void resize(std::int64_t capacity) { capacity_ = capacity; }

    std::int64_t held = 0, on_the_way = 0;

private:
    struct request {
        int id;
        std::int64_t count;
    };
    std::int64_t capacity_;
    std::size_t places_;
    std::deque<request> queue_;
};

/// One random schedule, played on both.
class random_schedule {
public:
    explicit random_schedule(unsigned seed)
        : random_{seed},
          capacity_{1 + below(6)},
          places_{below(8)},
          permits_{{.permits = capacity_, .places = places_}},
          model_{capacity_, places_} {}

    void step() {
        auto const what = below(100);
        expected_.clear();
        woken_.clear();
        if (what < 10) {
            try_acquire();
        } else if (what < 45) {
            acquire();
        } else if (what < 65) {
            release();
        } else if (what < 75) {
            withdraw();
        } else if (what < 95) {
            claim();
        } else {
            resize();
        }
        compare();
    }

    void finish() {
        while (!asleep_.empty()) {
            expected_.clear();
            woken_.clear();
            withdraw();
            compare();
        }
        while (!held_.empty()) {
            expected_.clear();
            woken_.clear();
            release();
            compare();
        }
        REQUIRE(permits_.snapshot().free == permits_.capacity());
        REQUIRE(permits_.snapshot().waiting == 0);
    }

private:
    std::uint32_t below(std::uint32_t limit) {
        return static_cast<std::uint32_t>(random_() % limit);
    }
    std::uint32_t some() { return 1 + below(below(4) == 0 ? 7 : 2); }

    void try_acquire() {
        auto const count = some();
        auto const got = permits_.try_acquire(count);
        REQUIRE(got == model_.try_acquire(count));
        if (got) held_.push_back(count);
    }
    void acquire() {
        auto& node = nodes_.emplace_back(static_cast<int>(nodes_.size()), &woken_);
        auto const count = some();
        auto const answer = permits_.acquire(node, count, t0);
        REQUIRE(answer.result == model_.acquire(node.id, count));
        REQUIRE(answer.to_wake.empty());
        if (answer.result == acquired::granted) held_.push_back(count);
        if (answer.result == acquired::queued) asleep_.push_back(&node);
    }
    void release() {
        if (held_.empty()) return;
        auto const count = take_from(held_);
        model_.held -= count;
        expected_ = model_.settle();
        (void)permits_.release(count, t0);
    }
    void withdraw() {
        if (asleep_.empty()) return;
        auto& node = *take_from(asleep_);
        auto const was_granted = node.granted;
        if (!was_granted)
            model_.leave(node.id);
        else if (!node.turned_away)
            model_.on_the_way -= node.permits;
        expected_ = model_.settle();
        REQUIRE(permits_.withdraw(node, t0).bell_will_ring == was_granted);
    }
    void claim() {
        if (asleep_.empty()) return;
        auto& node = *take_from(asleep_);
        auto result = claimed::expired;
        if (!node.granted) {
            model_.leave(node.id);
        } else if (node.turned_away) {
            result = claimed::turned_away;
        } else {
            result = claimed::granted;
            model_.on_the_way -= node.permits;
            model_.held += node.permits;
            held_.push_back(node.permits);
        }
        expected_ = model_.settle();
        REQUIRE(permits_.claim(node, t0).result == result);
    }
    void resize() {
        auto const capacity = 1 + below(8);
        model_.resize(capacity);
        expected_ = model_.settle();
        (void)permits_.resize(capacity, t0);
    }
    void compare() {
        REQUIRE(woken_ == expected_);
        auto const seen = permits_.snapshot();
        REQUIRE(seen.free == model_.free());
        REQUIRE(seen.held == model_.held);
        REQUIRE(seen.on_the_way == model_.on_the_way);
        REQUIRE(seen.waiting == model_.waiting());
        REQUIRE(seen.free + seen.held + seen.on_the_way == seen.capacity);
        REQUIRE(seen.capacity == model_.capacity());
    }
    template <class T>
    T take_from(std::vector<T>& list) {
        std::swap(list[below(static_cast<std::uint32_t>(list.size()))], list.back());
        auto const taken = list.back();
        list.pop_back();
        return taken;
    }

    std::mt19937 random_;
    std::uint32_t capacity_, places_;
    bell_log woken_, expected_;
    std::deque<counting_waiter> nodes_;
    std::vector<counting_waiter*> asleep_;  // Queued, or granted and neither claimed nor withdrawn.
    std::vector<std::uint32_t> held_;
    semaphore permits_;
    naive_model model_;
};

}  // namespace

TEST_CASE("semaphore: agrees with a plain model over thousands of random schedules") {
    for (unsigned seed = 1; seed <= 3000; ++seed) {
        INFO("seed " << seed);
        random_schedule schedule{seed};
        for (int step = 0; step != 60; ++step) schedule.step();
        schedule.finish();
    }
}
