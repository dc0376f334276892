// SPDX-License-Identifier: BSL-1.0
//
// What a call allocates, where from, and that nothing is left when something throws.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/policy/retry.hpp>
#include <hawser/policy/timeout.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/allocations.hpp"
#include "support/asio_calls.hpp"
#include "support/catch.hpp"
#include "support/test_bulkhead.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <stdexcept>
#include <stop_token>

using namespace std::chrono_literals;
using namespace support;
using manner = dependency::manner;

struct block_counts {
    int made = 0;
    int alive = 0;
    int alive_at_completion = -1;
};

template <class T>
struct counting_allocator {
    using value_type = T;
    block_counts* counts;

    explicit counting_allocator(block_counts& in) : counts{&in} {}
    template <class U>
    counting_allocator(counting_allocator<U> const& other) noexcept : counts{other.counts} {}
    T* allocate(std::size_t n) {
        ++counts->made;
        ++counts->alive;
        return std::allocator<T>{}.allocate(n);
    }
    void deallocate(T* block, std::size_t n) noexcept {
        --counts->alive;
        std::allocator<T>{}.deallocate(block, n);
    }
    friend bool operator==(counting_allocator const&, counting_allocator const&) = default;
};
template <>
struct counting_allocator<void> {
    using value_type = void;
    block_counts* counts;
    explicit counting_allocator(block_counts& in) : counts{&in} {}
    template <class U>
    counting_allocator(counting_allocator<U> const& other) noexcept : counts{other.counts} {}
    friend bool operator==(counting_allocator const&, counting_allocator const&) = default;
};

/// Brings an allocator, and may throw when it is moved into the call.
struct counting_handler {
    using allocator_type = counting_allocator<void>;
    block_counts* counts;
    int moves_left = 1000;

    counting_handler(block_counts& in, int moves) : counts{&in}, moves_left{moves} {}
    counting_handler(counting_handler&& other)
        : counts{other.counts}, moves_left{other.moves_left - 1} {
        if (moves_left < 0) throw std::runtime_error{"handler does not move"};
    }
    [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_type{*counts}; }
    void operator()(error_code, int) { counts->alive_at_completion = counts->alive; }
};

static auto make_line(hawser::testing::asio_time& time, test_bulkhead& bulkhead) {
    return hawser::compose_in(
        time.environment(), hawser::borrow(bulkhead),
        hawser::retry{{.max_attempts = 3}, hawser::jitter::none{}, hawser::no_budget{}},
        hawser::attempt_timeout{1s});
}

struct stand {
    asio::io_context io;
    hawser::testing::asio_time time{io};
    test_bulkhead bulkhead{1};
    dependency remote{io.get_executor()};
    block_counts blocks;
    decltype(make_line(time, bulkhead)) line = make_line(time, bulkhead);

    template <class Operation>
    void start(Operation&& op, int moves = 1000) {
        hawser::async_execute(line, io.get_executor(), std::forward<Operation>(op),
                              counting_handler{blocks, moves});
    }
};

TEST_CASE("async_execute: a call is one block, freed before its handler is invoked") {
    stand on;
    on.start(request{&on.remote});
    CHECK(on.blocks.made == 1);

    on.remote.fail();
    on.time.advance(1s);  // The backoff, and the timeout of the second attempt begins.
    on.remote.succeed(1);
    on.time.run();

    CHECK(on.blocks.made == 1);
    CHECK(on.blocks.alive_at_completion == 0);
    CHECK(on.blocks.alive == 0);
}

TEST_CASE("async_execute: what is posted to the call comes from other memory than its handler's") {
    // The handler's allocator may be one that only the call's own thread can use; a bell, a stop
    // and a deadline come from any thread.
    stand on;
    REQUIRE(on.bulkhead.try_take());
    std::stop_source stop;
    hawser::async_execute(on.line, on.io.get_executor(), {.stop = stop.get_token()},
                          request{&on.remote}, counting_handler{on.blocks, 1000});
    on.bulkhead.give_back();
    on.time.poll();
    on.time.advance(1s);
    stop.request_stop();
    on.time.run();
    CHECK(on.blocks.alive_at_completion == 0);
    CHECK(on.blocks.made == 1);
}

