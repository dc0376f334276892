// SPDX-License-Identifier: BSL-1.0
//
// What the cells of the contract matrix share: a result that can be a failure, and a layer to stand
// inside the policy under test that lets in, refuses or makes wait as it is told.
#ifndef HAWSER_TESTS_SUPPORT_MATRIX_HPP
#define HAWSER_TESTS_SUPPORT_MATRIX_HPP

#include <hawser/base/outcome_traits.hpp>
#include <hawser/compose/execute.hpp>
#include <hawser/policy/concept.hpp>

#include "support/stage.hpp"
#include "support/test_bulkhead.hpp"
#include "support/unwound.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>

namespace support {

struct reply {
    int value = 0;
    bool failed = false;
};

}  // namespace support

template <>
struct hawser::outcome_traits<support::reply> {
    static verdict classify(support::reply const& r) noexcept {
        return r.failed ? verdict::failure : verdict::success;
    }
};

namespace support {

/// Does with every call what `answer` says; a wait ends with the call let in.
class told_gate {
public:
    using stateful = void;
    static constexpr hawser::layer_role role = hawser::layer_role::rate_limit;
    static constexpr char const* name = "gate";
    struct call_state {
        bool holds = false;
    };

    hawser::step answer = hawser::step::proceed();

    template <class Call>
    hawser::step before(call_state& state, Call&) noexcept {
        bool const waited = std::exchange(state.holds, true);
        auto const now = waited ? hawser::step::proceed() : answer;
        std::lock_guard const lock{mutex_};
        if (now.action == hawser::step::kind::refuse) return state.holds = false, now;
        if (!waited) ++counts_.held;
        if (now.action == hawser::step::kind::proceed) ++counts_.entered;
        return now;
    }
    template <class Call>
    void withdraw(call_state& state, Call&) noexcept {
        release(state, &lent_counts::withdrawn);
    }
    template <class Call, class R>
    void after(call_state& state, Call&, hawser::outcome<R>&) noexcept {
        release(state, &lent_counts::after);
    }
    template <class Call>
    void abandon(call_state& state, Call&) noexcept {
        release(state, &lent_counts::abandoned);
    }

    [[nodiscard]] lent_counts counts() const noexcept {
        std::lock_guard const lock{mutex_};
        return counts_;
    }
    /// Whether each call that it held has come out, once.
    [[nodiscard]] bool is_whole() const noexcept {
        auto const now = counts();
        return now.held == 0 && now.entered == now.after + now.abandoned;
    }

private:
    void release(call_state& state, std::size_t lent_counts::*how) noexcept {
        std::lock_guard const lock{mutex_};
        ++(counts_.*how);
        if (std::exchange(state.holds, false)) --counts_.held;
    }

    mutable std::mutex mutex_;
    lent_counts counts_;
};

/// A synchronous call, its caller, and the layers around the policy under test.
struct sync_stand {
    using result = reply;
    static result answer(int value) { return {.value = value}; }

    stage scene;
    test_bulkhead outer{1};
    told_gate gate;
    std::stop_source caller;
    int runs = 0;  ///< Of the operation.

    template <class Line, class Operation>
    hawser::outcome<reply> call(Line const& line, Operation operation,
                                hawser::time_point deadline = hawser::no_deadline) {
        hawser::call_facts<> const facts{.deadline = deadline, .stop = caller.get_token()};
        return hawser::try_execute(line, facts, [&]() -> reply {
            ++runs;
            return operation();
        });
    }
    /// Whether a cancelled thread was unwound out of the operation.
    template <class Line>
    bool unwound_in_operation(Line const& line) {
        return unwound([&] {
            (void)call(line, [] {
                unwind_here();
                return reply{};
            });
        });
    }
    /// Whether one was out of the first wait.
    template <class Line, class Operation>
    bool unwound_in_wait(Line const& line, Operation operation) {
        scene.hold = true;
        bool const done =
            unwound([&] { (void)call(line, operation); }, [&] { scene.await_waits(1); });
        scene.hold = false;
        return done;
    }
    /// Fails after so long.
    auto fails_after(hawser::duration taken) {
        return [this, taken] {
            scene.time.advance(taken);
            return reply{.failed = true};
        };
    }
    void stop_in_wait() {
        scene.on_wait = [this] { caller.request_stop(); };
    }

    [[nodiscard]] bool is_whole() const { return outer.is_whole() && gate.is_whole(); }
    /// How often a policy wrote a line that ends so.
    [[nodiscard]] auto told(std::string const& what) const {
        auto const all = scene.trace.seen();
        return std::count_if(all.begin(), all.end(), [&](auto const& line) {
            return line.find(what) != std::string::npos;
        });
    }
};

inline reply answers() { return {.value = 7}; }
inline reply fails() { return {.failed = true}; }
inline reply throws() { throw std::runtime_error{"down"}; }

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_MATRIX_HPP
