// SPDX-License-Identifier: BSL-1.0
//
// bulkhead: so many calls at one time, and no more.
#ifndef HAWSER_POLICY_BULKHEAD_HPP
#define HAWSER_POLICY_BULKHEAD_HPP

#include <hawser/base/borrow.hpp>
#include <hawser/base/clock.hpp>
#include <hawser/base/outcome.hpp>
#include <hawser/base/time.hpp>
#include <hawser/limit/semaphore.hpp>
#include <hawser/policy/concept.hpp>
#include <hawser/policy/detail/limit_parts.hpp>
#include <hawser/policy/detail/permit_queue.hpp>
#include <hawser/trace/event.hpp>

#include <cstdint>
#include <type_traits>

namespace hawser::inline v0 {

/// Lets so many calls in at one time as there are permits. The others are refused, or wait in a
/// bounded queue.
///
///     bulkhead limit{{.permits = 10}};                                  // refuses at once
///     bulkhead limit{{.permits = 10, .places = 50}, wait_up_to{100ms}}; // queues
///     bulkhead limit{{.permits = 10}, wait_up_to{1s}, queued_by<queueing::codel>{}};
///     bulkhead limit{borrow(semaphore), cost_by{size_of}};
///
/// Parts, in any order:
/// - `wait_up_to{d}`: a call that finds too few permits waits for them, for `d` at most and never
///   past its deadline. A plain call blocks its thread, an asynchronous one is suspended; neither
///   spins. It cannot be overtaken but by the queue's own order.
/// - `queued_by<queueing::...>{}`: who goes next, and who is turned away. First come, first served
///   by default. A borrowed semaphore has its own.
/// - `cost_by{f}`: a call takes `f(call)` permits, a `std::uint32_t`, zero counting as one. `f` is
///   `noexcept`. Without it, one.
/// - `told_to(sink)`, `told_by_reference(sink)`: hears `limit_changed` when it is resized.
/// - `named{"..."}`: what refusals and events call it.
///
/// Refusals: `bulkhead_full` (no permit, and no place to wait or the wait is over), `overloaded`
/// (turned away by the queue), `too_large` (more permits than there are). They are neutral to
/// circuit breakers further out, and cost no retry budget.
///
/// Guarantee:     free + held + on the way = permits, whatever becomes of a call: a permit returns
///                on every path, by whoever ends, cancels, destroys or unwinds the call.
/// Thread safety: may be called concurrently. It does not copy: `borrow` it, or `build` it inside.
/// Cost:          one compare-and-swap on the way in and one addition on the way out while nobody
///                waits; no clock is read then.
template <class Engine = semaphore, class... Parts>
class bulkhead : public detail::permit_queue<Engine, Parts...> {
    static_assert(detail::bulkhead_kinds::know_all<Parts...>,
                  "hawser: a part of a bulkhead is wait_up_to, queued_by, cost_by, told_to or "
                  "named");
    static_assert(detail::bulkhead_kinds::none_twice<Parts...>,
                  "hawser: a bulkhead has one part of each kind");
    using base = detail::permit_queue<Engine, Parts...>;
    using source = typename detail::engine_source<Engine>::type;
    static_assert(!std::is_same_v<Engine, source> ||
                      detail::count_of<detail::queue_part, Parts...> == 0,
                  "hawser: a borrowed semaphore has a queue of its own: queued_by goes where it is "
                  "made");

public:
    using stateful = void;
    using call_state = detail::permits_held;
    static constexpr layer_role role = layer_role::bulkhead;

    /// Throws `std::invalid_argument`, naming the field, if an option or a part is out of range.
    explicit bulkhead(source const& made_from, Parts... parts)
        : base{made_from,
               {"bulkhead", "bulkhead: wait_up_to is not positive", "bulkhead: name is null"},
               parts...} {}

    /// Sets how many permits there are, while running. Never waits: what is out over the new number
    /// is not lent again. Throws `std::invalid_argument` for none. The sink is told, under no lock.
    void resize(std::uint32_t permits_now, time_point now = steady_clock_source{}.now()) {
        this->set_permits(permits_now, now, limit_cause::command).ring_all();
        this->tell(now);
    }

    // The hooks.

    template <class Call>
    [[gnu::always_inline]] gate before(call_state& held, Call& call) noexcept
        requires(!base::waits) {
        return this->take_free(held, this->weight_of(call));
    }
    template <class Call>
    step before(call_state& held, Call& call, waiter& node) noexcept requires base::waits {
        if (held.queued) return this->ask_again(held, call, node);
        return this->take_or_wait(held, this->weight_of(call), call, node);
    }
    template <class Call>
    bool withdraw(call_state& held, Call& call, waiter& node) noexcept requires base::waits {
        return this->leave_queue(held, call, node);
    }
    template <class Call, class R>
    [[gnu::always_inline]] void after(call_state& held, Call& call, outcome<R>&) noexcept {
        this->give_back(held, call);
    }
    template <class Call>
    void abandon(call_state& held, Call& call) noexcept {
        this->give_back(held, call);
    }
};

template <class... Parts>
bulkhead(semaphore_options, Parts...) -> bulkhead<detail::semaphore_for<Parts...>, Parts...>;
template <class Engine, class... Parts>
bulkhead(borrowed<Engine>, Parts...) -> bulkhead<borrowed<Engine>, Parts...>;

}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_BULKHEAD_HPP
