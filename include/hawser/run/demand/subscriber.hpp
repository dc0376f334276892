// SPDX-License-Identifier: BSL-1.0
//
// A subscriber: who receives the items of a flow, as many as it asks for.
//
//     on_subscribe --> on_next ... on_next --> on_complete or on_error
#ifndef HAWSER_RUN_DEMAND_SUBSCRIBER_HPP
#define HAWSER_RUN_DEMAND_SUBSCRIBER_HPP

#include <hawser/run/demand/subscription.hpp>

#include <concepts>
#include <exception>
#include <utility>

namespace hawser::inline v0::demand {

/// Receives items of type `T`. A value, which its publisher owns from `subscribe` until the flow
/// has ended or was cancelled, and then destroys: what is to be seen from outside, it points to.
///
/// Signals arrive one at a time, each seeing what was done in those before, on whatever thread
/// brings them: `on_subscribe` first and once, then at most as many `on_next` as were asked for,
/// then at most one of `on_complete` and `on_error`, and nothing after it. No lock of ours is held.
///
/// Three of them do not throw, as the compiler checks. What `on_next` throws ends the flow: the
/// source is cancelled, and the exception comes back as the last signal, by `on_error`; to a
/// subscriber that has cancelled it does not, and is dropped.
template <class S, class T>
concept subscriber = std::move_constructible<S> &&
    requires(S& receiver, subscription handle, T item, std::exception_ptr why) {
    { receiver.on_subscribe(std::move(handle)) }
    noexcept;
    receiver.on_next(std::move(item));
    { receiver.on_error(std::move(why)) }
    noexcept;
    { receiver.on_complete() }
    noexcept;
};

}  // namespace hawser::inline v0::demand
#endif  // HAWSER_RUN_DEMAND_SUBSCRIBER_HPP
