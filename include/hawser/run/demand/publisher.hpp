// SPDX-License-Identifier: BSL-1.0
//
// A publisher: what a flow of items comes from; and how stages are put behind one.
//
//     from_range(prices) | map(parse) | window(100)
#ifndef HAWSER_RUN_DEMAND_PUBLISHER_HPP
#define HAWSER_RUN_DEMAND_PUBLISHER_HPP

#include <hawser/run/demand/subscriber.hpp>

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::demand {

namespace detail {

/// A subscriber to anything, to ask of a type whether it is a publisher.
template <class T>
struct any_subscriber {
    void on_subscribe(subscription) noexcept {}
    void on_next(T) {}
    void on_error(std::exception_ptr) noexcept {}
    void on_complete() noexcept {}
};

}  // namespace detail

/// Sends items of `value_type` to whoever subscribes: a description of a flow, which begins with
/// `subscribe(subscriber)`, once for each subscriber. A concept and not a class with virtual
/// functions, so that the stages of a line are one piece of code to the compiler.
///
/// `subscribe` takes the subscriber over, calls its `on_subscribe` before it returns, on the
/// caller's thread, and keeps it until its last signal has returned. It throws only before the
/// first signal. A signal that throws counts as cancelled, and is answered by `on_error`.
template <class P>
concept publisher = std::move_constructible<P> && requires(P from) {
    typename P::value_type;
    std::move(from).subscribe(detail::any_subscriber<typename P::value_type>{});
};

/// A stage that is put behind a publisher by `|`: says so by a member type, and is called with it.
template <class Stage, class P>
concept stage_behind = publisher<P> && requires(Stage stage, P from) {
    typename Stage::stage_type;
    { std::move(stage)(std::move(from)) } -> publisher;
};

/// The publisher of what `stage` makes of the items of `from`.
template <publisher P, stage_behind<P> Stage>
[[nodiscard]] auto operator|(P from, Stage stage) {
    return std::move(stage)(std::move(from));
}

}  // namespace hawser::inline v0::demand
#endif  // HAWSER_RUN_DEMAND_PUBLISHER_HPP
