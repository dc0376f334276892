// SPDX-License-Identifier: BSL-1.0
//
// What the call machine keeps for each layer, and each layer's hooks behind one uniform face.
#ifndef HAWSER_COMPOSE_DETAIL_MACHINE_LAYERS_HPP
#define HAWSER_COMPOSE_DETAIL_MACHINE_LAYERS_HPP

#include <hawser/base/outcome.hpp>
#include <hawser/compose/context.hpp>
#include <hawser/policy/concept.hpp>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

/// What the machine is waiting for.
enum class call_phase : std::uint8_t {
    running,        ///< Nothing: it moves.
    operating,      ///< The operation, or an alternative.
    asking,         ///< The time to ask a layer again.
    backing_off,    ///< The time to go in again.
    parked,         ///< A layer's bell, or the limit of the wait.
    awaiting_bell,  ///< A bell that is certain to ring, before going on as decided.
    finished,
};

/// The next thing to do, at some layer.
enum class call_step : std::uint8_t { none, ask, enter, ascend, alternative_ended, stop };

/// A call's node in a policy's queue of waiters, and its bell.
template <class Owner>
struct bell final : waiter {
    explicit bell(Owner& rings_for) noexcept : waiter{&ring}, owner{&rings_for} {}
    void rearm() noexcept { granted = rung = false; }
    static void ring(waiter& node) noexcept { static_cast<bell&>(node).owner->ring(); }

    Owner* owner;
    bool rung = false;  ///< The ring has arrived at the call, on the call's own thread.
};
/// Stands for it where no layer parks.
struct no_bell {
    template <class Owner>
    explicit no_bell(Owner&) noexcept {}
    void rearm() noexcept {}
    static constexpr bool granted = false;
    static constexpr bool rung = true;
};

/// A layer's own deadline, and the one that held outside it.
struct call_scope {
    time_point own = no_deadline;
    time_point outer = no_deadline;
};

/// The per-call state of every layer of a pipeline.
template <class Pipeline, class Call, class R>
class machine_layers {
    static constexpr std::size_t size = Pipeline::size;
    template <std::size_t I>
    using policy_at = typename Pipeline::template policy_type<I>;
    using places = std::make_index_sequence<size>;

    template <class Places>
    struct types;
    template <std::size_t... I>
    struct types<std::index_sequence<I...>> {
        template <std::size_t J>
        using scope = std::conditional_t<scopes<policy_at<J>, Call>, call_scope, unit>;
        using states = std::tuple<call_state_t<policy_at<I>>...>;
        using scope_list = std::tuple<scope<I>...>;
        static constexpr bool any_parks = (parks_before<policy_at<I>, Call> || ...);
    };
    using kept = types<places>;

public:
    template <std::size_t I>
    static constexpr bool parks = parks_before<policy_at<I>, Call>;
    template <class Owner>
    using node_type = std::conditional_t<kept::any_parks, bell<Owner>, no_bell>;

    /// The layers further in than `I` begin anew when the call goes in again.
    template <std::size_t I>
    void reset_inside() noexcept {
        each(places{}, [&]<std::size_t J>() {
            if constexpr (J > I) state<J>() = call_state_t<policy_at<J>>{};
        });
    }

    template <std::size_t I, class Node>
    [[gnu::always_inline]] step ask(Pipeline const& line, Call& call, outcome<R>& out, Node& node) {
        using policy = policy_at<I>;
        auto& asked = line.template policy<I>();
        if constexpr (only_gates<policy, Call>) {
            auto const answer = asked.before(state<I>(), call);
            if (answer.code == errc{}) [[likely]]
                return step::proceed();
            return step::refuse(answer.code, answer.retry_after);
        } else if constexpr (parks<I>) {
            return asked.before(state<I>(), call, node);
        } else if constexpr (responds_before<policy, Call, R>) {
            return asked.before(state<I>(), call, out);
        } else if constexpr (asks_before<policy, Call>) {
            return asked.before(state<I>(), call);
        } else {
            return step::proceed();
        }
    }

