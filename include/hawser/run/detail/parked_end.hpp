// SPDX-License-Identifier: BSL-1.0
//
// A thread that waits at one end of a channel.
#ifndef HAWSER_RUN_DETAIL_PARKED_END_HPP
#define HAWSER_RUN_DETAIL_PARKED_END_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/time.hpp>
#include <hawser/compose/parking.hpp>
#include <hawser/run/detail/channel_core.hpp>
#include <hawser/run/transfer.hpp>

#include <optional>
#include <stop_token>

namespace hawser::inline v0::detail {

[[nodiscard]] constexpr transfer transfer_of(passage answer) noexcept {
    switch (answer) {
        case passage::done: return transfer::done;
        case passage::none:
        case passage::refused: return transfer::would_wait;
        case passage::closed: return transfer::closed;
        case passage::crowded: return transfer::crowded;
        case passage::too_large: return transfer::too_large;
        case passage::waits: break;
    }
    HAWSER_ASSERT(false && "who waits has no answer yet");
    return transfer::would_wait;
}

/// The node and the spot of one thread.
template <class T, class Environment>
class parked_end final : public channel_waiter<T> {
public:
    template <class Core>
    [[gnu::noinline]] static transfer send(Core& core, Environment const& env, T& value,
                                           time_point until, std::stop_token const& stop) {
        if constexpr (Core::at_once) {
            for (int look = 0; look != looks; ++look) {
                Core::sync_type::pause();
                if (core.send_at_once(value)) return transfer::done;
            }
        } else {  // Most find room, and need no place to wait at.
            auto const answer = core.send_by_lock(value, nullptr);
            if (answer.result != passage::none) return transfer_of(answer.result);
        }
        parked_end self;
        {
            auto const answer = core.send_by_lock(value, &self);
            if (answer.result != passage::waits) return transfer_of(answer.result);
        }
        auto take_out = [&]() noexcept {
            auto out = core.withdraw_sender(self);
            out.to_wake.ring_all();
            if (out.bell_will_ring) self.spot_.await_wake();
            return !out.bell_will_ring;
        };
        auto const why = self.park(env, until, stop, take_out);
        if (why == wake_reason::woken || !take_out())
            return self.turned_away ? transfer::closed : transfer::done;
        return ended_by(why);
    }

    template <class Core>
    [[gnu::noinline]] static transfer receive(Core& core, Environment const& env,
                                              std::optional<T>& into, time_point until,
                                              std::stop_token const& stop) {
        if constexpr (Core::at_once) {
            for (int look = 0; look != looks; ++look) {
                Core::sync_type::pause();
                if (core.receive_at_once(into)) return transfer::done;
            }
        } else {
            auto const answer = core.receive_by_lock(into, nullptr);
            if (answer.result != passage::none) return transfer_of(answer.result);
        }
        parked_end self;
        auto take_out = [&]() noexcept {
            auto out = core.withdraw_receiver(self);
            out.to_wake.ring_all();  // Nobody else waits for the bell that this one waits for.
            if (out.bell_will_ring) self.spot_.await_wake();
        };
        for (;;) {
            {
                auto const answer = core.receive_by_lock(into, &self);
                if (answer.result != passage::waits) return transfer_of(answer.result);
            }
            auto const why = self.park(env, until, stop, take_out);
            if (why != wake_reason::woken) take_out();
            if (self.given) {
                into.emplace(*std::move(self.given));
                return transfer::done;
            }
            if (why != wake_reason::woken) return ended_by(why);
            self.spot_.rearm();
            self.granted = false;
        }
    }

private:
    /// So often somebody who finds nothing looks again before the thread is parked: about a
    /// microsecond, less than parking and waking it costs the two sides.
    static constexpr int looks = 24;

    parked_end() noexcept : channel_waiter<T>{&ring} {}

    static void ring(waiter& node) noexcept { static_cast<parked_end&>(node).spot_.wake(); }

    static transfer ended_by(wake_reason why) noexcept {
        return why == wake_reason::stopped ? transfer::cancelled : transfer::timed_out;
    }

    /// `take_out` runs here only if the thread is unwound from the wait.
    template <class TakeOut>
    wake_reason park(Environment const& env, time_point until, std::stop_token const& stop,
                     TakeOut& take_out) {
        struct unwinding {
            TakeOut& take_out;
            bool parked = true;
            ~unwinding() {
                if (parked) take_out();
            }
        } waits{take_out};
        auto const why = env.park(spot_, until, stop);
        waits.parked = false;
        return why;
    }

    parking_spot spot_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_RUN_DETAIL_PARKED_END_HPP
