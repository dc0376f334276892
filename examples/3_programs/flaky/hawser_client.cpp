// SPDX-License-Identifier: BSL-1.0
//
// The client through a pipeline. This file is what a program that uses hawser has to write:
//
//     fallback          the last price known, if there is no better answer
//     total timeout     all attempts and the waits between them
//     retry             with backoff, jitter and a budget of 20 % extra load
//     circuit breaker   at once, while it is known that the server is down
//     attempt timeout   one exchange with the server
#include "client.hpp"
#include "server.hpp"

#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <mutex>
#include <utility>

namespace flaky {
namespace {

/// The last price known: what a caller gets while there is no better answer.
class last_price {
public:
    void learn(http_reply const& reply) {
        std::lock_guard const lock{mutex_};
        known_ = reply;
    }
    /// Throws the call's own error if no price is known yet.
    http_reply recall(hawser::call_error const& error) const {
        std::lock_guard const lock{mutex_};
        if (known_.status != 0) return known_;
        if (error.thrown) std::rethrow_exception(error.thrown);
        throw hawser::refused{error.why};
    }

private:
    mutable std::mutex mutex_;
    http_reply known_;
};

using breaker_type = hawser::basic_circuit_breaker<hawser::told_to<hawser::sink_reference<meter>>>;

auto make_line(settings const& all, meter& events, breaker_type& breaker, last_price const& known) {
    return hawser::compose_in(
        hawser::observed_by(events),
        hawser::fallback{[&known](hawser::call_error const& error) { return known.recall(error); }},
        hawser::total_timeout{all.total_limit},
        hawser::retry{{.max_attempts = 4, .refusal_wait_max = 0s},
                      hawser::backoff::exponential{.base = 20ms, .cap = 200ms},
                      hawser::seeded_random{all.seed}},
        hawser::borrow(breaker),  //
        hawser::attempt_timeout{all.attempt_limit});
}

class hawser_client final : public client {
public:
    hawser_client(settings const& all, meter& events)
        : breaker_{{.window = all.breaker_window,
                    .open_for = all.open_for,
                    .open_for_max = all.open_for},
                   hawser::told_by_reference(events)},
          line_{make_line(all, events, breaker_, known_)} {
        events.breaker_begins(hawser::to_string(breaker_.state()));
    }

    answer ask(blocking_connection& connection, price_call const& call) override {
        auto const get = [&](auto& now) {
            return connection.get(target_of({call.number, now.attempt()}), now.deadline());
        };
        return answer_of(hawser::try_execute(line_, {.deadline = call.deadline}, get));
    }

    asio::awaitable<answer> ask_async(connection_pool& pool, price_call const& call) override {
        // No deadline for the socket: a timeout cancels the coroutine.
        auto const get = [&](auto& now) {
            return pool.get(target_of({call.number, now.attempt()}));
        };
        hawser::call_facts<> const facts{.deadline = call.deadline};
        auto const executor = co_await asio::this_coro::executor;
        co_return answer_of(
            co_await hawser::async_try_execute(line_, executor, facts, get, asio::use_awaitable));
    }

private:
    answer answer_of(hawser::outcome<http_reply> const& got) {
        if (got.classify() != hawser::verdict::success) return answer::failed;
        if (got.origin().degraded) return answer::degraded;
        known_.learn(got.value());
        return answer::fresh;
    }

    last_price known_;
    breaker_type breaker_;
    decltype(make_line(std::declval<settings const&>(), std::declval<meter&>(),
                       std::declval<breaker_type&>(), std::declval<last_price const&>())) line_;
};

}  // namespace

std::unique_ptr<client> make_hawser_client(settings const& all, meter& events) {
    return std::make_unique<hawser_client>(all, events);
}

}  // namespace flaky
