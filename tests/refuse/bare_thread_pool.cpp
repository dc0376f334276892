// SPDX-License-Identifier: BSL-1.0
//
// Two threads of a pool could run one call at once, as soon as it can wait or time out.
// expect: hawser: a call that may wait or time out needs a handler executor that serialises
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/compose/pipeline.hpp>
#include <hawser/policy/circuit_breaker.hpp>
#include <hawser/policy/timeout.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

int main() {
    using namespace hawser;
    boost::asio::thread_pool pool;
    auto const op = []() -> boost::asio::awaitable<int> { co_return 1; };
#ifdef HAWSER_ACCEPT
    // A strand serialises; a call that only passes gates needs no more; and allow lifts the rule.
    auto const line = compose(attempt_timeout{std::chrono::seconds{1}});
    async_execute(line, boost::asio::make_strand(pool), op, boost::asio::detached);
    circuit_breaker breaker;
    auto const gates = compose(borrow(breaker));
    async_execute(gates, pool.get_executor(), op, boost::asio::detached);
    auto const allowed =
        compose(allow<order::bare_thread_pool>{}, attempt_timeout{std::chrono::seconds{1}});
    async_execute(allowed, pool.get_executor(), op, boost::asio::detached);
#else
    auto const line = compose(attempt_timeout{std::chrono::seconds{1}});
    async_execute(line, pool.get_executor(), op, boost::asio::detached);
#endif
    pool.join();
}
