// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/channel.hpp>

#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <latch>
#include <memory>
#include <mutex>
#include <random>
#include <stop_token>
#include <thread>
#include <vector>

using hawser::channel;
using hawser::manual_time;
using hawser::transfer;
using hawser::testing::manual_environment;

namespace {

constexpr int producers = 2, consumers = 2;

/// Whose it is and its number; on the heap, so that what was written there is read elsewhere.
struct message {
    int who;
    std::uint64_t number;
};
using owned = std::unique_ptr<message>;

/// A wait with a time that never lasts: it queues, and leaves at once.
using tested_channel = channel<owned, manual_environment<>>;

/// Those who may be stopped, and a thread that stops them.
class stopped_now_and_then {
public:
    std::stop_token token(int who) {
        std::lock_guard const guard{lock_};
        auto& source = sources_[static_cast<std::size_t>(who)];
        if (source.stop_requested()) source = std::stop_source{};
        return source.get_token();
    }
    void stop_somebody(unsigned random) {
        auto source = [&] {
            std::lock_guard const guard{lock_};
            return sources_[random % sources_.size()];
        }();
        source.request_stop();
    }

private:
    std::mutex lock_;
    std::array<std::stop_source, producers + consumers> sources_;
};

/// What was counted at the ends.
struct totals {
    std::atomic<std::uint64_t> sent{0}, sent_sum{0}, received{0}, received_sum{0};
    std::atomic<std::uint64_t> lied{0}, overtaken{0};

    void note_sent(std::uint64_t number) { ++sent, sent_sum += number; }
    void note_received(owned const& got, std::array<std::uint64_t, producers>& last) {
        auto& before = last[static_cast<std::size_t>(got->who)];
        if (got->number <= before) ++overtaken;
        before = got->number;
        ++received, received_sum += got->number;
    }
};

class stress {
public:
    stress(std::size_t capacity, unsigned seed, std::uint64_t close_after)
        : seed_{seed},
          close_after_{close_after},
          channel_{{.capacity = capacity, .waiters = 3}, manual_environment{time_}} {}

    void play() {
        {
            std::latch start{producers + consumers};
            std::vector<std::jthread> senders, receivers;
            std::jthread const stopper{[this](std::stop_token const& over) {
                std::mt19937 random{seed_};
                while (!over.stop_requested()) {
                    stops_.stop_somebody(static_cast<unsigned>(random()));
                    std::this_thread::yield();
                }
            }};
            for (int who = 0; who != consumers; ++who)
                receivers.emplace_back([&, who] {
                    start.arrive_and_wait();
                    receive_all(producers + who);
                });
            for (int who = 0; who != producers; ++who)
                senders.emplace_back([&, who] {
                    start.arrive_and_wait();
                    send_all(who);
                });
            senders.clear();
            channel_.close();
        }
        CHECK(all_.sent == all_.received);
        CHECK(all_.sent_sum == all_.received_sum);
        CHECK(all_.overtaken == 0);
        CHECK(all_.lied == 0);
        CHECK(channel_.size() == 0);
        auto const waiting = channel_.core().waiting_now();
        CHECK(waiting.senders + waiting.receivers == 0);
        if (close_after_ == never) CHECK(all_.sent == each * producers);
    }

    static constexpr std::uint64_t never = ~std::uint64_t{0}, each = 4'000;

private:
    void send_all(int who) {
        std::mt19937 random{seed_ * 100 + static_cast<unsigned>(who)};
        for (std::uint64_t number = 1; number <= each;) {
            auto mine = std::make_unique<message>(message{who, number});
            auto const what = send(mine, who, static_cast<unsigned>(random()));
            if ((mine == nullptr) != (what == transfer::done)) ++all_.lied;
            if (what == transfer::closed) return;
            if (what == transfer::done) all_.note_sent(number++);
            if (what == transfer::would_wait) std::this_thread::yield();
        }
    }
    transfer send(owned& mine, int who, unsigned random) {
        switch (random % 4) {
            case 0: return channel_.try_send(std::move(mine)).what();
            case 1: return channel_.send_until(time_.now(), std::move(mine)).what();
            case 2: return channel_.send(std::move(mine), stops_.token(who)).what();
            default: return channel_.send(std::move(mine)).what();
        }
    }
    void receive_all(int who) {
        std::mt19937 random{seed_ * 100 + static_cast<unsigned>(who)};
        std::array<std::uint64_t, producers> last{};
        for (;;) {
            auto const got = receive(who, static_cast<unsigned>(random()));
            if (got.has_value() != (got.what() == transfer::done)) ++all_.lied;
            if (got.what() == transfer::closed) return;
            if (got) all_.note_received(*got, last);
            if (got.what() == transfer::would_wait) std::this_thread::yield();
            if (all_.received >= close_after_) channel_.close();
        }
    }
    hawser::received<owned> receive(int who, unsigned random) {
        switch (random % 4) {
            case 0: return channel_.try_receive();
            case 1: return channel_.receive_until(time_.now());
            case 2: return channel_.receive(stops_.token(who));
            default: return channel_.receive();
        }
    }

    unsigned seed_;
    std::uint64_t close_after_;
    manual_time time_;
    tested_channel channel_;
    stopped_now_and_then stops_;
    totals all_;
};

}  // namespace

TEST_CASE("channel: threads that try, wait, give up and are stopped lose nothing") {
    for (unsigned seed = 1; seed <= 3; ++seed)
        for (std::size_t const capacity : {0U, 1U, 3U, 64U}) {
            INFO("capacity " << capacity << ", seed " << seed);
            stress{capacity, seed, stress::never}.play();
        }
}

TEST_CASE("channel: a close in the middle of it all loses nothing that was sent") {
    std::mt19937 random{1};
    for (unsigned seed = 1; seed <= 20; ++seed)
        for (std::size_t const capacity : {0U, 1U, 3U, 64U}) {
            auto const close_after = random() % 500;
            INFO("capacity " << capacity << ", seed " << seed << ", closed after " << close_after);
            stress{capacity, seed, close_after}.play();
        }
}

TEST_CASE("channel: threads that only send and receive hand over everything in order") {
    for (std::size_t const capacity : {0U, 1U, 3U, 64U}) {
        constexpr int each = 10'000;
        channel<int> ch{{.capacity = capacity}};
        std::uint64_t wrong = 0, sent = 0;
        std::jthread receiver{[&] {
            for (int n = 0; n != each; ++n)
                if (auto got = ch.receive(); !got || *got != n) ++wrong;
        }};
        for (int n = 0; n != each; ++n) sent += ch.send(n) ? 1U : 0U;
        receiver.join();
        CHECK(sent == each);
        CHECK(wrong == 0);
    }
}
