// SPDX-License-Identifier: BSL-1.0
//
// A thread that waits at one end of a channel.
#ifndef HAWSER_RUN_DETAIL_PARKED_END_HPP
#define HAWSER_RUN_DETAIL_PARKED_END_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/time.hpp>
#include <hawser/compose/parking.hpp>
#include <hawser/run/detail/channel_news.hpp>
#include <hawser/run/detail/channel_rows.hpp>
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
    using news_type = channel_news<Environment>;

public:
    template <class Core>
    [[gnu::noinline]] static transfer send(Core& core, news_type const& news, T& value,
                                           time_point until, std::stop_token const& stop) {
        typename news_type::wait_begin begun{};
        auto const ended = [&](transfer what) noexcept {
            return news.ended(end_of::sender, begun, what, core);
        };
        if constexpr (Core::at_once) {
            for (int look = 0; look != looks; ++look) {
                Core::sync_type::pause();
                if (core.send_at_once(value)) return transfer::done;
            }
        } else {  // Most find room, and need no place to wait at.
            auto const answer = core.send_by_lock(value, nullptr);
            if (answer.result != passage::none) return ended(transfer_of(answer.result));
        }
        parked_end self;
        news.begin(begun);
        {
            auto const answer = core.send_by_lock(value, &self);
            if (answer.result != passage::waits) {
                news.forget(begun);
                return ended(transfer_of(answer.result));
            }
        }
        auto take_out = [&]() noexcept {
            auto out = core.withdraw_sender(self);
            out.to_wake.ring_all();
            if (out.bell_will_ring) self.spot_.await_wake();
            return !out.bell_will_ring;
        };
        auto const why = self.park(news.env(), until, stop, take_out);
        if (why == wake_reason::woken || !take_out())
            return ended(self.turned_away ? transfer::closed : transfer::done);
        return ended(ended_by(why));
    }

    template <class Core>
    [[gnu::noinline]] static transfer receive(Core& core, news_type const& news,
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
        typename news_type::wait_begin begun{};
        auto const what = self.await_value(core, news, begun, into, until, stop);
        return news.ended(end_of::receiver, begun, what, core);
    }

private:
    /// So often somebody who finds nothing looks again before the thread is parked: about a
    /// microsecond, less than parking and waking it costs the two sides.
    static constexpr int looks = 24;

    parked_end() noexcept : channel_waiter<T>{&ring} {}

    static void ring(waiter& node) noexcept { static_cast<parked_end&>(node).spot_.wake(); }

    template <class Core, class Begin>
    transfer await_value(Core& core, news_type const& news, Begin& begun, std::optional<T>& into,
                         time_point until, std::stop_token const& stop) {
        auto take_out = [&]() noexcept {
            auto out = core.withdraw_receiver(*this);
            out.to_wake.ring_all();  // Nobody else waits for the bell that this one waits for.
            if (out.bell_will_ring) spot_.await_wake();
        };
        for (;;) {
            news.begin(begun);
            {
                auto const answer = core.receive_by_lock(into, this);
                if (answer.result != passage::waits) {
                    if (!this->has_place) news.forget(begun);  // Nor did it wait before.
                    return transfer_of(answer.result);
                }
            }
            auto const why = park(news.env(), until, stop, take_out);
            if (why != wake_reason::woken) take_out();
            if (this->given) {
                into.emplace(*std::move(this->given));
                return transfer::done;
            }
            if (why != wake_reason::woken) return ended_by(why);
            spot_.rearm();
            this->granted = false;
        }
    }

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
