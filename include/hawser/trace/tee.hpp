// SPDX-License-Identifier: BSL-1.0
//
// tee: one place for events, several who hear of them.
//
//     tee both{counts, recent};
//     auto const line = compose_in(observed_by(both), …);
#ifndef HAWSER_TRACE_TEE_HPP
#define HAWSER_TRACE_TEE_HPP

#include <hawser/trace/sink.hpp>

#include <tuple>

namespace hawser::inline v0 {

/// Sends each event to every one of its sinks that wants it, in their order. The sinks are somebody
/// else's and outlive it.
///
/// Guarantee:     wants an event if and only if one of the sinks does. What a sink throws is
/// counted
///                in `sink_failures` and does not keep the event from the others.
/// Thread safety: as its sinks'. Cost: nothing of its own.
template <class... Sinks>
class tee {
public:
    explicit tee(Sinks&... sinks) noexcept : sinks_{sinks...} {}

    template <class Event>
    requires(listens_to<Sinks, Event> || ...) void on(Event const& event) const noexcept {
        std::apply(
            [&](auto&... sinks) {
                (hawser::emit<Event>(sinks, [&]() -> Event const& { return event; }), ...);
            },
            sinks_);
    }

private:
    std::tuple<Sinks&...> sinks_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_TRACE_TEE_HPP
