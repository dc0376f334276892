// SPDX-License-Identifier: BSL-1.0
#include <hawser/compose/fork.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/stage.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using hawser::errc;
using hawser::try_execute;
using support::stage;

namespace {

/// A fork that runs its inner part where it stands, the third time only.
template <class Inner, class Held>
struct third_time {
    std::shared_ptr<Inner const> inner;
    Held operation;
    int* asked;

    template <class R, class Call>
    void run_into(hawser::outcome<R>& out, Call& call) {
        auto const before = call.attempt() - 1;
        if (++*asked < 3) {
            hawser::detail::driver::set_notes(call, {.attempts = before});
            return out.refuse({errc::bulkhead_full, {}, "third"});
        }
        using facts_type = hawser::call_facts<typename Call::key_type>;
        auto const facts = call.nested();
        hawser::context<typename Inner::environment_type, facts_type> own{inner->environment(),
                                                                          facts};
        hawser::detail::driver::set_notes(own, {.attempts = before});
        hawser::outcome<R> there;
        hawser::detail::sync_call<Inner, decltype(own), Held, R>{*inner, own, operation, there}
            .run();
        hawser::detail::driver::set_notes(call, hawser::detail::driver::notes(own));
        out.join(std::move(there));
    }
    template <class Call>
    auto operator()(Call& call) -> decltype(operation(call));
};

struct third_fork {
    using fork = void;
    int* asked;

    template <class Outer, class Inner, class Operation>
    auto bind(std::shared_ptr<Inner const> const& inner, Operation&& operation) const {
        return third_time<Inner, std::decay_t<Operation>>{inner, std::forward<Operation>(operation),
                                                          asked};
    }
};

}  // namespace

template <class Inner, class Held>
inline constexpr bool hawser::fork_operation<third_time<Inner, Held>> = true;

namespace {

/// The message that composing ends with.
std::string refused_with(auto make) {
    try {
        make();
    } catch (std::invalid_argument const& wrong) {
        return wrong.what();
    }
    return "not refused";
}

}  // namespace

TEST_CASE("fork: a pipeline is split at a fork, wherever that stands") {
    int asked = 2;
    auto const op = [](auto& call) { return call.attempt(); };
    CHECK(hawser::execute(hawser::compose(third_fork{&asked}), op) == 1);
    CHECK(hawser::execute(hawser::compose(hawser::retry{}, third_fork{&asked}), op) == 1);
    CHECK(hawser::execute(hawser::compose(third_fork{&asked}, hawser::retry{}), op) == 1);
    auto const line = hawser::compose(hawser::allow<>{}, hawser::fallback{1U}, hawser::retry{},
                                      third_fork{&asked}, hawser::build<hawser::circuit_breaker>(),
                                      hawser::attempt_timeout{1s});
    CHECK(hawser::execute(line, {.deadline = hawser::no_deadline}, op) == 1);
    CHECK(line.outer().size == 2);
    CHECK(line.inner().size == 2);
}

TEST_CASE("fork: an inner part tells of its attempts, and counts on from the outer one's") {
    stage scene;
    int asked = 0;
    auto const each = [](std::uint32_t attempts) {
        return hawser::retry{
            {.max_attempts = attempts}, hawser::backoff::constant{1ms}, hawser::jitter::none{}};
    };
    auto const line = hawser::compose_in(scene.environment(), each(4), third_fork{&asked}, each(2));
    CHECK(line.max_attempts() == 8);

    auto const out = try_execute(line, [](auto& call) {
        if (call.attempt() < 3) throw 1;
        return call.attempt();
    });

    CHECK(out.value() == 3);
    CHECK(out.origin().attempts == 3);
    CHECK(scene.trace.take() ==
          std::vector<std::string>{"retry again in 1ms by refusal", "retry again in 1ms by refusal",
                                   "attempt 1", "attempt 1 ended: failure",
                                   "retry again in 1ms by backoff", "attempt 2",
                                   "attempt 2 ended: failure", "retry gave up: max_attempts",
                                   "retry again in 1ms by backoff", "attempt 3",
                                   "attempt 3 ended: success", "call ended: success"});
}

TEST_CASE("fork: what an operation notes inside reaches the layers outside") {
    stage scene;
    int asked = 2, runs = 0;
    auto const line = hawser::compose_in(scene.environment(), hawser::retry{{.max_attempts = 1}},
                                         third_fork{&asked});
    CHECK(hawser::execute(line, [&](auto& call) {
              if (++runs == 1) call.mark_not_sent();
              if (runs == 1) throw 1;
              return runs;
          }) == 2);

    auto const asks = hawser::compose_in(
        scene.environment(), hawser::retry{{.max_attempts = 3}}, third_fork{&asked},
        hawser::retry{{.max_attempts = 2}, hawser::retry_if{[](auto const&) -> bool { throw 7; }}});
    runs = 0;
    CHECK_THROWS_AS(hawser::execute(asks,
                                    [&](auto&) {
                                        if (++runs > 0) throw "not this";
                                    }),
                    int);
    CHECK(runs == 1);
}

TEST_CASE("fork: the rules of values hold across the split") {
    int asked = 0;
    hawser::circuit_breaker breaker;
    CHECK(refused_with([&] {
              (void)hawser::compose(hawser::borrow(breaker), third_fork{&asked},
                                    hawser::borrow(breaker));
          }).find("twice") != std::string::npos);
    CHECK(refused_with([&] {
              (void)hawser::compose(hawser::total_timeout{1s}, third_fork{&asked},
                                    hawser::attempt_timeout{1s});
          }).find("attempt_timeout is not below") != std::string::npos);
    CHECK(refused_with([&] {
              (void)hawser::compose(hawser::total_timeout{2s}, third_fork{&asked},
                                    hawser::attempt_timeout{1s});
          }) == "not refused");
}
