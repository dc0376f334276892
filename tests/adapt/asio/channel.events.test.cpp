// SPDX-License-Identifier: BSL-1.0
//
// What a channel tells of suspended operations.
#include <hawser/adapt/asio/channel.hpp>
#include <hawser/adapt/asio/co_channel.hpp>
#include <hawser/run/buffered_channel.hpp>
#include <hawser/run/channel.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/told_lines.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;
using boost::system::error_code;
using hawser::async_receive;
using hawser::async_send;
using hawser::manual_time;
using hawser::named;
using hawser::time_point;
using hawser::transfer;
using hawser::testing::manual_and_observed;
using lines = support::told_lines::lines;
using environment_type = decltype(manual_and_observed(std::declval<manual_time&>(),
                                                      std::declval<support::told_lines&>()));

namespace {

struct fixture {
    explicit fixture(std::size_t capacity, std::size_t waiters = 100)
        : jobs{{.capacity = capacity, .waiters = waiters},
               manual_and_observed(time, told),
               named{"jobs"}} {}

    manual_time time{time_point{1h}};
    support::told_lines told;
    hawser::channel<int, environment_type> jobs;
    std::optional<asio::io_context> context{std::in_place, 1};
    std::optional<error_code> ended;

    auto end() {
        return [this](error_code error, auto...) {
            told.on(hawser::predicate_threw{{{}, "the handler", 0}});
            ended = error;
        };
    }
    void poll() {
        context->restart();
        context->poll();
    }
};
constexpr auto handled = "the handler: predicate_threw";

}  // namespace

TEST_CASE("async channel events: a wait is told before its handler, with its time") {
    fixture at{1};
    async_receive(at.jobs, at.context->get_executor(), at.end());
    at.time.advance(3ms);
    CHECK(at.jobs.send(1));
    at.poll();
    CHECK(at.told.take() == lines{"jobs: channel_waited to receive for 3ms (depth 0)", handled});

    CHECK(at.jobs.send(2));
    async_send(at.jobs, at.context->get_executor(), 3, at.end());
    at.time.advance(4ms);
    CHECK(*at.jobs.receive() == 2);
    at.poll();
    CHECK(at.told.take() == lines{"jobs: channel_waited to send for 4ms (depth 1)", handled});
}

TEST_CASE("async channel events: who is let in is told before the handler of who made room runs") {
    struct sender final : hawser::detail::channel_waiter<int> {
        explicit sender(support::told_lines& to)
            : hawser::detail::channel_waiter<int>{&ring}, told{to} {}
        static void ring(hawser::waiter& node) noexcept {
            static_cast<sender&>(static_cast<hawser::detail::channel_waiter<int>&>(node)).tell();
        }
        void tell() const { told.on(hawser::predicate_threw{{{}, "the sender", 0}}); }
        support::told_lines& told;
    };
    fixture at{1};
    CHECK(at.jobs.send(1));
    async_receive(at.jobs, at.context->get_executor(), at.end());
    sender waits{at.told};
    int value = 2;
    {
        auto const answer = at.jobs.core().send_by_lock(value, &waits);
        REQUIRE(answer.result == hawser::detail::passage::waits);
    }
    at.poll();
    CHECK(at.told.take() == lines{"the sender: predicate_threw", handled});
}

TEST_CASE("async channel events: who finds room or a value is not told of") {
    fixture at{1};
    async_send(at.jobs, at.context->get_executor(), 1, at.end());
    async_receive(at.jobs, at.context->get_executor(), at.end());
    at.poll();
    CHECK(at.told.take() == lines{handled, handled});
}

TEST_CASE("async channel events: who was told in vain and waits again has waited once") {
    fixture at{1};
    async_receive(at.jobs, at.context->get_executor(), at.end());
    at.time.advance(3ms);
    CHECK(at.jobs.send(1));
    CHECK(*at.jobs.try_receive() == 1);
    at.poll();
    CHECK_FALSE(at.ended);
    at.time.advance(2ms);
    CHECK(at.jobs.send(2));
    at.poll();
    CHECK(at.told.take() == lines{"jobs: channel_waited to receive for 5ms (depth 0)", handled});
}

