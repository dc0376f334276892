// SPDX-License-Identifier: BSL-1.0
//
// The caller's facts bring a deadline and a stop token, which come on threads of their own.
// expect: hawser: a call that may wait or time out needs a handler executor that serialises
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/compose/pipeline.hpp>
#include <hawser/policy/circuit_breaker.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/thread_pool.hpp>

int main() {
    using namespace hawser;
    boost::asio::thread_pool pool;
    auto const op = []() -> boost::asio::awaitable<int> { co_return 1; };
    circuit_breaker breaker;
    auto const line = compose(borrow(breaker));
#ifdef HAWSER_ACCEPT
    async_execute(line, pool.get_executor(), op, boost::asio::detached);
#else
    call_facts<> const facts;
    async_execute(line, pool.get_executor(), facts, op, boost::asio::detached);
#endif
    pool.join();
}
