// SPDX-License-Identifier: BSL-1.0
//
// A call that first waits long and is then in a hurry.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"
#include "support/test_bulkhead.hpp"

#include <boost/asio/io_context.hpp>

using namespace std::chrono_literals;

TEST_CASE("async_execute: after a long wait that ended early, a short timeout comes in its time") {
    boost::asio::io_context io;
    hawser::testing::asio_time time{io};
    support::dependency remote{io.get_executor()};
    support::test_bulkhead bulkhead{1, 10, 10s};
    support::receipt got;
    auto const line = hawser::compose_in(time.environment(), hawser::borrow(bulkhead),
                                         hawser::attempt_timeout{250ms});
    REQUIRE(bulkhead.try_take());
    hawser::async_execute(line, io.get_executor(), support::request{&remote},
                          support::to_receipt{got, io.get_executor()});
    time.advance(1s);
    REQUIRE(remote.starts == 0);

    bulkhead.give_back();
    time.advance(249ms);
    CHECK(got.completed == 0);
    time.advance(1ms);

    CHECK(remote.starts == 1);
    CHECK(got.completed == 1);
    CHECK(got.code == hawser::make_error_code(hawser::errc::timed_out));
}