TEST_CASE("async_execute: a destroyed call frees its block") {
    stand on;
    on.start(request{&on.remote});
    on.remote.drop();
    CHECK(on.blocks.alive == 0);
    CHECK(on.blocks.made == 1);
}

TEST_CASE("async_execute: a handler that throws when it is moved in leaves nothing") {
    // However many moves it survives, until there are enough for a call to begin.
    int thrown = 0;
    for (int moves = 0;; ++moves) {
        stand on;
        try {
            on.start(request{&on.remote}, moves);
        } catch (std::runtime_error const&) {
            ++thrown;
            CHECK(on.blocks.alive == 0);
            CHECK(on.bulkhead.is_whole());
            continue;
        }
        on.remote.drop();
        CHECK(on.blocks.alive == 0);
        break;
    }
    CHECK(thrown > 0);
}

/// An operation that throws when it is copied into the call.
struct heavy_request : request {
    explicit heavy_request(dependency& at) : request{&at} {}
    heavy_request(heavy_request const& other) : request{other} {
        throw std::runtime_error{"operation does not copy"};
    }
};

TEST_CASE("async_execute: an operation that throws when it is copied in leaves nothing") {
    stand on;
    heavy_request const op{on.remote};
    CHECK_THROWS_AS(on.start(op), std::runtime_error);
    CHECK(on.blocks.alive == 0);
    CHECK(on.remote.starts == 0);
    CHECK(on.bulkhead.is_whole());
}

/// Completes through its handler's executor, with the handler's own memory, as Asio's do.
struct posting_request {
    asio::io_context* io;

    template <class Handler>
    struct completion {
        using allocator_type = asio::associated_allocator_t<Handler>;
        using executor_type = asio::associated_executor_t<Handler>;
        allocator_type get_allocator() const noexcept {
            return asio::get_associated_allocator(handler);
        }
        executor_type get_executor() const noexcept {
            return asio::get_associated_executor(handler);
        }
        void operator()() { std::move(handler)(error_code{}, 1); }
        Handler handler;
    };

    template <class Call, class Token>
    auto operator()(Call&, Token&& token) const {
        return asio::async_initiate<Token, void(error_code, int)>(
            [](auto handler, asio::io_context* at) {
                asio::post(*at, completion<decltype(handler)>{std::move(handler)});
            },
            token, io);
    }
};

/// Starts the next call when one has completed, as a server does.
struct chain {
    stand* on;
    int* left;
    std::uint64_t* allocated;

    void operator()(error_code, int) const {
        if (*left == 500) *allocated = support::allocation_count.load();
        if (*left == 0) *allocated = support::allocation_count.load() - *allocated;
        if ((*left)-- > 0)
            hawser::async_execute(on->line, on->io.get_executor(), posting_request{&on->io}, *this);
    }
};

TEST_CASE("async_execute: in the steady state a call allocates nothing") {
    stand on;
    int left = 1000;
    std::uint64_t allocated = 0;
    asio::post(on.io, [&] { chain{&on, &left, &allocated}({}, 0); });
    on.io.run();
    CHECK(left == -1);
    CHECK(allocated == 0);
    CHECK(on.bulkhead.counts().entered == 1000);
}

TEST_CASE("async_execute: in the steady state real deadlines allocate nothing") {
    stand on;
    auto const line = hawser::compose(hawser::attempt_timeout{1h});
    int left = 1000;
    std::uint64_t allocated = 0;
    struct timed_chain : chain {
        decltype(line)* through;
        void operator()(error_code, int) const {
            if (*left == 500) *allocated = support::allocation_count.load();
            if (*left == 0) *allocated = support::allocation_count.load() - *allocated;
            if ((*left)-- > 0)
                hawser::async_execute(*through, on->io.get_executor(), posting_request{&on->io},
                                      *this);
        }
    };
    asio::post(on.io, [&] { timed_chain{{&on, &left, &allocated}, &line}({}, 0); });
    on.io.run();
    CHECK(left == -1);
    CHECK(allocated == 0);
}