TEST_CASE("async channel events: one told in vain that hears of the end then has waited too") {
    fixture at{1};
    async_receive(at.jobs, at.context->get_executor(), at.end());
    at.time.advance(3ms);
    CHECK(at.jobs.send(1));
    CHECK(*at.jobs.try_receive() == 1);
    at.jobs.close();
    at.poll();
    CHECK(at.told.take() == lines{"jobs: channel_closed (0 left)",
                                  "jobs: channel_waited to receive for 3ms (closed, depth 0)",
                                  handled});
}

TEST_CASE("async channel events: a cancel and a close end a wait, and say so") {
    fixture at{1};
    asio::cancellation_signal signal;
    async_receive(at.jobs, at.context->get_executor(),
                  asio::bind_cancellation_slot(signal.slot(), at.end()));
    at.time.advance(1ms);
    signal.emit(asio::cancellation_type::terminal);
    at.poll();
    CHECK(at.told.take() ==
          lines{"jobs: channel_waited to receive for 1ms (cancelled, depth 0)", handled});

    CHECK(at.jobs.send(1));
    async_send(at.jobs, at.context->get_executor(), 2, at.end());
    at.time.advance(2ms);
    at.jobs.close();
    at.poll();
    CHECK(at.told.take() == lines{"jobs: channel_closed (1 left)",
                                  "jobs: channel_waited to send for 2ms (closed, depth 1)",
                                  handled});

    async_send(at.jobs, at.context->get_executor(), 3, at.end());  // It does not wait.
    at.poll();
    CHECK(at.told.take() == lines{handled});
}

TEST_CASE("async channel events: who may not wait is told of once") {
    fixture at{1, 0};
    async_receive(at.jobs, at.context->get_executor(), at.end());
    at.poll();
    CHECK(at.told.take() == lines{"jobs: channel_refused to receive (overloaded)", handled});
    CHECK(at.jobs.send(1));
    async_send(at.jobs, at.context->get_executor(), 2, at.end());
    at.poll();
    CHECK(at.told.take() == lines{"jobs: channel_refused to send (overloaded)", handled});
}

TEST_CASE("async channel events: who is destroyed with its context is not told of") {
    fixture at{1};
    async_receive(at.jobs, at.context->get_executor(), at.end());
    at.context.reset();
    CHECK(at.told.take().empty());
    CHECK(at.jobs.core().waiting_now().receivers == 0);
}

TEST_CASE("co_channel events: a coroutine is told of as a thread is") {
    manual_time time{time_point{1h}};
    support::told_lines told;
    hawser::buffered_channel<int, hawser::overflow::reject, hawser::unit_weight, hawser::no_watch,
                             environment_type>
        jobs{{.capacity = 1}, {}, {}, {}, manual_and_observed(time, told), named{"jobs"}};
    asio::io_context context{1};
    asio::co_spawn(
        context,
        [&]() -> asio::awaitable<void> {
            auto const room = co_await hawser::co_send(jobs, 1);
            CHECK(room);
            auto const refused = co_await hawser::co_send(jobs, 2);
            CHECK(refused.what() == transfer::would_wait);
            auto const value = co_await hawser::co_receive(jobs);
            CHECK(value);
            auto const nothing = co_await hawser::co_receive(jobs);
            CHECK(nothing.what() == transfer::closed);
        },
        asio::detached);
    context.poll();
    CHECK(told.take() == lines{"jobs: channel_refused to send (overloaded)"});
    time.advance(3ms);
    jobs.close();
    context.restart();
    context.poll();
    CHECK(told.take() == lines{"jobs: channel_closed (0 left)",
                               "jobs: channel_waited to receive for 3ms (closed, depth 0)"});
}
