// SPDX-License-Identifier: BSL-1.0
//
// concurrency_limit: as many calls at one time as the dependency turns out to carry.
#ifndef HAWSER_POLICY_CONCURRENCY_LIMIT_HPP
#define HAWSER_POLICY_CONCURRENCY_LIMIT_HPP

#include <hawser/base/clock.hpp>
#include <hawser/base/error.hpp>
#include <hawser/base/outcome.hpp>
#include <hawser/base/time.hpp>
#include <hawser/limit/knee.hpp>
#include <hawser/limit/limit_algorithm.hpp>
#include <hawser/limit/semaphore.hpp>
#include <hawser/policy/concept.hpp>
#include <hawser/policy/detail/limit_parts.hpp>
#include <hawser/policy/detail/permit_queue.hpp>
#include <hawser/trace/event.hpp>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>

namespace hawser::inline v0 {

/// Lets as many calls in at one time as `Algorithm` has found the dependency to carry, and learns
/// from each of them. The others are refused as `overloaded`, or wait in a bounded queue.
///
///     concurrency_limit limit{{.initial = 20}};                          // limits::knee
///     concurrency_limit limit{limits::aimd_options{}, wait_up_to{50ms}, places{100}};
///
/// Parts, in any order: `wait_up_to{d}`, `places{n}`, `queued_by<...>{}`, `cost_by{f}`,
/// `told_to(sink)`, `named{"..."}` as of `bulkhead`, and
/// - `sampled_by{f}`: what an outcome says of the load, `f(outcome) -> sample_outcome`. Without it
///   a success is a measure, a timeout further in is overload, and all else says nothing.
///
/// A call that costs more than the limit is let in alone, and takes all of it: whatever the calls
/// cost, there is always one to learn from.
///
/// What a call waits here for its permit is demand and no load: it is told apart from the time the
/// call takes once it is in. A call that is cancelled, destroyed or unwound teaches nothing.
///
/// Guarantee:     permits as of `bulkhead`; the limit is at least 1, so that there is always a call
///                to learn from. Never more calls at one time than the limit that let them in.
/// Thread safety: may be called concurrently. It does not copy: `borrow` it, or `build` it inside.
/// Cost:          two clock reads and a short lock for each call; a change of the limit, what the
///                sink takes for it.
template <limit_algorithm Algorithm, class... Parts>
class concurrency_limit : public detail::permit_queue<detail::semaphore_for<Parts...>, Parts...> {
    static_assert(detail::concurrency_kinds::know_all<Parts...>,
                  "hawser: a part of a concurrency_limit is wait_up_to, places, queued_by, "
                  "cost_by, sampled_by, told_to or named");
    static_assert(detail::concurrency_kinds::none_twice<Parts...>,
                  "hawser: a concurrency_limit has one part of each kind");
    using base = detail::permit_queue<detail::semaphore_for<Parts...>, Parts...>;
    using options = typename Algorithm::options_type;
    using sampler = detail::part_t<detail::sampler_part, Parts...>;

public:
    using stateful = void;
    static constexpr layer_role role = layer_role::bulkhead;

    /// What a call holds, and when it came and was let in.
    struct call_state : detail::permits_held {
        time_point asked{};
        time_point started{};
        std::uint32_t inflight = 0;
        bool has_asked = false;
    };

    /// Throws `std::invalid_argument`, naming the field, if an option or a part is out of range.
    explicit concurrency_limit(options const& learns, Parts... parts)
        : concurrency_limit{Algorithm{learns}, parts...} {}

    /// How many calls may be in at one time, as it is now.
    [[nodiscard]] std::uint32_t limit() noexcept { return this->permits().capacity(); }

    // The hooks.

    template <class Call>
    gate before(call_state& state, Call& call) noexcept requires(!base::waits) {
        if (this->take_free(state, fitting(call)).code != errc{}) [[unlikely]]
            return {errc::overloaded, {}};
        let_in(state, call);
        return {};
    }
    template <class Call>
    step before(call_state& state, Call& call, waiter& node) noexcept requires base::waits {
        if (!std::exchange(state.has_asked, true)) state.asked = call.now();
        auto const answer = state.queued ? this->ask_again(state, call, node)
                                         : this->take_or_wait(state, fitting(call), call, node);
        if (answer.action == step::kind::refuse) return step::refuse(errc::overloaded);
        if (answer.action == step::kind::proceed) let_in(state, call);
        return answer;
    }
    template <class Call>
    bool withdraw(call_state& state, Call& call, waiter& node) noexcept requires base::waits {
        return this->leave_queue(state, call, node);
    }
    template <class Call, class R>
    void after(call_state& state, Call& call, outcome<R>& out) noexcept {
        learn(state, call, sampler_(this->name(), call, out));
        this->give_back(state, call);
    }
    template <class Call>
    void abandon(call_state& state, Call& call) noexcept {
        this->give_back(state, call);
    }

private:
    concurrency_limit(Algorithm learner, Parts&... parts)
        : base{semaphore_options{learner.limit(), detail::places_among(parts...)},
               {"concurrency_limit", "concurrency_limit: wait_up_to is not positive",
                "concurrency_limit: name is null"},
               parts...},
          learner_{std::move(learner)},
          sampler_(detail::take_part<detail::sampler_part>(parts...)) {}

    /// What the call takes: its cost, but no more than there is.
    template <class Call>
    std::uint32_t fitting(Call& call) noexcept {
        return std::min(this->weight_of(call), limit());
    }

    template <class Call>
    void let_in(call_state& state, Call& call) noexcept {
        state.started = call.now();
        if (!state.has_asked) state.asked = state.started;
        state.inflight = this->permits().in_use();
    }

    template <class Call>
    void learn(call_state const& state, Call& call, sample_outcome said) noexcept {
        auto const now = call.now();
        wake_list to_wake;
        {
            std::lock_guard const lock{learning_};
            auto const limit =
                learner_.on_sample({.now = now,
                                    .started = state.started,
                                    .service_time = time_between(state.started, now),
                                    .queue_time = time_between(state.asked, state.started),
                                    .inflight_at_start = state.inflight,
                                    .outcome = said});
            if (limit == this->limit()) return;
            to_wake = this->set_permits(limit, now, limit_cause::learned);
        }
        to_wake.ring_all();
        this->tell(now);
    }

    std::mutex learning_;  // Guards what follows, and that limits are taken over in their order.
    Algorithm learner_;
    [[no_unique_address]] sampler sampler_;
};

template <class... Parts>
concurrency_limit(limits::knee_options, Parts...) -> concurrency_limit<limits::knee, Parts...>;
template <class Options, class... Parts>
concurrency_limit(Options, Parts...)
    -> concurrency_limit<typename Options::algorithm_type, Parts...>;

}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_CONCURRENCY_LIMIT_HPP
