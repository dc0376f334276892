// SPDX-License-Identifier: BSL-1.0
//
// A call that is destroyed wherever it happens to be gives back what its layers lent, and does not
// complete.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/policy/retry.hpp>
#include <hawser/policy/timeout.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"
#include "support/test_bulkhead.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include <optional>

using namespace std::chrono_literals;
using namespace support;
using manner = dependency::manner;

static auto make_line(hawser::testing::asio_time& time, test_bulkhead& bulkhead) {
    return hawser::compose_in(
        time.environment(), hawser::borrow(bulkhead),
        hawser::retry{{.max_attempts = 3}, hawser::jitter::none{}, hawser::no_budget{}},
        hawser::attempt_timeout{1s});
}

/// One permit and everything a call can wait in, on a context that can be destroyed.
struct stand {
    explicit stand(hawser::duration wait_max = hawser::never) : bulkhead{1, 10, wait_max} {}

    test_bulkhead bulkhead;
    receipt first, second;
    std::optional<asio::io_context> io{std::in_place};
    std::optional<hawser::testing::asio_time> time{std::in_place, *io};
    std::optional<dependency> remote{std::in_place, io->get_executor()};
    decltype(make_line(*time, bulkhead)) line = make_line(*time, bulkhead);

    void call(receipt& to) { call(to, io->get_executor()); }
    void call(receipt& to, asio::any_io_executor executor, asio::cancellation_slot slot = {}) {
        hawser::async_execute(line, io->get_executor(), request{&*remote},
                              to_receipt{to, std::move(executor), slot});
    }
    auto& deadlines() { return asio::use_service<hawser::testing::manual_deadlines>(*io); }
    void destroy_context() { io.reset(); }
    bool nothing_completed() const { return first.completed == 0 && second.completed == 0; }
};

TEST_CASE("async_execute: a call destroyed while it operates returns its permit") {
    stand on;
    on.call(on.first);
    on.time->poll();
    REQUIRE(on.bulkhead.counts().held == 1);

    on.remote.reset();  // Destroys the operation's handler.

    CHECK(on.bulkhead.is_whole());
    CHECK(on.bulkhead.counts().abandoned == 1);
    CHECK(on.first.dropped == 1);
    on.time->run();
    CHECK(on.nothing_completed());
}

TEST_CASE("async_execute: a call destroyed while it backs off returns its permit") {
    stand on;
    on.call(on.first);
    on.remote->fail();
    on.time->poll();
    REQUIRE(on.remote->waiting() == 0);
    REQUIRE(on.bulkhead.counts().held == 1);

    on.destroy_context();

    CHECK(on.bulkhead.is_whole());
    CHECK(on.first.dropped == 1);
    CHECK(on.nothing_completed());
}

TEST_CASE("async_execute: a call destroyed while it is parked leaves the queue") {
    stand on;
    REQUIRE(on.bulkhead.try_take());
    on.call(on.first);
    on.time->poll();
    REQUIRE(on.bulkhead.counts().waiting == 1);

    on.destroy_context();

    CHECK(on.bulkhead.counts().waiting == 0);
    CHECK(on.first.dropped == 1);
    on.bulkhead.give_back();
    CHECK(on.bulkhead.counts().free == 1);
    CHECK(on.nothing_completed());
}

TEST_CASE("async_execute: a call destroyed between its grant and its bell returns the permit") {
    stand on;
    REQUIRE(on.bulkhead.try_take());
    on.call(on.first);
    on.time->poll();

    on.bulkhead.give_back();  // Granted, and the bell is posted, but not run.
    on.destroy_context();

    CHECK(on.bulkhead.is_whole());
    CHECK(on.first.dropped == 1);
    CHECK(on.nothing_completed());
}

TEST_CASE("async_execute: a parked call on a strand is destroyed whichever service goes first") {
    // Services shut down in the opposite order of their making. The strands' service throws away
    // what was posted to a strand; the deadlines' service drops what waits.
    stand on;
    REQUIRE(on.bulkhead.try_take());
    on.call(on.first, asio::make_strand(*on.io));  // Strands come after the deadlines.
    on.time->poll();
    on.bulkhead.give_back();

    on.destroy_context();

    CHECK(on.bulkhead.is_whole());
    CHECK(on.first.dropped == 1);
    CHECK(on.nothing_completed());
}

