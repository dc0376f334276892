// SPDX-License-Identifier: BSL-1.0
//
// The result of an asynchronous call is moved out of its block before the handler is invoked, where
// nothing can catch what a move throws.
// expect: hawser: the result of an asynchronous operation must be nothrow-movable
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/compose/pipeline.hpp>
#include <hawser/policy/timeout.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>

struct reply {
    reply() = default;
#ifdef HAWSER_ACCEPT
    reply(reply&&) noexcept {}
#else
    reply(reply&&) noexcept(false) {}
#endif
};

int main() {
    using namespace hawser;
    boost::asio::io_context io;
    auto const op = []() -> boost::asio::awaitable<reply> { co_return reply{}; };
    auto const line = compose(attempt_timeout{std::chrono::seconds{1}});
    async_execute(line, io.get_executor(), op, [](std::exception_ptr, reply) {});
    io.run();
}
