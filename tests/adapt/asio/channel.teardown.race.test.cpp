// SPDX-License-Identifier: BSL-1.0
//
// Contexts are destroyed at any moment, while threads outside them ring for their operations.
#include <hawser/adapt/asio/channel.hpp>
#include <hawser/run/channel.hpp>

#include "support/catch.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using boost::system::error_code;
using hawser::async_receive;
using hawser::async_send;
using hawser::channel;

namespace {

/// Counts the ends of a handler, which are all on the thread of its context: no atomics.
struct fates {
    int started = 0, ended = 0, received = 0;
};
struct noted {
    explicit noted(fates& in) : to{&in} { ++to->started; }
    noted(noted&& other) noexcept : to{std::exchange(other.to, nullptr)} {}
    noted& operator=(noted&&) = delete;
    ~noted() {
        if (to != nullptr) ++to->ended;
    }
    void operator()(error_code) const {}
    void operator()(error_code error, int) const {
        if (!error) ++to->received;
    }
    fates* to;
};

}  // namespace

TEST_CASE("async channel: contexts are destroyed at any moment, while threads ring their bells") {
    channel<int> ints{{.capacity = 2}}, none{{.capacity = 1}};
    std::atomic<bool> over{false};
    std::atomic<int> sent{0}, received{0};
    std::vector<std::jthread> threads;
    threads.emplace_back([&] {
        while (!over)
            if (ints.try_send(1))
                ++sent;
            else
                std::this_thread::yield();
    });
    threads.emplace_back([&] {
        while (!over)
            if (ints.try_receive())
                ++received;
            else
                std::this_thread::yield();
    });
    fates all;
    for (int round = 0; round != 1'500; ++round) {
        asio::cancellation_signal signal;
        asio::io_context context{1};
        // Sometimes the first operation is older than the first strand.
        if (round % 2 == 0) async_receive(none, context.get_executor(), noted{all});
        auto const strand = asio::make_strand(context);
        for (int each = 0; each != 6; ++each) {
            async_receive(ints, strand, asio::bind_cancellation_slot(signal.slot(), noted{all}));
            async_receive(ints, context.get_executor(), noted{all});
        }
        if (round % 3 != 0) context.poll();
        if (round % 5 == 0) signal.emit(asio::cancellation_type::terminal);
    }
    over = true;
    threads.clear();
    CHECK(all.started == all.ended);
    auto const waiting = ints.core().waiting_now();
    CHECK(waiting.receivers == 0);
    while (ints.try_receive()) ++received;
    CHECK(sent == received + all.received);
}

TEST_CASE("async channel: senders that go with their context have sent all or nothing") {
    channel<int> ints{{.capacity = 1}};
    std::atomic<bool> over{false};
    std::vector<int> taken;
    std::jthread receiver{[&] {
        while (!over)
            if (auto const got = ints.try_receive())
                taken.push_back(*got);
            else
                std::this_thread::yield();
    }};
    fates all;
    int value = 0;
    for (int round = 0; round != 1'000; ++round) {
        asio::io_context context{1};
        for (int each = 0; each != 6; ++each)
            async_send(ints, context.get_executor(), ++value, noted{all});
        if (round % 2 == 0) context.poll();
    }
    over = true;
    receiver.join();
    CHECK(all.started == all.ended);
    CHECK(ints.core().waiting_now().senders == 0);
    for (std::size_t each = 1; each < taken.size(); ++each) CHECK(taken[each - 1] < taken[each]);
}
