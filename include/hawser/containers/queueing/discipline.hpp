// SPDX-License-Identifier: BSL-1.0
//
// What a queue discipline is: who of those that wait is next, and who is turned away.
//
//     push --> [ waiting ] --first--> fits? --take--> serve, or turn away
//                  |                    no: nobody overtakes it but by the discipline's own order
//                  +--remove: withdrawn, from anywhere
//
// A discipline orders and decides; it grants nothing, marks nobody but `queued`, and rings no bell.
// The engine that owns it has the lock, asks for the candidate, sees whether there is enough for
// it, and takes it out. Time is an argument, and no discipline breaks if it runs backwards.
//
//     push(node, now)          `node` waits from now on
//     first(now)               who is next, or null; the same one until something else happens, or
//                              until time passes, for disciplines whose order depends on it
//     take(node, now)          the candidate leaves the queue; says what becomes of it
//     remove(node)             `node` leaves the queue, from wherever it stands
//     size()                   how many wait
//     for_each(visit)          shows every waiter, in no order; `visit` may remove the one it sees
//     displaced_by(node, now)  optional, asked where the queue is full: who of those that wait has
//                              to go so that `node` can wait in its place, or null if nobody has
#ifndef HAWSER_CONTAINERS_QUEUEING_DISCIPLINE_HPP
#define HAWSER_CONTAINERS_QUEUEING_DISCIPLINE_HPP

#include <hawser/base/time.hpp>
#include <hawser/containers/waiter.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace hawser::inline v0::queueing {

/// What becomes of a waiter whose turn it is.
enum class fate : std::uint8_t {
    serve,      ///< It gets what it waits for.
    turn_away,  ///< It is refused, so that those behind it get theirs in time.
};

namespace detail {
struct ignore_waiter {
    void operator()(waiter&) const noexcept {}
};
}  // namespace detail

/// A discipline. No member allocates, calls user code or throws.
template <class Queue>
concept discipline = requires(Queue& queue, Queue const& seen, waiter& node, time_point now) {
    { queue.push(node, now) }
    noexcept->std::same_as<void>;
    { queue.first(now) }
    noexcept->std::same_as<waiter*>;
    { queue.take(node, now) }
    noexcept->std::same_as<fate>;
    { queue.remove(node) }
    noexcept->std::same_as<void>;
    { seen.size() }
    noexcept->std::same_as<std::size_t>;
    queue.for_each(detail::ignore_waiter{});
};

/// A discipline that makes room in a full queue for who is more worth it.
template <class Queue>
concept displacing = discipline<Queue> && requires(Queue& queue, waiter& node, time_point now) {
    { queue.displaced_by(node, now) }
    noexcept->std::same_as<waiter*>;
};

}  // namespace hawser::inline v0::queueing
#endif  // HAWSER_CONTAINERS_QUEUEING_DISCIPLINE_HPP
