// SPDX-License-Identifier: BSL-1.0
//
// The shared deadline queue on its real timer. Times are a few milliseconds, and only their order
// and what has not come too early are checked.
#include <hawser/adapt/asio/deadline_queue.hpp>
#include <hawser/base/clock.hpp>
#include <hawser/compose/environment.hpp>

#include "support/catch.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using queue_type = hawser::deadline_queue<asio::io_context::executor_type>;

/// Writes its number down when it is told, and then does what it was given to do.
class numbered_event final : public hawser::timed_event {
public:
    numbered_event(int number, std::vector<int>& told) : number_{number}, told_{&told} {}
    void deadline_reached() noexcept override {
        early_ = hawser::steady_clock_source{}.now() < deadline();
        told_->push_back(number_);
        if (then) then();
    }
    void deadline_dropped() noexcept override { told_->push_back(-number_); }
    [[nodiscard]] bool came_early() const { return early_; }

    std::function<void()> then;

private:
    int number_;
    std::vector<int>* told_;
    bool early_ = false;
};

struct stand {
    std::optional<asio::io_context> io{std::in_place};
    queue_type& queue = asio::use_service<queue_type>(*io);
    std::vector<int> told;
    numbered_event one{1, told}, two{2, told}, three{3, told};
    hawser::time_point const start = hawser::steady_clock_source{}.now();

    void schedule(numbered_event& event, hawser::duration in) {
        queue.schedule(io->get_executor(), event, hawser::add_saturating(start, in));
    }
    ~stand() {
        for (auto* const event : {&one, &two, &three}) queue.cancel(*event);
    }
};

using numbers = std::vector<int>;

TEST_CASE("deadline_queue: tells events in the order of their deadlines, none too early") {
    stand on;
    on.schedule(on.two, 4ms);
    on.schedule(on.three, 6ms);
    on.schedule(on.one, 2ms);  // Earlier than what the timer stands at.
    on.io->run();
    CHECK(on.told == numbers{1, 2, 3});
    for (auto const* event : {&on.one, &on.two, &on.three}) CHECK_FALSE(event->came_early());
}

TEST_CASE("deadline_queue: tells a deadline that has passed already") {
    stand on;
    on.schedule(on.one, -1h);
    CHECK(on.told.empty());  // From a handler, not from here.
    on.io->run();
    CHECK(on.told == numbers{1});
}

TEST_CASE("deadline_queue: many events at one time are told in one go") {
    stand on;
    std::vector<std::unique_ptr<numbered_event>> many;
    for (int i = 0; i < 1000; ++i) {
        many.push_back(std::make_unique<numbered_event>(i, on.told));
        on.schedule(*many.back(), 3ms);
    }
    CHECK(on.io->run() <= 2);
    CHECK(on.told.size() == 1000);
}

TEST_CASE("deadline_queue: a cancelled event is not told") {
    stand on;
    on.schedule(on.one, 1ms);
    on.schedule(on.two, 2ms);
    CHECK(on.queue.cancel(on.one));
    CHECK_FALSE(on.queue.cancel(on.one));
    on.io->run();
    CHECK(on.told == numbers{2});
    CHECK_FALSE(on.queue.cancel(on.two));
}

TEST_CASE("deadline_queue: run returns soon after the last event is cancelled") {
    stand on;
    on.schedule(on.one, 1h);
    on.io->poll();
    CHECK_FALSE(on.io->stopped());  // A pending deadline is work.

    for (int round = 0; round < 2; ++round) {
        on.queue.cancel(on.one);
        on.io->run();  // Returns, or the test takes an hour.
        on.io->restart();
        on.schedule(on.one, 1h);
    }
    CHECK(on.told.empty());
}

TEST_CASE("deadline_queue: run returns after a handler has cancelled the last event") {
    stand on;
    for (int round = 0; round < 3; ++round) {
        on.schedule(on.one, 1h);
        asio::post(*on.io, [&] { on.queue.cancel(on.one); });
        on.io->run();  // Returns, or the test takes an hour.
        on.io->restart();
    }
    on.schedule(on.one, 1h);
    asio::post(*on.io, [&] {
        on.queue.cancel(on.one);
        on.schedule(on.two, 3ms);
        on.schedule(on.three, 4ms);
    });
    on.io->run();  // And waits again for those that come after.
    CHECK(on.told == numbers{2, 3});
}

