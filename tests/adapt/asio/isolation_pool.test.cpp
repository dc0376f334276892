// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/asio/isolation_pool.hpp>

#include <hawser/adapt/asio/isolated.hpp>

#include "support/catch.hpp"
#include "support/isolation.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using hawser::borrow;
using hawser::errc;
using hawser::isolated;
using hawser::isolation_options;
using hawser::isolation_pool;
using hawser::try_execute;
using support::holding;

namespace {

std::string refused_with(isolation_options const& options, hawser::named name = {"x"}) {
    try {
        isolation_pool pool{options, name};
    } catch (std::invalid_argument const& wrong) {
        return wrong.what();
    }
    return "not refused";
}

auto const now = [] { return hawser::steady_clock_source{}.now(); };

/// A pool, and callers of it that end before it goes.
struct stand {
    explicit stand(isolation_options const& options) : pool{std::in_place, options} {}
    ~stand() {
        held.let_all_go();
        callers.clear();
    }

    holding held;
    std::mutex mutex;
    std::vector<int> order;
    std::vector<errc> ends;
    std::vector<std::jthread> callers;
    std::optional<isolation_pool> pool;

    /// From another thread, a call that stays until it is let go; known to the pool on return.
    void call(int number = 0) {
        auto const before = pool->snapshot();
        callers.emplace_back([this, number] {
            auto const line = hawser::compose(isolated{borrow(*pool)});
            auto const out = try_execute(line, [this, number](auto& inner) {
                {
                    std::lock_guard const lock{mutex};
                    order.push_back(number);
                }
                held.stay(inner.stop_token());
            });
            std::lock_guard const lock{mutex};
            ends.push_back(out.code());
        });
        support::await_pool(*pool, [&](auto const& at) {
            return at.running + at.waiting > before.running + before.waiting;
        });
    }
};

}  // namespace

TEST_CASE("isolation_pool: says which field is wrong") {
    CHECK(refused_with({.threads = 0}) == "isolation_pool: threads is not in [1, 4096]");
    CHECK(refused_with({.threads = 4097}) == "isolation_pool: threads is not in [1, 4096]");
    CHECK(refused_with({.threads = 1}, {nullptr}) == "isolation_pool: name is null");
    CHECK(refused_with({.threads = 1, .places = 0}) == "not refused");
}

TEST_CASE("isolation_pool: at most as many operations run as there are threads, the rest wait") {
    stand on{{.threads = 3, .places = 4}};
    for (int caller = 0; caller != 7; ++caller) on.call();
    on.held.await_started(3);

    auto const full = on.pool->snapshot();
    CHECK((full.running == 3 && full.waiting == 4 && full.behind == 0 && !full.closed));
    auto const line = hawser::compose(isolated{borrow(*on.pool)});
    CHECK(try_execute(line, [] {}).code() == errc::bulkhead_full);

    on.held.let_all_go();
    on.callers.clear();
    CHECK(on.held.started == 7);
    CHECK(on.held.most == 3);
    CHECK(on.ends == std::vector<errc>(7, errc{}));
}

TEST_CASE("isolation_pool: a pool without places to wait runs as many calls as it has threads") {
    stand on{{.threads = 2, .places = 0}};
    on.call();
    on.call();
    auto const line = hawser::compose(isolated{borrow(*on.pool)});
    CHECK(try_execute(line, [] {}).code() == errc::bulkhead_full);
    on.held.let_go();
    support::await_pool(*on.pool, [](auto const& at) { return at.running + at.waiting == 1; });
    CHECK(try_execute(line, [] {}).has_value());
}

TEST_CASE("isolation_pool: calls that wait are run in the order of their arrival") {
    stand on{{.threads = 1, .places = 5}};
    for (int caller = 0; caller != 6; ++caller) on.call(caller);
    on.held.let_all_go();
    on.callers.clear();
    CHECK(on.order == std::vector<int>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("isolation_pool: to stop it refuses what waits and waits for what runs") {
    stand on{{.threads = 1, .places = 2}};
    on.call();
    on.held.await_started(1);
    on.call();
    on.call();

    std::atomic<bool> stopped{false};
    std::atomic<int> inside_when_stopped{-1};
    std::jthread stopper{[&] {
        on.pool->stop();
        inside_when_stopped = on.held.inside.load();
        stopped = true;
    }};
    support::await_pool(*on.pool, [](auto const& at) { return at.closed && at.waiting == 0; });
    CHECK_FALSE(stopped);
    CHECK(on.held.inside == 1);
    on.held.let_go();
    on.callers.clear();
    stopper.join();

    CHECK(std::count(on.ends.begin(), on.ends.end(), errc::closed) == 2);
    CHECK(std::count(on.ends.begin(), on.ends.end(), errc{}) == 1);
    CHECK(inside_when_stopped == 0);
    CHECK(on.held.started == 1);
    CHECK(on.held.told == 0);
}

TEST_CASE("isolation_pool: its destructor waits for what runs, though nobody awaits it") {
    stand on{{.threads = 1, .places = 0}};
    auto const line = hawser::compose(isolated{borrow(*on.pool)});
    std::stop_source patience;
    std::atomic<errc> end{};
    std::jthread caller{[&] {
        end = try_execute(line, {.stop = patience.get_token()}, [at = &on.held] {
                  at->stay();
              }).code();
    }};
    on.held.await_started(1);
    patience.request_stop();
    caller.join();
    REQUIRE(end == errc::cancelled);

    // Let go once the destructor has begun: it closes the pool.
    auto const core = on.pool->core();
    std::jthread const friendly{[&] {
        while (!core->snapshot().closed) std::this_thread::yield();
        on.held.let_all_go();
    }};
    on.pool.reset();

    CHECK(on.held.started == 1);
    CHECK(on.held.inside == 0);
}

TEST_CASE("isolation_pool: drained by a deadline, it asks what still runs to stop and says so") {
    stand on{{.threads = 2, .places = 0}};
    on.call();
    on.call();
    on.held.await_started(2);

    CHECK(on.pool->drain(now() + 1ms) == 2);

    on.held.let_all_go();
    on.callers.clear();
    CHECK(on.held.told == 2);
    CHECK(on.pool->drain(hawser::no_deadline) == 0);
    CHECK(on.pool->drain(now()) == 0);
}

TEST_CASE("isolation_pool: may be closed by an operation that it runs") {
    isolation_pool pool{{.threads = 1}};
    auto const line = hawser::compose(isolated{borrow(pool)});
    CHECK(hawser::execute(line, [at = &pool] {
        at->close();
        at->close();
        return at->snapshot().closed;
    }));
    CHECK(try_execute(line, [] {}).code() == errc::closed);
}
