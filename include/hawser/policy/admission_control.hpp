// SPDX-License-Identifier: BSL-1.0
//
// admission_control: what a server has at its front door.
#ifndef HAWSER_POLICY_ADMISSION_CONTROL_HPP
#define HAWSER_POLICY_ADMISSION_CONTROL_HPP

#include <hawser/base/borrow.hpp>
#include <hawser/base/clock.hpp>
#include <hawser/base/outcome.hpp>
#include <hawser/base/time.hpp>
#include <hawser/limit/admission_queue.hpp>
#include <hawser/policy/concept.hpp>
#include <hawser/policy/detail/limit_parts.hpp>
#include <hawser/policy/detail/permit_queue.hpp>
#include <hawser/trace/event.hpp>
#include <hawser/trace/sink.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <type_traits>

namespace hawser::inline v0 {

namespace detail {
using admission_kinds = kinds<waiting_part, cost_part, told_part, name_part>;
}

/// Lets so many calls in at one time as there are permits, in the order of their worth; the others
/// wait as long as they can still be served in time, and else are refused, with the time after
/// which to come again.
///
///     admission_control door{{.permits = 64, .places = 500}, wait_up_to{200ms}};
///     execute(compose(borrow(door)), {.deadline = by, .priority = 2}, serve);
///     admission_control door{borrow(queue), wait_up_to{200ms}, named{"uploads"}};
///
/// The queue is an `admission_queue`: higher priorities of the call's facts go first, from -3 to 4;
/// an overload is shed from the lowest; a call whose deadline, or `wait_up_to`, is before its turn
/// can be is refused at once. Parts, in any order:
/// - `wait_up_to{d}`: needed. A call waits for `d` at most, and never past its deadline. A plain
///   call blocks its thread, an asynchronous one is suspended; neither spins.
/// - `cost_by{f}`: a call takes `f(call)` permits, a `std::uint32_t`, zero counting as one. `f` is
///   `noexcept`. Without it, one.
/// - `told_to(sink)`, `told_by_reference(sink)`: hears `limit_changed` when it is resized, and
///   `overload_changed` when the queue comes to stand, or does so no more: with what waits, and who
///   was turned away for what. It is noticed by the calls that come and go.
/// - `named{"..."}`: what refusals and events call it.
///
/// Refusals: `overloaded` (it would wait too long, or the queue has turned it away),
/// `bulkhead_full` (no place to wait, or the wait is over), `too_large` (more permits than there
/// are). The first two say when to come again, never zero. They are neutral to circuit breakers
/// further out, and cost no retry budget.
///
/// Guarantee:     permits as of `bulkhead`, whatever becomes of a call.
/// Thread safety: may be called concurrently. It does not copy: `borrow` it, or `build` it inside.
/// Cost:          one compare-and-swap on the way in and one addition on the way out while nobody
///                waits; no clock is read then.
template <class Engine = admission_queue, class... Parts>
class admission_control : public detail::permit_queue<Engine, Parts...> {
    static_assert(
        detail::admission_kinds::know_all<Parts...>,
        "hawser: a part of an admission_control is wait_up_to, cost_by, told_to or named");
    static_assert(detail::admission_kinds::none_twice<Parts...>,
                  "hawser: an admission_control has one part of each kind");
    static_assert(detail::count_of<detail::waiting_part, Parts...> != 0,
                  "hawser: an admission_control needs wait_up_to: what it controls is a queue; a "
                  "bulkhead has none");
    using base = detail::permit_queue<Engine, Parts...>;
    using source = typename detail::engine_source<Engine>::type;
    static constexpr bool tells_of_overload =
        listens_to<typename detail::part_t<detail::told_part, Parts...>::sink_type,
                   overload_changed>;

public:
    using stateful = void;
    using call_state = detail::permits_held;
    static constexpr layer_role role = layer_role::bulkhead;

    /// Throws `std::invalid_argument`, naming the field, if an option or a part is out of range.
    explicit admission_control(source const& made_from, Parts... parts)
        : base{made_from,
               {"admission_control", "admission_control: wait_up_to is not positive",
                "admission_control: name is null"},
               parts...},
          wait_max_{detail::take_part<detail::waiting_part>(parts...).limit} {}

    /// Sets how many permits there are, while running. Never waits: what is out over the new number
    /// is not lent again. Throws `std::invalid_argument` for none. The sink is told, under no lock.
    void resize(std::uint32_t permits_now, time_point now = steady_clock_source{}.now()) {
        this->set_permits(permits_now, now, limit_cause::command).ring_all();
        this->tell(now);
        look([now] { return now; });
    }

