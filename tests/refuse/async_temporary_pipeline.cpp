// SPDX-License-Identifier: BSL-1.0
//
// A temporary pipeline would be gone before the call completes.
// expect: deleted
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/compose/pipeline.hpp>
#include <hawser/policy/timeout.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

int main() {
    using namespace hawser;
    boost::asio::io_context io;
    auto const op = []() -> boost::asio::awaitable<int> { co_return 1; };
#ifdef HAWSER_ACCEPT
    auto const line = compose(attempt_timeout{std::chrono::seconds{1}});
    async_execute(line, io.get_executor(), op, boost::asio::detached);
#else
    async_execute(compose(attempt_timeout{std::chrono::seconds{1}}), io.get_executor(), op,
                  boost::asio::detached);
#endif
    io.run();
}
