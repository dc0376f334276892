// SPDX-License-Identifier: BSL-1.0
//
// Callers with an executor of their own kind.
#include <hawser/adapt/asio/isolated.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

namespace asio = boost::asio;
using hawser::isolation_pool;

namespace {

/// Calls a function whenever it is given something.
struct calling_executor {
    asio::io_context::executor_type inner;
    std::function<void()> const* each_time;

    [[nodiscard]] asio::execution_context& query(asio::execution::context_t) const noexcept {
        return inner.context();
    }
    [[nodiscard]] calling_executor require(asio::execution::blocking_t::never_t) const {
        return *this;
    }
    template <class Function>
    void execute(Function function) const {
        (*each_time)();
        inner.execute(std::move(function));
    }
    bool operator==(calling_executor const&) const = default;
};

}  // namespace

TEST_CASE("isolated: a caller's executor is given the result under no lock") {
    isolation_pool pool{{.threads = 1, .places = 4}};
    auto const line = hawser::compose(hawser::isolated{hawser::borrow(pool)});
    asio::io_context context;
    auto work = asio::make_work_guard(context);  // This executor keeps no context at work.
    int ended = 0;
    auto const end = [&](hawser::outcome<int> const& out) {
        CHECK(out.has_value());
        if (++ended == 2) work.reset();
    };

    // On the pool's thread, with a result in hand, the executor begins another call.
    std::atomic<bool> began{false};
    auto const caller = std::this_thread::get_id();
    std::function<void()> const each_time = [&] {
        if (std::this_thread::get_id() == caller || began.exchange(true)) return;
        hawser::async_try_execute(
            line, context.get_executor(), [] { return 2; }, end);
    };
    calling_executor const mine{context.get_executor(), &each_time};
    hawser::async_try_execute(
        line, context.get_executor(), [] { return 1; }, asio::bind_executor(mine, end));
    context.run();
    CHECK(began);
    CHECK(ended == 2);
}