TEST_CASE("async_execute: a call asked again before its bell has rung, and destroyed, gives back") {
    // The limit of the wait comes between the grant and the bell: the call is let in, and waits for
    // the bell before it goes on.
    for (bool const strand : {false, true}) {
        stand on{50ms};
        REQUIRE(on.bulkhead.try_take());
        on.call(on.first, strand ? asio::any_io_executor{asio::make_strand(*on.io)}
                                 : asio::any_io_executor{on.io->get_executor()});
        on.time->poll();
        auto* const granted = on.bulkhead.grant_silently();
        REQUIRE(granted != nullptr);
        on.time->advance(50ms);
        REQUIRE(on.bulkhead.counts().held == 1);
        REQUIRE(on.remote->starts == 0);

        granted->wake();
        on.destroy_context();

        CHECK(on.bulkhead.is_whole());
        CHECK(on.first.dropped == 1);
        CHECK(on.nothing_completed());
    }
}

TEST_CASE("async_execute: a finished call whose completion is still on its way is destroyed") {
    stand on;
    on.remote->next = manner::answers_inline;
    on.call(on.first);
    REQUIRE(on.bulkhead.is_whole());

    on.destroy_context();

    CHECK(on.first.dropped == 1);
    CHECK(on.nothing_completed());
}

TEST_CASE("async_execute: a permit that one destroyed call returns to another is returned again") {
    // The first call is dropped by its operation, which grants the permit to the second; and that
    // is then destroyed with its bell posted.
    for (bool const strand : {false, true}) {
        stand on;
        asio::any_io_executor executor = on.io->get_executor();
        if (strand) executor = asio::make_strand(*on.io);
        on.call(on.first, executor);
        on.call(on.second, executor);
        on.time->poll();
        REQUIRE(on.bulkhead.counts().waiting == 1);

        on.remote->drop();
        REQUIRE(on.bulkhead.counts().on_way == 1);
        executor = {};
        on.destroy_context();

        CHECK(on.bulkhead.is_whole());
        CHECK(on.first.dropped == 1);
        CHECK(on.second.dropped == 1);
        CHECK(on.nothing_completed());
    }
}

TEST_CASE("async_execute: a deadline on its way when the call is destroyed finds nothing") {
    stand on;
    on.call(on.first);
    on.time->poll();
    on.time->time().set(on.time->now() + 1s);
    // The deadline has been told and its handler is posted, when the operation drops its own.
    on.deadlines().tell_due(on.time->now());
    on.remote->drop();
    CHECK(on.bulkhead.is_whole());

    SECTION("and the handler runs") {
        on.time->run();
        CHECK(on.first.dropped == 1);
    }
    SECTION("and the handler is destroyed") {
        on.destroy_context();
        CHECK(on.first.dropped == 1);
    }
    CHECK(on.nothing_completed());
}

TEST_CASE("async_execute: deadline and bell both on their way are destroyed in either order") {
    for (bool const bell_first : {false, true}) {
        stand on{50ms};
        REQUIRE(on.bulkhead.try_take());
        on.call(on.first);
        on.time->poll();
        auto const end = [&] { on.deadlines().tell_due(on.time->now() + 50ms); };
        if (!bell_first) end();
        on.bulkhead.give_back();
        if (bell_first) end();

        on.destroy_context();

        CHECK(on.bulkhead.is_whole());
        CHECK(on.first.dropped == 1);
        CHECK(on.nothing_completed());
    }
}

TEST_CASE("async_execute: an operation that destroys its handler where it starts ends the call") {
    stand on;
    on.remote->next = manner::drops;
    on.call(on.first);
    on.time->run();

    CHECK(on.bulkhead.is_whole());
    CHECK(on.first.dropped == 1);
    CHECK(on.nothing_completed());
    CHECK(on.io->stopped());  // No work is left that would keep it running.
}

TEST_CASE("async_execute: a signal emitted after the call was destroyed reaches nothing") {
    stand on;
    asio::cancellation_signal signal;
    on.call(on.first, on.io->get_executor(), signal.slot());
    on.time->poll();
    on.remote->drop();
    CHECK(on.first.dropped == 1);

    signal.emit(asio::cancellation_type::terminal);

    on.time->run();
    CHECK(on.nothing_completed());
}

TEST_CASE("async_execute: the signal of a call may be destroyed before it") {
    stand on;
    {
        asio::cancellation_signal signal;
        on.call(on.first, on.io->get_executor(), signal.slot());
        on.time->poll();
    }
    on.remote->drop();
    CHECK(on.bulkhead.is_whole());
    CHECK(on.first.dropped == 1);
}
