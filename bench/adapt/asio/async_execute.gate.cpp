// SPDX-License-Identifier: BSL-1.0
//
// What does a pipeline add to an Asio operation? The operation is one post to an io_context that
// one thread runs; a row chains a thousand of them, each begun by the completion of the one before.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>

#include "support/allocations.hpp"
#include "support/gate.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>

namespace {

using namespace std::chrono_literals;
using boost::system::error_code;
namespace asio = boost::asio;

constexpr int calls = 1'000;

/// Completes from the event loop, without an error.
struct posted {
    asio::io_context& io;

    template <class Token>
    auto start(Token&& token) const {
        return asio::async_initiate<Token, void(error_code, int)>(
            [](auto handler, asio::io_context* context) {
                asio::post(*context, [handler = std::move(handler)]() mutable {
                    std::move(handler)(error_code{}, 1);
                });
            },
            token, &io);
    }
    template <class Call, class Token>
    auto operator()(Call&, Token&& token) const {
        return start(std::forward<Token>(token));
    }
};

/// Runs `begin(handler)` a thousand times, one after the other.
template <class Begin>
class chain {
public:
    chain(asio::io_context& io, Begin begin) : io_{io}, begin_{std::move(begin)} {}

    void operator()() {
        left_ = calls;
        next();
        while (left_ != 0) io_.poll();
        io_.restart();
    }

private:
    void next() {
        begin_([this](error_code const&, int) {
            if (--left_ != 0) next();
        });
    }

    asio::io_context& io_;
    Begin begin_;
    int left_ = 0;
};

template <class Code>
std::uint64_t allocations_of(Code& code) {
    code();
    support::allocation_probe const probe;
    code();
    return probe.count();
}

}  // namespace

int main(int argc, char** argv) {
    support::gate gate{argc, argv};
    asio::io_context io{1};
    auto const executor = io.get_executor();
    posted const operation{io};

    hawser::circuit_breaker breaker;
    auto const guarded = hawser::compose(hawser::retry{}, hawser::borrow(breaker));
    auto const timed =
        hawser::compose(hawser::retry{}, hawser::borrow(breaker), hawser::attempt_timeout{10s});

    chain bare{io, [&](auto handler) { operation.start(std::move(handler)); }};
    chain through{io, [&](auto handler) {
                      hawser::async_execute(guarded, executor, operation, std::move(handler));
                  }};
    chain with_timeout{io, [&](auto handler) {
                           hawser::async_execute(timed, executor, operation, std::move(handler));
                       }};

    gate.at_most_times("retry + breaker, against the bare operation", bare, through, 2.5, calls);
    gate.exactly("retry + breaker, allocations", allocations_of(through), 0);

    // A live timer makes every turn of the event loop visit the reactor: that is its price, and not
    // the pipeline's.
    asio::steady_timer alive{io, 24h};
    alive.async_wait([](error_code const&) {});
    gate.at_most_over("and a timeout, over the same with a live timer", through, with_timeout, 60.0,
                      calls);
    gate.exactly("with a timeout, allocations", allocations_of(with_timeout), 0);
    return gate.verdict();
}
