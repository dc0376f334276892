// SPDX-License-Identifier: BSL-1.0
//
// What the cells of the contract matrix for `isolated` share: a pool of one thread and one place to
// wait, other calls that occupy them, and an operation that stays on the thread until it is let go.
#ifndef HAWSER_TESTS_SUPPORT_MATRIX_ISOLATED_HPP
#define HAWSER_TESTS_SUPPORT_MATRIX_ISOLATED_HPP

#include <hawser/adapt/asio/isolated.hpp>

#include "support/isolation.hpp"
#include "support/matrix.hpp"

#include <atomic>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace support {

/// A result that counts.
struct pool_reply : reply {
    std::optional<entry> counted;
};

}  // namespace support

template <>
struct hawser::outcome_traits<support::pool_reply> : hawser::outcome_traits<support::reply> {};

namespace support {

/// How an operation ends.
enum class ending { answers, fails, throws };

/// The pool, and what goes on in it. Ends before what its calls go through.
struct pool_scene {
    holding held;
    ledger results;
    std::atomic<int> runs{0};  ///< Of the operation.
    hawser::isolation_pool pool{{.threads = 1, .places = 1}, hawser::named{"search"}};

    pool_scene() = default;
    pool_scene(pool_scene const&) = delete;
    pool_scene& operator=(pool_scene const&) = delete;
    ~pool_scene() { held.let_all_go(); }

    /// Stays until it is let go, whatever it is told.
    struct operation {
        pool_scene* at;
        ending how;

        template <class Call>
        pool_reply operator()(Call& call) const {
            ++at->runs;
            at->held.stay(call.stop_token());
            if (how == ending::throws) throw std::runtime_error{"down"};
            bool const failed = how == ending::fails;
            return {{.value = failed ? 0 : 7, .failed = failed}, entry{at->results}};
        }
    };
    operation op(ending how) { return {this, how}; }

    /// Another call takes the thread, until it is let go.
    void occupy() {
        call_elsewhere();
        held.await_started(1);
    }
    /// Another one takes the place to wait.
    void queue() {
        call_elsewhere();
        await_waiting();
    }
    void await_waiting() {
        await_pool(pool, [](auto const& now) { return now.waiting == 1; });
    }
    /// Blocks until the operation has ended and its result is on its way.
    void let_go_and_await_result() {
        held.let_go();
        await_idle(pool);
    }

    /// Whether the thread is taken, by a call whose caller is gone or not, and nobody waits.
    bool is_taken(std::uint32_t behind) {
        auto const now = pool.snapshot();
        return now.running == 1 && now.behind == behind && now.waiting == 0;
    }
    /// Lets all go; whether nothing is left in the pool then, and each result was destroyed, once.
    bool is_clear() {
        held.let_all_go();
        others_.clear();
        await_idle(pool);
        return pool.snapshot().behind == 0 && results.made == results.destroyed;
    }
    /// Whether the call left the place where it waited for the thread, and never ran.
    bool left_the_queue() { return is_taken(0) && is_clear() && runs == 0; }
    /// Whether the operation runs without its caller; is told to stop, and its result destroyed
    /// where it ran.
    bool was_left_behind() {
        return is_taken(1) && is_clear() && runs == 1 && held.told == 1 && results.made == 1 &&
               results.where.load() == held.thread.load();
    }

private:
    void call_elsewhere() {
        others_.emplace_back([this] {
            auto const line = hawser::compose(hawser::isolated{hawser::borrow(pool)});
            (void)hawser::try_execute(line, [at = &held] { at->stay(); });
        });
    }

    std::vector<std::jthread> others_;  ///< The callers of those calls.
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_MATRIX_ISOLATED_HPP
