// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: isolated outside and inside of each other policy, in plain calls. The caller
// waits on one thread for what runs on another, so it is told when to look: when the pool is idle
// again, or, if it is to leave, when the operation runs.
#include <hawser/adapt/asio/isolated.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/isolation.hpp"
#include "support/matrix_pairs.hpp"

#include <atomic>
#include <functional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;

namespace {

/// What the calls go through outlives the pool.
template <class Kind>
struct beside : sync_stand {
    Kind other{"other", scene.time.now()};
};

template <class Kind, bool Outside>
struct stand : beside<Kind> {
    static constexpr bool stands_in = Kind::stands_in;
    static constexpr bool is_outside = Outside;

    holding held;
    std::atomic<int> started{0};
    hawser::isolation_pool pool{{.threads = 1, .places = 1}};
    std::vector<std::jthread> others;

    stand() = default;
    stand(stand const&) = delete;
    stand& operator=(stand const&) = delete;
    ~stand() { held.let_all_go(); }
    auto line() {
        constexpr hawser::allow<hawser::order::fallback_inside_retry,
                                hawser::order::total_timeout_inside_retry,
                                hawser::order::attempt_timeout_outside_retry>
            any_order{};
        auto const env = this->scene.environment();
        if constexpr (Outside)
            return hawser::compose_in(env, any_order, hawser::isolated{hawser::borrow(pool)},
                                      this->other.layer());
        else
            return hawser::compose_in(env, any_order, this->other.layer(),
                                      hawser::isolated{hawser::borrow(pool)});
    }
    auto call(auto const& line, reply with, hawser::time_point deadline = hawser::no_deadline) {
        hawser::call_facts<> const facts{.deadline = deadline, .stop = this->caller.get_token()};
        return hawser::try_execute(line, facts, [this, with] {
            ++started;
            held.stay();
            return with;
        });
    }

    /// Runs `then` when the caller, who is on this thread, begins to wait for the pool.
    void when_caller_waits(std::function<void()> then) {
        auto const here = std::this_thread::get_id();
        this->scene.on_wait = [this, here, then = std::move(then)] {
            auto const now = pool.snapshot();
            if (std::this_thread::get_id() == here && now.running + now.waiting != 0) then();
        };
    }
    /// Occupies the thread of the pool, and the place to wait.
    void occupy(std::uint32_t calls) {
        for (; calls != 0; --calls) {
            others.emplace_back([this] {
                auto const bare = hawser::compose(hawser::isolated{hawser::borrow(pool)});
                (void)hawser::try_execute(bare, [at = &held] { at->stay(); });
            });
            if (others.size() == 1)
                held.await_started(1);
            else
                await_pool(pool, [](auto const& now) { return now.waiting == 1; });
        }
    }
    bool has_all_back() {
        held.let_all_go();
        others.clear();
        await_idle(pool);
        return pool.snapshot().behind == 0 && this->other.is_whole(*this, this->scene.time.now());
    }
};

enum class fate { success, failure, full, cancel, cancel_in_queue, timeout, unwinding };

void meet(auto& on, auto const& line, fate which) {
    reply const good{.value = 7};
    reply const bad{.failed = true};
    switch (which) {
        case fate::success:
            on.held.let_all_go();
            on.when_caller_waits([&] { await_idle(on.pool); });
            CHECK(on.call(line, good).value().value == 7);
            CHECK(on.started == 1);
            break;
        case fate::failure:
            on.held.let_all_go();
            on.when_caller_waits([&] { await_idle(on.pool); });
            CHECK((on.call(line, bad).classify() == hawser::verdict::success) == on.stands_in);
            CHECK(on.started >= 1);
            break;
        case fate::full: {
            on.occupy(2);
            auto const out = on.call(line, good);
            if (on.stands_in && !on.is_outside)
                CHECK(out.value().value == 42);
            else
                CHECK(out.code() == errc::bulkhead_full);
            CHECK(on.has_all_back());
            CHECK(on.started == 0);
            break;
        }
        case fate::cancel:
            on.when_caller_waits([&] {
                on.held.await_started(1);
                on.caller.request_stop();
            });
            CHECK(on.call(line, bad).code() == errc::cancelled);
            CHECK(on.pool.snapshot().behind == 1);
            CHECK(on.has_all_back());
            CHECK(on.started == 1);
            break;
        case fate::cancel_in_queue:
            on.occupy(1);
            on.when_caller_waits([&] { on.caller.request_stop(); });
            CHECK(on.call(line, good).code() == errc::cancelled);
            CHECK(on.pool.snapshot().waiting == 0);
            CHECK(on.has_all_back());
            CHECK(on.started == 0);
            break;
        case fate::timeout:
            on.when_caller_waits([&] { on.held.await_started(1); });
            CHECK(on.call(line, bad, on.scene.start + 30ms).code() == errc::timed_out);
            CHECK(on.scene.elapsed() == 30ms);
            CHECK(on.pool.snapshot().behind == 1);
            CHECK(on.has_all_back());
            CHECK(on.started == 1);
            break;
        case fate::unwinding:
            on.scene.hold = true;
            CHECK(unwound([&] { (void)on.call(line, bad); }, [&] { on.held.await_started(1); }));
            CHECK(on.pool.snapshot().behind == 1);
            CHECK(on.has_all_back());
            CHECK(on.started == 1);
            break;
    }
}

template <class... Kinds>
void play(kind_list<Kinds...>, fate which) {
    auto const with = [which]<class Stand>(std::type_identity<Stand>) {
        Stand on;
        auto const line = on.line();
        meet(on, line, which);
        CHECK(on.has_all_back());
    };
    (with(std::type_identity<stand<Kinds, true>>{}), ...);
    (with(std::type_identity<stand<Kinds, false>>{}), ...);
}

void play(fate which) {
    play(plain_kinds<sync_stand>{}, which);
    play(limit_kinds<sync_stand>{}, which);
    play(door_kinds<sync_stand>{}, which);
    play(learning_kinds<sync_stand>{}, which);
}

}  // namespace

TEST_CASE("matrix: pairs with isolated, sync, success: is passed on, and everything comes back") {
    play(fate::success);
}

TEST_CASE("matrix: pairs with isolated, sync, failure: ends once, and everything comes back") {
    play(fate::failure);
}

TEST_CASE("matrix: pairs with isolated, sync, refusal: a full queue gives everything back") {
    play(fate::full);
}

TEST_CASE("matrix: pairs with isolated, sync, caller cancel: one in the operation gives all back") {
    play(fate::cancel);
}

TEST_CASE("matrix: pairs with isolated, sync, caller cancel: one in the queue gives all back") {
    play(fate::cancel_in_queue);
}

TEST_CASE("matrix: pairs with isolated, sync, timeout: one in the operation gives all back") {
    play(fate::timeout);
}

TEST_CASE("matrix: pairs with isolated, sync, forced unwinding: everything comes back") {
    play(fate::unwinding);
}
