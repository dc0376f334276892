// SPDX-License-Identifier: BSL-1.0
//
// How a call gets its permits and gives them back: what all limits on calls at one time share.
#ifndef HAWSER_POLICY_DETAIL_PERMIT_QUEUE_HPP
#define HAWSER_POLICY_DETAIL_PERMIT_QUEUE_HPP

#include <hawser/base/error.hpp>
#include <hawser/base/time.hpp>
#include <hawser/containers/waiter.hpp>
#include <hawser/limit/semaphore.hpp>
#include <hawser/policy/concept.hpp>
#include <hawser/policy/detail/limit_news.hpp>
#include <hawser/policy/detail/limit_parts.hpp>
#include <hawser/trace/event.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

/// The permits of one call.
struct permits_held {
    std::uint32_t count = 0;
    bool queued = false;
};

/// A semaphore as a layer. `Engine` is one, or one that is borrowed.
template <class Engine, class... Parts>
class permit_queue {
    template <class Kind>
    using part = part_t<Kind, Parts...>;

public:
    static constexpr bool waits = !std::is_same_v<part<waiting_part>, waiting_part::standard>;

    permit_queue(permit_queue const&) = delete;
    permit_queue& operator=(permit_queue const&) = delete;

    [[nodiscard]] char const* name() const noexcept { return name_; }

    /// The engine: a snapshot, its permits for work that is no call.
    [[nodiscard]] auto& permits() noexcept { return engine_of(engine_); }

protected:
    template <class Source>
    permit_queue(Source const& made_from, wait_messages const& texts, Parts&... parts)
        : engine_(make_engine<Engine>(made_from, parts...)),
          waiting_(checked(take_part<waiting_part>(parts...), texts.not_positive)),
          cost_(take_part<cost_part>(parts...)),
          news_{take_part<told_part>(parts...)},
          name_{name_or(take_part<name_part>(parts...), texts.name, texts.null_name)} {}
    ~permit_queue() = default;

    template <class Call>
    static auto clock_of(Call& call) noexcept {
        return [&call]() noexcept { return call.now(); };
    }

    /// Sets how many permits there are: whom to wake for it. `tell` is to follow, outside of locks.
    /// Throws as the engine's `resize` does.
    [[nodiscard]] wake_list set_permits(std::uint32_t to, time_point now, limit_cause cause) {
        return news_.resize(permits(),
                            {.origin = {now, name_, 0}, .from = 0, .to = to, .cause = cause});
    }
    void tell(time_point now) noexcept { news_.deliver({now, name_, 0}); }
    /// The same, and `also` of the sink: see `limit_news`.
    template <class Also>
    void tell(time_point now, Also const& also) noexcept {
        news_.deliver({now, name_, 0}, also);
    }

    /// What the call costs in permits: one, or what `cost_by` says.
    template <class Call>
    [[nodiscard, gnu::always_inline]] std::uint32_t weight_of(Call& call) const noexcept {
        return permits_for(cost_, call);
    }

    [[gnu::always_inline]] gate take_free(permits_held& held, std::uint32_t count) noexcept {
        if (!permits().try_acquire(count)) [[unlikely]]
            return count > permits().capacity() ? gate{errc::too_large, never}
                                                : gate{errc::bulkhead_full};
        held.count = count;
        return {};
    }

    /// Asks for permits the first time; once `held.queued`, it is `ask_again`.
    template <class Call>
    step take_or_wait(permits_held& held, std::uint32_t count, Call& call, waiter& node) noexcept {
        if (permits().try_acquire(count)) [[likely]] {
            held.count = count;
            return step::proceed();
        }
        // A call that was stopped, or whose time is over, ends where it would park. It does not
        // queue for that: in a full queue, another would have to go.
        if (is_over(call)) return step::park(waiting_.limit);
        describe(node, call);
        auto answer = permits().acquire(node, count, clock_of(call));
        answer.to_wake.ring_all();
        switch (answer.result) {
            case acquired::granted: held.count = count; return step::proceed();
            case acquired::queued: held.queued = true; return step::park(waiting_.limit);
            case acquired::full: return step::refuse(errc::bulkhead_full);
            case acquired::too_large: break;
        }
        return step::refuse(errc::too_large, never);
    }

    /// It has been woken, or its wait is over.
    template <class Call>
    step ask_again(permits_held& held, Call& call, waiter& node) noexcept {
        held.queued = false;
        auto answer = permits().claim(node, call.now());
        answer.to_wake.ring_all();
        if (answer.result == claimed::granted) {
            held.count = node.permits;
            return step::proceed();
        }
        return step::refuse(answer.result == claimed::turned_away ? errc::overloaded
                                                                  : errc::bulkhead_full);
    }

    /// Ends a wait; whether no bell will ring for it any more.
    template <class Call>
    bool leave_queue(permits_held& held, Call& call, waiter& node) noexcept {
        if (!std::exchange(held.queued, false)) return true;
        auto answer = permits().withdraw(node, call.now());
        answer.to_wake.ring_all();
        return !answer.bell_will_ring;
    }

    template <class Call>
    [[gnu::always_inline]] void give_back(permits_held& held, Call& call) noexcept {
        permits().release(std::exchange(held.count, 0), clock_of(call)).ring_all();
    }

private:
    Engine engine_;
    [[no_unique_address]] part<waiting_part> waiting_;
    [[no_unique_address]] part<cost_part> cost_;
    [[no_unique_address]] limit_news<part<told_part>> news_;
    char const* name_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_POLICY_DETAIL_PERMIT_QUEUE_HPP