    // The hooks.

    template <class Call>
    step before(call_state& held, Call& call, waiter& node) noexcept {
        if (held.queued)
            return looking(told_when(this->ask_again(held, call, node), call, node), call);
        auto const count = this->weight_of(call);
        if (this->permits().try_acquire(count)) [[likely]] {
            held.count = count;
            return step::proceed();
        }
        return looking(wait_or_refuse(held, count, call, node), call);
    }
    template <class Call>
    bool withdraw(call_state& held, Call& call, waiter& node) noexcept {
        return looking(this->leave_queue(held, call, node), call);
    }
    template <class Call, class R>
    [[gnu::always_inline]] void after(call_state& held, Call& call, outcome<R>&) noexcept {
        abandon(held, call);
    }
    template <class Call>
    [[gnu::always_inline]] void abandon(call_state& held, Call& call) noexcept {
        this->give_back(held, call);
        look(base::clock_of(call));
    }

private:
    /// For how long this call may wait.
    template <class Call>
    [[nodiscard]] duration patience(Call& call) const noexcept {
        return std::min(wait_max_, call.remaining());
    }

    template <class Call>
    step wait_or_refuse(call_state& held, std::uint32_t count, Call& call, waiter& node) noexcept {
        // As a bulkhead: a call that is over takes nobody's place, and ends where it would park.
        if (detail::is_over(call)) return step::park(wait_max_);
        detail::describe(node, call);
        auto answer = this->permits().acquire(node, count, call.now(), patience(call));
        answer.to_wake.ring_all();
        switch (answer.result) {
            case admitted::granted: held.count = count; return step::proceed();
            case admitted::queued: held.queued = true; return step::park(wait_max_);
            case admitted::too_late:
            case admitted::turned_away: return step::refuse(errc::overloaded, answer.retry_after);
            case admitted::full: return step::refuse(errc::bulkhead_full, answer.retry_after);
            case admitted::too_large: break;
        }
        return step::refuse(errc::too_large, never);
    }

    /// A refusal says when to come again, whoever comes for the same time.
    template <class Call>
    step told_when(step answer, Call& call, waiter& node) noexcept {
        if (answer.action == step::kind::refuse)
            answer.delay = this->permits().retry_after(node.priority, call.now(), wait_max_);
        return answer;
    }

    template <class Answer, class Call>
    Answer looking(Answer answer, Call& call) noexcept {
        look(base::clock_of(call));
        return answer;
    }

    /// Tells the sink if the queue stands since it was last told, or does not: outside of locks.
    template <class Now>
    [[gnu::always_inline]] void look([[maybe_unused]] Now now) noexcept {
        if constexpr (tells_of_overload) {
            auto const told = told_that_it_stands_.load(std::memory_order_relaxed);
            if (!told && !this->permits().stood()) [[likely]]
                return;
            time_point const at = now();
            if (this->permits().stands(at) == told) return;
            // Whoever delivers looks again, so that each change is told once, and in its order.
            this->tell(at, [this, at](auto& sink) noexcept { this->tell_of_overload(sink, at); });
        }
    }
    template <class Sink>
    void tell_of_overload(Sink& sink, time_point at) noexcept {
        auto const seen = this->permits().snapshot(at);
        if (told_that_it_stands_.exchange(seen.stands, std::memory_order_relaxed) == seen.stands)
            return;
        emit<overload_changed>(sink, [&] {
            return overload_changed{.origin = {at, this->name(), 0},
                                    .began = seen.stands,
                                    .waiting = static_cast<std::uint32_t>(seen.permits.waiting),
                                    .at_most = static_cast<std::uint32_t>(seen.most_waiting),
                                    .p99_wait = seen.p99_wait,
                                    .shed = seen.counts.shed,
                                    .displaced = seen.counts.displaced,
                                    .full = seen.counts.full,
                                    .too_late = seen.counts.too_late};
        });
    }

    duration const wait_max_;
    std::atomic<bool> told_that_it_stands_{false};  ///< Relaxed: a later look sees it.
};

template <class... Parts>
admission_control(admission_options, Parts...) -> admission_control<admission_queue, Parts...>;
template <class Engine, class... Parts>
admission_control(borrowed<Engine>, Parts...) -> admission_control<borrowed<Engine>, Parts...>;

}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_ADMISSION_CONTROL_HPP