TEST_CASE("deadline_queue: an idle timer whose time comes leaves the count of work in balance") {
    stand on;
    on.schedule(on.one, 1ms);
    asio::post(*on.io, [&] { on.queue.cancel(on.one); });
    auto const work = asio::make_work_guard(*on.io);
    on.io->run_for(5ms);  // The timer fires for nobody.
    on.schedule(on.two, 6ms);
    on.io->run_for(20ms);
    CHECK(on.told == numbers{2});
    CHECK_FALSE(on.io->stopped());  // The guard is the one piece of work that is left.
}

TEST_CASE("deadline_queue: a timer that was taken down starts again for a later deadline") {
    stand on;
    on.schedule(on.one, 1ms);
    on.queue.cancel(on.one);
    on.io->run();
    on.io->restart();
    on.schedule(on.two, 4ms);
    on.io->run();
    CHECK(on.told == numbers{2});
}

TEST_CASE("deadline_queue: the timer stays for an event that comes within a turn") {
    stand on;
    on.schedule(on.one, 1h);
    on.queue.cancel(on.one);
    on.schedule(on.two, 3ms);
    on.io->run();
    CHECK(on.told == numbers{2});

    on.io->restart();
    on.schedule(on.three, 4ms);  // And starts again when it has been taken down.
    on.io->run();
    CHECK(on.told == numbers{2, 3});
}

TEST_CASE("deadline_queue: an event told may schedule others, and itself") {
    stand on;
    on.one.then = [&] {
        on.schedule(on.two, 0ms);  // Due at once.
        on.schedule(on.three, 5ms);
        if (on.told.size() == 1) on.schedule(on.one, 3ms);
    };
    on.two.then = [&] { on.one.then = {}; };
    on.schedule(on.one, 1ms);
    on.io->run();
    CHECK(on.told == numbers{1, 2, 1, 3});
}

TEST_CASE("deadline_queue: an event told may cancel another that is due with it") {
    stand on;
    on.one.then = [&] { CHECK(on.queue.cancel(on.two)); };
    on.schedule(on.one, 1ms);
    on.schedule(on.two, 1ms);
    asio::post(*on.io, [&] {
        while (hawser::steady_clock_source{}.now() < on.start + 2ms) {}
    });
    on.io->run();
    CHECK(on.told == numbers{1});
}

TEST_CASE("deadline_queue: an event whose time never comes is kept without a timer") {
    stand on;
    on.queue.schedule(on.io->get_executor(), on.one, hawser::no_deadline);
    on.io->run();
    CHECK(on.told.empty());

    on.io->restart();
    on.schedule(on.two, 1ms);
    on.io->run();
    CHECK(on.told == numbers{2});
    CHECK(on.queue.cancel(on.one));
}

TEST_CASE("deadline_queue: a timer moved with its handler on the way tells nothing twice") {
    stand on;
    on.schedule(on.one, 1ms);
    asio::post(*on.io, [&] {
        // The timer's handler becomes ready while this runs; then an earlier deadline moves it.
        while (hawser::steady_clock_source{}.now() < on.start + 2ms) {}
        on.queue.cancel(on.one);
        on.schedule(on.two, -1ms);
        on.schedule(on.three, 5ms);
    });
    on.io->run();
    CHECK(on.told == numbers{2, 3});
}

TEST_CASE("deadline_queue: the context's end drops what is pending") {
    std::vector<int> told;
    numbered_event one{1, told}, two{2, told};
    {
        asio::io_context io;
        auto& queue = asio::use_service<queue_type>(io);
        auto const now = hawser::steady_clock_source{}.now();
        queue.schedule(io.get_executor(), one, now + 1h);
        queue.schedule(io.get_executor(), two, hawser::no_deadline);
        io.poll();
    }
    CHECK(told == numbers{-1, -2});
    CHECK_FALSE(one.is_linked());
}

TEST_CASE("deadline_queue: strands of a context share its queue") {
    asio::io_context io;
    hawser::environment<> const env;
    auto const first = asio::make_strand(io), second = asio::make_strand(io);
    hawser::detail::deadline_access access{env, first};
    hawser::detail::deadline_access other{env, second};
    std::vector<int> told;
    numbered_event one{1, told}, two{2, told};
    auto const now = hawser::steady_clock_source{}.now();
    access.schedule(one, now + 1h);
    other.schedule(two, now + 1ms);
    CHECK(asio::has_service<queue_type>(io));
    while (told.empty()) io.run_one();
    CHECK(told == numbers{2});
    CHECK(access.cancel(one));
    io.run();
}
