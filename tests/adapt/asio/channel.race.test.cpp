// SPDX-License-Identifier: BSL-1.0
//
// Threads and suspended operations at one channel, with cancels and a close among them.
#include <hawser/adapt/asio/channel.hpp>
#include <hawser/run/buffered_channel.hpp>
#include <hawser/run/channel.hpp>

#include "support/catch.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace asio = boost::asio;
using boost::system::error_code;
using hawser::async_receive;
using hawser::async_send;
using hawser::channel;

namespace {

/// Who sent it, and as which of its own.
struct parcel {
    std::uint32_t sender = 0;
    std::uint32_t number = 0;
};

using executor = asio::strand<asio::io_context::executor_type>;

/// What came out, of all receivers together.
class ledger {
public:
    explicit ledger(std::size_t senders) : last_(senders), sent_{0}, received_{0} {}

    void sent() { ++sent_; }
    /// Told by one receiver; `seen` is the last of each sender that this one has received.
    void received(parcel const& value, std::vector<std::uint32_t>& seen) {
        ++received_;
        if (value.number <= seen[value.sender]) out_of_order_ = true;
        seen[value.sender] = value.number;
    }
    void check(std::size_t left) const {
        CHECK(received_ + left == sent_);
        CHECK_FALSE(out_of_order_);
    }
    [[nodiscard]] std::size_t senders() const { return last_.size(); }

private:
    std::vector<int> last_;
    std::atomic<std::size_t> sent_, received_;
    std::atomic<bool> out_of_order_{false};
};

/// Sends from a strand, one after the other; some are cancelled on their way.
class suspended_sender : public std::enable_shared_from_this<suspended_sender> {
public:
    suspended_sender(channel<parcel>& to, executor on, ledger& book, std::uint32_t id,
                     std::uint32_t count)
        : to_{to}, on_{std::move(on)}, book_{book}, id_{id}, count_{count}, random_{id} {}

    void next() {
        if (number_ == count_) return;
        auto handler = [self = shared_from_this()](error_code error) {
            if (!error) self->book_.sent();
            if (error != make_error_code(hawser::errc::closed)) self->next();
        };
        async_send(to_, on_, parcel{id_, ++number_},
                   asio::bind_cancellation_slot(signal_.slot(),
                                                asio::bind_executor(on_, std::move(handler))));
        if (random_() % 8 == 0)
            asio::post(on_, [self = shared_from_this()] {
                self->signal_.emit(asio::cancellation_type::terminal);
            });
    }

private:
    channel<parcel>& to_;
    executor on_;
    ledger& book_;
    std::uint32_t id_, count_, number_ = 0;
    std::minstd_rand random_;
    asio::cancellation_signal signal_;
};

class suspended_receiver : public std::enable_shared_from_this<suspended_receiver> {
public:
    suspended_receiver(channel<parcel>& from, executor on, ledger& book, std::uint32_t seed)
        : from_{from}, on_{std::move(on)}, book_{book}, seen_(book.senders()), random_{seed} {}

    void next() {
        auto handler = [self = shared_from_this()](error_code error, parcel value) {
            if (!error) self->book_.received(value, self->seen_);
            if (error != make_error_code(hawser::errc::closed)) self->next();
        };
        async_receive(from_, on_,
                      asio::bind_cancellation_slot(signal_.slot(),
                                                   asio::bind_executor(on_, std::move(handler))));
        if (random_() % 8 == 0)
            asio::post(on_, [self = shared_from_this()] {
                self->signal_.emit(asio::cancellation_type::terminal);
            });
    }

private:
    channel<parcel>& from_;
    executor on_;
    ledger& book_;
    std::vector<std::uint32_t> seen_;
    std::minstd_rand random_;
    asio::cancellation_signal signal_;
};

void meet(std::size_t capacity, std::uint32_t count, bool close_early) {
    channel<parcel> parcels{{.capacity = capacity}};
    ledger book{4};
    {
        asio::io_context context;
        std::atomic<int> sending{2};
        std::vector<std::jthread> threads;
        for (std::uint32_t id = 0; id != 2; ++id)
            std::make_shared<suspended_receiver>(parcels, asio::make_strand(context), book, id + 9)
                ->next();
        for (std::uint32_t id = 0; id != 2; ++id)
            std::make_shared<suspended_sender>(parcels, asio::make_strand(context), book, id, count)
                ->next();
        for (std::uint32_t id = 2; id != 4; ++id)
            threads.emplace_back([&, id] {
                for (std::uint32_t number = 1; number <= count; ++number)
                    if (parcels.send({id, number})) book.sent();
                // The last to end closes, while the suspended senders may be at it still.
                if (--sending == 0) parcels.close();
            });
        for (std::uint32_t id = 0; id != 2; ++id)
            threads.emplace_back([&] {
                std::vector<std::uint32_t> seen(book.senders());
                while (auto const value = parcels.receive()) book.received(*value, seen);
            });
        for (int thread = 0; thread != 2; ++thread) threads.emplace_back([&] { context.run(); });
        if (close_early) parcels.close();
    }
    std::size_t left = 0;
    while (parcels.try_receive()) ++left;
    book.check(left);
}

}  // namespace

TEST_CASE("async channel: threads and suspended operations pass each value on once, in order") {
    for (std::size_t const capacity : {0U, 1U, 16U})
        for (int round = 0; round != 5; ++round) meet(capacity, 300, false);
}

TEST_CASE("async channel: a close at any time leaves nothing behind and nobody waiting") {
    for (std::size_t const capacity : {0U, 3U})
        for (int round = 0; round != 20; ++round) meet(capacity, 40, round % 2 == 0);
}

TEST_CASE("async channel: contexts are destroyed while threads send and receive") {
    channel<parcel> parcels{{.capacity = 2}};
    std::atomic<std::size_t> sent{0}, received{0};
    std::vector<std::jthread> threads;
    threads.emplace_back([&] {
        for (std::uint32_t number = 0; number != 2'000; ++number)
            if (parcels.send({0, number})) ++sent;
        parcels.close();
    });
    threads.emplace_back([&] {
        while (parcels.receive()) ++received;
    });
    // Nobody may be inside a bell for a context that is destroyed: it is run until nothing is left
    // to be told but what is on its way.
    for (int round = 0; round != 200; ++round) {
        asio::io_context context;
        for (int each = 0; each != 3; ++each)
            async_receive(parcels, context.get_executor(), [&](error_code error, parcel) {
                if (!error) ++received;
            });
        context.run();
    }
    threads.clear();
    while (parcels.try_receive()) ++received;
    CHECK(sent == received);
}

namespace {

/// A send that waits completes on another thread than it was begun on, and lets the channel go.
template <class Channel>
void let_go_when_sent() {
    for (int round = 0; round != 50; ++round) {
        asio::io_context context;
        auto jobs = std::make_unique<Channel>(typename Channel::options_type{.capacity = 1});
        CHECK(jobs->send(1));
        std::jthread const sender{[&context, to = jobs.get()] {
            async_send(*to, context.get_executor(), 2, [](error_code) {});
        }};
        while (jobs->core().waiting_now().senders == 0) std::this_thread::yield();
        CHECK(*jobs->receive() == 1);
        while (context.run_one() == 0) context.restart();
        jobs.reset();
    }
}

}  // namespace

TEST_CASE("async channel: may go when a send has completed, though its beginning still returns") {
    let_go_when_sent<channel<int>>();
    let_go_when_sent<hawser::buffered_channel<int>>();
}
