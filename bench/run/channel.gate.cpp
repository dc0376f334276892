// SPDX-License-Identifier: BSL-1.0
//
// What does a value cost on its way through a channel? On one thread, from one to another, and from
// two to two, in a capacity of 1024, beside what else there is: A is the other, B the channel.
//
// Those that give the same (a bound, an order, an end that can wait) are to be slower. Those that
// cannot wait are shown beside them: their callers turn and yield where ours sleep.
#include <hawser/run/buffered_channel.hpp>
#include <hawser/run/channel.hpp>
#include <hawser/run/spsc_channel.hpp>

#include "support/allocations.hpp"
#include "support/gate.hpp"

#include <tbb/concurrent_queue.h>
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using value = std::uint64_t;
constexpr std::size_t capacity = 1024;

/// A row's code passes so many.
constexpr value alone = 1'000;
constexpr value together = 60'000;

template <class Channel>
class made_of {
public:
    void send(value sent) {
        if (!values_.send(std::move(sent))) std::abort();
    }
    value receive() { return *values_.receive(); }

private:
    Channel values_{{.capacity = capacity}};
};
using ours = made_of<hawser::channel<value>>;
using ours_for_two = made_of<hawser::spsc_channel<value>>;
using ours_buffered = made_of<hawser::buffered_channel<value>>;

class mutex_and_conditions {
public:
    void send(value sent) {
        {
            std::unique_lock lock{mutex_};
            room_.wait(lock, [this] { return values_.size() < capacity; });
            values_.push_back(sent);
        }
        some_.notify_one();
    }
    value receive() {
        value received;
        {
            std::unique_lock lock{mutex_};
            some_.wait(lock, [this] { return !values_.empty(); });
            received = values_.front();
            values_.pop_front();
        }
        room_.notify_one();
        return received;
    }

private:
    std::mutex mutex_;
    std::condition_variable room_, some_;
    std::deque<value> values_;
};

class tbb_bounded_queue {
public:
    tbb_bounded_queue() { values_.set_capacity(capacity); }
    void send(value sent) { values_.push(sent); }
    value receive() {
        value received = 0;
        values_.pop(received);
        return received;
    }

private:
    tbb::concurrent_bounded_queue<value> values_;
};

/// Who finds no room, or nothing, lets others run and looks again.
template <class Queue>
class turning {
public:
    void send(value sent) {
        while (!values_.push(sent)) std::this_thread::yield();
    }
    value receive() {
        value received = 0;
        while (!values_.pop(received)) std::this_thread::yield();
        return received;
    }

private:
    Queue values_;
};
using lockfree_queue = turning<boost::lockfree::queue<value, boost::lockfree::capacity<capacity>>>;
using lockfree_spsc_queue =
    turning<boost::lockfree::spsc_queue<value, boost::lockfree::capacity<capacity>>>;

value volatile result;

template <class Queue>
class on_one_thread {
public:
    void operator()() {
        value sum = 0;
        for (value each = 0; each != alone; ++each) {
            queue_.send(each);
            sum += queue_.receive();
        }
        result = sum;
    }

private:
    Queue queue_;
};

/// So many senders and as many receivers.
template <class Queue, int Ends>
class on_threads {
public:
    void operator()() {
        std::vector<value> sums(Ends);
        {
            std::vector<std::jthread> threads;
            for (auto& sum : sums) {
                threads.emplace_back([this] {
                    for (value each = 0; each != together / Ends; ++each) queue_.send(each);
                });
                threads.emplace_back([this, &sum] {
                    value mine = 0;
                    for (value each = 0; each != together / Ends; ++each) mine += queue_.receive();
                    sum = mine;
                });
            }
        }
        value all = 0;
        for (auto const sum : sums) all += sum;
        constexpr auto each = together / Ends;
        if (all != Ends * (each * (each - 1) / 2)) {
            std::printf("not what was sent\n");
            std::exit(2);
        }
    }

private:
    Queue queue_;
};

template <template <class> class Row>
void beside_all(support::gate& gate, char const* where, value calls, bool single) {
    auto const what = [&](char const* peer) { return std::string{where} + peer; };
    Row<ours> mine;
    Row<mutex_and_conditions> conditions;
    gate.at_most_times(what("a mutex and two conditions").c_str(), conditions, mine, 1.0,
                       static_cast<double>(calls));
    Row<tbb_bounded_queue> tbb;
    gate.at_most_times(what("oneTBB, bounded").c_str(), tbb, mine, 1.0, static_cast<double>(calls));
    Row<lockfree_queue> lockfree;
    gate.beside(what("lockfree::queue, cannot wait").c_str(), lockfree, mine,
                static_cast<double>(calls));
    Row<ours_buffered> buffered;
    gate.beside(what("buffered_channel").c_str(), buffered, mine, static_cast<double>(calls));
    if (!single) return;
    Row<ours_for_two> for_two;
    gate.at_most_times(what("channel, spsc_channel").c_str(), mine, for_two, 1.0,
                       static_cast<double>(calls));
    Row<lockfree_spsc_queue> spsc;
    gate.beside(what("lockfree::spsc_queue, spsc_channel").c_str(), spsc, for_two,
                static_cast<double>(calls));
}

template <class Queue>
using one_to_one = on_threads<Queue, 1>;
template <class Queue>
using two_to_two = on_threads<Queue, 2>;

}  // namespace

int main(int argc, char** argv) {
    support::gate gate{argc, argv};
    // While a program has one thread, glibc locks without a locked instruction, which is not what
    // a lock costs where it is needed.
    std::jthread const another{[](std::stop_token const& stop) {
        std::mutex mutex;
        std::unique_lock lock{mutex};
        std::condition_variable_any{}.wait(lock, stop, [] { return false; });
    }};
    on_one_thread<ours> mine;
    mine();
    {
        support::allocation_probe const probe;
        mine();
        gate.exactly("send and receive, allocations", probe.count(), 0);
    }
    beside_all<on_one_thread>(gate, "one thread: ", alone, true);
    beside_all<one_to_one>(gate, "1 to 1: ", together, true);
    beside_all<two_to_two>(gate, "2 to 2: ", together, false);
    return gate.verdict();
}
