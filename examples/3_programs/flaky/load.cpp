// SPDX-License-Identifier: BSL-1.0
#include "load.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <thread>
#include <vector>

namespace flaky {
namespace {

class load {
public:
    load(settings const& all, duration script_length, client& asked, meter& counts)
        : gap_{duration{1s} / all.calls_per_second},
          calls_{static_cast<std::uint64_t>(script_length / gap_)},
          patience_{all.patience},
          asked_{asked},
          counts_{counts} {}

    /// One of the threads of the pool: takes the next call of an even number, and the next.
    void work(endpoint const& server) {
        blocking_connection connection{server};
        for (;;) {
            auto const number = next_even_.fetch_add(2, std::memory_order_relaxed);
            if (number >= calls_) return;
            auto const call = call_of(number);
            std::this_thread::sleep_until(call.due);
            count(call, out_of_time(call) ? answer::failed : asked_.ask(connection, call));
        }
    }

    /// Starts a coroutine for each call of an odd number when it is due.
    asio::awaitable<void> start_coroutines(connection_pool& pool) {
        auto const executor = co_await asio::this_coro::executor;
        asio::steady_timer timer{executor};
        for (std::uint64_t number = 1; number < calls_; number += 2) {
            auto const call = call_of(number);
            timer.expires_at(call.due);
            co_await timer.async_wait(asio::use_awaitable);
            asio::co_spawn(executor, run(pool, call), asio::detached);
        }
    }

private:
    [[nodiscard]] price_call call_of(std::uint64_t number) const noexcept {
        auto const due = counts_.start() + gap_ * static_cast<duration::rep>(number);
        return {number, due, due + patience_};
    }
    static bool out_of_time(price_call const& call) noexcept {
        return std::chrono::steady_clock::now() >= call.deadline;
    }

    asio::awaitable<void> run(connection_pool& pool, price_call call) {
        count(call, co_await asked_.ask_async(pool, call));
    }

    /// What comes when nobody waits any more is no answer.
    void count(price_call const& call, answer got) {
        auto const late = out_of_time(call);
        auto const known = late ? call.deadline : std::chrono::steady_clock::now();
        counts_.ended(late ? answer::failed : got, call.due, known);
    }

    duration gap_;
    std::uint64_t calls_;
    duration patience_;
    client& asked_;
    meter& counts_;
    std::atomic<std::uint64_t> next_even_{0};
};

}  // namespace

void offer_load(settings const& all, duration script_length, endpoint const& server, client& asked,
                meter& counts) {
    load work{all, script_length, asked, counts};
    std::vector<std::jthread> threads;
    for (std::uint32_t i = 0; i < all.threads; ++i)
        threads.emplace_back([&] { work.work(server); });

    asio::io_context context{1};
    connection_pool pool{context.get_executor(), server};
    asio::co_spawn(context, work.start_coroutines(pool), asio::detached);
    context.run();
}

}  // namespace flaky