    template <std::size_t I>
    [[gnu::always_inline]] void open_scope(Pipeline const& line, Call& call) noexcept {
        if constexpr (scopes<policy_at<I>, Call>) {
            auto& scope = std::get<I>(scopes_);
            scope.outer = call.deadline();
            scope.own = line.template policy<I>().scope_deadline(state<I>(), call);
            if (scope.own < scope.outer) driver::set_deadline(call, scope.own);
        }
    }

    /// The layer has answered itself: nothing runs in its scope, which is closed all the same.
    template <std::size_t I>
    void skip_scope(Call& call) noexcept {
        if constexpr (scopes<policy_at<I>, Call>)
            std::get<I>(scopes_) = {no_deadline, call.deadline()};
    }

    template <std::size_t I>
    [[gnu::always_inline]] void close_scope(Pipeline const& line, Call& call,
                                            outcome<R>& out) noexcept {
        if constexpr (scopes<policy_at<I>, Call>) {
            auto const scope = std::get<I>(scopes_);
            driver::set_deadline(call, scope.outer);
            // The outermost of the scopes that have ended stopped the call: it alone reports.
            if (call.cause() == stop_cause::timeout && call.fits({})) [[unlikely]] {
                if constexpr (sees_expiry<policy_at<I>, Call, R>)
                    if (call.now() >= scope.own)
                        line.template policy<I>().scope_expired(state<I>(), call, out);
                driver::set_cause(call, stop_cause::none);
            }
        }
    }

    template <std::size_t I>
    [[gnu::always_inline]] next after(Pipeline const& line, Call& call, outcome<R>& out) noexcept {
        auto& policy = line.template policy<I>();
        if constexpr (goes_again<policy_at<I>, Call, R>) {
            return policy.after(state<I>(), call, out);
        } else if constexpr (only_detours<policy_at<I>, Call, R>) {
            if (policy.after(state<I>(), call, out).taken) return next::divert();
        } else if constexpr (looks_after<policy_at<I>, Call, R>) {
            policy.after(state<I>(), call, out);
        }
        return next::done();
    }

    template <std::size_t I>
    void alternative_ended(Pipeline const& line, Call& call, outcome<R>& out) noexcept {
        if constexpr (sees_alternative<policy_at<I>, Call, R>)
            line.template policy<I>().alternative_ended(state<I>(), call, out);
    }

    /// Ends a wait of layer `at`; whether no bell will ring for it any more.
    template <class Node>
    bool withdraw(Pipeline const& line, Call& call, Node& node, std::size_t at) noexcept {
        bool silent = true;
        each(places{}, [&]<std::size_t I>() {
            if (at != I) return;
            if constexpr (parks<I>)
                silent = line.template policy<I>().withdraw(state<I>(), call, node);
            else if constexpr (withdraws<policy_at<I>, Call>)
                line.template policy<I>().withdraw(state<I>(), call);
        });
        return silent;
    }

    /// Tells the layers before `depth`, from the innermost outwards, that the call is gone.
    void abandon_all(Pipeline const& line, Call& call, std::size_t depth) noexcept {
        each(places{}, [&]<std::size_t FromOutside>() {
            constexpr std::size_t I = size - 1 - FromOutside;
            if constexpr (abandons<policy_at<I>, Call>)
                if (I < depth) line.template policy<I>().abandon(state<I>(), call);
        });
    }

private:
    template <std::size_t... I, class Do>
    static void each(std::index_sequence<I...>, Do&& act) noexcept {
        (act.template operator()<I>(), ...);
    }
    template <std::size_t I>
    [[gnu::always_inline]] auto& state() noexcept {
        return std::get<I>(states_);
    }

    [[no_unique_address]] typename kept::states states_{};
    [[no_unique_address]] typename kept::scope_list scopes_{};
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_COMPOSE_DETAIL_MACHINE_LAYERS_HPP
