// SPDX-License-Identifier: BSL-1.0
//
// What every asynchronous test includes, compiled once for all of them.
#ifndef HAWSER_TESTS_SUPPORT_PCH_ASIO_HPP
#define HAWSER_TESTS_SUPPORT_PCH_ASIO_HPP

#include "support/catch.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#endif  // HAWSER_TESTS_SUPPORT_PCH_ASIO_HPP
